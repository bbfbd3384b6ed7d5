"""How a merchant is doing, and where there are several, how each is."""

from maedal.console.home import pages
from maedal.console.home.words import WORDS

__all__ = ["HANDLERS", "WORDS"]

HANDLERS = pages.HANDLERS
