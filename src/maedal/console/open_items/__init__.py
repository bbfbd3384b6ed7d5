"""What waits for a person: unknown outcomes, missing transaction ids, differences, keys to end, failed webhooks."""

from maedal.console.open_items import pages
from maedal.console.open_items.words import WORDS

__all__ = ["HANDLERS", "WORDS"]

HANDLERS = pages.HANDLERS
