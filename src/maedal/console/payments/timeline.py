"""The story of a payment: everything that is known of it, by time, told once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from maedal.console.frame.days import when
from maedal.console.frame.facts import differences_in_words
from maedal.console.frame.visit import Visit
from maedal.console.frame.words import say
from maedal.merchants.audit_entry import NO_REASON, AuditEntry
from maedal.payments.attempt import Outcome, Proof, Verb
from maedal.payments.cancellation import Cancellation
from maedal.payments.failure_causes import OWN_CODES
from maedal.payments.moves import Event, Start, Status
from maedal.payments.payment import Payment
from maedal.schedules.schedule import Schedule
from maedal.storage.attempts.reads import PastAttempt
from maedal.storage.payments.reads import PastEvent
from maedal.webhooks.webhook import DeliveryLog

ANSWER_CHARS_MAX = 200
CERTAIN = frozenset({Event.APPROVED, Event.DECLINED, Event.NOT_SENT})


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `facts` are names and values, shown below it."""

    at: datetime
    kind: str
    title: str
    lead: str = ""
    tone: str = ""
    facts: Sequence[tuple[str, str]] = field(default_factory=tuple)
    webhook_id: str = ""
    """Of a webhook's last try: which webhook can be sent again."""


@dataclass(frozen=True, slots=True)
class History:
    """What was read about a payment."""

    payment: Payment
    planned: Schedule | None
    attempts: Sequence[PastAttempt]
    events: Sequence[PastEvent]
    cancels: Sequence[Cancellation]
    audit_entries: Sequence[AuditEntry]
    deliveries: Sequence[DeliveryLog]


def timeline(visit: Visit, history: History) -> list[Entry]:
    """Return what happened, oldest first; of what happened in one moment, causes come before what they led to."""
    people = {audit_entry.happened_at: audit_entry for audit_entry in history.audit_entries}
    cancels = {cancel.id: cancel for cancel in history.cancels}
    entries = [
        *_planned(visit, history.planned),
        _begun(visit, history.payment),
        *(_audit_entry(visit, audit_entry) for audit_entry in history.audit_entries),
        *(_call(visit, attempt, cancels, people) for attempt in history.attempts),
        *(entry for attempt in history.attempts for entry in _answer(visit, attempt, history)),
        *(_move(visit, event, history) for event in history.events),
        *(entry for delivery in history.deliveries for entry in _webhook(visit, delivery)),
    ]
    return sorted(entries, key=lambda entry: entry.at)


def _planned(visit: Visit, planned: Schedule | None) -> list[Entry]:
    if planned is None:
        return []
    facts = [(visit.t("예정 시각", "Planned for"), when(planned.schedule_at))]
    if planned.tries:
        facts.append((visit.t("다시 시도", "Tries after a failure"), str(planned.tries)))
    return [Entry(planned.inserted_at, "plan", visit.t("결제가 예약됨", "Charge planned"), facts=facts)]


def _begun(visit: Visit, payment: Payment) -> Entry:
    where = say(visit, "origin", payment.origin)
    return Entry(payment.started_at, "begin", visit.t(f"결제 요청 ({where})", f"Payment requested ({where})"))


def _audit_entry(visit: Visit, audit_entry: AuditEntry) -> Entry:
    facts = [(visit.t("처리자", "Actor"), audit_entry.who)]
    if audit_entry.reason != NO_REASON:
        facts.append((visit.t("사유", "Reason"), audit_entry.reason))
    for name, before, after in differences_in_words(visit, audit_entry.before, audit_entry.after):
        said = " → ".join(text for text in (before, after) if text)
        facts.append((name or visit.t("내용", "Details"), said))
    return Entry(audit_entry.happened_at, "person", say(visit, "act", audit_entry.kind), facts=facts)


def _call(
    visit: Visit, past: PastAttempt, cancels: Mapping[str, Cancellation], people: Mapping[datetime, AuditEntry]
) -> Entry:
    attempt = past.attempt
    cancel = cancels.get(attempt.id)
    if cancel is not None and cancel.at_pg:
        return _refund_at_pg(visit, cancel)
    title = visit.t("카카오페이에 요청: ", "Asked of KakaoPay: ") + say(visit, "verb", attempt.verb)
    facts = []
    if attempt.price is not None:
        amount = attempt.price.total.amount
        facts.append((visit.t("금액", "Amount"), visit.t(f"{amount:,}원", f"₩{amount:,}")))
        if attempt.price.tax_free.amount:
            free = attempt.price.tax_free.amount
            facts.append((visit.t("그중 면세", "Tax-free of it"), visit.t(f"{free:,}원", f"₩{free:,}")))
    if attempt.verb is Verb.CANCEL and attempt.id in cancels:
        made = cancels[attempt.id]
        if made.kind is not None:
            facts.append((visit.t("취소 사유 종류", "Kind of refund"), say(visit, "refund_kind", made.kind)))
        facts.append((visit.t("취소 사유", "Reason"), made.reason))
        if attempt.begun_at not in people:
            facts.append((visit.t("요청한 곳", "Asked by"), visit.t("상점 서버 (API)", "the shop's server (API)")))
    facts.append(("partner_order_id", attempt.order_id))
    if past.recorded_at is None:
        lead = visit.t("답을 기다리는 중", "No answer yet")
        return Entry(attempt.begun_at, "call", title, lead, "unknown", facts)
    return Entry(attempt.begun_at, "call", title, facts=facts)


def _refund_at_pg(visit: Visit, cancel: Cancellation) -> Entry:
    amount = cancel.split.amount
    facts = [(visit.t("금액", "Amount"), visit.t(f"{amount:,}원", f"₩{amount:,}")), ("aid", cancel.pg_aid or "-")]
    title = visit.t("카카오페이에서 직접 환불", "Refunded at KakaoPay")
    lead = visit.t("여기서 요청하지 않은 취소", "not asked for here")
    return Entry(cancel.begun_at, "call", title, lead, "cancelled", facts)


def _answer(visit: Visit, past: PastAttempt, history: History) -> list[Entry]:
    if past.recorded_at is None or past.outcome is None or past.proof is None:
        return []
    seconds = (past.recorded_at - past.attempt.begun_at).total_seconds()
    evidence = say(visit, "proof", past.proof)
    # The PG's file takes the place of what an outcome rested on at first; the move that it led to has kept that.
    for event in history.events:
        if event.attempt_id == past.attempt.id and event.event in CERTAIN and event.proof not in {None, past.proof}:
            first = say(visit, "proof", Proof(event.proof))
            evidence += visit.t(f" (처음: {first})", f" (at first: {first})")
    facts = [
        (visit.t("근거", "Evidence"), evidence),
        (visit.t("걸린 시간", "Took"), visit.t(f"{seconds:.2f}초", f"{seconds:.2f} s")),
    ]
    if past.code or past.message:
        facts.append((visit.t("PG 응답", "PG said"), " ".join(text for text in (past.code, past.message) if text)))
    if past.pg_tid:
        facts.append(("tid", past.pg_tid))
    tone = {Outcome.APPROVED: "paid", Outcome.DECLINED: "failed", Outcome.NOT_SENT: "failed"}
    verb, outcome = say(visit, "verb", past.attempt.verb), say(visit, "outcome", past.outcome)
    title = visit.t(f"{verb} 결과: {outcome}", f"{verb}: {outcome}")
    return [Entry(past.recorded_at, "answer", title, tone=tone.get(past.outcome, "unknown"), facts=facts)]


def unclear_answer(attempts: Sequence[PastAttempt]) -> PastAttempt | None:
    """Return the call that the PG has answered without saying what became of it, if the last one is such a call."""
    last = attempts[-1] if attempts else None
    return last if last is not None and last.outcome is Outcome.UNKNOWN and last.proof is Proof.REPLY else None


def _move(visit: Visit, event: PastEvent, history: History) -> Entry:
    facts = [(visit.t("근거", "Evidence"), say(visit, "proof", Proof(event.proof)))] if event.proof else []
    title = say(visit, "start" if isinstance(event.event, Start) else "event", event.event)
    if event.event is Event.LOST and event.proof == Proof.REPLY:
        # An answer came, and said nothing of the money: it was not lost.
        title = visit.t("결과 불명확한 응답", "Unclear answer")
        codes = [one.code for one in history.attempts if one.attempt.id == event.attempt_id]
        # What was found out since has taken the place of what the PG had answered.
        facts += [(visit.t("PG 코드", "PG's code"), code) for code in codes if code and code not in OWN_CODES]
    lead = say(visit, "status", event.status)
    if (
        event.status is Status.CANCELLED
        and _given_back(history, event.happened_at) < history.payment.order.price.total.amount
    ):
        lead = visit.t("부분취소", "Partly cancelled")
    return Entry(event.happened_at, "move", title, lead, event.status.value, facts)


def _given_back(history: History, until: datetime) -> int:
    """Return how much had been given back by a moment."""
    return sum(one.split.amount for one in history.cancels if one.done_at is not None and one.done_at <= until)


def _webhook(visit: Visit, delivery: DeliveryLog) -> list[Entry]:
    status = re.search(r'status(?:"\s*:\s*"|=)([a-z]+)', delivery.delivery.body)
    what = f" ({status[1]})" if status else ""
    if not delivery.tries:
        return [
            Entry(
                delivery.delivery.created_at, "webhook", visit.t("웹훅", "Webhook") + what,
                say(visit, "delivery", delivery.state), facts=[(visit.t("주소", "To"), delivery.delivery.address)],
                webhook_id=delivery.delivery.id,
            )
        ]  # fmt: skip
    entries = []
    for number, made in enumerate(delivery.tries, 1):
        facts = [
            (visit.t("주소", "To"), made.url),
            (visit.t("걸린 시간", "Took"), f"{made.duration.total_seconds():.2f}" + visit.t("초", " s")),
        ]
        if made.answer:
            facts.append((visit.t("받은 답", "Answer"), made.answer[:ANSWER_CHARS_MAX]))
        lead = str(made.answer_status) if made.answer_status else visit.t("응답 없음", "no answer")
        nth = visit.t(f" · {number}번째", f" · try {number}") if number > 1 else ""
        title = visit.t("웹훅", "Webhook") + what + nth
        tone = "paid" if made.delivered else "failed"
        last = delivery.delivery.id if number == len(delivery.tries) else ""
        entries.append(Entry(made.sent_at, "webhook", title, lead, tone, facts, last))
    return entries
