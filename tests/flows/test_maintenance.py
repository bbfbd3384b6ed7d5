"""While a PG is closed scheduled charges wait, none is burnt; afterwards they run oldest first, at a pace for all workers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from maedal import metrics
from maedal.flows.approve import approve
from maedal.flows.cancel import CancelRequest, cancel
from maedal.flows.chain_logs import chain_logs
from maedal.flows.charge import charge
from maedal.flows.check_invariants import OPEN_TOO_LONG, InvariantWatch, measure
from maedal.flows.maintenance import ANSWER_HOLDS, LATER, POSTPONED_AT_MOST, announce, take_back
from maedal.flows.open_window import PgRefusedWindow, WindowRequest, open_window
from maedal.flows.recovery import set_rule
from maedal.flows.resolve_unknown import UNCLEAR_AT_MOST, clarify
from maedal.flows.run_schedule import claim_due, run_schedule
from maedal.flows.schedule_charges import unschedule
from maedal.flows.set_webhook import set_webhook
from maedal.maintenance.errors import PgUnderMaintenance
from maedal.maintenance.pause import LONGEST, Night, Pause, Source, open_time_before, open_time_since, open_until
from maedal.merchants.channel import secret_context
from maedal.operators.operator_audit_entry import OperatorAuditAction
from maedal.payments.attempt import DeclineReason, Method
from maedal.payments.errors import InvalidParameter, OutcomeUnknown
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse
from maedal.payments.window import Device, Shown
from maedal.reconciliation.settlement import SEOUL
from maedal.schedules.pace import Pace
from maedal.schedules.recovery import NextTry
from maedal.schedules.schedule import ScheduleStatus
from maedal.storage.channels.writes import PutChannel
from maedal.storage.invariants.reads import Invariant, OpenWork
from maedal.storage.schedules.writes import ClaimSchedules
from maedal.worker import loops
from maedal.worker.loops import Worker
from tests.flows.test_schedules import notices, plan, run_due, stored
from tests.flows.test_windows import an_open_window
from tests.support.builders import MERCHANT, NOW, a_channel, an_order
from tests.support.network import reply

HOUR = timedelta(hours=1)
SHOP = "http://shop.test"
LEASES_OVER = 300
"""Seconds after which no lease of a claim is left."""


def saying(code, method_code=None, status=400):
    extras = {"extras": {"method_result_code": method_code, "method_result_message": "점검 중"}} if method_code else {}
    return lambda _: reply({"error_code": code, "error_message": "x"} | extras, status)


async def close(flows, begins=timedelta(0), lasts=HOUR):
    now = flows.clock.now()
    return await announce(flows.services, "kakaopay", now + begins, now + begins + lasts, "notice 12", who="minji")


async def plan_in_turn(flows, count):
    """Plan one charge for each of so many keys, a second apart, the last one first."""
    uids = [f"m_{n}" for n in range(count)]
    for n, uid in reversed(list(enumerate(uids))):
        await flows.issue_key(f"c_{n}")
        await plan(flows, uid, customer_uid=f"c_{n}", in_seconds=60 + n)
    return uids


def no_key_was_ever_charged(flows, monkeypatch):
    """Let the PG show each key as new: the network knows one key only, and these are many."""
    shown = {"status": "ACTIVE", "available": True, "payment_method_type": "MONEY"}
    monkeypatch.setattr(flows.network, "_status", lambda body: reply(shown | {"sid": body["sid"]}))


async def begun(flows):
    """Return the scheduled charges that were begun, in that order, with when."""
    rows = await flows.store.engine.fetch(
        "SELECT merchant_uid, imp_uid FROM payments WHERE customer_uid LIKE 'c_%' AND merchant_uid LIKE 'm_%'"
    )
    payments = [await flows.store.payments.find(MERCHANT, row["imp_uid"]) for row in rows]
    return [
        (p.order.merchant_uid, p.started_at)
        for p in sorted(payments, key=lambda p: (p.started_at, p.order.merchant_uid))
    ]


async def test_nothing_is_begun_in_an_announced_window_and_everything_after_it(flows):
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    window = await close(flows, begins=timedelta(seconds=30))
    flows.clock.add(61)
    for _ in range(3):
        assert await run_due(flows) == 0
        flows.clock.add(LEASES_OVER)
    waiting = await stored(flows, "m_1")
    assert (waiting.status, waiting.lease_id, flows.network.asked) == (ScheduleStatus.SCHEDULED, None, [])
    flows.clock.add((window.ends_at - flows.clock.now()).total_seconds())
    assert await run_due(flows) == 1
    assert (await stored(flows, "m_1")).payment.status is Status.PAID


async def test_what_was_claimed_before_the_window_waits_for_its_end_too(flows):
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    flows.clock.add(61)
    [claimed] = await claim_due(flows.services, 20)
    window = await close(flows)
    await run_schedule(flows.services, claimed)
    assert flows.network.asked == []
    flows.clock.add((window.ends_at - flows.clock.now()).total_seconds() + 1)
    assert await run_due(flows) == 1
    assert (await stored(flows, "m_1")).payment.status is Status.PAID


async def test_it_can_still_be_taken_back_while_it_waits(flows):
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    flows.clock.add(61)
    [claimed] = await claim_due(flows.services, 20)
    await close(flows)
    await run_schedule(flows.services, claimed)
    assert await unschedule(flows.services, MERCHANT, ["m_1"], None)
    flows.clock.add(2 * 3_600)
    assert await run_due(flows) == 0


async def test_workers_begin_what_waited_oldest_first_and_no_quicker_than_their_common_pace(flows, monkeypatch):
    monkeypatch.setattr(loops, "DUE_POLL_SECONDS", 0.01)
    no_key_was_ever_charged(flows, monkeypatch)
    flows.services = replace(flows.services, limits=replace(flows.services.limits, catch_up_per_second=4.0))
    uids = await plan_in_turn(flows, 14)
    window = await close(flows, begins=timedelta(seconds=30))
    flows.clock.add((window.ends_at - flows.clock.now()).total_seconds())
    claims, write = [], flows.store.write

    async def noted(wanted):
        result = await write(wanted)
        if isinstance(wanted, ClaimSchedules) and result:
            claims.append((wanted.now, [s.order.merchant_uid for s in result]))
        return result

    monkeypatch.setattr(flows.store, "write", noted)
    workers = [Worker(flows.services), Worker(flows.services)]
    for worker in workers:
        worker.start()
    try:
        async with asyncio.timeout(60):
            while len(await begun(flows)) < len(uids):
                flows.clock.add(0.05)
                await asyncio.sleep(0.02)
    finally:
        await asyncio.gather(*(worker.stop() for worker in workers))
    assert sorted(uid for uid, _ in await begun(flows)) == sorted(uids)
    # Claims keep the pace. When what was claimed begins is the machine's affair: a slow one makes two claims' meet.
    claims.sort()
    assert [uid for _, claimed in claims for uid in sorted(claimed, key=uids.index)] == uids
    for n, (first, _) in enumerate(claims):
        count = 0
        for moment, claimed in claims[n:]:
            count += len(claimed)
            # A second's worth may have gathered before the first claim.
            assert count <= 4 * ((moment - first).total_seconds() + 1) + 1e-3


async def test_what_did_not_wait_for_an_opening_knows_no_pace(flows):
    flows.services = replace(flows.services, limits=replace(flows.services.limits, catch_up_per_second=0.1))
    await plan_in_turn(flows, 5)
    flows.clock.add(70)
    assert await run_due(flows) == 5


async def test_a_charge_that_waits_for_something_else_holds_nobody_to_the_pace(flows, monkeypatch):
    """One whose key is unclear is claimed again and again; that is no catching up."""
    no_key_was_ever_charged(flows, monkeypatch)
    flows.services = replace(flows.services, limits=replace(flows.services.limits, catch_up_per_second=1.0))
    await plan_in_turn(flows, 3)
    window = await close(flows, begins=timedelta(seconds=30))
    flows.clock.add((window.ends_at - flows.clock.now()).total_seconds())
    flows.network.next_answer["manage/subscription/status"] = saying(-500, status=500)
    for uid in ("m_0", "m_1", "m_2"):
        assert await run_due(flows) == 1
        assert (await stored(flows, uid)).lease_id or (await stored(flows, uid)).payment
        flows.clock.add(1)
    assert (await stored(flows, "m_0")).status is ScheduleStatus.SCHEDULED
    await plan(flows, "m_8", "m_9", customer_uid="c_1", in_seconds=1)
    flows.clock.add(LEASES_OVER)
    assert await run_due(flows) == 3


async def test_a_window_that_is_taken_back_holds_nothing_up(flows):
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    window = await close(flows)
    flows.clock.add(61)
    assert await run_due(flows) == 0
    assert await take_back(flows.services, window.id, who="minji") == window
    assert await run_due(flows) == 1
    later = await close(flows, begins=HOUR)
    await take_back(flows.services, later.id, who="minji")
    [kept] = await flows.store.maintenance.pauses(NOW)
    assert kept.ends_at == flows.clock.now() - timedelta(0)
    with pytest.raises(InvalidParameter, match="no window"):
        await take_back(flows.services, window.id, who="minji")


async def test_who_entered_a_window_and_who_took_it_back_is_in_the_log(flows):
    window = await close(flows)
    flows.clock.add(1)
    await take_back(flows.services, window.id, who="jiho")
    ended, added = await flows.store.audit.operator_entries(2)
    assert [(d.kind, d.subject, d.who) for d in (added, ended)] == [
        (OperatorAuditAction.ADD_MAINTENANCE, "kakaopay", "minji"),
        (OperatorAuditAction.END_MAINTENANCE, "kakaopay", "jiho"),
    ]
    assert added.after == ended.before == f"{window.begins_at.isoformat()} to {window.ends_at.isoformat()}: notice 12"


@pytest.mark.parametrize(
    ("begins", "lasts", "note", "pg"),
    [
        (timedelta(0), timedelta(0), "notice", "kakaopay"),
        (timedelta(0), LONGEST + timedelta(minutes=1), "notice", "kakaopay"),
        (-2 * HOUR, HOUR, "notice", "kakaopay"),
        (timedelta(days=400), HOUR, "notice", "kakaopay"),
        (timedelta(0), HOUR, " ", "kakaopay"),
        (timedelta(0), HOUR, "notice", "tosspay"),
    ],
    ids=["empty", "too long", "over", "too far away", "no note", "no such PG"],
)
async def test_a_window_that_cannot_be_meant_is_refused(flows, begins, lasts, note, pg):
    now = flows.clock.now()
    with pytest.raises(InvalidParameter):
        await announce(flows.services, pg, now + begins, now + begins + lasts, note, who="minji")
    assert await flows.store.maintenance.pauses(NOW - HOUR) == []


# -- the merchant's own call


async def test_a_merchants_call_in_an_announced_window_is_passed_on(flows):
    await flows.issue_key()
    await close(flows)
    flows.clock.add(2)
    assert (await charge(flows.services, MERCHANT, an_order("m_1"))).status is Status.PAID


@pytest.mark.parametrize(("code", "status"), [(-503, 503), (-7, 400), (-9798, 503)])
async def test_once_the_pg_says_that_it_is_closed_calls_are_refused_for_a_while_and_planned_charges_wait(
    flows, code, status
):
    await flows.issue_key("c_1")
    await flows.issue_key("c_2")
    await plan(flows, "m_2", customer_uid="c_2", in_seconds=60)
    flows.network.next_answer["subscription"] = saying(code, status=status)
    assert (await charge(flows.services, MERCHANT, an_order("m_1"))).status is Status.UNKNOWN
    dated_at = flows.clock.now()
    flows.clock.add(70)
    with pytest.raises(PgUnderMaintenance):
        await charge(flows.services, MERCHANT, an_order("m_3", customer_uid="c_2"))
    assert await run_due(flows) == 0
    [pause] = await flows.store.maintenance.pauses(NOW)
    assert (pause.source, pause.note, pause.who) == (Source.ANSWERED, str(code), "")
    flows.clock.add((dated_at + ANSWER_HOLDS - flows.clock.now()).total_seconds())
    assert await run_due(flows) == 1
    assert (await stored(flows, "m_2")).payment.status is Status.PAID
    # The refused call kept nothing, so the merchant's later call is an ordinary one.
    flows.clock.add(2)
    assert (await charge(flows.services, MERCHANT, an_order("m_3", customer_uid="c_2"))).status is Status.PAID


async def to_a_window(flows):
    flows.network.next_answer["ready"] = saying(-503, status=503)
    order = an_order("w_1", 0, customer_uid="c_9", key_use=KeyUse.ISSUE)
    ask = WindowRequest(
        MERCHANT, order, None, None, Device.PC, Shown.FRAME, "n" * 16, SHOP, f"{SHOP}/", seen_origin=SHOP
    )
    with pytest.raises(PgRefusedWindow):
        await open_window(flows.services, ask)


async def to_an_approval(flows):
    payment = await an_open_window(flows)
    flows.network.next_answer["approve"] = saying(-503, status=503)
    await approve(flows.services, payment, await flows.store.windows.find(MERCHANT, payment.imp_uid), "token")


async def to_a_cancel(flows):
    paid = await charge(flows.services, MERCHANT, an_order("m_1"))
    flows.network.next_answer["cancel"] = saying(-503, status=503)
    with pytest.raises(OutcomeUnknown):
        await cancel(flows.services, MERCHANT, CancelRequest(paid.imp_uid, None, 900))


@pytest.mark.parametrize("call", [to_a_window, to_an_approval, to_a_cancel])
async def test_that_the_pg_is_closed_is_heard_from_its_answer_to_any_call(flows, call):
    await flows.store.write(PutChannel(a_channel(allowed_origins=(SHOP,))))
    await flows.issue_key()
    await call(flows)
    with pytest.raises(PgUnderMaintenance):
        await charge(flows.services, MERCHANT, an_order("m_2"))


# -- what a bank, a card company or the PG answers to a scheduled charge


@pytest.mark.parametrize("method_code", ["BANK_FIRM_UNAVAILABLE", "UNDER_CONSTRUCTION", "0299"])
async def test_a_planned_charge_that_meets_somebody_closed_waits_and_nobody_is_told_of_a_failure(flows, method_code):
    await set_webhook(flows.services, MERCHANT, live=None, test="http://shop.test/told", body=None)
    flows.clock.add(3)
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = saying(-782, method_code)
    assert await run_due(flows) == 1
    waiting = await stored(flows, "m_1")
    assert (waiting.status, waiting.imp_uid, waiting.tries) == (ScheduleStatus.SCHEDULED, None, 0)
    assert await notices(flows) == []
    flows.clock.add(LATER.total_seconds() - 1)
    assert await run_due(flows) == 0
    flows.clock.add(2)
    assert await run_due(flows) == 1
    paid = await stored(flows, "m_1")
    assert (paid.status, paid.payment.status) == (ScheduleStatus.EXECUTED, Status.PAID)
    assert [f'"{s}"' in body for (_, body), s in zip(await notices(flows), ["paid"], strict=True)] == [True]
    both = await flows.store.payments.by_ids(MERCHANT, [], ["m_1"])
    assert sorted(p.status for p in both) == [Status.FAILED, Status.PAID]


async def test_a_charge_that_met_a_bank_at_midnight_waits_for_the_end_of_the_night(flows):
    flows.clock.add((datetime(2026, 9, 1, 23, 58, tzinfo=SEOUL) - NOW).total_seconds())
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = saying(-782, "BANK_FIRM_UNAVAILABLE")
    await run_due(flows)
    flows.clock.add((datetime(2026, 9, 2, 0, 34, 59, tzinfo=SEOUL) - flows.clock.now()).total_seconds())
    assert await run_due(flows) == 0
    flows.clock.add(2)
    assert await run_due(flows) == 1
    assert (await stored(flows, "m_1")).payment.status is Status.PAID


async def test_a_bank_that_stays_closed_for_a_day_is_a_failure_and_is_told(flows):
    await set_webhook(flows.services, MERCHANT, live=None, test="http://shop.test/told", body=None)
    flows.clock.add(3)
    await flows.issue_key()
    [planned] = await plan(flows, "m_1", in_seconds=60)
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = saying(-782, "UNDER_CONSTRUCTION")
    await run_due(flows)
    flows.clock.add((planned.schedule_at + POSTPONED_AT_MOST - flows.clock.now()).total_seconds())
    flows.network.next_answer["subscription"] = saying(-782, "UNDER_CONSTRUCTION")
    await run_due(flows)
    assert (await stored(flows, "m_1")).payment.status is Status.FAILED
    assert ['"failed"' in body for _, body in await notices(flows)] == [True]


async def test_a_try_by_the_merchants_rules_that_meets_somebody_closed_is_followed_by_another(flows):
    await set_rule(flows.services, MERCHANT, DeclineReason.BALANCE, [timedelta(days=1)])
    flows.clock.add(3)
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = saying(-782, "LACK_BALANCE")
    await run_due(flows)
    flows.clock.add(86_400)
    flows.network.next_answer["subscription"] = saying(-782, "UNDER_CONSTRUCTION")
    await run_due(flows)
    failed = await stored(flows, "m_1")
    assert failed.next_try == NextTry(flows.clock.now() + LATER, DeclineReason.LOCKED)
    flows.clock.add(LATER.total_seconds())
    await run_due(flows)
    assert (await stored(flows, "m_1")).payment.status is Status.PAID


async def test_a_planned_charge_that_the_closed_pg_did_not_make_waits_once_that_is_proved(flows):
    await set_webhook(flows.services, MERCHANT, live=None, test="http://shop.test/told", body=None)
    flows.clock.add(3)
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = saying(-503, status=503)
    await run_due(flows)
    assert (await stored(flows, "m_1")).payment.status is Status.UNKNOWN
    flows.clock.add(UNCLEAR_AT_MOST.total_seconds())
    [found] = await flows.store.unknown_outcomes.due(flows.clock.now(), 10)
    assert (await clarify(flows.services, found)).status is Status.FAILED
    assert (await stored(flows, "m_1")).status is ScheduleStatus.SCHEDULED
    assert await notices(flows) == []
    flows.clock.add(LATER.total_seconds() + 1)
    await run_due(flows)
    assert (await stored(flows, "m_1")).payment.status is Status.PAID


# -- nights


async def test_at_night_live_charges_by_money_wait_and_those_by_card_do_not(flows, monkeypatch):
    no_key_was_ever_charged(flows, monkeypatch)
    flows.clock.add((datetime(2026, 9, 1, 23, 40, tzinfo=SEOUL) - NOW).total_seconds())
    live_channel = a_channel(pg_merchant_id="C000000001", test_mode=False)
    secret = flows.services.vault.seal("PRD" + "0" * 37, *secret_context(live_channel))
    await flows.store.write(PutChannel(replace(live_channel, sealed_secret=secret)))
    flows.clock.add(3)
    live = {"test_mode": False, "pg_merchant_id": "C000000001"}
    await flows.issue_key("c_money", method=Method.MONEY, **live)
    await flows.issue_key("c_card", method=Method.CARD, **live)
    await plan(flows, "m_money", customer_uid="c_money", in_seconds=60)
    await plan(flows, "m_card", customer_uid="c_card", in_seconds=60)
    flows.clock.add(60)
    assert await run_due(flows) == 2
    assert (await stored(flows, "m_card")).payment.status is Status.PAID
    assert (await stored(flows, "m_money")).status is ScheduleStatus.SCHEDULED
    flows.clock.add(1_800)
    assert await run_due(flows) == 0
    await measure(flows.services)
    assert metrics.OPEN_WORK.labels(OpenWork.SCHEDULES)._value.get() == 0
    flows.clock.add((datetime(2026, 9, 2, 0, 35, 1, tzinfo=SEOUL) - flows.clock.now()).total_seconds())
    await measure(flows.services)
    assert metrics.OLDEST_SECONDS.labels(OpenWork.SCHEDULES)._value.get() == 1
    assert await run_due(flows) == 1
    assert (await stored(flows, "m_money")).payment.status is Status.PAID


@pytest.mark.parametrize(
    ("local", "ends"),
    [
        ("2026-09-01T23:30:00+09:00", "2026-09-02T00:35:00+09:00"),
        ("2026-09-02T00:00:00+09:00", "2026-09-02T00:35:00+09:00"),
        ("2026-09-02T00:34:59+09:00", "2026-09-02T00:35:00+09:00"),
        ("2026-09-02T00:35:00+09:00", None),
        ("2026-09-01T23:29:59+09:00", None),
    ],
)
def test_a_night_lies_in_seoul_and_over_midnight(local, ends):
    night = Night(time(23, 30), time(0, 35), Method.MONEY)
    moment = datetime.fromisoformat(local).astimezone(UTC)
    assert night.end_at(moment) == (ends and datetime.fromisoformat(ends))
    assert night.last_end(moment) <= moment < night.last_end(moment) + timedelta(days=1)


# -- what is watched


async def test_what_waits_for_an_opening_is_neither_late_nor_without_an_owner(flows):
    await plan_in_turn(flows, 3)
    window = await close(flows, begins=timedelta(seconds=30), lasts=6 * HOUR)
    # As a worker does meanwhile.
    await chain_logs(flows.services)
    flows.clock.add(5 * 3_600)
    watch = InvariantWatch(flows.services)
    assert await watch.check() == []
    assert metrics.OLDEST_SECONDS.labels(OpenWork.SCHEDULES)._value.get() == 0
    assert (metrics.CLOSED.labels("kakaopay")._value.get(), metrics.CATCHING_UP._value.get()) == (1, 0)
    # Nobody takes them up once it is open: that is told, as late after the opening as at any other time.
    flows.clock.add((window.ends_at + OPEN_TOO_LONG[Invariant.SCHEDULE_HAS_OWNER] - flows.clock.now()).total_seconds())
    assert await watch.check() == []
    flows.clock.add(1)
    assert {(v.invariant, v.subject) for v in await watch.check()} == {
        (Invariant.SCHEDULE_HAS_OWNER, uid) for uid in ("m_0", "m_1", "m_2")
    }
    assert metrics.OLDEST_SECONDS.labels(OpenWork.SCHEDULES)._value.get() == 901
    assert metrics.CLOSED.labels("kakaopay")._value.get() == 0


async def test_a_line_that_moves_is_told_by_its_own_gauge(flows):
    flows.services = replace(flows.services, limits=replace(flows.services.limits, catch_up_per_second=0.1))
    await plan_in_turn(flows, 3)
    window = await close(flows, begins=timedelta(seconds=30))
    flows.clock.add((window.ends_at - flows.clock.now()).total_seconds())
    assert await run_due(flows) == 1
    flows.clock.add(240)
    watch = InvariantWatch(flows.services)
    assert await watch.check() == []
    assert metrics.CATCHING_UP._value.get() == 1
    assert await run_due(flows) == 1


def test_closed_time_counts_for_nobody():
    def pause(begins, ends):
        return Pause("p", "kakaopay", Source.ANNOUNCED, NOW + begins * HOUR, NOW + ends * HOUR, "n")

    # From 1 to 4 and from 6 to 8 it is closed; windows may overlap.
    pauses = [pause(6, 8), pause(1, 3), pause(2, 4)]
    assert open_until(pauses, NOW + 1 * HOUR) == NOW + 4 * HOUR
    assert open_until(pauses, NOW + 5 * HOUR) is None
    assert open_time_before(pauses, NOW + 9 * HOUR, HOUR / 2) == NOW + 8.5 * HOUR
    assert open_time_before(pauses, NOW + 9 * HOUR, 2 * HOUR) == NOW + 5 * HOUR
    assert open_time_before(pauses, NOW + 7 * HOUR, 3 * HOUR) == NOW + 0 * HOUR
    assert open_time_since(pauses, NOW, NOW + 9 * HOUR) == 4 * HOUR
    assert open_time_since(pauses, NOW + 2 * HOUR, NOW + 3 * HOUR) == timedelta(0)
    assert open_time_since([], NOW, NOW + HOUR) == HOUR


def test_a_pace_survives_a_clock_that_jumps():
    pace = Pace(2.0, NOW)
    fresh = pace.free_at(None, NOW)
    assert pace.count(fresh, NOW) == 2
    used = pace.after(fresh, 2)
    assert pace.count(pace.free_at(used, NOW), NOW) == 0
    # An hour forward is no hour's worth at once; an hour back is no hour of standing still.
    assert pace.count(pace.free_at(used, NOW + HOUR), NOW + HOUR) == 2
    assert pace.count(pace.free_at(used, NOW - HOUR), NOW - HOUR) == 2
