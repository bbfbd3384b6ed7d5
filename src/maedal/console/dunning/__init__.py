"""Dunning: what buyers are told of an unpaid charge, and which are open."""

from maedal.console.dunning import pages

__all__ = ["HANDLERS"]

HANDLERS = pages.HANDLERS
