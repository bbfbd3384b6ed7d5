"""Channels, and those that rest because they do not work.

Tables: channels, channel_pauses.
Migrations: 0001, 0007, 0011, 0013, 0020, 0027.
"""
