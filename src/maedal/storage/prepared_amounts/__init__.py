"""Amounts that a merchant registers before a payment.

Tables: prepared_amounts.
Migrations: 0001, 0027.
"""
