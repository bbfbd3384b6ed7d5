"""A billing key: its method, its owner at the PG, its life."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from maedal.payments.attempt import CardDetails, Method
from maedal.payments.payment import Buyer

SETTLING = timedelta(seconds=1)
"""How long after an approval was seen the next charge of the key waits.

The PG's proof of a charge, the time of the key's last approval, has whole seconds. Once one second has passed since the
reply was seen, the PG's clock has left that second too, whatever it shows, so the next approval carries a later one.
"""


class KeyEnd(StrEnum):
    """Why a billing key lives no more."""

    DELETED = "deleted"  # by the merchant
    REPLACED = "replaced"  # a newer key was issued under the same customer_uid


@dataclass(frozen=True, slots=True)
class BillingKey:
    """The right to charge one customer's chosen method again.

    `sealed_pg_key` is the key's secret at the PG (a KakaoPay SID), sealed under this row's id. `pg_user_id` is the
    user id the PG bound to it; the same one must be sent with each charge. Times are aware UTC.
    """

    merchant_id: str
    id: str
    customer_uid: str
    channel_id: str
    pg_provider: str
    pg_merchant_id: str
    test_mode: bool
    sealed_pg_key: bytes
    pg_user_id: str
    inserted_at: datetime
    updated_at: datetime
    method: Method | None = None
    card: CardDetails | None = None
    customer_id: str | None = None
    customer: Buyer = field(default_factory=Buyer)
    last_approved_at: datetime | None = None
    """The PG's own time of the last approval, whole seconds: what a lost charge is judged against."""
    last_approval_seen_at: datetime | None = None
    """Our time when we learnt of it."""
    ended_at: datetime | None = None
    ended_by: KeyEnd | None = None
    gone_at: datetime | None = None
    """When the PG first said that it knows the key no more: the buyer, or the PG, has ended it there."""

    def chargeable_from(self) -> datetime | None:
        """Return the moment before which no charge of this key may start, if there is one."""
        return None if self.last_approval_seen_at is None else self.last_approval_seen_at + SETTLING


def secret_context(billing_key_id: str) -> str:
    """Return the associated data under which a key's secret is sealed: the row and the column."""
    return f"billing_keys.sealed_pg_key:{billing_key_id}"
