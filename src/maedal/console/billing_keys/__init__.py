"""Billing keys: the list, one key, and ending it by hand."""

from maedal.console.billing_keys import pages

HANDLERS = pages.HANDLERS
