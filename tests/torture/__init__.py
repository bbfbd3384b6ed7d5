"""Torture: the real processes are killed, frozen and cut off at every step, and then all records are compared.

A `Testbed` is everything that takes part: gateways, a worker, the simulator, a database, a merchant's server and proxies
between them. `scenarios` are what shops and buyers do. `checker` compares the simulator's log with our rows one to one.
"""
