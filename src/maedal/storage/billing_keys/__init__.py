"""Billing keys, and their ends at the PG.

Tables: billing_keys, key_endings.
Migrations: 0001, 0011, 0012, 0015, 0022, 0037.
"""
