"""What is limited: of everybody whom nobody knows yet, and of a merchant's own servers."""

from __future__ import annotations

from enum import StrEnum


class Limited(StrEnum):
    """What is counted, each for itself."""

    WINDOW = "window"  # opening a payment window, by address
    MERCHANT_WINDOW = "merchant_window"  # the same, by merchant
    TOKEN = "token"  # noqa: S105 - asking for an access token, by address
    REFUSED_CALL = "refused_call"  # a call of the REST API without a good token, by address
    SIGN_IN = "sign_in"  # a try to sign in to the console, by address
    MERCHANT_CALL = "merchant_call"  # a call of the REST API with a good token, by merchant, in each process for itself


PER_MINUTE: dict[Limited, int] = {
    Limited.WINDOW: 60,
    Limited.MERCHANT_WINDOW: 1_200,
    Limited.TOKEN: 120,
    Limited.REFUSED_CALL: 300,
    Limited.SIGN_IN: 20,
    Limited.MERCHANT_CALL: 60_000,
}
"""How many of each in a minute, unless settings say otherwise."""
