"""Plans: the list, one with its next days, a new one, what waits for somebody, and holidays."""

from maedal.console.plans import attention_pages, holiday_pages, new_pages, pages
from maedal.console.plans.words import WORDS

__all__ = ["HANDLERS", "WORDS"]

HANDLERS = [*pages.HANDLERS, *new_pages.HANDLERS, *attention_pages.HANDLERS, *holiday_pages.HANDLERS]
