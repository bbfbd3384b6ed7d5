"""Notes and tags that people wrote beside payments and customers.

Tables: notes, tags.
Migrations: 0037.
"""
