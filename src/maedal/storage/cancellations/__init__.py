"""Cancels: those that began here, and those that only the PG knew of.

Tables: cancellations.
Migrations: 0001, 0007, 0015, 0021, 0037.
"""
