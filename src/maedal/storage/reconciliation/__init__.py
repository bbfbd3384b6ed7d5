"""What the PG's files of a day say, and how far each day has come.

Tables: settlement_rows, settlement_days.
Migrations: 0007.
"""
