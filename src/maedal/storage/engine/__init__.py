"""Databases that keep a store: connections, transactions, group commit. They know how to write, and nothing of what."""
