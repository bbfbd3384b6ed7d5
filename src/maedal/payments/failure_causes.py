"""Why a payment failed: the causes there are, and the codes of the gateway's own that have them.

A cause is no PG's word, and `failure_texts` has what is said of it. Each driver says which of its codes have which
(`Abilities.failure_causes`). What no table knows is `UNEXPLAINED`: then the PG's own text is all there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class FailureCause(StrEnum):
    """Why a payment failed. The values are public: they stand in addresses, files and the REST API."""

    BALANCE = "balance"
    LIMIT = "limit"
    AMOUNT_LIMIT = "amount_limit"
    WALLET_FULL = "wallet_full"
    METHOD_BLOCKED = "method_blocked"
    METHOD_ENDED = "method_ended"
    KEY_ENDED = "key_ended"
    KEY_LIMIT = "key_limit"
    DECLINED = "declined"
    BUSY = "busy"
    MAINTENANCE = "maintenance"
    OUTAGE = "outage"
    NOT_SENT = "not_sent"
    NOT_TAKEN = "not_taken"
    CALL_LIMIT = "call_limit"
    CHANNEL = "channel"
    REQUEST = "request"
    SHOP_REFUSED = "shop_refused"
    LEFT = "left"
    EXPIRED = "expired"
    NOT_AUTHENTICATED = "not_authenticated"
    NOT_OPENED = "not_opened"
    KEY_LOST = "key_lost"
    ALREADY_PAID = "already_paid"
    UNEXPLAINED = "unexplained"


class Retry(StrEnum):
    """Whether and when the same charge may succeed. The values are public, as those of causes are."""

    NOW = "now"  # at once
    SOON = "soon"  # in some minutes
    LATER = "later"  # on another day, or when what is closed opens again
    AFTER_BUYER = "after_buyer"  # when the buyer has put something right
    AFTER_REGISTERING = "after_registering"  # with a new billing key
    AFTER_SHOP = "after_shop"  # when the shop or the operator has put something right
    NO = "no"  # never as it is
    UNKNOWN = "unknown"  # the PG's text has to be read


OWN_CODES: Mapping[str, FailureCause] = {
    "NOT_SENT": FailureCause.NOT_SENT,
    "NOT_TAKEN": FailureCause.NOT_TAKEN,
    "BILLING_KEY_NOT_FOUND": FailureCause.KEY_ENDED,
    "CONFIRM_REJECTED": FailureCause.SHOP_REFUSED,
    "NOT_PREPARED": FailureCause.SHOP_REFUSED,
    "AMOUNT_MISMATCH": FailureCause.SHOP_REFUSED,
    "CUSTOMER_UID_MISMATCH": FailureCause.SHOP_REFUSED,
    "CANCELED_BY_USER": FailureCause.LEFT,
    "KEY_LOST": FailureCause.KEY_LOST,
    "PG_FAILED": FailureCause.DECLINED,
    "F0004": FailureCause.NOT_OPENED,
    "F1002": FailureCause.ALREADY_PAID,
}
"""What the gateway itself keeps as the code of a failure, whichever PG a payment is of."""


@dataclass(frozen=True, slots=True)
class FailedWith:
    """Which failed payments are looked for: by these PGs and codes, as `pg_code` writes them, or by any other."""

    codes: tuple[str, ...]
    others: bool = False


def pg_code(pg_provider: str, code: str) -> str:
    """Return a PG and a code that is kept with a payment of it, as the store compares them."""
    return f"{pg_provider} {code}"


def cause_of(code: str | None, of_pg: Mapping[str, FailureCause]) -> FailureCause:
    """Return the cause of a failure by the code that is kept with it, and the table of its PG."""
    return OWN_CODES.get(code or "") or of_pg.get(code or "") or FailureCause.UNEXPLAINED


def codes_of(cause: FailureCause, of_pg: Mapping[str, FailureCause]) -> Iterable[str]:
    """Return the codes of a cause: the gateway's own, then those of a PG."""
    own = [code for code, one in OWN_CODES.items() if one is cause]
    return [*own, *(code for code, one in of_pg.items() if one is cause and code not in OWN_CODES)]
