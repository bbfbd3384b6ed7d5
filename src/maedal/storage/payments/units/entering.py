"""Entering payments that were made and are not here, begun and recorded in one."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, Protocol

from maedal.merchants.audit_entry import AuditEntry
from maedal.payments.attempt import Attempt
from maedal.payments.moves import Start
from maedal.payments.payment import Payment
from maedal.storage.attempts.rows import INSERT_ATTEMPT, attempt_values
from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.engine.steps import Run, Step, unit
from maedal.storage.figures.units import COUNT_ANEW, COUNT_MONTHS_ANEW, month_anew
from maedal.storage.payments.rows import INSERT_EVENT, INSERT_PAYMENT, event_values, new_payment_values
from maedal.storage.payments.units.recording import record
from maedal.storage.payments.writes import EnterPayment, Record
from maedal.storage.schedules.execution import EXECUTE_ENTERED


class Entered(Protocol):
    """A call whose payment and attempt were made and are not here, with what is known of its outcome."""

    @property
    def payment(self) -> Payment: ...
    @property
    def attempt(self) -> Attempt: ...
    @property
    def record(self) -> Record: ...
    @property
    def audit_entry(self) -> AuditEntry: ...


@unit(EnterPayment)
def enter_payments(writes: Sequence[EnterPayment]) -> Generator[Step, Any, Sequence[Payment]]:
    """Begin and record each payment, let it execute what was planned, and let its hours be counted anew."""
    yield Run(INSERT_PAYMENT, [new_payment_values(w.payment) for w in writes])
    yield Run(INSERT_ATTEMPT, [attempt_values(w.attempt) for w in writes])
    return (yield from record_entered(writes))


def record_entered(
    writes: Sequence[Entered],
) -> Generator[Step, Any, Sequence[Payment]]:
    """Record calls whose payments and attempts have just been entered, with all that follows from them."""
    yield Run(INSERT_EVENT, [event_values(w.payment, Start.ENTER, w.attempt.id, None, w.record.now) for w in writes])
    yield Run(
        EXECUTE_ENTERED,
        sorted(
            (w.payment.merchant_id, w.payment.order.merchant_uid, w.payment.imp_uid, w.payment.started_at)
            for w in writes
        ),
    )
    after = yield from record([w.record for w in writes])
    yield Run(COUNT_ANEW, [(p.merchant_id, p.started_at.replace(minute=0, second=0, microsecond=0)) for p in after])
    yield Run(COUNT_MONTHS_ANEW, [month_anew(p.merchant_id, p.started_at) for p in after])
    yield keep_audit_entries([w.audit_entry for w in writes])
    return after
