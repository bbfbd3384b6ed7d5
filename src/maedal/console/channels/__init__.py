"""The channels of a merchant: adding, changing and checking them."""

from maedal.console.channels import pages
from maedal.console.channels.words import WORDS

__all__ = ["HANDLERS", "WORDS"]

HANDLERS = pages.HANDLERS
