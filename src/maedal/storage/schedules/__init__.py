"""Scheduled charges.

Tables: schedules, schedule_pace.
Migrations: 0001, 0004, 0011, 0015, 0016, 0020, 0034.
"""
