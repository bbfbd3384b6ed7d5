"""Reconcile a day: hold the PG's own file of it against what is known here.

A row is ours by the order number that the PG was given: the id of our attempt. What the file proves is recorded (the
PG's id of a payment that was found without one, an outcome that was unknown, a payment that a restored database has
forgotten); everything else that differs is a finding, which a person closes. Nothing is charged, cancelled or given
back here. Reading a day again adds nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Protocol, TypeVar

import structlog

from maedal import metrics
from maedal.flows.call_pg import ask_pg, driver_of, file_account_of
from maedal.flows.enter_payment import OURSELVES, enter_payment
from maedal.flows.record_lost_attempts import record_lost_attempts
from maedal.flows.record_outcome import record
from maedal.flows.refunds import look_up
from maedal.flows.resolve_unknown import TIMES_APART, UNCLEAR_AT_MOST, clarify
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.audit_entry import AuditAction, AuditEntry, check_who_and_why
from maedal.merchants.channel import Channel
from maedal.payments.attempt import Approval, Decline, Outcome, Proof, Result, Verb
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse, Payment
from maedal.pg.driver import AnswerLost, NotSent, Unreadable
from maedal.reconciliation.finding import Finding, FindingKind
from maedal.reconciliation.settlement import (
    A_DAY,
    Action,
    NotYet,
    SettlementDay,
    SettlementRow,
    begins_at,
    day_of,
    ends_at,
)
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.channels.reads import HasChannels
from maedal.storage.database_servers.reads import HasDatabaseServers
from maedal.storage.findings.reads import FindingFilter, HasFindings
from maedal.storage.findings.writes import AddFindings, CloseFinding
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments, Sorting
from maedal.storage.payments.writes import FillTid
from maedal.storage.reconciliation.reads import AccountSpan, HasReconciliation, KeptRow, KnownCancel, KnownCharge
from maedal.storage.reconciliation.writes import ClaimDay, DaySums, FinishDay, KeepRows
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.unknown_outcomes.reads import HasUnknownOutcomes
from maedal.storage.windows.reads import HasWindows
from maedal.storage.write import Writes

_log = structlog.get_logger()
_T = TypeVar("_T")

BATCH_MAX = 500
CHANNELS_AT_ONCE = 100
ASK_AGAIN = timedelta(minutes=10)
"""How long after a try without a file the next one is made."""
TRIES_OF_A_ROW = 3
NO_FILE_TEXT = "PG의 하루 거래내역 파일에 없어 결제되지 않은 것을 확인했습니다."

Progress = Callable[[int, int], None]


class ReconcileStore(
    HasBillingKeys,
    HasCancellations,
    HasChannels,
    HasDatabaseServers,
    HasFindings,
    HasMerchants,
    HasPayments,
    HasReconciliation,
    HasSchedules,
    HasUnknownOutcomes,
    HasWindows,
    Writes,
    Protocol,
): ...


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


async def settlement_file(services: ServicesWithoutStore, channel: Channel, day: date) -> SettlementDay | NotYet:
    """Return the PG's file of a day. Raises NotSent, AnswerLost or Unreadable; asking again is harmless.

    Raises ChannelMisconfigured for a channel without a file key.
    """
    driver, account = driver_of(services, channel), file_account_of(services, channel)
    place = driver.read_file_place(
        account, await ask_pg(services, channel.merchant_id, driver.file_place_request(account, day))
    )
    if isinstance(place, NotYet):
        return place
    reply = await ask_pg(services, channel.merchant_id, driver.file_request(account, place))
    # A large file takes a while to read; the event loop serves others meanwhile.
    return await asyncio.to_thread(driver.read_file, account, day, reply)


async def reconcile(
    services: ServicesWith[ReconcileStore], channel: Channel, day: date, progress: Progress | None = None
) -> Reconciled | NotYet:
    """Hold the file of a day against what is here; the same errors as `settlement_file`, and then nothing is judged."""
    file = await settlement_file(services, channel, day)
    if isinstance(file, NotYet):
        return file
    # Calls whose process died are unknown outcomes like any other, which the file may resolve.
    await record_lost_attempts(services)
    run = _Run(services, channel, file)
    await run.rows(progress)
    await run.missing_charges()
    await run.cancels()
    await run.finish()
    return run.result


async def reconcile_due(services: ServicesWith[ReconcileStore]) -> int:
    """Reconcile the past days of every channel that has a file key, as far as they are due; return how many were."""
    count = 0
    after = ("", "")
    while channels := await services.store.channels.with_files(after, CHANNELS_AT_ONCE):
        for channel in channels:
            count += await _reconcile_due_days(services, channel)
        after = (channels[-1].merchant_id, channels[-1].id)
    return count


async def close_findings(
    services: ServicesWith[ReconcileStore], merchant_id: str, finding_ids: Sequence[str], who: str, reason: str
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


async def _enter_what_it_found(services: ServicesWith[ReconcileStore], merchant_id: str, finding_id: str) -> None:
    """Enter a cancel at the PG whose finding is being closed, if that was not possible when it was found."""
    wanted = FindingFilter(1, finding_id=finding_id)
    for finding in await services.store.findings.search(merchant_id, wanted):
        if finding.kind is FindingKind.CANCELLED_THERE and finding.amount_here is None and finding.imp_uid is not None:
            payment = await services.store.payments.find(merchant_id, finding.imp_uid)
            if payment is not None:
                await look_up(services, payment)


async def _reconcile_due_days(services: ServicesWith[ReconcileStore], channel: Channel) -> int:
    rules = driver_of(services, channel).abilities.files
    if rules is None:
        return 0
    now = services.clock.now()
    newest = day_of(now - rules.after_the_day) - A_DAY
    wanted = [newest - n * A_DAY for n in reversed(range(rules.days_kept))]
    known = {
        state.day: state
        for state in await services.store.reconciliation.days(channel.merchant_id, channel.id, wanted[0], newest)
    }
    count = 0
    for day in wanted:
        state = known.get(day)
        if state is not None and (state.done_at is not None or state.due_at > now):
            continue
        if await services.store.write(ClaimDay(channel.merchant_id, channel.id, day, now, now + ASK_AGAIN)):
            gone_at = ends_at(day) + rules.after_the_day + rules.days_kept * A_DAY
            await _try_day(services, channel, day, is_last=now + ASK_AGAIN >= gone_at)
            count += 1
    return count


async def _try_day(services: ServicesWith[ReconcileStore], channel: Channel, day: date, *, is_last: bool) -> None:
    details = {"merchant": channel.merchant_id, "channel": channel.id, "day": day.isoformat()}
    try:
        found = await reconcile(services, channel, day)
    except (NotSent, AnswerLost, Unreadable) as error:
        metrics.FILES.labels("unreadable" if isinstance(error, Unreadable) else "no_answer").inc()
        _log.warning("settlement_file_not_had", reason=f"{type(error).__name__}: {error}", **details)
    except Exception as error:  # one channel must not keep the others from their files
        metrics.FILES.labels("broken").inc()
        _log.exception("reconciling_broke", kind=type(error).__name__, **details)
    else:
        if isinstance(found, Reconciled):
            metrics.FILES.labels("done").inc()
            return
        metrics.FILES.labels("not_there").inc()
        _log.debug("settlement_file_not_there", reason=found.reason, **details)
    if is_last:
        _log.error("settlement_file_missed", advice="ask the PG for the file of this day", **details)


class _Run:
    """One file being compared. Findings are kept as they are found, so that a run that breaks off loses none."""

    def __init__(self, services: ServicesWith[ReconcileStore], channel: Channel, file: SettlementDay) -> None:
        self.services, self.channel, self.file, self.day = services, channel, file, file.day
        self.result = Reconciled(file.day)
        self._sums: Counter[str] = Counter()
        self._vanished: set[str] = set()
        self._done: set[date] = set()
        self._complete: set[date] = set()

    # -- what the file tells

    async def rows(self, progress: Progress | None) -> None:
        """Keep the rows that are ours, and hold every payment among them against the attempt that it belongs to."""
        rows = [r for r in self.file.rows if r.action is not Action.ISSUE]
        seen = 0
        for batch in _batches(rows):
            await self._batch([r for r in batch if r.pg_merchant_id == self.channel.pg_merchant_id], len(batch))
            seen += len(batch)
            if progress is not None:
                progress(seen, len(rows))

    async def _batch(self, rows: list[SettlementRow], received: int) -> None:
        merchant_id = self.channel.merchant_id
        order_ids = sorted({r.order_id for r in rows})
        known = {
            k.attempt.order_id: k
            for k in await self.services.store.reconciliation.known_charges(merchant_id, order_ids)
        }
        unknown_ids = [order_id for order_id in order_ids if order_id not in known]
        others = set(
            await self.services.store.reconciliation.known_at_another_pg(self._span(self.day, self.day), unknown_ids)
        )
        ours = tuple(r for r in rows if r.order_id not in others)
        self.result.rows += len(ours)
        self.result.strange += received - len(ours)
        if not ours:
            return
        await self.services.store.write(KeepRows(merchant_id, self.channel.pg_provider, self.day, ours))
        first: dict[str, str] = {}
        for kept in await self.services.store.reconciliation.kept_rows(merchant_id, order_ids, ()):
            if kept.row.action is Action.PAYMENT:
                first.setdefault(kept.row.order_id, kept.row.pg_tid)
        found: list[Finding] = []
        for row in ours:
            if row.action is Action.PAYMENT:
                self._sums["taken_there"] += row.amount
                finding = await self._charge(row, known.get(row.order_id), first[row.order_id])
                if finding is not None:
                    found.append(finding)
        await self._keep(found)

    async def _charge(self, row: SettlementRow, known: KnownCharge | None, first_tid: str) -> Finding | None:
        """Hold money that the PG took against the attempt it was taken for; record what that proves."""
        if known is None:
            return await self._enter(row)
        payment = known.payment
        price = payment.order.price.total.amount
        for _ in range(TRIES_OF_A_ROW):
            if payment.status not in {Status.PAID, Status.CANCELLED, Status.UNKNOWN}:
                return await self._not_paid_here(row, payment)
            if row.pg_tid != (payment.pg_tid or first_tid):
                return self._there(FindingKind.CHARGED_TWICE, row, payment, amount_here=price)
            if payment.status is not Status.UNKNOWN and payment.pg_tid is not None:
                self._sums["taken_here"] += price
                self.result.matched += 1
                if row.amount != price:
                    return self._there(FindingKind.AMOUNT_DIFFERS, row, payment, amount_here=price)
                return None
            if row.amount != price:
                # Another amount than was asked for proves nothing about what was asked for.
                return self._there(FindingKind.AMOUNT_DIFFERS, row, payment, amount_here=price)
            payment = await self._prove(row, known, payment)
        _log.error("row_never_settled", imp_uid=payment.imp_uid, status=payment.status)
        return self._there(FindingKind.CHARGED_THERE, row, payment)

    async def _enter(self, row: SettlementRow) -> Finding | None:
        """Enter money that the PG took and nobody here knows of, if the PG knows what for."""
        entered = await enter_payment(self.services, self.channel, row)
        if entered is None:
            return self._there(FindingKind.CHARGED_THERE, row, None)
        self.result.entered += 1
        self.result.matched += 1
        self._sums["taken_here"] += row.amount
        # An earlier run may have found it while the PG did not answer.
        found = await self.services.store.findings.of_pg_tids(self.channel.merchant_id, [row.pg_tid])
        reported = [f.id for f in found if f.kind is FindingKind.CHARGED_THERE and f.closed_at is None]
        await close_findings(
            self.services, self.channel.merchant_id, reported, OURSELVES, f"entered as {entered.imp_uid}"
        )
        return None

    async def _prove(self, row: SettlementRow, known: KnownCharge, payment: Payment) -> Payment:
        """Record what a row proves of a payment that is unknown, or paid without the PG's id of it."""
        services, attempt = self.services, known.attempt
        if payment.status is Status.UNKNOWN:
            approval = Approval(row.pg_tid, row.method, row.happened_at)
            result = Result(Outcome.APPROVED, Proof.SETTLEMENT_FILE, approval=approval)
            # The key that came with the payment went with the lost answer, and no file tells it.
            undo = attempt.verb is Verb.APPROVE and payment.order.key_use is KeyUse.ISSUE
            after = await record(services, payment, attempt.id, result, undo=undo)
            if after.status is Status.PAID and after.version == payment.version + 1:
                self.result.resolved_paid += 1
                self._resolved(attempt.verb, result, payment)
            return after
        write = FillTid(payment, attempt.id, row.pg_tid, row.method, services.clock.now())
        filled = await services.store.write(write)
        if filled is not None:
            self.result.filled += 1
            _log.info("tid_found", imp_uid=payment.imp_uid)
            return filled
        return await services.store.payments.find(payment.merchant_id, payment.imp_uid) or payment

    async def _not_paid_here(self, row: SettlementRow, payment: Payment) -> Finding:
        """Money was taken for a payment that failed, or never came to a charge."""
        order = payment.order
        paid = (Status.PAID, Status.CANCELLED)
        again = await self.services.store.payments.find_by_merchant_uid(
            payment.merchant_id, order.merchant_uid, paid, Sorting.STARTED_NEWEST
        )
        kind = FindingKind.CHARGED_THERE if again is None else FindingKind.CHARGED_TWICE
        return self._there(kind, row, payment)

    # -- what the file does not tell

    async def missing_charges(self) -> None:
        """Find what took money here and is in no file; an unknown charge that is in none was not made."""
        await self._load_days()
        # Whatever may fall on this day was begun on it, or around the midnight before.
        span = self._span(self.day - A_DAY, self.day)
        after = (span.since, "")
        while page := await self.services.store.reconciliation.charges_without_row(span, after, BATCH_MAX):
            await self._keep([f for k in page if (f := await self._missing(k)) is not None])
            after = (page[-1].attempt.begun_at, page[-1].attempt.id)

    async def _missing(self, known: KnownCharge) -> Finding | None:
        days = possible_days(known)
        if self.day not in days or not days <= self._done:
            return None
        payment, attempt = known.payment, known.attempt
        price = payment.order.price.total.amount
        if known.outcome is Outcome.UNKNOWN:
            if attempt.verb is Verb.CHARGE and payment.status is Status.UNKNOWN and days <= self._complete:
                decline = Decline("NOT_TAKEN", NO_FILE_TEXT)
                result = Result(Outcome.DECLINED, Proof.SETTLEMENT_FILE, decline=decline)
                await record(self.services, payment, attempt.id, result)
                self.result.resolved_failed += 1
                self._resolved(attempt.verb, result, payment)
            return None
        if payment.cancelled_amount == price and payment.cancelled_at and day_of(payment.cancelled_at) in days:
            # Taken and wholly given back on one day: PGs may leave both out (docs/wire/kakaopay.md 12).
            self._vanished.add(payment.imp_uid)
            return None
        self._sums["taken_here"] += price
        return self._here(FindingKind.CHARGED_HERE, attempt.id, payment, price, attempt.begun_at, attempt.order_id)

    # -- what was given back

    async def cancels(self) -> None:
        """Hold what the PG gave back against the cancels here, payment by payment and amount by amount."""
        here: dict[tuple[str | None, int], list[KnownCancel]] = {}
        span = self._span(self.day - A_DAY, self.day)
        after = (span.since, "")
        while page := await self.services.store.reconciliation.cancels_between(span, after, BATCH_MAX):
            for known in page:
                key = (known.payment.pg_tid, known.cancellation.split.amount)
                here.setdefault(key, []).append(known)
            after = (page[-1].cancellation.begun_at, page[-1].cancellation.id)
        reported = {r.pg_tid for r in self._ours(Action.CANCEL)}
        for tids in _batches(sorted(reported | {tid for tid, _ in here if tid is not None})):
            await self._cancels_of(set(tids), here)

    async def _cancels_of(self, tids: set[str], all_here: dict[tuple[str | None, int], list[KnownCancel]]) -> None:
        here = {key: known for key, known in all_here.items() if key[0] in tids}
        by_aid = {k.cancellation.pg_aid: k for known in here.values() for k in known if k.cancellation.pg_aid}
        kept = await self.services.store.reconciliation.kept_rows(self.channel.merchant_id, (), sorted(tids))
        known_there = {
            f.pg_tid for f in await self.services.store.findings.of_pg_tids(self.channel.merchant_id, sorted(tids))
        }
        found: list[Finding] = []
        rest: list[KeptRow] = []
        for given_back in kept:
            row = given_back.row
            if row.action is not Action.CANCEL:
                continue
            mine = by_aid.get(row.pg_aid)
            if mine is None:
                rest.append(given_back)
                continue
            waiting = here[row.pg_tid, mine.cancellation.split.amount]
            if mine in waiting:
                waiting.remove(mine)
            self._cancel_agrees(given_back)
        for given_back in rest:
            row = given_back.row
            waiting = here.get((row.pg_tid, row.amount), [])
            if given_back.day == self.day and not any(_may_be(k, given_back) for k in waiting):
                entered = await self._cancel_entered(row)
                if entered:
                    self._cancel_agrees(given_back)
                    continue
            mine = next((k for k in waiting if _may_be(k, given_back)), None)
            if mine is not None:
                waiting.remove(mine)
                self._cancel_agrees(given_back)
            elif given_back.day == self.day:
                self._sums["cancelled_there"] += row.amount
                if row.pg_tid not in known_there:
                    # What a finding is about may be given back in the PG's own console; that is no new finding.
                    found.append(await self._cancelled_there(given_back))
        for known in (k for waiting in here.values() for k in waiting):
            days = _cancel_days(known)
            done = known.cancellation.done_at is not None and self.day in days and days <= self._done
            if done and known.payment.imp_uid not in self._vanished:
                amount = known.cancellation.split.amount
                self._sums["cancelled_here"] += amount
                cancel = known.cancellation
                found.append(
                    self._here(FindingKind.CANCELLED_HERE, cancel.id, known.payment, amount, cancel.begun_at, cancel.id)
                )
        await self._keep(found)

    def _cancel_agrees(self, given_back: KeptRow) -> None:
        if given_back.day == self.day:
            self.result.matched += 1
            self._sums["cancelled_there"] += given_back.row.amount
            self._sums["cancelled_here"] += given_back.row.amount

    async def _cancel_entered(self, row: SettlementRow) -> bool:
        """Have the PG tell whose a cancel is that is not known here to be made; return whether it is known now.

        A file tells no mark. A cancel of ours whose outcome is unknown may be this one or not: the order lookup tells.
        """
        known = await self.services.store.reconciliation.known_charges(self.channel.merchant_id, [row.order_id])
        payment = known[0].payment if known else None
        if payment is None or payment.pg_tid != row.pg_tid:
            return False
        unknown = await self.services.store.unknown_outcomes.of_payment(payment.merchant_id, payment.imp_uid)
        if unknown is not None and unknown.attempt.verb is Verb.CANCEL:
            await clarify(self.services, unknown)
        else:
            await look_up(self.services, payment)
        after = await self.services.store.cancellations.of_payments(payment.merchant_id, [payment.imp_uid])
        mine = next((c for c in after if c.pg_aid == row.pg_aid), None)
        if mine is None:
            return False
        if mine.at_pg:
            self.result.refunds += 1
        elif unknown is not None and mine.id == unknown.attempt.id:
            self.result.resolved_cancels += 1
        return True

    async def _cancelled_there(self, kept: KeptRow) -> Finding:
        known = await self.services.store.reconciliation.known_charges(self.channel.merchant_id, [kept.row.order_id])
        return self._there(FindingKind.CANCELLED_THERE, kept.row, known[0].payment if known else None)

    # -- the end

    async def finish(self) -> None:
        """Mark the day as done, with both sums."""
        sums = self.result.sums = DaySums(
            self._sums["taken_there"],
            self._sums["taken_here"],
            self._sums["cancelled_there"],
            self._sums["cancelled_here"],
        )
        self.result.new_findings.sort(key=lambda f: (f.happened_at or f.found_at, f.id))
        complete = self.day in self._complete
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

    async def _load_days(self) -> None:
        """Learn which days are done, this one included, and which of them tell by silence.

        A file without a single payment that is known here may be that of another contract: its silence proves nothing.
        """
        since, until = self.day - A_DAY, self.day + A_DAY
        states = await self.services.store.reconciliation.days(self.channel.merchant_id, self.channel.id, since, until)
        self._done = {s.day for s in states if s.done_at is not None} | {self.day}
        self._complete = {s.day for s in states if s.complete} - {self.day}
        if self.file.whole and self.result.matched:
            self._complete.add(self.day)

    def _ours(self, action: Action) -> Iterator[SettlementRow]:
        of_contract = (r for r in self.file.rows if r.pg_merchant_id == self.channel.pg_merchant_id)
        return (r for r in of_contract if r.action is action)

    def _span(self, since: date, until: date) -> AccountSpan:
        channel = self.channel
        return AccountSpan(
            channel.merchant_id,
            channel.pg_provider,
            channel.pg_merchant_id,
            begins_at(since) - TIMES_APART - UNCLEAR_AT_MOST,
            ends_at(until) + TIMES_APART,
        )

    async def _keep(self, found: Sequence[Finding]) -> None:
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

    def _there(
        self, kind: FindingKind, row: SettlementRow, payment: Payment | None, *, amount_here: int | None = None
    ) -> Finding:
        found = self._here(kind, row.pg_aid, payment, amount_here, row.happened_at, row.order_id)
        return replace(found, pg_tid=row.pg_tid, pg_aid=row.pg_aid, amount_there=row.amount)

    def _here(
        self,
        kind: FindingKind,
        subject: str,
        payment: Payment | None,
        amount_here: int | None,
        happened_at: datetime,
        order_id: str,
    ) -> Finding:
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
    def _resolved(verb: Verb, result: Result, payment: Payment) -> None:
        metrics.RESOLVED.labels(verb, result.outcome, result.proof).inc()
        _log.info("unknown_resolved", imp_uid=payment.imp_uid, outcome=result.outcome, proof=result.proof)


def possible_days(known: KnownCharge) -> frozenset[date]:
    """Return the days on which the PG may have taken what an attempt asked for: two around midnight."""
    begun_at = known.attempt.begun_at
    latest = begun_at + UNCLEAR_AT_MOST
    if known.outcome is Outcome.APPROVED and known.recorded_at is not None:
        latest = min(latest, known.recorded_at)
    return _days(begun_at, latest)


def _cancel_days(known: KnownCancel) -> frozenset[date]:
    begun_at, done_at = known.cancellation.begun_at, known.cancellation.done_at
    latest = begun_at + UNCLEAR_AT_MOST
    return _days(begun_at, latest if done_at is None else min(latest, done_at))


def _may_be(known: KnownCancel, given_back: KeptRow) -> bool:
    """Return whether a cancel that is done here can be the row's, as far as amount and day tell."""
    return known.cancellation.done_at is not None and given_back.day in _cancel_days(known)


def _days(begun_at: datetime, latest: datetime) -> frozenset[date]:
    return frozenset({day_of(begun_at - TIMES_APART), day_of(max(begun_at, latest) + TIMES_APART)})


def _batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH_MAX)):
        yield batch
