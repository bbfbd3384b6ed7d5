"""The search of the frame, over everything that a merchant has, and the list of keys."""

from maedal.console.search import pages

__all__ = ["HANDLERS"]

HANDLERS = pages.HANDLERS
