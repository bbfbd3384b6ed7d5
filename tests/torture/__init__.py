"""Torture: the real processes are killed, frozen and cut off at every step, and then every book is compared.

A `Town` is everything that takes part: gateways, a worker, the simulator, a database, a merchant's server and proxies
between them. `lives` are what shops and buyers do. `checker` compares the simulator's log with our rows one to one.
"""
