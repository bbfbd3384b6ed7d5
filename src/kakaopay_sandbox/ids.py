"""KakaoPay's identifiers: a letter and 19 random lowercase hex digits (docs/wire/kakaopay.md, 2 and 14.6)."""

import secrets


def _with_letter(letter: str) -> str:
    return letter + secrets.token_hex(10)[:19]


def new_tid() -> str:
    return _with_letter("T")


def new_sid() -> str:
    return _with_letter("S")


def new_aid() -> str:
    return _with_letter("A")


def new_pg_token() -> str:
    return secrets.token_hex(10)


def new_page() -> str:
    """The 64 hex digits that name one order in the redirect URLs."""
    return secrets.token_hex(32)


def new_card_approval() -> str:
    """The number under which a card company has approved."""
    return f"{secrets.randbelow(100_000_000):08d}"
