"""An unpaid charge: the month that a buyer is asked for, until when, and the token of the link that pays it.

It is one for each scheduled charge, by its merchant_uid. Whether it was paid, its payments say; that it was is noted
here for the sums alone.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from maedal.payments.errors import InvalidParameter
from maedal.payments.failure_causes import FailureCause, Retry
from maedal.payments.failure_texts import EXPLANATIONS

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
DAYS_MAX = 60
PRESS_PAUSE = timedelta(minutes=1)
"""How long after a failure the buyer may ask for the charge again: whoever has the link shall not hammer a card."""
NEEDS_BUYER = frozenset({Retry.AFTER_BUYER, Retry.AFTER_REGISTERING})
NOT_THE_BUYERS = frozenset({Retry.AFTER_SHOP, Retry.NO})


class UnpaidState(StrEnum):
    """Where an unpaid charge stands."""

    OPEN = "open"
    PAID = "paid"
    EXPIRED = "expired"  # its link is over, and it was not paid until then


@dataclass(frozen=True, slots=True)
class DunningRules:
    """What a merchant wants its buyers to be told, and how. `looked_until` is how far its failures were looked at."""

    merchant_id: str
    by_mail: bool
    by_shop: bool
    """Whether the shop's own server is told, to tell the buyer itself: by a text to their phone, say."""
    link_days: int
    language: str
    looked_until: datetime

    @property
    def on(self) -> bool:
        return self.by_mail or self.by_shop


@dataclass(frozen=True, slots=True)
class Unpaid:
    """One unpaid charge. `imp_uid` is the payment that failed last; its token is kept as a hash and sealed."""

    merchant_id: str
    merchant_uid: str
    imp_uid: str
    cause: FailureCause
    amount: int
    test_mode: bool
    token_digest: bytes = field(repr=False)
    sealed_token: bytes | None = field(repr=False)
    """What messages still need; gone when it is over."""
    noticed_at: datetime
    expires_at: datetime
    state: UnpaidState = UnpaidState.OPEN
    paid_imp_uid: str | None = None
    paid_at: datetime | None = None


def concerns_buyer(cause: FailureCause, *, tried_again: bool) -> bool:
    """Return whether a buyer is told of a failure: when nothing more comes by itself, or only they can help.

    What the shop or the operator has to put right is none of theirs.
    """
    retry = EXPLANATIONS[cause].retry
    if retry in NOT_THE_BUYERS:
        return False
    return retry in NEEDS_BUYER or not tried_again


def needs_new_method(cause: FailureCause) -> bool:
    """Return whether the registered method can never pay this."""
    return EXPLANATIONS[cause].retry is Retry.AFTER_REGISTERING


def draw_token() -> str:
    """Return the token of a link: 256 random bits."""
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> bytes:
    """Return what is kept of a token. It is random enough that no key is needed, and so outlives a change of keys."""
    return hashlib.sha256(b"maedal.pay\0" + token.encode()).digest()


def attempt_id_of(unpaid: Unpaid, imp_uid: str | None) -> str:
    """Return under which id a charge after a failed payment is begun: the same however often the button is pressed."""
    text = unpaid.token_digest + b"\0" + (imp_uid or "").encode()
    return f"pay{hashlib.sha256(text).hexdigest()[:23]}"


def token_context(merchant_uid: str, merchant_id: str) -> tuple[str, ...]:
    """Return under what a token is sealed."""
    return (f"unpaid.sealed_token:{merchant_uid}", merchant_id)


def read_days(text: str) -> int:
    """Return for how many days a link is good. Raises InvalidParameter."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:4]) <= DAYS_MAX:
        raise InvalidParameter("link_days", f"link_days must be a whole number from 1 to {DAYS_MAX}")
    return int(text)
