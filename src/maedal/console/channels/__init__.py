"""The channels of a merchant: adding, changing and checking them."""

from maedal.console.channels import pages

HANDLERS = pages.HANDLERS
