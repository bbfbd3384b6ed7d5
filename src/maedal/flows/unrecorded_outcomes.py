"""Outcomes that this process knows and the database has not acknowledged: held in memory until it does.

While one is held, nothing is said and nothing begun that the books would contradict: the order is neither told as paid
nor charged again, and the key is not charged.
"""

from __future__ import annotations

from dataclasses import dataclass

from maedal import metrics
from maedal.billing_keys.billing_key import BillingKey
from maedal.billing_keys.errors import BillingKeyUnclear
from maedal.payments.attempt import Attempt, Result
from maedal.payments.cancellation import Cancellation
from maedal.payments.errors import OutcomeUnknown
from maedal.payments.payment import Payment
from maedal.payments.window import Window


@dataclass(frozen=True, slots=True)
class OwnCall:
    """What whoever makes a call has in hand: enough to enter it into a database that has forgotten it."""

    attempt: Attempt
    key: BillingKey | None = None
    """The billing key that is charged."""
    window: Window | None = None
    """The window that an approval belongs to, and the PG's token, sealed."""
    sealed_pg_token: bytes = b""
    cancellation: Cancellation | None = None


@dataclass(slots=True)
class KnownOutcome:
    """What a call taught this process. `payment` is as it was begun."""

    payment: Payment
    attempt_id: str
    result: Result
    own_call: OwnCall | None
    """None for evidence that anybody can ask the PG for again."""
    unclear: bool = False
    """Whether one of our own commits of it may have been kept."""


class UnrecordedOutcomes:
    """Those of one process."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], KnownOutcome] = {}

    def hold(self, known: KnownOutcome) -> None:
        """Hold an outcome, until it is released."""
        self._held[known.payment.merchant_id, known.attempt_id] = known
        metrics.HELD.set(len(self._held))

    def release(self, known: KnownOutcome) -> None:
        """Let go of one; of one that is not held, too."""
        if self._held.pop((known.payment.merchant_id, known.attempt_id), None) is not None:
            metrics.HELD.set(len(self._held))

    def refuse_charge(self, merchant_id: str, merchant_uid: str, customer_uid: str | None) -> None:
        """Raise OutcomeUnknown for an order, and BillingKeyUnclear for a key, that an outcome is held of."""
        held = [k.payment.order for k in self._held.values() if k.payment.merchant_id == merchant_id]
        if any(order.merchant_uid == merchant_uid for order in held):
            raise OutcomeUnknown("an outcome of this order could not be kept yet; nothing more was charged")
        if customer_uid is not None and any(order.customer_uid == customer_uid for order in held):
            raise BillingKeyUnclear("an earlier charge of this billing key is being clarified; nothing was charged")

    def refuse_cancel(self, merchant_id: str, imp_uid: str) -> None:
        """Raise OutcomeUnknown for a payment that an outcome is held of."""
        if self._of_payment(merchant_id, imp_uid):
            raise OutcomeUnknown("an outcome of this payment could not be kept yet; nothing more was cancelled")

    def visible(self, payment: Payment) -> Payment:
        """Return a payment as it may be told: without what is not proved to outlive a failover."""
        for known in self._of_payment(payment.merchant_id, payment.imp_uid) if self._held else ():
            if payment.version > known.payment.version:
                return known.payment
        return payment

    def _of_payment(self, merchant_id: str, imp_uid: str) -> list[KnownOutcome]:
        return [k for k in self._held.values() if k.payment.merchant_id == merchant_id and k.payment.imp_uid == imp_uid]
