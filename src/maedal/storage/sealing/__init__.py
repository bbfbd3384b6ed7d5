"""Which keys seal this database, where sealed values are kept, and their replacement by ones of another key.

Tables: vault_keys, vault_nodes.
Migrations: 0028.
"""
