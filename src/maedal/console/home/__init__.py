"""How a merchant is doing, and where there are several, how each is."""

from maedal.console.home import pages

HANDLERS = pages.HANDLERS
