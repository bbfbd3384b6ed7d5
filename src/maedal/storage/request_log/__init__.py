"""The log of calls of the REST API, by API key.

Tables: request_log.
Migrations: 0038.
"""
