"""Unpaid charges, the links that pay them, and what merchants want their buyers to be told.

Tables: dunning_rules, unpaid.
Migrations: 0041.
"""
