"""What is written about cancels: our own, and those that only the PG knew of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maedal.merchants.audit_entry import AuditEntry
from maedal.payments.attempt import Attempt, Result
from maedal.payments.cancellation import Cancellation
from maedal.payments.payment import Payment
from maedal.reconciliation.finding import Finding
from maedal.storage.write import Write
from maedal.webhooks.webhook import Delivery


@dataclass(frozen=True, slots=True)
class BeginCancel(Write[None]):
    """Commit the intent to cancel. Refused (Conflict) when the payment has moved since, or another cancel is open."""

    payment: Payment
    attempt: Attempt
    cancellation: Cancellation
    audit_entry: AuditEntry | None = None
    """Kept beside it when a person began it."""


@dataclass(frozen=True, slots=True)
class RecordCancel(Write[Payment]):
    """Commit what a cancel taught us: attempt, and with an approval payment, event, cancellation and webhooks."""

    payment: Payment
    cancellation: Cancellation
    result: Result
    now: datetime
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class EnterRefunds(Write[Payment]):
    """Enter cancels that the PG has told of, each done and with the PG's id of it; gives the payment as it then stands.

    `refunds` are new here, oldest first: attempt, cancellation, event and the payment's move. `late` were known here as
    not made, and were made all the same. `identified` are done and only lack the PG's id. Refused (Conflict) when the
    payment has moved since it was read, or one of the ids is kept already.
    """

    payment: Payment
    refunds: tuple[Cancellation, ...]
    late: tuple[Cancellation, ...]
    identified: tuple[Cancellation, ...]
    now: datetime
    deliveries: tuple[Delivery, ...] = ()
    findings: tuple[Finding, ...] = ()
    audit_entry: AuditEntry | None = None
