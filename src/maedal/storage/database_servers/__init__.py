"""Which database servers have held the database, and what one of them had not seen.

Tables: database_servers, unseen_approvals.
Migrations: 0019, 0025.
"""
