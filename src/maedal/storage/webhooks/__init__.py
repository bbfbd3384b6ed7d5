"""The outbox of webhooks, and the log of their tries.

Tables: webhook_addresses, webhook_deliveries, webhook_tries.
Migrations: 0001, 0003, 0012, 0039.
"""
