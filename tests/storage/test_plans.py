"""Every statement is an index range: no table is ever read from end to end."""

from __future__ import annotations

import itertools
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from maedal.billing_keys.billing_key import KeyEnd
from maedal.dunning.unpaid import DunningRules, Unpaid
from maedal.maintenance.pause import Pause, Source
from maedal.merchants.audit_entry import AuditAction, AuditEntry
from maedal.merchants.go_live import INSTALLATION, KeptCheck, Point, Readiness
from maedal.merchants.merchant import FieldSet
from maedal.merchants.request_entry import RequestEntry
from maedal.merchants.scope import Scope
from maedal.merchants.token import TokenLife
from maedal.messages.alert import Alert, AlertKind, Quiet, Receiver, When
from maedal.messages.mail_server import Encryption, MailServer
from maedal.messages.message import Handover, Message, MessageKind, MessageState, Sent, Way
from maedal.operators.invite import Invite
from maedal.operators.operator import Operator
from maedal.operators.operator_audit_entry import OperatorAuditAction, OperatorAuditEntry
from maedal.operators.passkey import Challenge, Passkey
from maedal.operators.role import Role
from maedal.operators.session import Session
from maedal.operators.tries import Counted
from maedal.payments.attempt import LOST, Attempt, DeclineReason, Method, Verb
from maedal.payments.cancellation import RefundKind
from maedal.payments.failure_causes import FailedWith, FailureCause
from maedal.payments.moves import Event, Status
from maedal.payments.notes import Note, NoteSubject, Tag
from maedal.reconciliation.finding import Finding, FindingKind
from maedal.reconciliation.settlement import Action, SettlementRow
from maedal.schedules.pace import Pace
from maedal.schedules.recovery import NextTry
from maedal.storage.attempts.units import CLOSE_ATTEMPTS
from maedal.storage.attempts.writes import RecordAttempt
from maedal.storage.audit.reads import LogFilter
from maedal.storage.audit.writes import KeepAuditEntry
from maedal.storage.billing_keys.reads import KeyFilter, KeyStanding
from maedal.storage.billing_keys.units import KEYS_APPROVED
from maedal.storage.billing_keys.writes import BeginDeactivation, ClaimKeyEnding, RecordKeyEnding
from maedal.storage.cancellations.reads import CancellationFilter
from maedal.storage.channels.writes import PutChannel
from maedal.storage.dunning.writes import AddUnpaid, EndUnpaid, LookedUntil, PutDunningRules
from maedal.storage.engine.postgres import BEGIN_BY_KEY, dialect
from maedal.storage.engine.sqlite import SqliteEngine
from maedal.storage.engine.together import unnested
from maedal.storage.figures.reads import MonthFigure, MonthKind
from maedal.storage.figures.writes import KeepMonth
from maedal.storage.findings.reads import FindingFilter
from maedal.storage.findings.writes import AddFindings, CloseFinding
from maedal.storage.idempotency.writes import ClaimRequest, FinishRequest, SweepRequests
from maedal.storage.invariants.reads import Invariant, OpenWork
from maedal.storage.log_chain.units import TAKE
from maedal.storage.maintenance.writes import AddPause, EndPause, NotePause
from maedal.storage.merchants.writes import (
    AddApiKey,
    AddMerchant,
    EndApiKey,
    EndOldSecret,
    KeepChecks,
    NameApiKey,
    RenewApiSecret,
    SeeApiKey,
    SetAllowedAddresses,
    SetFieldSet,
    SetRecovery,
    SetScopes,
    SetToken,
    SetWebhook,
    SetWebhookSecrets,
    WebhookSecrets,
)
from maedal.storage.messages.reads import MessageFilter
from maedal.storage.messages.writes import (
    AddMessage,
    ClaimMessages,
    DropMailServer,
    DropReceiver,
    EndLostMessages,
    FinishMessage,
    GatherAlerts,
    HandOver,
    PutMailServer,
    PutReceiver,
    RaiseAlerts,
    SendMessageAgain,
)
from maedal.storage.notes.writes import AddNote, AddTag, RemoveNote, RemoveTag
from maedal.storage.open import create_store
from maedal.storage.operators.writes import (
    AddOperator,
    BeginSession,
    CountTry,
    DemandSecondStep,
    Ends,
    EndSessions,
    ForgiveTries,
    KeepChallenge,
    KeepOperatorEntry,
    PutOperator,
    SeeSession,
    SweepSignIns,
    TakeChallenge,
    TakeRecoveryCode,
    TakeStep,
    UsePasskey,
)
from maedal.storage.payment_lists.reads import (
    Basis,
    Export,
    ListFilter,
    ListOrder,
    ListQuery,
    PaymentStanding,
    Place,
    SavedView,
    SearchField,
)
from maedal.storage.payment_lists.units import CHANGED
from maedal.storage.payment_lists.writes import BeginExport, DropView, IndexTexts, PutColumns, PutExport, PutView
from maedal.storage.payments.reads import PaymentFilter, Sorting
from maedal.storage.payments.units.beginning import FACTS
from maedal.storage.payments.units.moving import MOVE_PAYMENTS
from maedal.storage.payments.writes import BegunCharge, ClaimUndo, EnterPayment, FailSchedule, FillTid, Record
from maedal.storage.reconciliation.reads import AccountSpan
from maedal.storage.reconciliation.writes import ClaimDay, DaySums, FinishDay, KeepRows
from maedal.storage.request_log.reads import CallOutcome, RequestFilter
from maedal.storage.request_log.writes import ForgetRequests, KeepRequests, TrimRequests
from maedal.storage.schedules.execution import EXECUTE_ALL
from maedal.storage.schedules.reads import ScheduleFilter, ScheduleSearch, ScheduleTab
from maedal.storage.schedules.writes import (
    AddSchedules,
    ChangeScheduleByHand,
    ClaimSchedules,
    EndTries,
    PostponeSchedule,
    RevokeSchedules,
    SetScheduleTime,
)
from maedal.storage.sealing.columns import PLACES
from maedal.storage.sealing.reads import KeyHolder, SealedColumn
from maedal.storage.sealing.writes import (
    AnnounceKey,
    GiveKeysUp,
    LoseHolder,
    MakePrimary,
    NoteKeys,
    Reseal,
    RetireKey,
    SeeHolder,
)
from maedal.storage.transfer.writes import (
    DiscardImport,
    FinishImport,
    MovedKey,
    MovedMerchant,
    MovedPayment,
    StageEntries,
)
from maedal.storage.unknown_outcomes.writes import ClaimLook, KeepLook
from maedal.storage.webhooks.reads import FIRST, AnswerClass, DeliveryFilter, DeliverySearch
from maedal.storage.webhooks.writes import (
    AddWebhookAddress,
    ClaimDeliveries,
    FinishDelivery,
    PutWebhookAddress,
    RemoveWebhookAddress,
    ResendMany,
)
from maedal.storage.windows.writes import EndWindow, NoteLeft, OpenWindow
from maedal.webhooks.address import WebhookAddress
from maedal.webhooks.webhook import Delivery, DeliveryState
from tests.storage.recurring_plans import use_every_statement_of_plans
from tests.storage.test_store import LATER, a_charge, a_try, issue_key
from tests.support.builders import (
    MERCHANT,
    NOW,
    a_channel,
    a_merchant,
    a_schedule,
    an_api_key,
    an_issuing_window,
    approved,
)

# Short lists that are read whole on purpose, by people and at start: merchants, operators, keys and who has them, the
# schema's one-row table, and what a statement limited itself, and the payments whose text is to be written, from the first up to a limit.
READ_WHOLE = {
    "merchants",
    "users",
    "second_step_roles",
    "vault_keys",
    "vault_nodes",
    "alembic_version",
    "here",
    "t",
    "bounded",
    "found",
    "payments_to_text",
}
# Indexes that hold only what is still to be done: as long as the work, not as the table.
OPEN_WORK = {
    "attempts_unknown",
    "attempts_unknown_of_merchant",
    "findings_open_of_merchant",
    "key_endings_open_of_merchant",
    "payments_without_tid_of_merchant",
    "attempts_unanswered",
    "attempts_to_look_at",
    "payments_to_undo",
    "payments_without_tid",
    "payments_open_windows",
    "webhook_deliveries_due",
    "messages_due",
    "alerts_due",
    "schedules_due",
    "schedules_next_tries",
    "key_endings_due",
}


@pytest.fixture
async def traced(all_databases, monkeypatch):
    """A store whose every statement is kept, with its values filled in."""
    statements: list[str] = []
    connect = SqliteEngine._connect

    def listening(engine):
        connection = connect(engine)
        connection.set_trace_callback(statements.append)
        return connection

    monkeypatch.setattr(SqliteEngine, "_connect", listening)
    url = all_databases.url("sqlite")
    store = create_store(url)
    await store.open()
    yield store, statements, Path(url.removeprefix("sqlite:///"))
    await store.close()


async def use_every_statement(store):
    """Have a store write and read everything that it can, once."""
    await store.write(AddMerchant(a_merchant(), an_api_key()))
    await store.write(SetWebhook(MERCHANT, url_live="http://s"))
    unsigned = WebhookSecrets(None, None)
    await store.write(SetWebhookSecrets(MERCHANT, unsigned, unsigned))
    await store.write(SetFieldSet(MERCHANT, FieldSet.FULL))
    await store.write(PutChannel(a_channel()))
    life = TokenLife(NOW, LATER)
    await store.write(SetToken(MERCHANT, "1234567890123456", None, life, b"d", b"digest"))
    await store.write(
        SetToken(MERCHANT, "1234567890123456", life, TokenLife(NOW, LATER + timedelta(1)), b"d", b"digest")
    )
    await store.write(SeeApiKey(MERCHANT, "1234567890123456", NOW, NOW, "203.0.113.7"))
    key, payment = await issue_key(store)
    await issue_key(store, ending_attempt_id="at_replaced")
    begun = await store.write(a_charge("m_1"))
    unknown = await store.write(Record(begun.payment, begun.attempt.id, Event.LOST, LOST, LATER))
    delivery = Delivery(MERCHANT, "wh", unknown.imp_uid, "http://s", "application/json", "{}", LATER)
    [found] = await store.unknown_outcomes.due(LATER, 10)
    assert await store.write(ClaimLook(found.attempt, found.look_at, LATER))
    await store.payments.due_undos(LATER, 10)
    await store.payments.without_tid(10)
    await store.payments.order_without_tid(MERCHANT, unknown.imp_uid)
    await store.unknown_outcomes.open_counts(MERCHANT, NOW)
    assert len(await store.unknown_outcomes.of_merchant(MERCHANT, 10)) == 1
    await store.payments.without_tid_of(MERCHANT, 10)
    for mode in (None, True):
        await store.unknown_outcomes.open_counts(MERCHANT, NOW, mode)
        await store.unknown_outcomes.of_merchant(MERCHANT, 10, mode)
        await store.payments.without_tid_of(MERCHANT, 10, mode)
        await store.billing_keys.pending_endings_of(MERCHANT, 10, mode)
        await store.billing_keys.gone_with_plans(MERCHANT, mode, 10)
        await store.findings.search(MERCHANT, FindingFilter(10, test_mode=mode))
        await store.payments.of_customer(MERCHANT, "c_1", 10, mode)
        await store.payments.last_failure_of(MERCHANT, "c_1", mode)
        await store.payments.sums_of_customer(MERCHANT, "c_1", mode)
        await store.cancellations.refused_since(MERCHANT, NOW, 10, mode)
        await store.schedules.failed_since(MERCHANT, NOW, 10, mode)
        await store.schedules.overdue(MERCHANT, NOW, 10, mode)
        await store.schedules.due_between(MERCHANT, NOW, LATER, 10, test_mode=mode)
        await store.schedules.by_day(MERCHANT, [(NOW, LATER)], mode)
        await store.schedules.search(MERCHANT, ScheduleSearch(NOW, LATER, test_mode=mode), 10)
    audit_entry = AuditEntry("act_l", MERCHANT, AuditAction.ASK_PG, unknown.imp_uid, "Kim", "-", "", "", LATER)
    await store.write(KeepLook(found.attempt, "key active", LATER, LATER))
    assert await store.write(KeepAuditEntry(audit_entry))
    everything = {"who": "Kim", "kind": AuditAction.ASK_PG, "since": NOW, "before": LATER + timedelta(1)}
    for criteria in (
        LogFilter(20),
        LogFilter(20, **everything, subject=unknown.imp_uid),
        LogFilter(20, after=(LATER, "z")),
    ):
        assert len((await store.audit.page(MERCHANT, criteria)).rows) == 1
        await store.audit.operator_entry_page(criteria)
    await store.payments.events(MERCHANT, unknown.imp_uid)
    await store.audit.entries(MERCHANT, 10)
    await store.write(ClaimUndo(payment, LATER))
    await store.unknown_outcomes.of_payment(MERCHANT, unknown.imp_uid)
    await store.write(Record(unknown, begun.attempt.id, Event.APPROVED, approved(), LATER, deliveries=(delivery,)))
    await store.write(ClaimDeliveries("m", NOW, LATER, 10, ((MERCHANT, "s"),)))
    await store.write(ClaimDeliveries("l", LATER, LATER, 10))
    await store.write(FinishDelivery(delivery, "l", a_try(LATER), LATER))
    for criteria in (
        DeliveryFilter(20),
        DeliveryFilter(20, [DeliveryState.FAILED], since=NOW),
        DeliveryFilter(20, delivery_id="wh"),
        DeliveryFilter(20, imp_uid=unknown.imp_uid),
    ):
        await store.webhooks.deliveries(MERCHANT, criteria)
    for criteria in (
        DeliverySearch(20),
        DeliverySearch(20, since=NOW, until=LATER, after=(LATER, "z")),
        DeliverySearch(20, [DeliveryState.DELIVERED]),
        DeliverySearch(20, [DeliveryState.DELIVERED, DeliveryState.FAILED], answer=AnswerClass.TAKEN),
        DeliverySearch(20, status=Status.CALLING, test_mode=True, answer=AnswerClass.TAKEN, host="s"),
        DeliverySearch(20, imp_uids=[unknown.imp_uid]),
        DeliverySearch(20, delivery_ids=["wh"]),
    ):
        assert len((await store.webhooks.search(MERCHANT, criteria)).rows) == 1
    audit_entry = replace(audit_entry, id="act_r", kind=AuditAction.RESEND_WEBHOOKS)
    assert await store.write(ResendMany((delivery,), (None,), audit_entry, LATER)) == 1
    assert await store.write(ResendMany((delivery,), (None,), audit_entry, LATER)) is None
    await store.write(BeginDeactivation(MERCHANT, "c_1", "at_end", KeyEnd.DELETED, LATER))
    await store.billing_keys.due_endings(LATER + timedelta(1), 10)
    await store.billing_keys.pending_endings(10)
    ending = await store.write(ClaimKeyEnding(MERCHANT, "at_end", 0, LATER))
    assert await store.write(RecordKeyEnding(ending, approved(), LATER))
    assert not await store.write(RecordKeyEnding(ending, LOST, LATER))
    window = an_issuing_window()
    await store.write(OpenWindow(*window))
    await store.write(NoteLeft(MERCHANT, window[0].imp_uid, LATER))
    await store.write(RecordAttempt(MERCHANT, window[2].id, LOST, LATER))
    await store.write(EndWindow(window[0], "c", "r", LATER))
    await store.merchants.find(MERCHANT)
    await store.merchants.api_key("1234567890123456")
    await store.merchants.token_owner([b"d"])
    await store.channels.of_merchant(MERCHANT)
    await store.payments.find(MERCHANT, payment.imp_uid)
    for sorting in Sorting:
        await store.payments.find_by_merchant_uid(MERCHANT, "m_1", list(Status), sorting)
    await store.webhooks.has_untried(MERCHANT, payment.imp_uid, NOW)
    await store.windows.find(MERCHANT, payment.imp_uid)
    await store.windows.sealed_pg_token(MERCHANT, payment.imp_uid)
    await store.windows.expired(LATER, 10)
    await store.billing_keys.find(MERCHANT, "c_1")
    await store.billing_keys.find_by_id(MERCHANT, key.id)
    await store.unknown_outcomes.unanswered(LATER, 10)
    planned = [a_schedule(f"s_{n}", order={"customer_uid": f"c_{n}"}) for n in range(4)]
    await store.write(AddSchedules(tuple(planned)))
    await store.write(RevokeSchedules(MERCHANT, ("s_0",), None, LATER))
    await store.write(RevokeSchedules(MERCHANT, None, "c_1", LATER))
    await store.write(SetScheduleTime(await store.schedules.find(MERCHANT, "s_0"), NOW))
    claimed = await store.write(ClaimSchedules("l", LATER, LATER, 10, Pace(20.0, LATER)))
    assert await store.schedules.pace_used_until() is not None
    assert await store.write(PostponeSchedule(claimed[0], LATER))
    assert [s.order.merchant_uid for s in claimed] == ["s_0", "s_2", "s_3"]
    ready = an_issuing_window(claimed[1].order.merchant_uid)[0]
    again = NextTry(LATER, DeclineReason.BALANCE)
    await store.write(FailSchedule(claimed[1], ready, "c", "r", LATER, next_try=again))
    assert [s.order.merchant_uid for s in await store.schedules.next_tries(MERCHANT, 10)] == ["s_2"]
    [due] = await store.write(ClaimSchedules("l2", LATER, LATER, 10))
    assert await store.write(PostponeSchedule(due, LATER))
    assert await store.write(EndTries(due))
    await store.write(SetRecovery(MERCHANT, {}, {}))
    kinds = (
        AuditAction.HOLD_SCHEDULE,
        AuditAction.RELEASE_SCHEDULE,
        AuditAction.MOVE_SCHEDULE,
        AuditAction.REVOKE_SCHEDULE,
    )
    for n, kind in enumerate(kinds):
        audit_entry = AuditEntry(f"act_{n}", MERCHANT, kind, "s_1", "Kim", "-", "", "", LATER)
        await store.write(ChangeScheduleByHand(await store.schedules.find(MERCHANT, "s_1"), audit_entry, LATER))
    for tab in ScheduleTab:
        await store.schedules.search(MERCHANT, ScheduleSearch(NOW, LATER, tab, "word", held_only=True), 10)
    await store.schedules.counts(MERCHANT, ScheduleSearch(NOW, LATER), 10)
    failed = ScheduleSearch(NOW, LATER, failed_with=FailedWith(("kakaopay -782", "kakaopay NOT_SENT")))
    await store.schedules.search(MERCHANT, failed, 10)
    for oldest_first in (False, True):
        after = ScheduleSearch(NOW, LATER, oldest_first=oldest_first)
        await store.schedules.search(MERCHANT, after, 10, after=(NOW, "s_1"))
    await store.schedules.counts(MERCHANT, failed, 10)
    await store.schedules.by_merchant_uids(MERCHANT, ["s_0", "s_1"])
    await store.schedules.due_between(MERCHANT, NOW, LATER, 10)
    await store.schedules.by_day(MERCHANT, [(NOW, LATER), (LATER, LATER + timedelta(1))])
    await store.audit.about(MERCHANT, "s_1", 10)
    await store.audit.count_under(MERCHANT, "act")
    for standing in KeyStanding:
        criteria = KeyFilter(standing, "word", a_channel().id, key.method, key.test_mode)
        await store.billing_keys.search(MERCHANT, criteria, 10)
        await store.billing_keys.search(MERCHANT, criteria, 10, after=(LATER, key.id))
    await store.billing_keys.count(MERCHANT, KeyFilter(), 10)
    await store.billing_keys.usage(MERCHANT, [key], NOW)
    await store.billing_keys.of_customer(MERCHANT, "c_1", 10)
    await store.payments.of_key(MERCHANT, key, 10)
    await store.payments.issue_of_key(MERCHANT, key)
    await store.billing_keys.pending_ending(MERCHANT, key.id)
    await store.billing_keys.with_pending_ending(MERCHANT, [key.id])
    await issue_key(store, "c_3")
    assert isinstance(await store.write(a_charge("s_3", customer_uid="c_3", executes=claimed[2])), BegunCharge)
    after = LATER + timedelta(seconds=1)
    at_night = await store.write(ClaimSchedules("l3", after, after, 10, Pace(20.0, None, LATER)))
    assert [s.order.merchant_uid for s in at_night] == ["s_0"]
    for customer_uid in (None, "c_2"):
        await store.schedules.page(MERCHANT, ScheduleFilter(NOW, LATER, 1, 20, customer_uid=customer_uid))
    for sorting in Sorting:
        for statuses in (tuple(Status), (Status.PAID,)):
            await store.payments.page(MERCHANT, PaymentFilter(statuses, sorting, 1, 20, since=NOW, until=LATER))
        await store.payments.page(MERCHANT, PaymentFilter(tuple(Status), sorting, 1, 20, merchant_uid="m_1"))
    other = replace(a_merchant(), code="imp99999999")
    moved = replace(payment, merchant_id=other.code, channel_id="channel-moved")
    moved_channel = replace(a_channel(), merchant_id=other.code, id="channel-moved")
    moved_key = replace(key, merchant_id=other.code, channel_id="channel-moved", ended_at=NOW, ended_by=KeyEnd.DELETED)
    for digest in ("a file", "another"):
        await store.write(StageEntries(digest, 0, 0, (MovedPayment(moved), MovedKey(moved_key, "at_moved")), NOW))
    await store.transfer.staged("a file")
    assert await store.transfer.clash("a file") is None
    await store.write(FinishImport("a file", (MovedMerchant(other, (), (moved_channel,)),), 2, NOW))
    await store.write(DiscardImport("another", 2))
    assert await store.billing_keys.with_pending_ending(other.code, [key.id]) == {key.id}
    await store.cancellations.has_open(MERCHANT, payment.imp_uid)
    for mode in (None, True):
        cancels = CancellationFilter(NOW, LATER, mode)
        await store.cancellations.search(MERCHANT, cancels, 10, (LATER, "at_1"))
        await store.cancellations.count(MERCHANT, cancels, 10)
    figure = MonthFigure("2026-03", True, MonthKind.CHARGED, "card one_time", 1, 100)
    assert await store.write(KeepMonth(MERCHANT, "2026-03", [figure], NOW, None))
    assert await store.write(KeepMonth(MERCHANT, "2026-03", [figure], LATER, NOW))
    assert await store.figures.months(MERCHANT, True, "2026-01", "2026-12") == [figure]
    assert await store.figures.months_counted(MERCHANT) == {"2026-03": LATER}
    await store.figures.first_paid_at(MERCHANT)
    await store.billing_keys.with_pending_ending(MERCHANT, [key.id, "another"])
    await store.billing_keys.has_open_charge(MERCHANT, key.id)
    await store.billing_keys.ended_key_charged_since(MERCHANT, key.customer_uid)
    await store.merchants.api_keys(MERCHANT)
    for after in (store.payments.after, store.billing_keys.after, store.schedules.after, store.prepared_amounts.after):
        await after(MERCHANT, "", 10)
    for kind in OpenWork:
        await store.invariants.open_work(kind, LATER)
    for invariant in Invariant:
        await store.invariants.violations(invariant, LATER, 10)

    await store.billing_keys.found_by(MERCHANT, "010-1234", 10)
    await store.payment_lists.found_by(MERCHANT, "010-1234", 10)
    noted = AuditEntry("act_n", MERCHANT, AuditAction.ADD_NOTE, "x", "Kim", "-", "", "", LATER)
    for kind, subject in ((NoteSubject.PAYMENT, payment.imp_uid), (NoteSubject.CUSTOMER, "c_1")):
        note = Note(MERCHANT, f"note_{kind}", kind, subject, "Kim", "called", LATER)
        tag = Tag(MERCHANT, kind, subject, "vip", "Kim", LATER)
        assert await store.write(AddNote(note, replace(noted, id=f"act_n_{kind}")))
        assert await store.write(AddTag(tag, replace(noted, id=f"act_t_{kind}")))
        assert (await store.notes.of(MERCHANT, kind, [subject]))[subject].tags == [tag]
        assert await store.notes.tags(MERCHANT, kind, 10) == ["vip"]
        for place in (None, (LATER + timedelta(1), "z")):
            assert len(await store.notes.tagged(MERCHANT, kind, "vip", 10, place)) == 1
        for basis in Basis:
            tagged = ListFilter(basis, tag="vip", refund_kind=RefundKind.OTHER if basis is Basis.PAID else None)
            await store.payment_lists.page(MERCHANT, ListQuery(tagged, ListOrder.NEWEST, 10, bounded=True))
            await store.payment_lists.counts(MERCHANT, tagged)
        assert await store.write(RemoveNote(note, replace(noted, id=f"act_rn_{kind}")))
        assert await store.write(RemoveTag(tag, replace(noted, id=f"act_rt_{kind}")))
    refunded = ListFilter(refund_kind=RefundKind.OTHER)
    await store.payment_lists.page(MERCHANT, ListQuery(refunded, ListOrder.NEWEST, 10, bounded=True))
    await store.payment_lists.counts(MERCHANT, refunded)
    await store.billing_keys.pending_endings_of(MERCHANT, 10)

    claim = ClaimRequest(MERCHANT, "key", b"digest", "at_1", "lease", NOW, LATER, NOW)
    await store.write(claim)
    assert await store.write(FinishRequest(MERCHANT, "key", "lease", None))
    await store.write(SweepRequests(NOW, 10))
    await store.payments.find_by_attempt(MERCHANT, begun.attempt.id)

    span = AccountSpan(MERCHANT, "kakaopay", "TCSUBSCRIP", NOW, LATER)
    await store.channels.with_files(("", ""), 10)
    row = SettlementRow("TCSUBSCRIP", "o", "T1", "A1", Action.PAYMENT, 1, None, NOW)
    await store.write(KeepRows(MERCHANT, "kakaopay", NOW.date(), (row,)))
    assert len(await store.reconciliation.kept_rows(MERCHANT, ["o"], ["T1"])) == 1
    await store.reconciliation.known_charges(MERCHANT, ["o", begun.attempt.id])
    await store.reconciliation.known_at_another_pg(span, ["o"])
    await store.reconciliation.charges_without_row(span, (NOW, ""), 10)
    await store.reconciliation.cancels_between(span, (NOW, ""), 10)
    assert await store.write(FillTid(payment, "at", "T1", None, LATER)) is None
    entered, _, _ = an_issuing_window(amount=1)
    order = replace(entered.order, customer_uid=None, key_use=None)
    entered = replace(entered, status=Status.CALLING, order=order)
    attempt = Attempt("at_e", MERCHANT, Verb.APPROVE, "at_e", NOW, entered.imp_uid, price=entered.order.price)
    proved = Record(entered, attempt.id, Event.APPROVED, approved("T9"), LATER, paid_at=NOW)
    audit_entry = AuditEntry(
        "act_entered", MERCHANT, AuditAction.ENTER_PAYMENT, entered.imp_uid, "maedal", "told", "", "", LATER
    )
    assert (await store.write(EnterPayment(entered, attempt, proved, audit_entry))).status is Status.PAID
    assert await store.write(ClaimDay(MERCHANT, a_channel().id, NOW.date(), NOW, LATER))
    await store.write(FinishDay(MERCHANT, a_channel().id, NOW.date(), True, DaySums(0, 0, 0, 0), LATER))
    assert len(await store.reconciliation.days(MERCHANT, a_channel().id, NOW.date(), NOW.date())) == 1
    finding = Finding(MERCHANT, "f", FindingKind.CHARGED_THERE, "A1", a_channel().id, NOW.date(), NOW, "o", pg_tid="T1",
                      amount_there=1)  # fmt: skip
    assert await store.write(AddFindings((finding,))) == [finding]
    for criteria in (
        FindingFilter(10),
        FindingFilter(10, open_only=False, day=NOW.date()),
        FindingFilter(10, finding_id="f"),
    ):
        assert await store.findings.search(MERCHANT, criteria) == [finding]
    assert await store.findings.of_pg_tids(MERCHANT, ["T1"]) == [finding]
    audit_entry = AuditEntry("act_f", MERCHANT, AuditAction.CLOSE_FINDING, "f", "Kim", "known", "open", "closed", LATER)
    assert await store.write(CloseFinding("f", audit_entry))

    audit_entry = AuditEntry(
        "act_0", MERCHANT, AuditAction.NEW_API_SECRET, "1234567890123456", "minji", "-", "", "", NOW
    )
    await store.write(RenewApiSecret(MERCHANT, "1234567890123456", b"digest", b"new", NOW, audit_entry, LATER))
    await store.write(SetToken(MERCHANT, "1234567890123456", None, life, b"o", b"digest", of_old_secret=True))
    await store.write(EndOldSecret(MERCHANT, "1234567890123456", b"digest", replace(audit_entry, id="act_00")))
    await store.write(NameApiKey(MERCHANT, "1234567890123456", "orders", None))
    await store.write(SetAllowedAddresses(MERCHANT, (), (), replace(audit_entry, id="act_000")))
    await store.write(KeepChecks((KeptCheck(MERCHANT, Point.CLOCK, Readiness.DONE, "-", NOW),)))
    await store.merchants.live_checks([MERCHANT, INSTALLATION])

    api_key = an_api_key()
    audit_entry = AuditEntry("act_k", MERCHANT, AuditAction.NEW_API_SECRET, api_key.api_key, "Kim", "-", "", "", LATER)
    await store.write(RenewApiSecret(MERCHANT, api_key.api_key, b"new", b"newer", LATER, audit_entry))

    operator = Operator("u", "minji", Role.OWNER, "$argon2id$", NOW)
    operator_entry = OperatorAuditEntry("d", OperatorAuditAction.CREATE_OPERATOR, "minji", "Kim", "", "", NOW)
    await store.write(AddOperator(operator, operator_entry))
    session = Session(
        "s", "u", b"token", half=False, address="", user_agent="", created_at=NOW, seen_at=NOW, expires_at=LATER
    )
    assert await store.write(BeginSession(session, 1, place=b"place"))
    assert await store.operators.knows_place("u", [b"other", b"place"], NOW)
    await store.write(DemandSecondStep(frozenset({Role.ADMIN}), replace(operator_entry, id="d0")))
    assert await store.operators.second_step_roles() == {Role.ADMIN}
    await store.write(SeeSession("s", LATER))
    assert await store.operators.session([b"token"]) == (replace(session, seen_at=LATER), operator)
    assert (
        len(await store.operators.sessions("u"))
        == len(await store.operators.all())
        == len(await store.audit.operator_entries(1))
        == 1
    )
    assert await store.operators.find_by_name("Minji") == await store.operators.find("u") == operator
    changed = PutOperator(operator, operator, replace(operator_entry, id="d2"), Ends.OTHERS, "s", recovery_digests=(b"code",),
                      invite=Invite(b"invite", LATER))  # fmt: skip
    await store.write(changed)
    assert (await store.operators.invited([b"invite"], NOW))[0] == replace(operator, version=2)
    used = PutOperator(
        replace(operator, version=2), operator, replace(operator_entry, id="d5"), used_invites=(b"invite",)
    )
    await store.write(used)
    pause = Pause("p", "kakaopay", Source.ANNOUNCED, NOW, LATER, "n", "w")
    await store.write(AddPause(pause, replace(operator_entry, id="d3")))
    assert await store.maintenance.pauses(NOW) == [pause]
    assert not await store.write(NotePause(replace(pause, id="q")))
    await use_messages(store, audit_entry)
    assert await store.write(EndPause("p", NOW, replace(operator_entry, id="d4"))) == pause
    await store.write(CountTry(((Counted.ACCOUNT, b"account"), (Counted.ADDRESS, b"address")), NOW))
    await store.write(ForgiveTries(b"account", b"address", 1))
    assert await store.write(TakeStep("u", 1))
    await store.write(KeepChallenge("s", Challenge.USE, b"challenge", LATER))
    assert await store.write(TakeChallenge("s", Challenge.USE, (b"other", b"challenge"), NOW))
    passkey = Passkey("pk", "u", "phone", b"credential", b"key", 0, ("usb",), NOW, row_seal=b"seal")
    [kept] = [one for one in await store.operators.all() if one.id == "u"]
    added = replace(kept, passkey_ids=frozenset({"pk"}))
    await store.write(PutOperator(kept, added, replace(operator_entry, id="d6"), added_passkey=passkey))
    used = replace(passkey, sign_count=1, last_used_at=LATER, row_seal=b"newer")
    assert await store.write(UsePasskey(passkey, used))
    assert not await store.write(UsePasskey(passkey, used))
    assert await store.operators.passkeys("u") == [used]
    await store.write(KeepOperatorEntry(replace(operator_entry, id="d7")))
    kept = replace(added, version=kept.version + 1)
    gone = PutOperator(
        kept, replace(kept, passkey_ids=frozenset()), replace(operator_entry, id="d8"), removed_passkeys=("pk",)
    )
    await store.write(gone)
    assert await store.operators.passkeys("u") == []
    [kept] = [one for one in await store.operators.all() if one.id == "u"]
    required = replace(kept, second_step_required=True)
    demanded = DemandSecondStep(frozenset({Role.OWNER}), replace(operator_entry, id="d9"), ((kept, required),))
    await store.write(demanded)
    assert [one.second_step_required for one in await store.operators.all() if one.id == "u"] == [True]
    assert await store.write(TakeRecoveryCode("u", (b"code",), NOW))
    assert await store.operators.recovery_codes_left("u") == 0
    assert await store.write(EndSessions("u", "s")) == 1
    assert await store.write(EndSessions("u", None)) == 0
    await store.write(SweepSignIns(LATER, LATER, LATER, 10))

    for n in range(9):
        assert await store.write(a_charge(f"list_{n}", customer_uid="c_3", now=LATER + timedelta(days=1)))
    assert await store.write(IndexTexts(3)) == 3
    assert await store.payment_lists.texts_behind(2) == 2
    span = {"since": NOW, "before": LATER}
    for basis, standing, word in itertools.product(
        Basis, (None, PaymentStanding.PARTLY, PaymentStanding.WAITING), ("", "order")
    ):
        filters = ListFilter(basis, standing=standing, method=Method.CARD, word=word, field=SearchField.NAME, **span)
        for order, backwards in itertools.product(ListOrder, (False, True)):
            value = LATER if order in {ListOrder.NEWEST, ListOrder.OLDEST} else 100
            await store.payment_lists.page(
                MERCHANT, ListQuery(filters, order, 25, Place(value, "imp_1"), backwards, bounded=True)
            )
        await store.payment_lists.counts(MERCHANT, filters)
        failed = replace(filters, failed_with=FailedWith(("kakaopay -782", "kakaopay NOT_SENT"), others=not word))
        for order in ListOrder:
            await store.payment_lists.page(MERCHANT, ListQuery(failed, order, 25))
        await store.payment_lists.counts(MERCHANT, failed)
    await store.attempts.of_payment(MERCHANT, payment.imp_uid)
    view = SavedView("v", MERCHANT, "u", "minji", "mine", "status=paid", shared=True, created_at=NOW)
    audit_entry = AuditEntry("act_v", MERCHANT, AuditAction.SAVE_VIEW, "mine", "minji", "-", "", "", LATER)
    await store.write(PutView(view, audit_entry))
    assert await store.payment_lists.views(MERCHANT, "somebody") == [view]
    assert await store.write(DropView(view, replace(audit_entry, id="act_v2")))
    await store.write(PutColumns("u", "status"))
    assert await store.payment_lists.columns("u") == "status"
    export = Export("e", "u", 0, 10, exact=True, done=False, seen_at=NOW)
    await store.write(BeginExport(export, replace(audit_entry, id="act_e"), NOW))
    await store.write(PutExport(replace(export, rows=5)))
    assert (await store.payment_lists.export("u", "e")).rows == 5

    assert await store.write(NoteKeys((("0badc0de", "f"),), "0badc0de", NOW))
    await store.write(AnnounceKey("0badcafe", "g", NOW))
    assert await store.write(MakePrimary("0badc0de", "0badcafe", "g", NOW))
    assert await store.write(RetireKey("0badc0de", NOW))
    await store.write(SeeHolder(KeyHolder("host:1", frozenset(), "0badcafe", NOW), NOW))
    await store.write(LoseHolder("host:1"))
    await store.write(GiveKeysUp("0badcafe", "g", NOW))
    assert [known.is_primary for known in await store.sealing.keys()].count(True) == 1
    assert await store.sealing.holders(NOW) == []
    assert len(await store.operators.recovery_codes("u")) == 0
    for column in SealedColumn:
        if column is SealedColumn.STAGED_PG_KEY:
            # Staged rows are few, or an import is under way; they are found by their file.
            continue
        first = tuple(b"" if name == "digest" else "" for name in PLACES[column].by)
        for page in (
            await store.sealing.page(column, None, 10),
            await store.sealing.page(column, first, 10, not_of="0badcafe"),
        ):
            for value in page:
                await store.sealing.one(column, value.row)
                await store.write(Reseal(column, (value.row,), (value.sealed,), (b"sealed anew",)))
    await use_every_statement_of_plans(store)
    await use_api_keys(store)
    await use_webhook_addresses(store)


async def use_messages(store, audit_entry):
    """Have a store write and read everything about messages and unpaid charges once."""

    def entry(id_):
        return replace(audit_entry, id=f"messages_{id_}")

    server = MailServer(MERCHANT, "mail.test", 587, Encryption.STARTTLS, "shop", b"sealed", "a@mail.test", "Shop", NOW)
    await store.write(PutMailServer(server, entry(1)))
    assert await store.messages.mail_server(MERCHANT) == server
    rules = {AlertKind.PG_CLOSED: When.AT_ONCE}
    receiver = Receiver(
        MERCHANT, "r", "Team", Way.WEBHOOK, b"sealed", "ops.test", b"sealed", rules, Quiet(0, 60), 9, "ko", NOW, "Kim"
    )
    assert await store.write(PutReceiver(receiver, entry(2)))
    assert await store.write(PutReceiver(replace(receiver, version=2), entry(3)))
    assert not await store.write(PutReceiver(receiver, entry(4)))
    assert await store.messages.receivers(MERCHANT) == [replace(receiver, version=2)]
    assert len(await store.messages.every_receiver(("", ""), 10)) == 1
    alert = Alert(MERCHANT, "r", "pg_closed:p", AlertKind.PG_CLOSED, {"pg": "kakaopay"}, NOW, NOW)
    assert [await store.write(RaiseAlerts((alert,))) for _ in range(2)] == [1, 0]
    assert await store.messages.with_due_alerts(LATER, 10) == [(MERCHANT, "r")]
    message = Message(MERCHANT, "m", "alerts:m", MessageKind.ALERTS, Way.WEBHOOK, "r", "", LATER, LATER)
    assert [await store.write(GatherAlerts(replace(message, id=n, cause=n))) for n in ("m", "n")] == [True, False]
    assert await store.messages.alerts_of(MERCHANT, "m", 10) == [alert]
    assert not await store.write(AddMessage(replace(message, id="o", cause="m")))
    until = LATER + timedelta(minutes=1)
    [claimed] = await store.write(ClaimMessages("l", LATER, until, 10))
    assert await store.write(HandOver(claimed, "l", LATER))
    assert await store.write(EndLostMessages(until + timedelta(seconds=1), "lost")) == 1
    assert await store.write(SendMessageAgain(MERCHANT, "m", LATER, entry(5)))
    [claimed] = await store.write(ClaimMessages("l2", LATER, until, 10))
    taken = Sent(Handover.TAKEN, "200")
    assert await store.write(FinishMessage(claimed, "l2", taken, LATER, None))
    assert not await store.write(FinishMessage(claimed, "l2", taken, LATER, None))
    for criteria in (
        MessageFilter(10),
        MessageFilter(10, MessageState.SENT),
        MessageFilter(10, after=(LATER + timedelta(1), "z")),
    ):
        assert [one.id for one in (await store.messages.page(MERCHANT, criteria)).rows] == ["m"]
    assert (await store.messages.find(MERCHANT, "m")).state is MessageState.SENT
    assert await store.write(DropReceiver(MERCHANT, "r", entry(6)))
    assert await store.messages.receiver(MERCHANT, "r") is None
    dunning = DunningRules(MERCHANT, True, False, 7, "ko", NOW)
    await store.write(PutDunningRules(dunning, entry(7)))
    assert await store.dunning.rules(MERCHANT) == dunning
    assert await store.dunning.every_rules("", 10) == [dunning]
    await store.write(LookedUntil(MERCHANT, LATER))
    await store.dunning.failed_since(MERCHANT, NOW, 10)
    unpaid = Unpaid(
        MERCHANT, "unpaid", "imp_1", FailureCause.BALANCE, 100, True, b"digest", b"sealed", NOW, LATER + timedelta(1)
    )
    letter = replace(message, id="p", cause="unpaid", kind=MessageKind.UNPAID, way=Way.MAIL, receiver_id="")
    assert [await store.write(AddUnpaid(unpaid, (letter,))) for _ in range(2)] == [True, False]
    assert await store.dunning.by_token(b"digest") == unpaid
    assert await store.dunning.find(MERCHANT, "unpaid") == unpaid
    assert await store.dunning.open(MERCHANT, 10) == [unpaid]
    assert await store.dunning.paid_after_all(MERCHANT, 10) == []
    assert await store.dunning.over(MERCHANT, LATER, 10) == []
    assert await store.write(EndUnpaid(unpaid, "imp_2", LATER))
    assert (await store.dunning.recovered(MERCHANT, True, NOW, LATER + timedelta(1))).amount == 100
    await store.write(DropMailServer(MERCHANT, entry(8)))


async def use_webhook_addresses(store):
    """Write and read what there is about further addresses of webhooks."""
    address = WebhookAddress(MERCHANT, "wa_1", "books", "http://b", True, NOW)
    entry = AuditEntry("act_wa", MERCHANT, AuditAction.ADD_WEBHOOK_ADDRESS, "wa_1", "Kim", "-", "", "", NOW)
    await store.write(AddWebhookAddress(address, 9, entry))
    assert await store.webhooks.addresses(MERCHANT) == [address]
    changed = replace(address, active=False, version=2)
    assert await store.write(PutWebhookAddress(1, changed, replace(entry, id="act_wb")))
    assert not await store.write(PutWebhookAddress(1, changed, replace(entry, id="act_wc")))
    for address_id in ("wa_1", FIRST):
        await store.webhooks.search(MERCHANT, DeliverySearch(20, address_id=address_id))
    assert await store.write(RemoveWebhookAddress(MERCHANT, "wa_1", 2, replace(entry, id="act_wd")))


async def use_api_keys(store):
    """Write and read what there is about further API keys and the log of their calls."""

    def entry_of(kind):
        return AuditEntry(f"act_{kind}", MERCHANT, kind, "other", "Kim", "-", "", "", NOW)

    other = an_api_key(api_key="other")
    await store.write(AddApiKey(other, 20, entry_of(AuditAction.ADD_API_KEY)))
    scopes = frozenset({Scope.PAYMENTS_READ})
    assert await store.write(SetScopes(MERCHANT, "other", None, scopes, entry_of(AuditAction.CHANGE_SCOPES)))
    assert await store.write(EndApiKey(MERCHANT, "other", NOW, entry_of(AuditAction.END_API_KEY)))
    assert len(await store.merchants.api_keys(MERCHANT)) == 2
    called = RequestEntry(MERCHANT, "r_1", NOW, "other", "GET", "/payments", 403, "SCOPE_MISSING")
    await store.write(KeepRequests((called, replace(called, id="r_2", dropped=3))))
    every = {
        "api_key": "other",
        "outcome": CallOutcome.REFUSED,
        "method": "GET",
        "route": "pay",
        "error": "SCOPE_MISSING",
    }
    for criteria in (
        RequestFilter(20),
        RequestFilter(20, **every, since=NOW, before=LATER),
        RequestFilter(20, after=(LATER, "z")),
        RequestFilter(20, api_key="other"),
    ):
        assert len((await store.request_log.page(MERCHANT, criteria)).rows) == 2
    assert await store.write(TrimRequests(MERCHANT, 10, 10)) == 0
    assert await store.write(ForgetRequests(LATER, 10)) == 2


async def test_no_statement_of_the_store_reads_a_table_from_end_to_end(traced):
    store, statements, path = traced
    await use_every_statement(store)
    scans = []
    with sqlite3.connect(path) as connection:
        for statement in set(statements):
            if statement.split()[0] not in {"SELECT", "UPDATE", "WITH", "DELETE"}:
                continue
            for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
                words = row[3].split()
                if (
                    words[0] == "SCAN"
                    and words[1] not in READ_WHOLE
                    and "USING" not in words
                    and "CONSTANT" not in words
                    # The items of a batch, as the statement itself lists them.
                    and not (row[3].startswith("SCAN (subquery-") and "FROM (VALUES (" in statement)
                ):
                    scans.append((row[3], " ".join(statement.split())[:120]))
    assert scans == []


BY_KEY = {
    FACTS: "billing_keys_of_customer",
    KEYS_APPROVED: "billing_keys_pkey",
    CLOSE_ATTEMPTS: "attempts_pkey",
    MOVE_PAYMENTS: "payments_pkey",
    CHANGED: "payments_pkey",
    TAKE: "log_rows_to_chain_pkey",
    EXECUTE_ALL: "schedules_pkey",
}
GROWN = """
INSERT INTO payments (merchant_id, imp_uid, merchant_uid, status, version, origin, amount, tax_free, cancelled_amount,
    currency, name, quantity, channel_id, pg_provider, pg_merchant_id, test_mode, started_at, updated_at, status_at,
    paid_at)
SELECT merchant_id, 'imps_' || n, 'order_' || n, 'paid', 2, 'api', 100, 0, 0, 'KRW', 'plan', 1, id, pg_provider,
    pg_merchant_id, test_mode, now(), now(), now(), now() FROM channels, generate_series(1, 3000) n;
INSERT INTO billing_keys (merchant_id, id, customer_uid, channel_id, pg_provider, pg_merchant_id, test_mode,
    sealed_pg_key, pg_user_id, inserted_at, updated_at)
SELECT merchant_id, 'key_' || n, 'c_' || n, id, pg_provider, pg_merchant_id, test_mode, '', 'u', now(), now()
  FROM channels, generate_series(1, 3000) n;
INSERT INTO attempts (merchant_id, id, verb, order_id, imp_uid, billing_key_id, begun_at, outcome, proof, recorded_at,
    approved_before_in_reply)
SELECT merchant_id, 'at_' || n, 'charge', 'at_' || n, 'imps_' || n, 'key_' || n, now(), 'approved', 'reply', now(), TRUE
  FROM channels, generate_series(1, 3000) n;
INSERT INTO schedules (merchant_id, merchant_uid, customer_uid, channel_id, schedule_at, amount, tax_free, currency, name,
    quantity, status, inserted_at)
SELECT merchant_id, 'order_' || n, 'c_' || n, id, now(), 100, 0, 'KRW', 'plan', 1, 'scheduled', now()
  FROM channels, generate_series(1, 3000) n;
"""


@pytest.fixture
def postgres_url(all_databases):
    return all_databases.url("postgresql")


@pytest.mark.parametrize("counted", [False, True])
async def test_a_batch_finds_its_rows_by_their_keys_however_full_the_indexes_of_open_work_are(postgres_url, counted):
    store = create_store(postgres_url)
    await store.open()
    await store.write(AddMerchant(a_merchant(), an_api_key()))
    await store.write(PutChannel(a_channel()))
    await store.close()
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute(GROWN)
        if counted:
            await connection.execute("ANALYZE")
        await connection.execute(BEGIN_BY_KEY)
        for statement, index in BY_KEY.items():
            nothing = ", ".join("NULL" for _ in statement.columns)
            await connection.execute(f"PREPARE batch AS {dialect(unnested(statement))}")
            plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE batch({nothing})"))
            await connection.execute("DEALLOCATE batch")
            assert "Seq Scan" not in plan, plan
            assert index in plan, plan
    finally:
        await connection.close()
