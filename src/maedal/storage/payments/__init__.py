"""Payments and what happened to them: begun, recorded, entered, identified.

Tables: payments, payment_events.
Migrations: 0001, 0005, 0006, 0012, 0014, 0020, 0035.
"""
