"""What waits for a person: unknown outcomes, missing transaction ids, differences, keys to end, failed webhooks."""

from maedal.console.open_items import pages

HANDLERS = pages.HANDLERS
