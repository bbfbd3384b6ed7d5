"""Charges scheduled for a time."""
