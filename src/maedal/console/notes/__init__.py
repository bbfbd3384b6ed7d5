"""Notes and tags beside payments and customers: their forms, wherever those are shown."""

from maedal.console.notes import pages

__all__ = ["HANDLERS"]

HANDLERS = pages.HANDLERS
