"""Backups: the database as it was at one moment, in a folder of its own, and how it comes back. Never the key file."""
