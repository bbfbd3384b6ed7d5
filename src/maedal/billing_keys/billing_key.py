"""A billing key: its method, its owner at the PG, its life."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from maedal.billing_keys.last_approval import is_later_one, settles_in
from maedal.payments.attempt import CardDetails, Method
from maedal.payments.payment import Buyer


class KeyEnd(StrEnum):
    """Why a billing key lives no more."""

    DELETED = "deleted"  # by the merchant
    REPLACED = "replaced"  # a newer key was issued under the same customer_uid


@dataclass(frozen=True, slots=True)
class BillingKey:
    """The right to charge one customer's chosen method again.

    `sealed_pg_key` is the key's secret at the PG (a KakaoPay SID), sealed for this row. `pg_user_id` is the
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
    last_approval_in_reply: bool = False
    """Whether that time was told by the reply to the charge itself, and not later, by what may tell it a little off."""
    ended_at: datetime | None = None
    ended_by: KeyEnd | None = None
    gone_at: datetime | None = None
    """When the PG first said that it knows the key no more: the buyer, or the PG, has ended it there."""

    def chargeable_from(self) -> datetime | None:
        """Return the moment before which no charge of this key may start, if there is one."""
        if self.last_approval_seen_at is None:
            return None
        return self.last_approval_seen_at + settles_in(in_reply=self.last_approval_in_reply)

    def was_approved_since(self, reported: datetime) -> bool:
        """Return whether the PG, which tells `reported` as the key's last approval, knows a later one than we do."""
        known = self.last_approved_at
        return known is None or is_later_one(reported, known, in_reply=self.last_approval_in_reply)


def secret_context(key: BillingKey) -> tuple[str, ...]:
    """Return under what a key's secret is sealed: the place, and the facts of the row that it is bound to.

    Whoever can write rows can neither give a customer the key of another nor move one to another merchant or contract.
    """
    mode = "test" if key.test_mode else "live"
    return (
        f"billing_keys.sealed_pg_key:{key.id}",
        key.merchant_id,
        key.customer_uid,
        key.channel_id,
        key.pg_provider,
        key.pg_merchant_id,
        key.pg_user_id,
        mode,
    )
