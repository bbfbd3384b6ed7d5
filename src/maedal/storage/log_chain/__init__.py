"""The hash chain over the logs: its blocks, and which rows they do not cover yet.

Tables: log_blocks, log_rows_to_chain, logs_to_walk.
Migrations: 0029.
"""
