"""The people of the console: signing in, one's own account, and the users."""

from maedal.console.operators import account_pages, invite_pages, passkey_pages, sign_in_pages, user_pages
from maedal.console.operators.words import WORDS

__all__ = ["HANDLERS", "WORDS"]

HANDLERS = [
    *sign_in_pages.HANDLERS,
    *invite_pages.HANDLERS,
    *account_pages.HANDLERS,
    *passkey_pages.HANDLERS,
    *user_pages.HANDLERS,
]
