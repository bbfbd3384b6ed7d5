"""The audit log: acts of people in a merchant's matters, and deeds in those of the operators of the console.

Tables: audit_log, user_log.
Migrations: 0006, 0009, 0011, 0012.
"""
