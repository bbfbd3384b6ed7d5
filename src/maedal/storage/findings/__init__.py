"""Differences between a PG and what is here, until somebody closes them.

Tables: findings.
Migrations: 0007, 0012.
"""
