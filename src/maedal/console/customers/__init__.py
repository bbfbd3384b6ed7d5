"""Customers: everything under one customer_uid, and those that carry a tag."""

from maedal.console.customers import pages

__all__ = ["HANDLERS"]

HANDLERS = pages.HANDLERS
