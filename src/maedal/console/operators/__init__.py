"""The people of the console: signing in, one's own account, and the operators."""

from maedal.console.operators import account_pages, invite_pages, operator_pages, passkey_pages, sign_in_pages
from maedal.console.operators.words import WORDS

__all__ = ["HANDLERS", "WORDS"]

HANDLERS = [
    *sign_in_pages.HANDLERS,
    *invite_pages.HANDLERS,
    *account_pages.HANDLERS,
    *passkey_pages.HANDLERS,
    *operator_pages.HANDLERS,
]
