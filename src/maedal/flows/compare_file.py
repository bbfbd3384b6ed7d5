"""What comparing a PG's file of a day comes to: its sums and findings, and which days are done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import islice
from typing import Protocol, TypeVar

import structlog

from maedal import metrics
from maedal.flows.resolve_unknown import TIMES_APART, UNCLEAR_AT_MOST
from maedal.flows.services import ServicesWith
from maedal.merchants.channel import Channel
from maedal.payments.attempt import Result, Verb
from maedal.payments.payment import Payment
from maedal.reconciliation.finding import Finding, FindingKind
from maedal.reconciliation.settlement import (
    A_DAY,
    Action,
    SettlementDay,
    SettlementRow,
    begins_at,
    day_of,
    ends_at,
)
from maedal.storage.findings.writes import AddFindings
from maedal.storage.reconciliation.reads import AccountSpan, HasReconciliation
from maedal.storage.reconciliation.writes import DaySums, FinishDay
from maedal.storage.write import Writes

_log = structlog.get_logger()
_T = TypeVar("_T")

BATCH_MAX = 500


class CompareFileStore(HasReconciliation, Writes, Protocol): ...


@dataclass(slots=True)
class Reconciled:
    """What a day came to. `strange` rows belong to other contracts, or to other merchants here with the same one."""

    day: date
    rows: int = 0
    strange: int = 0
    matched: int = 0
    entered: int = 0
    filled: int = 0
    resolved_paid: int = 0
    resolved_failed: int = 0
    resolved_cancels: int = 0
    refunds: int = 0
    """Cancels that were made at the PG itself, and are entered now."""
    sums: DaySums = field(default_factory=lambda: DaySums(0, 0, 0, 0))
    new_findings: list[Finding] = field(default_factory=list)


class Comparison:
    """One file being compared. Findings are kept as they are found, so that a run that breaks off loses none."""

    def __init__(self, services: ServicesWith[CompareFileStore], channel: Channel, file: SettlementDay) -> None:
        self.services, self.channel, self.file, self.day = services, channel, file, file.day
        self.result = Reconciled(file.day)
        self.sums: Counter[str] = Counter()
        self.vanished: set[str] = set()
        self.done: set[date] = set()
        self.complete: set[date] = set()

    async def finish(self) -> None:
        """Mark the day as done, with both sums."""
        sums = self.result.sums = DaySums(
            self.sums["taken_there"],
            self.sums["taken_here"],
            self.sums["cancelled_there"],
            self.sums["cancelled_here"],
        )
        self.result.new_findings.sort(key=lambda f: (f.happened_at or f.found_at, f.id))
        complete = self.day in self.complete
        merchant_id, now = self.channel.merchant_id, self.services.clock.now()
        await self.services.store.write(FinishDay(merchant_id, self.channel.id, self.day, complete, sums, now))
        tell = _log.info if sums.agree else _log.error
        tell(
            "day_reconciled" if sums.agree else "day_differs",
            merchant=merchant_id,
            channel=self.channel.id,
            day=self.day.isoformat(),
            rows=self.result.rows,
            findings=len(self.result.new_findings),
            taken_there=sums.taken_there,
            taken_here=sums.taken_here,
            cancelled_there=sums.cancelled_there,
            cancelled_here=sums.cancelled_here,
        )

    async def load_days(self) -> None:
        """Learn which days are done, this one included, and which of them tell by silence.

        A file without a single payment that is known here may be that of another contract: its silence proves nothing.
        """
        since, until = self.day - A_DAY, self.day + A_DAY
        states = await self.services.store.reconciliation.days(self.channel.merchant_id, self.channel.id, since, until)
        self.done = {s.day for s in states if s.done_at is not None} | {self.day}
        self.complete = {s.day for s in states if s.complete} - {self.day}
        if self.file.whole and self.result.matched:
            self.complete.add(self.day)

    def ours(self, action: Action) -> Iterator[SettlementRow]:
        """Give the rows of one kind that are of this contract."""
        of_contract = (r for r in self.file.rows if r.pg_merchant_id == self.channel.pg_merchant_id)
        return (r for r in of_contract if r.action is action)

    def span(self, since: date, until: date) -> AccountSpan:
        """Return which calls of this contract may have been answered on these days."""
        channel = self.channel
        return AccountSpan(
            channel.merchant_id,
            channel.pg_provider,
            channel.pg_merchant_id,
            begins_at(since) - TIMES_APART - UNCLEAR_AT_MOST,
            ends_at(until) + TIMES_APART,
        )

    async def keep(self, found: Sequence[Finding]) -> None:
        """Keep findings and tell them; one that is there already is not told again."""
        if not found:
            return
        for finding in await self.services.store.write(AddFindings(tuple(found))):
            self.result.new_findings.append(finding)
            metrics.FINDINGS.labels(finding.kind).inc()
            _log.error(
                "difference_found",
                merchant=finding.merchant_id,
                finding=finding.id,
                kind=finding.kind,
                imp_uid=finding.imp_uid,
                day=finding.day.isoformat(),
            )

    def there(
        self, kind: FindingKind, row: SettlementRow, payment: Payment | None, *, amount_here: int | None = None
    ) -> Finding:
        """Return a finding about a row of the file."""
        found = self.here(kind, row.pg_aid, payment, amount_here, row.happened_at, row.order_id)
        return replace(found, pg_tid=row.pg_tid, pg_aid=row.pg_aid, amount_there=row.amount)

    def here(
        self,
        kind: FindingKind,
        subject: str,
        payment: Payment | None,
        amount_here: int | None,
        happened_at: datetime,
        order_id: str,
    ) -> Finding:
        """Return a finding about what is here."""
        now = self.services.clock.now()
        return Finding(
            merchant_id=self.channel.merchant_id,
            id=self.services.ids.row(now),
            kind=kind,
            subject=subject,
            channel_id=self.channel.id,
            day=self.day,
            found_at=now,
            order_id=order_id,
            imp_uid=None if payment is None else payment.imp_uid,
            pg_tid=None if payment is None else payment.pg_tid,
            amount_here=amount_here,
            happened_at=happened_at,
        )

    @staticmethod
    def resolved(verb: Verb, result: Result, payment: Payment) -> None:
        """Count an unknown outcome that the file has told."""
        metrics.RESOLVED.labels(verb, result.outcome, result.proof).inc()
        _log.info("unknown_resolved", imp_uid=payment.imp_uid, outcome=result.outcome, proof=result.proof)


def days_of(begun_at: datetime, latest: datetime) -> frozenset[date]:
    """Return the days of the PG that a span may fall on, as far as its clock can be trusted."""
    return frozenset({day_of(begun_at - TIMES_APART), day_of(max(begun_at, latest) + TIMES_APART)})


def batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    """Give as many at a time as one statement takes."""
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH_MAX)):
        yield batch
