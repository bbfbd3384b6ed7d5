"""Tokens that carry their own proof: made and checked with the key file alone, so any node can read them."""

from __future__ import annotations

import base64
import binascii
import hmac

from maedal.vault.vault import Vault

_MAC_BYTES = 16


def make(vault: Vault, purpose: str, *parts: str) -> str:
    """Return an opaque token for `purpose` that gives back `services`; letters, digits, `-` and `_` only."""
    body = "\0".join(parts)
    mac = vault.digest(f"token:{purpose}", body)[:_MAC_BYTES]
    return base64.urlsafe_b64encode(mac + body.encode()).rstrip(b"=").decode()


def read(vault: Vault, purpose: str, token: str) -> tuple[str, ...] | None:
    """Return the parts of a token made for `purpose`, or None when it was not made here."""
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        body = raw[_MAC_BYTES:].decode()
    except (binascii.Error, ValueError):
        return None
    expected = vault.digest(f"token:{purpose}", body)[:_MAC_BYTES]
    # The encoding is not unique (spare bits, padding), so the token itself is compared too.
    if not hmac.compare_digest(expected, raw[:_MAC_BYTES]) or make(vault, purpose, *body.split("\0")) != token:
        return None
    return tuple(body.split("\0"))
