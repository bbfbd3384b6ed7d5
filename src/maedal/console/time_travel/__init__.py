"""Moving the time of a `maedal dev`, which alone serves these routes."""

from maedal.console.time_travel import pages

HANDLERS = pages.HANDLERS
