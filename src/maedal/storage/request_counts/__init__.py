"""How many requests of whom there were in a minute, on all nodes together.

Tables: request_counts.
Migrations: 0026.
"""
