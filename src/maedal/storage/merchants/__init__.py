"""Merchants, their API keys and settings, and what was found on the way to live mode.

Tables: merchants, api_keys, live_checks.
Migrations: 0001, 0002, 0004, 0013, 0017, 0018, 0027, 0038.
"""
