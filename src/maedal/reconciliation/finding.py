"""A finding: one difference between the PG's file and what is known here. It is open until a person closes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class FindingKind(StrEnum):
    """How the two differ."""

    CHARGED_THERE = "charged_there"  # the PG took money; here is no payment for it, or one that failed
    CHARGED_TWICE = "charged_twice"  # the PG took money once more for what is paid already
    CHARGED_HERE = "charged_here"  # paid here; the PG's file does not know it
    AMOUNT_DIFFERS = "amount_differs"  # the PG took another amount
    CANCELLED_THERE = "cancelled_there"  # the PG gave money back that nobody asked for here
    CANCELLED_HERE = "cancelled_here"  # cancelled here; the PG's file does not know it


REFUND_PROPOSED = frozenset({FindingKind.CHARGED_TWICE})
"""What a buyer paid without anybody meaning to: to be given back, but never by itself."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference, with all that both sides tell of it.

    `subject` names what differs within its kind: the PG's id of the action, or the attempt here that the file does not
    know. A merchant has one finding of a kind and subject, however often a day is read.
    """

    merchant_id: str
    id: str
    kind: FindingKind
    subject: str
    channel_id: str
    day: date
    found_at: datetime
    order_id: str
    """The order number at the PG: the id of our attempt."""
    imp_uid: str | None = None
    pg_tid: str | None = None
    pg_aid: str | None = None
    amount_there: int | None = None
    amount_here: int | None = None
    happened_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    close_reason: str | None = None
