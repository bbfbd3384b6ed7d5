"""A cancellation: undoing an approved payment through its PG, wholly or partly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from maedal.payments.errors import AlreadyCancelled, CancelTooMuch, InvalidParameter
from maedal.payments.money import Price

DEFAULT_REASON = "취소요청api"
"""What the wire shows when the merchant gave no reason (docs/wire/portone-v1-rest.md 4.3)."""


class RefundKind(StrEnum):
    """Why money is given back, as the console lets people choose; the order is that of its list."""

    CHANGED_MIND = "changed_mind"
    SUBSCRIPTION_ENDED = "subscription_ended"
    SERVICE_FAILED = "service_failed"  # not delivered, or not as it was promised
    PAID_TWICE = "paid_twice"
    WRONG_AMOUNT = "wrong_amount"
    NOT_BY_BUYER = "not_by_buyer"  # they say that somebody else paid with their method
    TEST = "test"
    OTHER = "other"  # what it was stands in the text


@dataclass(frozen=True, slots=True)
class CancelSplit:
    """How one cancel divides; whole won, `amount` includes `tax_free` and `vat`."""

    amount: int
    tax_free: int
    vat: int


@dataclass(frozen=True, slots=True)
class Cancellation:
    """One confirmed or intended cancel. Its id is that of the attempt that carries it out."""

    merchant_id: str
    id: str
    imp_uid: str
    split: CancelSplit
    reason: str
    tell: bool
    """Whether the merchant's saved address is told when it is done."""
    begun_at: datetime
    done_at: datetime | None = None
    pg_aid: str | None = None
    """The PG's id of this one cancel; None while it is not done, and for one that was done before ids were kept."""
    at_pg: bool = False
    """Whether it was made at the PG itself, by nobody here: its times are the PG's."""
    marked: bool = False
    """Whether the PG was given a mark with it (`payments.mark`), by which it can be told from others there."""
    kind: RefundKind | None = None
    """What a person chose; None for a cancel of the shop's server, or of one made at the PG."""


@dataclass(frozen=True, slots=True)
class CancelAtPg:
    """One cancel of a payment as the PG tells of it; `amount` in whole won, `at` the PG's own time, whole seconds."""

    pg_aid: str
    at: datetime
    amount: int
    mark: str | None = None
    """What was sent along with it as its mark."""


def split_cancel(price: Price, done: Sequence[CancelSplit], amount: int, tax_free: int | None) -> CancelSplit:
    """Return how a cancel of `amount` divides; 0 means all that is left.

    The cancel that empties the payment takes whatever tax-free part and VAT are left, so the parts always sum to the
    payment's own. Elsewhere VAT is an eleventh of the taxable part, but never more than is left
    (docs/wire/kakaopay.md 7.5). Raises AlreadyCancelled, CancelTooMuch or InvalidParameter.
    """
    left = price.total.amount - sum(c.amount for c in done)
    tax_free_left = price.tax_free.amount - sum(c.tax_free for c in done)
    vat_left = price.vat.amount - sum(c.vat for c in done)
    assert 0 <= tax_free_left <= left, f"{tax_free_left} tax-free of {left} left"
    assert 0 <= vat_left <= left - tax_free_left, f"{vat_left} VAT of {left - tax_free_left} taxable left"
    if left == 0:
        raise AlreadyCancelled("the payment has been cancelled wholly")
    if amount > left:
        raise CancelTooMuch(f"{left} won are left to cancel")
    if amount in {0, left}:
        return CancelSplit(left, tax_free_left, vat_left)
    taxable_left = left - tax_free_left
    if tax_free is None:
        # Nothing said: from the taxable part as far as it goes.
        tax_free = max(0, amount - taxable_left)
    if not 0 <= tax_free <= min(amount, tax_free_left) or amount - tax_free > taxable_left:
        raise InvalidParameter(
            "tax_free", f"취소 가능한 면세 금액은 {tax_free_left}원, 과세 금액은 {taxable_left}원입니다."
        )
    taxable = amount - tax_free
    # Rounding must not leave more VAT behind than what can still be taxed.
    vat_at_least = vat_left - (taxable_left - taxable)
    vat = max(vat_at_least, min((2 * taxable + 11) // 22, vat_left))
    return CancelSplit(amount, tax_free, vat)
