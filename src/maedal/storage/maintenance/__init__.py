"""Times in which a PG is closed.

Tables: pg_pauses.
Migrations: 0016.
"""
