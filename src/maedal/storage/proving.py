"""Proving: what was committed under an unclear answer counts once a later write that touches it is acknowledged."""

from __future__ import annotations

from dataclasses import dataclass

from maedal.billing_keys.billing_key import BillingKey
from maedal.payments.attempt import Attempt, Outcome
from maedal.payments.payment import Payment


@dataclass(frozen=True, slots=True)
class Prove:
    """Touch an attempt and give what is kept of it, or None when the database knows of none.

    A log of commits is acknowledged in order. So what this gives outlives a failover, together with everything that was
    committed before; a server that takes no writes refuses it; and one that took over without the attempt gives None.
    """

    merchant_id: str
    attempt_id: str


@dataclass(frozen=True, slots=True)
class Proved:
    """An attempt that is kept, its outcome so far, and the payment and billing key that it is about, as they stand."""

    attempt: Attempt
    outcome: Outcome | None
    payment: Payment | None
    key: BillingKey | None
