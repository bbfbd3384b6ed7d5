"""A merchant's own settings: adding one, its API keys and the log of their calls, allowed addresses, and going live."""

from maedal.console.merchants import allowed_address_pages, api_key_pages, go_live_pages, new_pages, request_log_pages
from maedal.console.merchants.words import WORDS

__all__ = ["HANDLERS", "WORDS"]

HANDLERS = [
    *new_pages.HANDLERS,
    *api_key_pages.HANDLERS,
    *request_log_pages.HANDLERS,
    *allowed_address_pages.HANDLERS,
    *go_live_pages.HANDLERS,
]
