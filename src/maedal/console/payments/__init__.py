"""Payments: the list with its filters, columns, views and files, and all that is known of one payment."""

from maedal.console.payments import export_pages, pages
from maedal.console.payments.files import EXPORTS
from maedal.console.payments.words import WORDS

__all__ = ["EXPORTS", "HANDLERS", "WORDS"]

HANDLERS = [*pages.HANDLERS, *export_pages.HANDLERS]
