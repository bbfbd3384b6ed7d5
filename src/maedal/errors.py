"""The root of every error that maedal raises for its callers.

GatewayError
├── merchants.errors    who sells: unknown merchant, channel that cannot be used as asked
├── billing_keys.errors the right to charge again: unknown, ended, busy
├── payments.errors     one purchase: bad amount, used merchant_uid, unknown payment
├── schedules.errors    a scheduled charge: unknown, at a wrong time, no longer to be changed
└── storage.errors      the database refuses or is not what we expect

A declined charge is no error but an outcome (`payments.attempt.Outcome`). An error carries a stable `code` and one
sentence for the caller; how it is rendered is decided by the way in (`rest.errors`, `checkout.errors`).
"""

from __future__ import annotations

from typing import ClassVar


class GatewayError(Exception):
    """Something the caller asked for cannot be done; `str(error)` says why in one sentence."""

    code: ClassVar[str] = "GATEWAY_ERROR"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
