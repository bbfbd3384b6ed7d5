"""Webhooks: where results are sent and how they are signed, and the log of what was sent."""

from maedal.console.webhooks import address_pages, log_pages, settings_pages
from maedal.console.webhooks.files import EXPORTS
from maedal.console.webhooks.words import WORDS

__all__ = ["EXPORTS", "HANDLERS", "WORDS"]

HANDLERS = [*settings_pages.HANDLERS, *address_pages.HANDLERS, *log_pages.HANDLERS]
