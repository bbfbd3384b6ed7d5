"""What months came to: recurring revenue and customers, money by month, and cohorts; and the same as files."""

from maedal.console.figures import pages
from maedal.console.figures.files import EXPORTS
from maedal.console.figures.words import WORDS

__all__ = ["EXPORTS", "HANDLERS", "WORDS"]

HANDLERS = pages.HANDLERS
