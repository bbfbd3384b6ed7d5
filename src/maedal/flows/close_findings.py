"""Close findings of the reconciliation by hand, with what a person says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from maedal.flows.refunds import look_up
from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import AuditAction, AuditEntry, check_who_and_why
from maedal.reconciliation.finding import FindingKind
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.findings.reads import FindingFilter, HasFindings
from maedal.storage.findings.writes import CloseFinding
from maedal.storage.payments.reads import HasPayments
from maedal.storage.write import Writes


class CloseFindingsStore(HasCancellations, HasFindings, HasPayments, Writes, Protocol): ...


async def close_findings(
    services: ServicesWith[CloseFindingsStore], merchant_id: str, finding_ids: Sequence[str], who: str, reason: str
) -> int:
    """Close findings with what a person says of them, who answers for it; return how many of them were open.

    Raises InvalidParameter without a name or a reason.
    """
    check_who_and_why(who, reason)
    closed = 0
    for finding_id in finding_ids:
        await _enter_what_it_found(services, merchant_id, finding_id)
        now = services.clock.now()
        row_id = services.ids.row(now)
        audit_entry = AuditEntry(
            row_id, merchant_id, AuditAction.CLOSE_FINDING, finding_id, who, reason, "open", "closed", now
        )
        closed += await services.store.write(CloseFinding(finding_id, audit_entry))
    return closed


async def _enter_what_it_found(services: ServicesWith[CloseFindingsStore], merchant_id: str, finding_id: str) -> None:
    """Enter a cancel at the PG whose finding is being closed, if that was not possible when it was found."""
    wanted = FindingFilter(1, finding_id=finding_id)
    for finding in await services.store.findings.search(merchant_id, wanted):
        if finding.kind is FindingKind.CANCELLED_THERE and finding.amount_here is None and finding.imp_uid is not None:
            payment = await services.store.payments.find(merchant_id, finding.imp_uid)
            if payment is not None:
                await look_up(services, payment)
