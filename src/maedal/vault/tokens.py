"""Tokens that carry their own proof: made and checked with the key ring alone, so any node can read them."""

from __future__ import annotations

import base64
import binascii
import hmac

from maedal.vault.vault import Vault

_MAC_BYTES = 16


def make(vault: Vault, purpose: str, *parts: str) -> str:
    """Return an opaque token for `purpose` that gives back `services`; letters, digits, `-` and `_` only."""
    body = "\0".join(parts)
    return _written(vault.digest(f"token:{purpose}", body)[:_MAC_BYTES] + body.encode())


def read(vault: Vault, purpose: str, token: str) -> tuple[str, ...] | None:
    """Return the parts of a token made for `purpose` with any key of the ring, or None when it was not made here."""
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        body = raw[_MAC_BYTES:].decode()
    except (binascii.Error, ValueError):
        return None
    expected = [digest[:_MAC_BYTES] for digest in vault.digests(f"token:{purpose}", body)]
    results = [hmac.compare_digest(one, raw[:_MAC_BYTES]) for one in expected]
    # The encoding is not unique (spare bits, padding), so the token itself is compared too.
    if not any(results) or _written(raw) != token:
        return None
    return tuple(body.split("\0"))


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
