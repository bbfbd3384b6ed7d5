"""Charges planned for a time."""
