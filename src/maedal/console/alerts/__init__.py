"""Alerts: whom the team's messages go to, through which server mail goes out, and what was sent."""

from maedal.console.alerts import mail_pages, message_pages, pages
from maedal.console.alerts.words import WORDS

__all__ = ["HANDLERS", "WORDS"]

HANDLERS = [*pages.HANDLERS, *mail_pages.HANDLERS, *message_pages.HANDLERS]
