"""Calls to a PG: each recorded before it is made, and closed with what it taught us.

Tables: attempts.
Migrations: 0001, 0005, 0007, 0012, 0022, 0037.
"""
