"""Billing keys: the list, one key, and ending it by hand."""

from maedal.console.billing_keys import pages
from maedal.console.billing_keys.files import EXPORTS
from maedal.console.billing_keys.words import WORDS

__all__ = ["EXPORTS", "HANDLERS", "WORDS"]

HANDLERS = pages.HANDLERS
