"""Proving: what was committed under an unclear answer counts once a later write that touches it is acknowledged.

And what to write when it was not kept, although its call was made.
"""

from __future__ import annotations

from dataclasses import dataclass

from maedal.billing_keys.billing_key import BillingKey
from maedal.merchants.audit_entry import AuditEntry
from maedal.payments.attempt import Attempt, Outcome
from maedal.payments.payment import Payment
from maedal.payments.window import Window
from maedal.storage.payments.writes import Record
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class Proved:
    """An attempt that is kept, its outcome so far, and the payment and billing key that it is about, as they stand."""

    attempt: Attempt
    outcome: Outcome | None
    payment: Payment | None
    key: BillingKey | None


@dataclass(frozen=True, slots=True)
class Prove(Write[Proved | None]):
    """Touch an attempt and give what is kept of it, or None when the database knows of none.

    A log of commits is acknowledged in order. So what this gives outlives a failover, together with everything that was
    committed before; a server that takes no writes refuses it; and one that took over without the attempt gives None.
    """

    merchant_id: str
    attempt_id: str


@dataclass(frozen=True, slots=True)
class ProvePayment(Write[Payment | None]):
    """Touch a payment and give it as it stands, or None when the database knows of none, and nothing is proved.

    As with `Prove`, what this gives outlives a failover.
    """

    merchant_id: str
    imp_uid: str


@dataclass(frozen=True, slots=True)
class EnterOutcome(Write[Payment]):
    """Enter a call and its outcome, of which the database knows nothing, begun and recorded in one.

    Gives the payment as it then stands. A scheduled charge of its merchant_uid that waits here, or would be tried
    again, is executed by it. Refused (Conflict) when one of its ids is here, or its merchant_uid belongs to another
    payment.
    """

    payment: Payment
    """As it was begun, in its first version."""
    attempt: Attempt
    record: Record
    audit_entry: AuditEntry
    key: BillingKey | None = None
    """The billing key that was charged, as it was then: entered too when it is not here, ended if another one lives."""
    window: Window | None = None
