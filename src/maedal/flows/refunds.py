"""Refunds that were made at the PG itself: told from our own cancels by the order lookup, and entered.

The order lookup tells every cancel of a payment. Ours bear our mark and, once they are done, an id that is kept here;
whatever else it tells was given back by somebody else (docs/decisions/0041-refunds-at-the-pg.md). Nothing is cancelled
or charged here: the books are made to say what the PG says. Doing it again adds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from maedal import metrics
from maedal.billing_keys.last_approval import TIME_TOLERANCE
from maedal.errors import GatewayError
from maedal.flows.call_pg import account_for, ask_pg, driver_of
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.flows.webhook_outbox import cancel_deliveries
from maedal.merchants.audit_entry import MAEDAL, AuditAction, AuditEntry
from maedal.payments.cancellation import CancelAtPg, Cancellation
from maedal.payments.mark import read_cancel_mark
from maedal.payments.moves import NEXT, Event, Status
from maedal.payments.payment import Payment
from maedal.payments.refunds import REASON_AT_PG, REASON_FORGOTTEN, Compared, compare, split_refunds
from maedal.pg.driver import AnswerLost, NotSent, OrderFacts, Unreadable
from maedal.reconciliation.finding import Finding, FindingKind
from maedal.reconciliation.settlement import day_of
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.cancellations.writes import EnterRefunds
from maedal.storage.errors import Conflict
from maedal.storage.payments.reads import HasPayments
from maedal.storage.write import Writes
from maedal.webhooks.webhook import Delivery

_log = structlog.get_logger()

OFF_BY = timedelta(seconds=5) + TIME_TOLERANCE + timedelta(seconds=1)
"""How far the PG's time of a cancel may be from ours: its clock, what its lookup tells, and whole seconds."""
PG_TAKES_AT_MOST = timedelta(seconds=15)
"""How long after it left a cancel may still be carried out: the PG's own limit is 11 s (docs/wire/kakaopay.md 3.2)."""
TRIES_MAX = 3
WHY = "told by the PG's order lookup"
GIVEN_BACK = (Status.PAID, Status.CANCELLED)


class RefundsStore(HasCancellations, HasPayments, Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What came of it: the payment as it stands, how the two compare, and which cancels came in now."""

    payment: Payment
    compared: Compared
    entered: tuple[Cancellation, ...] = ()


def over_within(services: ServicesWithoutStore) -> timedelta:
    """Return how long after its begin a cancel may still be carried out at the PG."""
    return services.limits.leaves_within + PG_TAKES_AT_MOST


async def look_up(services: ServicesWith[RefundsStore], payment: Payment) -> TakenOver | None:
    """Ask the PG for the cancels of a payment and enter what is not here; None when the PG does not tell."""
    if payment.pg_tid is None or payment.status not in GIVEN_BACK:
        return None
    try:
        channel = await services.merchant_cache.channel(payment.merchant_id, payment.channel_id)
        driver = driver_of(services, channel)
        reply = await ask_pg(
            services,
            payment.merchant_id,
            driver.order_request(account_for(services, channel, test_mode=payment.test_mode), payment.pg_tid),
        )
        facts = driver.read_order(payment.pg_tid, reply)
    except (NotSent, AnswerLost, Unreadable, GatewayError) as error:
        _log.warning("cancels_not_looked_up", imp_uid=payment.imp_uid, reason=type(error).__name__)
        return None
    try:
        return await take_over(services, payment, facts)
    except Conflict:
        _log.warning("refunds_not_entered", imp_uid=payment.imp_uid)
        return None


async def take_over(
    services: ServicesWith[RefundsStore],
    payment: Payment,
    facts: OrderFacts,
    *,
    open_id: str | None = None,
    settles: bool = False,
) -> TakenOver:
    """Enter the cancels that the PG tells of and that are not here.

    `open_id` is the cancel of ours whose outcome is being found out. What it may be or not is entered only with
    `settles`, as somebody else's. What disagrees otherwise is left alone and logged: entering would make it worse.
    Raises Conflict, and enters nothing, when the payment keeps moving.
    """
    for _ in range(TRIES_MAX):
        known = await services.store.cancellations.of_payments(payment.merchant_id, [payment.imp_uid])
        if not facts.cancels and not known:
            return TakenOver(payment, Compared({}, {}, (), (), ()))
        running = open_id or await _open_cancel(services, payment, known)
        compared = compare(
            known,
            facts.cancels,
            merchant_id=payment.merchant_id,
            open_id=running,
            marks_shown=_shows_marks(facts),
            off_by=OFF_BY,
            over_within=over_within(services),
        )
        write = await _entry(services, payment, facts, known, compared, running, settles=settles)
        if write is None:
            return TakenOver(payment, compared)
        try:
            after = await services.store.write(write)
        except Conflict:
            payment = await services.store.payments.find(payment.merchant_id, payment.imp_uid) or payment
            continue
        entered = (*write.refunds, *write.late)
        await _announce(services, after, write, entered)
        return TakenOver(after, compared, entered)
    raise Conflict(f"{payment.imp_uid} keeps moving")


def _shows_marks(facts: OrderFacts) -> bool:
    """Return whether the PG has shown that it tells the marks of cancels: by one of this payment.

    That it tells the mark of the payment itself is no proof of it: nobody has tried it on a live account.
    """
    return any(read_cancel_mark(c.mark) for c in facts.cancels)


async def _open_cancel(
    services: ServicesWith[RefundsStore], payment: Payment, known: Sequence[Cancellation]
) -> str | None:
    """Return the id of the cancel that runs, or whose outcome is not known."""
    if not await services.store.cancellations.has_open(payment.merchant_id, payment.imp_uid):
        return None
    waiting = [c for c in known if c.done_at is None]
    # One that was refused has no end either; the one that is open was begun last.
    return max(waiting, key=lambda c: (c.begun_at, c.id)).id if waiting else None


async def _entry(
    services: ServicesWithoutStore,
    payment: Payment,
    facts: OrderFacts,
    known: Sequence[Cancellation],
    compared: Compared,
    running: str | None,
    *,
    settles: bool,
) -> EnterRefunds | None:
    """Return the write that makes the books say what the PG says; None when they do, or when it must not be made."""
    by_id = {c.id: c for c in known}
    found = {
        cid: entry
        for cid, entry in compared.ours.items()
        if by_id[cid].done_at is not None and by_id[cid].pg_aid is None
    }
    identified = tuple(replace(by_id[cid], pg_aid=entry.pg_aid) for cid, entry in found.items())
    late = tuple(
        replace(by_id[cid], pg_aid=entry.pg_aid, done_at=entry.at)
        for cid, entry in compared.ours.items()
        if by_id[cid].done_at is None and cid != running
    )
    strangers = compared.foreign + (compared.unclear if settles else ())
    if compared.missing:
        _log.error("cancels_disagree", imp_uid=payment.imp_uid, missing=[c.id for c in compared.missing])
        strangers, late = (), ()
    forgotten = () if compared.missing else tuple(compared.forgotten.items())
    new: list[tuple[str, CancelAtPg, bool]] = [(cid, entry, False) for cid, entry in forgotten]
    now = services.clock.now()
    new += [(services.ids.row(now), entry, True) for entry in strangers]
    if not new and not late and not identified:
        return None
    if payment.status not in GIVEN_BACK:
        return None
    refunds = _refunds(payment, facts, known, [*late], sorted(new, key=lambda n: n[1].at), compared, running)
    deliveries: list[Delivery] = []
    after = payment
    for refund in sorted((*refunds, *late), key=lambda c: (c.done_at or now, c.id)):
        deliveries += await cancel_deliveries(services, after, refund, now)
        after = replace(
            after,
            status=NEXT[after.status, Event.CANCEL],
            version=after.version + 1,
            cancelled_amount=after.cancelled_amount + refund.split.amount,
        )
    audit_entry = None
    if refunds or late:
        entered_cancels = "; ".join(f"aid={c.pg_aid} amount={c.split.amount}" for c in (*refunds, *late))
        before, then = f"cancelled={payment.cancelled_amount}", f"cancelled={after.cancelled_amount}; {entered_cancels}"
        audit_entry = AuditEntry(
            services.ids.row(now),
            payment.merchant_id,
            AuditAction.ENTER_REFUND,
            payment.imp_uid,
            MAEDAL,
            WHY,
            before,
            then,
            now,
        )
    findings = tuple(_finding(services, payment, facts, c, now) for c in refunds)
    return EnterRefunds(payment, refunds, late, identified, now, tuple(deliveries), findings, audit_entry)


def _refunds(
    payment: Payment,
    facts: OrderFacts,
    known: Sequence[Cancellation],
    late: Sequence[Cancellation],
    new: Sequence[tuple[str, CancelAtPg, bool]],
    compared: Compared,
    running: str | None,
) -> tuple[Cancellation, ...]:
    """Return what is new here as cancellations that are done, each with its parts."""
    done = [c.split for c in known if c.done_at is not None] + [c.split for c in late]
    tax_free, vat = facts.cancelled_tax_free, facts.cancelled_vat
    # Of what the PG tells of all cancels, that which is ours is ours; an open one that it has made is among it.
    open_made = [c.split for c in known if c.id == running and c.id in compared.ours]
    if tax_free is not None and vat is not None:
        tax_free -= sum(s.tax_free for s in (*done, *open_made))
        vat -= sum(s.vat for s in (*done, *open_made))
    splits = split_refunds(
        payment.order.price, [*done, *open_made], [entry.amount for _, entry, _ in new], tax_free, vat
    )
    return tuple(
        Cancellation(
            payment.merchant_id,
            row_id,
            payment.imp_uid,
            split,
            REASON_AT_PG if stranger else REASON_FORGOTTEN,
            tell=True,
            begun_at=entry.at,
            done_at=entry.at,
            pg_aid=entry.pg_aid,
            at_pg=stranger,
            marked=not stranger,
        )
        for (row_id, entry, stranger), split in zip(new, splits, strict=True)
    )


def _finding(
    services: ServicesWithoutStore, payment: Payment, facts: OrderFacts, refund: Cancellation, now: datetime
) -> Finding:
    assert refund.pg_aid is not None, "the PG's id is what it is told by"
    amount = refund.split.amount
    return Finding(
        merchant_id=payment.merchant_id,
        id=services.ids.row(now),
        kind=FindingKind.CANCELLED_THERE,
        subject=refund.pg_aid,
        channel_id=payment.channel_id,
        day=day_of(refund.done_at or now),
        found_at=now,
        order_id=facts.order_id,
        imp_uid=payment.imp_uid,
        pg_tid=payment.pg_tid,
        pg_aid=refund.pg_aid,
        amount_there=amount,
        amount_here=amount,
        happened_at=refund.done_at,
    )


async def _announce(
    services: ServicesWithoutStore, payment: Payment, write: EnterRefunds, entered: Sequence[Cancellation]
) -> None:
    if write.deliveries:
        services.webhook_waiting.set()
    for refund in entered:
        metrics.FINDINGS.labels(FindingKind.CANCELLED_THERE).inc()
        _log.warning(
            "refund_entered",
            imp_uid=payment.imp_uid,
            pg_aid=refund.pg_aid,
            amount=refund.split.amount,
            ours=not refund.at_pg,
        )
