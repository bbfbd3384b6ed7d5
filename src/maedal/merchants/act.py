"""An act of a person in a merchant's matters, as the audit log keeps it: who did what, when, why, before and after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from maedal.payments.errors import InvalidParameter

WHO_MAX = 100
REASON_MAX = 500


class ActKind(StrEnum):
    """What a person can do that the audit log keeps."""

    SETTLE_CHARGED = "settle_charged"  # an unknown charge or approval did take money
    SETTLE_NOT_CHARGED = "settle_not_charged"  # it took none
    SETTLE_CANCELLED = "settle_cancelled"  # an unknown cancel did give money back
    SETTLE_NOT_CANCELLED = "settle_not_cancelled"  # it gave none back
    SUPPLY_TID = "supply_tid"  # the PG's id of a payment that was found paid without one
    CLOSE_FINDING = "close_finding"  # a difference to the PG's file is explained


@dataclass(frozen=True, slots=True)
class Act:
    """One act. `before` and `after` are short facts about `subject`; nothing secret or personal belongs there."""

    id: str
    merchant_id: str
    kind: ActKind
    subject: str
    who: str
    reason: str
    before: str
    after: str
    happened_at: datetime


def check_who_and_why(who: str, reason: str) -> None:
    """Raise InvalidParameter, naming the field, unless an act can be answered for."""
    for name, text, longest in (("by", who, WHO_MAX), ("reason", reason, REASON_MAX)):
        if not text.strip() or len(text) > longest or not text.isprintable():
            raise InvalidParameter(name, f"--{name} must be a text of 1 to {longest} printable characters")
