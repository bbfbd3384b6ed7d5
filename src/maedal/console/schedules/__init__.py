"""Scheduled charges: the list, one of them, what comes up, the calendar, many at once, and the rules of retries."""

from maedal.console.schedules import bulk_pages, calendar_pages, pages, recovery_pages, upcoming_pages
from maedal.console.schedules.files import EXPORTS
from maedal.console.schedules.words import WORDS

__all__ = ["EXPORTS", "HANDLERS", "WORDS"]

HANDLERS = [
    *pages.HANDLERS,
    *upcoming_pages.HANDLERS,
    *calendar_pages.HANDLERS,
    *bulk_pages.HANDLERS,
    *recovery_pages.HANDLERS,
]
