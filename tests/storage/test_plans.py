"""Every statement is an index range: no table is ever read from end to end."""

from __future__ import annotations

import itertools
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from maedal.billing_keys.billing_key import KeyEnd
from maedal.maintenance.pause import Pause, Source
from maedal.merchants.act import Act, ActKind
from maedal.merchants.go_live import INSTALLATION, KeptCheck, Point, Readiness
from maedal.merchants.merchant import FieldSet
from maedal.merchants.token import TokenLife
from maedal.operators.deed import Deed, DeedKind
from maedal.operators.operator import Operator
from maedal.operators.role import Role
from maedal.operators.session import Session
from maedal.operators.tries import Counted
from maedal.payments.attempt import LOST, Attempt, DeclineReason, Method, Verb
from maedal.payments.moves import Event, Status
from maedal.reconciliation.finding import Finding, FindingKind
from maedal.reconciliation.settlement import Action, SettlementRow
from maedal.schedules.pace import Pace
from maedal.schedules.recovery import NextTry
from maedal.storage import payment_lists
from maedal.storage.desk import AnswerClass, KeepAct, KeepLook, LogWish, ResendMany, WebhookWish
from maedal.storage.keyring import KeyStanding, KeyWish
from maedal.storage.maintenance import AddPause, EndPause, NotePause, PostponeSchedule
from maedal.storage.merchant_settings import EndOldSecret, KeepChecks, NameApiKey, SeeApiKey, SetAllowedAddresses
from maedal.storage.open import create_store
from maedal.storage.payment_lists import (
    Basis,
    BeginExport,
    DropView,
    Export,
    Filter,
    IndexTexts,
    ListOrder,
    ListWish,
    Place,
    PutColumns,
    PutExport,
    PutView,
    SavedView,
    SearchField,
)
from maedal.storage.plans import ActOnSchedule, PlanWish, Tab
from maedal.storage.sqlite import SqliteEngine
from maedal.storage.store import (
    AccountSpan,
    AddFindings,
    AddMerchant,
    AddSchedules,
    BeginDeactivation,
    BegunCharge,
    ClaimDay,
    ClaimDeliveries,
    ClaimKeyEnding,
    ClaimLook,
    ClaimRequest,
    ClaimSchedules,
    ClaimUndo,
    CloseFinding,
    DaySums,
    DiscardImport,
    EndTries,
    EndWindow,
    EnterPayment,
    FailSchedule,
    FillTid,
    FindingWish,
    FinishDay,
    FinishDelivery,
    FinishImport,
    FinishRequest,
    Invariant,
    KeepRows,
    MovedKey,
    MovedMerchant,
    MovedPayment,
    NoteLeft,
    OpenWindow,
    OpenWork,
    PutChannel,
    Record,
    RecordAttempt,
    RecordKeyEnding,
    RenewApiSecret,
    RevokeSchedules,
    ScheduleWish,
    SetFieldSet,
    SetRecovery,
    SetScheduleTime,
    SetToken,
    SetWebhook,
    SetWebhookSecrets,
    Sorting,
    StageEntries,
    SweepRequests,
    ToldWish,
    WebhookSecrets,
)
from maedal.storage.users import (
    AddUser,
    BeginSession,
    CountTry,
    Ends,
    EndSessions,
    ForgiveTries,
    PutUser,
    SeeSession,
    SweepSignIns,
    TakeRecoveryCode,
    TakeStep,
)
from maedal.webhooks.webhook import Delivery, DeliveryState
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

# Short lists that are read whole on purpose, by people and at start: merchants, users, the schema's one-row table, and
# what a statement limited itself, and the payments whose text is to be written, from the first up to a limit.
READ_WHOLE = {"merchants", "users", "alembic_version", "here", "t", "bounded", "found", "payments_to_text"}
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


async def test_no_statement_of_the_store_reads_a_table_from_end_to_end(traced):
    store, statements, path = traced
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
    [found] = await store.unknown(LATER, 10)
    assert await store.write(ClaimLook(found.attempt, found.look_at, LATER))
    await store.due_undos(LATER, 10)
    await store.without_tid(10)
    await store.order_without_tid(MERCHANT, unknown.imp_uid)
    await store.desk_counts(MERCHANT, NOW)
    assert len(await store.unknown_calls(MERCHANT, 10)) == 1
    await store.paid_without_tid(MERCHANT, 10)
    await store.key_endings_of(MERCHANT, 10)
    act = Act("act_l", MERCHANT, ActKind.ASK_PG, unknown.imp_uid, "Kim", "-", "", "", LATER)
    await store.write(KeepLook(found.attempt, "key active", LATER, LATER))
    assert await store.write(KeepAct(act))
    everything = {"who": "Kim", "kind": ActKind.ASK_PG, "since": NOW, "before": LATER + timedelta(1)}
    for wish in (
        LogWish(20),
        LogWish(20, **everything, subject=unknown.imp_uid),
        LogWish(20, after=(LATER, "z")),
    ):
        assert len((await store.act_page(MERCHANT, wish)).rows) == 1
        await store.deed_page(wish)
    await store.events(MERCHANT, unknown.imp_uid)
    await store.acts(MERCHANT, 10)
    await store.write(ClaimUndo(payment, LATER))
    await store.unknown_of(MERCHANT, unknown.imp_uid)
    await store.write(Record(unknown, begun.attempt.id, Event.APPROVED, approved(), LATER, deliveries=(delivery,)))
    await store.write(ClaimDeliveries("m", NOW, LATER, 10, ((MERCHANT, "s"),)))
    await store.write(ClaimDeliveries("l", LATER, LATER, 10))
    await store.write(FinishDelivery(delivery, "l", a_try(LATER), LATER))
    for wish in (
        ToldWish(20),
        ToldWish(20, [DeliveryState.FAILED], since=NOW),
        ToldWish(20, delivery_id="wh"),
        ToldWish(20, imp_uid=unknown.imp_uid),
    ):
        await store.told(MERCHANT, wish)
    for wish in (
        WebhookWish(20),
        WebhookWish(20, since=NOW, until=LATER, after=(LATER, "z")),
        WebhookWish(20, [DeliveryState.DELIVERED]),
        WebhookWish(20, [DeliveryState.DELIVERED, DeliveryState.FAILED], answer=AnswerClass.TAKEN),
        WebhookWish(20, told=Status.CALLING, test_mode=True, answer=AnswerClass.TAKEN, host="s"),
        WebhookWish(20, imp_uids=[unknown.imp_uid]),
        WebhookWish(20, delivery_ids=["wh"]),
    ):
        assert len((await store.webhook_page(MERCHANT, wish)).rows) == 1
    act = replace(act, id="act_r", kind=ActKind.RESEND_WEBHOOKS)
    assert await store.write(ResendMany((delivery,), (None,), act, LATER)) == 1
    assert await store.write(ResendMany((delivery,), (None,), act, LATER)) is None
    await store.write(BeginDeactivation(MERCHANT, "c_1", "at_end", KeyEnd.DELETED, LATER))
    await store.due_key_endings(LATER + timedelta(1), 10)
    await store.pending_key_endings(10)
    ending = await store.write(ClaimKeyEnding(MERCHANT, "at_end", 0, LATER))
    assert await store.write(RecordKeyEnding(ending, approved(), LATER))
    assert not await store.write(RecordKeyEnding(ending, LOST, LATER))
    window = an_issuing_window()
    await store.write(OpenWindow(*window))
    await store.write(NoteLeft(MERCHANT, window[0].imp_uid, LATER))
    await store.write(RecordAttempt(MERCHANT, window[2].id, LOST, LATER))
    await store.write(EndWindow(window[0], "c", "r", LATER))
    await store.merchant(MERCHANT)
    await store.api_key("1234567890123456")
    await store.token_owner([b"d"])
    await store.channels(MERCHANT)
    await store.payment(MERCHANT, payment.imp_uid)
    for sorting in Sorting:
        await store.payment_of(MERCHANT, "m_1", list(Status), sorting)
    await store.untried(MERCHANT, payment.imp_uid, NOW)
    await store.window(MERCHANT, payment.imp_uid)
    await store.sealed_pg_token(MERCHANT, payment.imp_uid)
    await store.expired_windows(LATER, 10)
    await store.billing_key(MERCHANT, "c_1")
    await store.billing_key_by_id(MERCHANT, key.id)
    await store.unanswered(LATER, 10)
    planned = [a_schedule(f"s_{n}", order={"customer_uid": f"c_{n}"}) for n in range(4)]
    await store.write(AddSchedules(tuple(planned)))
    await store.write(RevokeSchedules(MERCHANT, ("s_0",), None, LATER))
    await store.write(RevokeSchedules(MERCHANT, None, "c_1", LATER))
    await store.write(SetScheduleTime(await store.schedule(MERCHANT, "s_0"), NOW))
    claimed = await store.write(ClaimSchedules("l", LATER, LATER, 10, Pace(20.0, LATER)))
    assert await store.pace_used_until() is not None
    assert await store.write(PostponeSchedule(claimed[0], LATER))
    assert [s.order.merchant_uid for s in claimed] == ["s_0", "s_2", "s_3"]
    ready = an_issuing_window(claimed[1].order.merchant_uid)[0]
    again = NextTry(LATER, DeclineReason.BALANCE)
    await store.write(FailSchedule(claimed[1], ready, "c", "r", LATER, next_try=again))
    assert [s.order.merchant_uid for s in await store.planned_tries(MERCHANT, 10)] == ["s_2"]
    [due] = await store.write(ClaimSchedules("l2", LATER, LATER, 10))
    assert await store.write(PostponeSchedule(due, LATER))
    assert await store.write(EndTries(due))
    await store.write(SetRecovery(MERCHANT, {}, {}))
    kinds = (ActKind.HOLD_SCHEDULE, ActKind.RELEASE_SCHEDULE, ActKind.MOVE_SCHEDULE, ActKind.REVOKE_SCHEDULE)
    for n, kind in enumerate(kinds):
        act = Act(f"act_{n}", MERCHANT, kind, "s_1", "Kim", "-", "", "", LATER)
        await store.write(ActOnSchedule(await store.schedule(MERCHANT, "s_1"), act, LATER))
    for tab in Tab:
        await store.plans(MERCHANT, PlanWish(NOW, LATER, tab, "word", held_only=True), 10)
    await store.plan_counts(MERCHANT, PlanWish(NOW, LATER), 10)
    await store.plans_named(MERCHANT, ["s_0", "s_1"])
    await store.ahead(MERCHANT, NOW, LATER, 10)
    await store.days_planned(MERCHANT, [(NOW, LATER), (LATER, LATER + timedelta(1))])
    await store.acts_on(MERCHANT, "s_1", 10)
    await store.acts_under(MERCHANT, "act")
    for standing in KeyStanding:
        wish = KeyWish(standing, "word", a_channel().id, key.method, key.test_mode)
        await store.keyring(MERCHANT, wish, 10)
    await store.key_count(MERCHANT, KeyWish(), 10)
    await store.key_uses(MERCHANT, [key], NOW)
    await store.keys_of_customer(MERCHANT, "c_1", 10)
    await store.payments_of_key(MERCHANT, key, 10)
    await store.issue_of_key(MERCHANT, key)
    await store.ending_of_key(MERCHANT, key.id)
    await store.endings_of(MERCHANT, [key.id])
    await issue_key(store, "c_3")
    assert isinstance(await store.write(a_charge("s_3", customer_uid="c_3", executes=claimed[2])), BegunCharge)
    for customer_uid in (None, "c_2"):
        await store.schedules(MERCHANT, ScheduleWish(NOW, LATER, 1, 20, customer_uid=customer_uid))
    other = replace(a_merchant(), code="imp99999999")
    moved = replace(payment, merchant_id=other.code, channel_id="channel-moved")
    moved_channel = replace(a_channel(), merchant_id=other.code, id="channel-moved")
    moved_key = replace(key, merchant_id=other.code, channel_id="channel-moved", ended_at=NOW, ended_by=KeyEnd.DELETED)
    for digest in ("a file", "another"):
        await store.write(StageEntries(digest, 0, 0, (MovedPayment(moved), MovedKey(moved_key, "at_moved")), NOW))
    await store.staged("a file")
    assert await store.import_clash("a file") is None
    await store.write(FinishImport("a file", (MovedMerchant(other, (), (moved_channel,)),), 2, NOW))
    await store.write(DiscardImport("another", 2))
    assert await store.keys_to_end(other.code, [key.id]) == {key.id}
    await store.open_cancel(MERCHANT, payment.imp_uid)
    await store.keys_to_end(MERCHANT, [key.id, "another"])
    await store.open_charge(MERCHANT, key.id)
    await store.ended_key_charged_since(MERCHANT, key.customer_uid)
    await store.api_keys(MERCHANT)
    for after in (store.payments_after, store.billing_keys_after, store.schedules_after, store.prepared_after):
        await after(MERCHANT, "", 10)
    for kind in OpenWork:
        await store.open_work(kind, LATER)
    for invariant in Invariant:
        await store.violations(invariant, LATER, 10)

    claim = ClaimRequest(MERCHANT, "key", b"digest", "at_1", "lease", NOW, LATER, NOW)
    await store.write(claim)
    assert await store.write(FinishRequest(MERCHANT, "key", "lease", None))
    await store.write(SweepRequests(NOW, 10))
    await store.payment_of_attempt(MERCHANT, begun.attempt.id)

    span = AccountSpan(MERCHANT, "kakaopay", "TCSUBSCRIP", NOW, LATER)
    await store.channels_with_files(("", ""), 10)
    row = SettlementRow("TCSUBSCRIP", "o", "T1", "A1", Action.PAYMENT, 1, None, NOW)
    await store.write(KeepRows(MERCHANT, "kakaopay", NOW.date(), (row,)))
    assert len(await store.kept_rows(MERCHANT, ["o"], ["T1"])) == 1
    await store.known_charges(MERCHANT, ["o", begun.attempt.id])
    await store.known_elsewhere(span, ["o"])
    await store.taken_unseen(span, (NOW, ""), 10)
    await store.cancels_between(span, (NOW, ""), 10)
    assert await store.write(FillTid(payment, "at", "T1", None, LATER)) is None
    entered, _, _ = an_issuing_window(amount=1)
    order = replace(entered.order, customer_uid=None, key_use=None)
    entered = replace(entered, status=Status.CALLING, order=order)
    attempt = Attempt("at_e", MERCHANT, Verb.APPROVE, "at_e", NOW, entered.imp_uid, price=entered.order.price)
    proved = Record(entered, attempt.id, Event.APPROVED, approved("T9"), LATER, paid_at=NOW)
    act = Act("act_entered", MERCHANT, ActKind.ENTER_PAYMENT, entered.imp_uid, "maedal", "told", "", "", LATER)
    assert (await store.write(EnterPayment(entered, attempt, proved, act))).status is Status.PAID
    assert await store.write(ClaimDay(MERCHANT, a_channel().id, NOW.date(), NOW, LATER))
    await store.write(FinishDay(MERCHANT, a_channel().id, NOW.date(), True, DaySums(0, 0, 0, 0), LATER))
    assert len(await store.days(MERCHANT, a_channel().id, NOW.date(), NOW.date())) == 1
    finding = Finding(MERCHANT, "f", FindingKind.CHARGED_THERE, "A1", a_channel().id, NOW.date(), NOW, "o", pg_tid="T1",
                      amount_there=1)  # fmt: skip
    assert await store.write(AddFindings((finding,))) == [finding]
    for wish in (FindingWish(10), FindingWish(10, open_only=False, day=NOW.date()), FindingWish(10, finding_id="f")):
        assert await store.findings(MERCHANT, wish) == [finding]
    assert await store.findings_of(MERCHANT, ["T1"]) == [finding]
    act = Act("act_f", MERCHANT, ActKind.CLOSE_FINDING, "f", "Kim", "known", "open", "closed", LATER)
    assert await store.write(CloseFinding("f", act))

    act = Act("act_0", MERCHANT, ActKind.NEW_API_SECRET, "1234567890123456", "minji", "-", "", "", NOW)
    await store.write(RenewApiSecret(MERCHANT, "1234567890123456", b"digest", b"new", NOW, act, LATER))
    await store.write(SetToken(MERCHANT, "1234567890123456", None, life, b"o", b"digest", of_old_secret=True))
    await store.write(EndOldSecret(MERCHANT, "1234567890123456", b"digest", replace(act, id="act_00")))
    await store.write(NameApiKey(MERCHANT, "1234567890123456", "orders", None))
    await store.write(SetAllowedAddresses(MERCHANT, (), (), replace(act, id="act_000")))
    await store.write(KeepChecks((KeptCheck(MERCHANT, Point.CLOCK, Readiness.DONE, "-", NOW),)))
    await store.kept_checks([MERCHANT, INSTALLATION])

    api_key = an_api_key()
    act = Act("act_k", MERCHANT, ActKind.NEW_API_SECRET, api_key.api_key, "Kim", "-", "", "", LATER)
    await store.write(RenewApiSecret(MERCHANT, api_key.api_key, b"new", b"newer", LATER, act))

    user = Operator("u", "minji", Role.OWNER, "$argon2id$", NOW)
    deed = Deed("d", DeedKind.CREATE_USER, "minji", "Kim", "", "", NOW)
    await store.write(AddUser(user, deed))
    session = Session(
        "s", "u", b"token", half=False, address="", user_agent="", created_at=NOW, seen_at=NOW, expires_at=LATER
    )
    assert await store.write(BeginSession(session, 1))
    await store.write(SeeSession("s", LATER))
    assert await store.session([b"token"]) == (replace(session, seen_at=LATER), user)
    assert len(await store.sessions("u")) == len(await store.users()) == len(await store.deeds(10)) == 1
    assert await store.user_named("Minji") == await store.user("u") == user
    changed = PutUser(user, user, replace(deed, id="d2"), Ends.OTHERS, "s", recovery_digests=(b"code",))
    await store.write(changed)
    pause = Pause("p", "kakaopay", Source.ANNOUNCED, NOW, LATER, "n", "w")
    await store.write(AddPause(pause, replace(deed, id="d3")))
    assert await store.pauses(NOW) == [pause]
    assert not await store.write(NotePause(replace(pause, id="q")))
    assert await store.write(EndPause("p", NOW, replace(deed, id="d4"))) == pause
    await store.write(CountTry(((Counted.ACCOUNT, b"account"), (Counted.ADDRESS, b"address")), NOW))
    await store.write(ForgiveTries(b"account", b"address", 1))
    assert await store.write(TakeStep("u", 1))
    assert await store.write(TakeRecoveryCode("u", (b"code",), NOW))
    assert await store.recovery_codes_left("u") == 0
    assert await store.write(EndSessions("u", "s")) == 1
    assert await store.write(EndSessions("u", None)) == 0
    await store.write(SweepSignIns(LATER, LATER, 10))

    for n in range(9):
        assert await store.write(a_charge(f"list_{n}", customer_uid="c_3", now=LATER + timedelta(days=1)))
    assert await store.write(IndexTexts(3)) == 3
    assert await store.texts_behind(2) == 2
    span = {"since": NOW, "before": LATER}
    for basis, standing, word in itertools.product(
        Basis, (None, payment_lists.Standing.PARTLY, payment_lists.Standing.WAITING), ("", "order")
    ):
        filters = Filter(basis, standing=standing, method=Method.CARD, word=word, field=SearchField.NAME, **span)
        for order, backwards in itertools.product(ListOrder, (False, True)):
            value = LATER if order in {ListOrder.NEWEST, ListOrder.OLDEST} else 100
            await store.payment_list(MERCHANT, ListWish(filters, order, 25, Place(value, "imp_1"), backwards))
        await store.payment_counts(MERCHANT, filters)
    await store.attempts(MERCHANT, payment.imp_uid)
    view = SavedView("v", MERCHANT, "u", "minji", "mine", "status=paid", shared=True, created_at=NOW)
    act = Act("act_v", MERCHANT, ActKind.SAVE_VIEW, "mine", "minji", "-", "", "", LATER)
    await store.write(PutView(view, act))
    assert await store.views(MERCHANT, "somebody") == [view]
    assert await store.write(DropView(view, replace(act, id="act_v2")))
    await store.write(PutColumns("u", "status"))
    assert await store.columns("u") == "status"
    export = Export("e", "u", 0, 10, exact=True, done=False, seen_at=NOW)
    await store.write(BeginExport(export, replace(act, id="act_e"), NOW))
    await store.write(PutExport(replace(export, rows=5)))
    assert (await store.export("u", "e")).rows == 5

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
                ):
                    scans.append((row[3], " ".join(statement.split())[:120]))
    assert scans == []
