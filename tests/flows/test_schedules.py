"""Scheduled charges run exactly once, whatever happens to workers, keys and answers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.flows.charge import charge
from maedal.flows.deactivate_key import deactivate_key, living_key
from maedal.flows.record_lost_attempts import record_lost_attempts
from maedal.flows.resolve_unknown import UNCLEAR_AT_MOST, clarify
from maedal.flows.run_schedule import claim_due, retry, run_schedule
from maedal.flows.schedule_charges import change_time, reschedule, schedule_charges, unschedule
from maedal.flows.set_webhook import set_webhook
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse
from maedal.pg.driver import AnswerLost, CallKind
from maedal.schedules.errors import (
    InvalidScheduleTime,
    MerchantUidScheduled,
    NothingToUnschedule,
    ScheduleNotChangeable,
    ScheduleNotFound,
)
from maedal.schedules.schedule import HORIZON, NO_KEY_REASON, ScheduleStatus
from maedal.schedules.waiting import LONGEST
from maedal.storage.errors import StoreError
from maedal.storage.payments.writes import BeginCharge, Record
from maedal.worker.loops import Worker
from tests.support.builders import MERCHANT, an_order
from tests.support.network import reply

LEASE_SECONDS = 101
"""Longer than any lease here."""


def lost(_):
    raise AnswerLost("the connection broke")


def declining(_):
    extras = {"method_result_code": "NOT_ENOUGH_BALANCE", "method_result_message": "no balance"}
    return reply({"error_code": -782, "error_message": "no balance", "extras": extras}, 400)


async def plan(flows, *merchant_uids, customer_uid="c_1", in_seconds=60, **order):
    key = await living_key(flows.services, MERCHANT, customer_uid)
    at = flows.clock.now() + timedelta(seconds=in_seconds)
    orders = [an_order(uid, customer_uid=customer_uid, key_use=KeyUse.SCHEDULED, **order) for uid in merchant_uids]
    return await schedule_charges(flows.services, key, [(o, at) for o in orders])


async def run_due(flows, count_max=20):
    """Do what one turn of a worker does; gives how many were due."""
    claimed = await claim_due(flows.services, count_max)
    await asyncio.gather(*(run_schedule(flows.services, schedule) for schedule in claimed))
    return len(claimed)


async def notices(flows):
    rows = await flows.store.engine.fetch("SELECT url, body FROM webhook_deliveries ORDER BY id")
    return [(row["url"], row["body"]) for row in rows]


async def stored(flows, merchant_uid):
    return await flows.store.schedules.find(MERCHANT, merchant_uid)


async def test_nothing_is_charged_before_its_time_and_everything_after(flows):
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    flows.clock.add(59)
    assert await run_due(flows) == 0
    flows.clock.add(1)
    assert await run_due(flows) == 1
    executed = await stored(flows, "m_1")
    assert (executed.status, executed.payment.status) == (ScheduleStatus.EXECUTED, Status.PAID)
    assert executed.payment.order.key_use is KeyUse.SCHEDULED
    assert executed.payment.order.user_agent is None
    flows.clock.add(10_000)
    assert await run_due(flows) == 0
    assert flows.network.count("subscription") == 1


@pytest.mark.parametrize(("answer", "status"), [(None, "paid"), (declining, "failed")])
async def test_paid_and_failed_are_both_told(flows, answer, status):
    await set_webhook(flows.services, MERCHANT, live=None, test="http://shop.test/told", body=None)
    flows.clock.add(3)
    await flows.issue_key()
    await plan(flows, "m_1")
    flows.clock.add(60)
    flows.network.next_answer |= {"subscription": answer} if answer else {}
    await run_due(flows)
    imp_uid = (await stored(flows, "m_1")).imp_uid
    body = f'{{"imp_uid":"{imp_uid}","merchant_uid":"m_1","status":"{status}"}}'
    assert await notices(flows) == [("http://shop.test/told", body)]


async def test_a_notice_url_is_told_instead(flows):
    await flows.issue_key()
    await plan(flows, "m_1", notice_urls=("http://shop.test/notice",))
    flows.clock.add(60)
    await run_due(flows)
    assert [url for url, _ in await notices(flows)] == ["http://shop.test/notice"]


async def test_a_declined_charge_is_not_tried_again_by_itself(flows):
    await flows.issue_key()
    await plan(flows, "m_1")
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = declining
    await run_due(flows)
    executed = await stored(flows, "m_1")
    assert (executed.status, executed.payment.status) == (ScheduleStatus.EXECUTED, Status.FAILED)
    flows.clock.add(86_400)
    assert await run_due(flows) == 0
    assert flows.network.count("subscription") == 1


async def test_a_worker_that_died_before_it_began_is_followed_by_another(flows):
    await flows.issue_key()
    await plan(flows, "m_1")
    flows.clock.add(60)
    [of_the_dead] = await claim_due(flows.services, 20)
    assert await run_due(flows) == 0
    flows.clock.add(LEASE_SECONDS)
    assert await run_due(flows) == 1
    # The dead one wakes up late: its claim is worth nothing any more.
    await run_schedule(flows.services, of_the_dead)
    assert flows.network.count("subscription") == 1
    payments = await flows.store.engine.fetch("SELECT status FROM payments WHERE merchant_uid = 'm_1'")
    assert [row["status"] for row in payments] == ["paid"]


async def test_a_late_worker_cannot_begin_what_is_claimed_by_another(flows):
    await flows.issue_key()
    await plan(flows, "m_1")
    flows.clock.add(60)
    [of_the_slow] = await claim_due(flows.services, 20)
    flows.clock.add(LEASE_SECONDS)
    [of_the_quick] = await claim_due(flows.services, 20)
    await asyncio.gather(*(run_schedule(flows.services, s) for s in (of_the_slow, of_the_quick)))
    flows.clock.add(LEASE_SECONDS)
    await run_due(flows)
    executed = await stored(flows, "m_1")
    assert executed.payment.status is Status.PAID
    assert flows.network.count("subscription") == 1


async def test_a_worker_that_died_after_it_began_is_clarified_before_the_charge_is_begun_anew(flows):
    await flows.issue_key()
    await plan(flows, "m_1")
    flows.clock.add(60)
    [claimed] = await claim_due(flows.services, 20)
    now = flows.clock.now()
    await flows.store.write(BeginCharge(MERCHANT, "imps_1", "at_dead", claimed.order, now, claimed))
    flows.clock.add(LEASE_SECONDS)
    assert await run_due(flows) == 0
    await record_lost_attempts(flows.services)
    [found] = await flows.store.unknown_outcomes.due(flows.clock.now(), 10)
    flows.clock.add(UNCLEAR_AT_MOST.total_seconds())
    assert (await clarify(flows.services, found)).status is Status.FAILED
    assert await run_due(flows) == 0
    assert flows.network.count("subscription") == 0
    # Nothing was taken and nobody has declined it: it is made after all.
    flows.clock.add(LONGEST.total_seconds() + 1)
    assert await run_due(flows) == 1
    assert (await stored(flows, "m_1")).payment.status is Status.PAID


async def test_a_lost_answer_is_told_when_it_is_clarified(flows):
    await flows.issue_key()
    await plan(flows, "m_1", notice_urls=("http://shop.test/notice",))
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = lost
    await run_due(flows)
    executed = await stored(flows, "m_1")
    assert (executed.status, executed.payment.status) == (ScheduleStatus.EXECUTED, Status.UNKNOWN)
    assert await notices(flows) == []
    with pytest.raises(ScheduleNotChangeable):
        await retry(flows.services, MERCHANT, "m_1")
    flows.network.approve_silently()
    flows.clock.add(UNCLEAR_AT_MOST.total_seconds())
    [found] = await flows.store.unknown_outcomes.due(flows.clock.now(), 10)
    await clarify(flows.services, found)
    assert len(await notices(flows)) == 1
    assert flows.network.count("subscription") == 1


async def test_an_unclear_key_postpones_and_proves_nothing(flows):
    await flows.issue_key()
    await plan(flows, "m_1")
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = lost
    assert (await charge(flows.services, MERCHANT, an_order("other"))).status is Status.UNKNOWN
    flows.clock.add(60)
    await run_due(flows)
    assert (await stored(flows, "m_1")).status is ScheduleStatus.SCHEDULED
    flows.clock.add(UNCLEAR_AT_MOST.total_seconds())
    [found] = await flows.store.unknown_outcomes.due(flows.clock.now(), 10)
    await clarify(flows.services, found)
    await run_due(flows)
    assert (await stored(flows, "m_1")).payment.status is Status.PAID


async def test_a_busy_key_postpones_beyond_the_wait(flows):
    await flows.issue_key()
    await plan(flows, "m_1")
    flows.clock.add(60)
    # Another node is charging this key, and has not been answered yet.
    await flows.store.write(BeginCharge(MERCHANT, "imps_1", "at_other", an_order("other"), flows.clock.now()))
    await run_due(flows)
    waiting = await stored(flows, "m_1")
    assert (waiting.status, waiting.imp_uid) == (ScheduleStatus.SCHEDULED, None)
    assert flows.network.asked == []


async def test_many_of_one_key_take_turns_and_are_all_charged(flows):
    await flows.issue_key()
    await plan(flows, *(f"m_{n}" for n in range(4)))
    flows.clock.add(60)
    assert await run_due(flows) == 4
    assert {(await stored(flows, f"m_{n}")).payment.status for n in range(4)} == {Status.PAID}


async def test_a_deleted_key_fails_with_a_payment_that_can_be_told(flows):
    await flows.issue_key()
    await plan(flows, "m_1", notice_urls=("http://shop.test/notice",))
    await deactivate_key(flows.services, MERCHANT, "c_1")
    assert (await stored(flows, "m_1")).status is ScheduleStatus.SCHEDULED
    flows.clock.add(60)
    await run_due(flows)
    executed = await stored(flows, "m_1")
    assert executed.status is ScheduleStatus.EXECUTED
    assert (executed.payment.status, executed.payment.fail_reason) == (Status.FAILED, NO_KEY_REASON)
    assert executed.payment.imp_uid.startswith("imps_")
    [(_, body)] = await notices(flows)
    assert executed.imp_uid in body
    assert '"failed"' in body
    assert flows.network.count("subscription") == 0
    with pytest.raises(BillingKeyNotFound):
        await retry(flows.services, MERCHANT, "m_1")


async def test_a_newer_key_of_the_customer_is_the_one_that_is_charged(flows):
    await flows.issue_key()
    await plan(flows, "m_1")
    newer = await flows.issue_key()
    flows.clock.add(60)
    await run_due(flows)
    assert (await stored(flows, "m_1")).payment.billing_key_id == newer.id


async def test_an_order_that_was_paid_before_it_was_due_is_executed_by_that_payment_and_nobody_is_told_again(flows):
    await set_webhook(flows.services, MERCHANT, live=None, test="http://shop.test/told", body=None)
    flows.clock.add(3)
    await flows.issue_key()
    await plan(flows, "m_1")
    paid = await charge(flows.services, MERCHANT, an_order("m_1"))
    assert paid.status is Status.PAID
    before = await notices(flows)
    flows.clock.add(60)
    await run_due(flows)
    executed = await stored(flows, "m_1")
    assert (executed.status, executed.imp_uid) == (ScheduleStatus.EXECUTED, paid.imp_uid)
    assert await notices(flows) == before
    assert flows.network.count("subscription") == 1
    assert [p.imp_uid for p in await flows.store.payments.by_ids(MERCHANT, [], ["m_1"])] == [paid.imp_uid]


async def test_an_order_whose_other_payment_is_open_waits_for_its_outcome(flows):
    await flows.issue_key("c_1")
    await flows.issue_key("c_2")
    await plan(flows, "m_1")
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = lost
    other = an_order("m_1", customer_uid="c_2")
    assert (await charge(flows.services, MERCHANT, other)).status is Status.UNKNOWN
    await run_due(flows)
    assert (await stored(flows, "m_1")).status is ScheduleStatus.SCHEDULED


async def test_a_store_that_stumbles_leaves_the_charge_to_a_later_claim(flows, monkeypatch):
    await flows.issue_key()
    await plan(flows, "m_1")
    flows.clock.add(60)
    write = flows.store.write

    async def stumbling(item):
        if isinstance(item, BeginCharge):
            raise StoreError("the database restarts")
        return await write(item)

    monkeypatch.setattr(flows.store, "write", stumbling)
    with pytest.raises(StoreError):
        await run_due(flows)
    monkeypatch.undo()
    flows.clock.add(LEASE_SECONDS)
    await run_due(flows)
    assert (await stored(flows, "m_1")).payment.status is Status.PAID


async def test_an_outcome_that_cannot_be_kept_is_recorded_once_the_store_is_back(flows, monkeypatch):
    await flows.issue_key()
    await plan(flows, "m_1")
    flows.clock.add(60)
    write = flows.store.write

    async def gone(item):
        if isinstance(item, Record):
            raise StoreError("the database is gone")
        return await write(item)

    monkeypatch.setattr(flows.store, "write", gone)
    assert await run_due(flows) == 1
    monkeypatch.undo()
    flows.clock.add(LEASE_SECONDS)
    assert await run_due(flows) == 0
    # The process that knows the outcome records it, now that the database is back.
    await flows.services.background.drain(10)
    [stored] = await flows.store.payments.by_ids(MERCHANT, [], ["m_1"])
    assert (stored.status, stored.pg_tid is None) == (Status.PAID, False)
    assert flows.network.count("subscription") == 1


async def test_a_revoked_charge_is_never_made_even_if_it_was_claimed(flows):
    await flows.issue_key()
    await plan(flows, "m_1", "m_2")
    flows.clock.add(60)
    claimed = await claim_due(flows.services, 20)
    await unschedule(flows.services, MERCHANT, None, "c_1")
    await asyncio.gather(*(run_schedule(flows.services, schedule) for schedule in claimed))
    assert flows.network.count("subscription") == 0
    with pytest.raises(NothingToUnschedule):
        await unschedule(flows.services, MERCHANT, ["m_1"], None)
    with pytest.raises(NothingToUnschedule):
        await unschedule(flows.services, MERCHANT, None, None)


async def test_a_waiting_charge_may_be_moved_and_then_waits_for_the_new_time(flows):
    await flows.issue_key()
    await plan(flows, "m_1")
    later = flows.clock.now() + timedelta(hours=1)
    assert (await change_time(flows.services, MERCHANT, "m_1", later)).schedule_at == later
    flows.clock.add(60)
    assert await run_due(flows) == 0
    flows.clock.add(3_600)
    assert await run_due(flows) == 1
    with pytest.raises(ScheduleNotChangeable):
        await change_time(flows.services, MERCHANT, "m_1", later + timedelta(days=1))
    with pytest.raises(ScheduleNotChangeable):
        await reschedule(flows.services, MERCHANT, "m_1", later + timedelta(days=1))


async def test_a_failed_charge_may_be_planned_anew_and_is_then_charged(flows):
    await flows.issue_key()
    await plan(flows, "m_1")
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = declining
    await run_due(flows)
    failed = (await stored(flows, "m_1")).imp_uid
    again = await reschedule(flows.services, MERCHANT, "m_1", flows.clock.now() + timedelta(seconds=60))
    assert again == await stored(flows, "m_1")
    assert (again.status, again.imp_uid, again.executed_at) == (ScheduleStatus.SCHEDULED, None, None)
    with pytest.raises(ScheduleNotChangeable):
        await reschedule(flows.services, MERCHANT, "m_1", flows.clock.now() + timedelta(seconds=90))
    flows.clock.add(60)
    await run_due(flows)
    executed = await stored(flows, "m_1")
    assert executed.payment.status is Status.PAID
    # What was told before stays.
    assert (await flows.store.payments.find(MERCHANT, failed)).status is Status.FAILED


async def test_a_retry_charges_at_once_and_only_once(flows):
    await flows.issue_key()
    await plan(flows, "m_1", "m_2")
    await unschedule(flows.services, MERCHANT, ["m_1"], None)
    results = await asyncio.gather(*(retry(flows.services, MERCHANT, "m_1") for _ in range(5)), return_exceptions=True)
    paid = [r for r in results if not isinstance(r, Exception)]
    assert [p.status for p in paid] == [Status.PAID]
    executed = await stored(flows, "m_1")
    assert (executed.status, executed.imp_uid, executed.revoked_at) == (
        ScheduleStatus.EXECUTED,
        paid[0].imp_uid,
        None,
    )
    for merchant_uid in ("m_1", "m_2"):
        with pytest.raises(ScheduleNotChangeable):
            await retry(flows.services, MERCHANT, merchant_uid)
    with pytest.raises(ScheduleNotFound):
        await retry(flows.services, MERCHANT, "nothing")
    assert flows.network.count("subscription") == 1


async def test_times_that_are_over_or_too_far_are_refused_and_nothing_is_planned(flows):
    await flows.issue_key()
    for in_seconds in (0, -1, HORIZON.total_seconds() + 1):
        with pytest.raises(InvalidScheduleTime):
            await plan(flows, "m_1", in_seconds=in_seconds)
    assert await stored(flows, "m_1") is None
    await plan(flows, "m_1", in_seconds=HORIZON.total_seconds())
    with pytest.raises(InvalidScheduleTime):
        await change_time(flows.services, MERCHANT, "m_1", flows.clock.now())


async def test_one_merchant_uid_twice_in_a_call_plans_nothing(flows):
    await flows.issue_key()
    with pytest.raises(MerchantUidScheduled):
        await plan(flows, "m_1", "m_2", "m_1")
    assert await stored(flows, "m_2") is None


async def test_a_worker_runs_what_is_due_and_drains_when_it_stops(flows):
    for n in range(30):
        await flows.issue_key(f"c_{n}")
        await plan(flows, f"m_{n}", customer_uid=f"c_{n}")
    flows.clock.add(60)
    flows.services = replace(flows.services, limits=replace(flows.services.limits, scheduled_charges_at_once=20))
    worker = Worker(flows.services)
    send, running, most, answering = flows.network.send, [], [], asyncio.Event()

    async def held(request):
        running.append(request)
        most.append(len(running))
        await answering.wait()
        running.remove(request)
        return await send(request)

    flows.network.send = held
    worker.start()
    async with asyncio.timeout(60):
        while len(running) < 20:
            await asyncio.sleep(0.01)
    stopping = asyncio.create_task(worker.stop())
    answering.set()
    await stopping
    assert running == []
    assert max(most) == 20
    statuses = await flows.store.engine.fetch("SELECT status, lease_id FROM schedules")
    assert {row["status"] for row in statuses if row["lease_id"] is None} <= {"executed", "scheduled"}
    assert [row for row in statuses if row["lease_id"] is not None] == []
    another = Worker(flows.services)
    another.start()
    async with asyncio.timeout(60):
        while flows.network.count("subscription") < 30:
            await asyncio.sleep(0.01)
    await another.stop()
    paid = await flows.store.engine.fetch("SELECT count(*) AS paid FROM payments WHERE key_use = 'payment.scheduled'")
    assert paid[0]["paid"] == 30


async def test_two_workers_share_the_work_and_charge_everything_once(flows):
    for n in range(40):
        await flows.issue_key(f"c_{n}")
        await plan(flows, f"m_{n}", customer_uid=f"c_{n}")
    flows.clock.add(60)
    workers = [Worker(flows.services) for _ in range(2)]
    for worker in workers:
        worker.start()
    async with asyncio.timeout(60):
        while flows.network.count("subscription") < 40:
            await asyncio.sleep(0.01)
    await asyncio.gather(*(worker.stop() for worker in workers))
    assert flows.network.count("subscription") == 40
    paid = await flows.store.engine.fetch("SELECT merchant_uid FROM payments WHERE status = 'paid' AND amount > 0")
    assert sorted(row["merchant_uid"] for row in paid) == sorted(f"m_{n}" for n in range(40))


# -- charges that come late: the database may be an older copy that was restored


async def test_a_charge_that_is_in_time_asks_nothing_beforehand(flows):
    await flows.issue_key()
    await plan(flows, "m_1")
    flows.clock.add(60 + 59)
    assert await run_due(flows) == 1
    assert [path for path, _ in flows.network.asked] == ["subscription"]


async def test_a_late_charge_begins_once_the_pg_says_that_its_key_was_not_charged_since(flows):
    await flows.issue_key()
    flows.network.approve_silently()  # before it was due, and elsewhere: an imported key knows nothing of it
    await plan(flows, "m_1", in_seconds=600)
    flows.clock.add(600 + 3_600)
    await run_due(flows)
    assert (await stored(flows, "m_1")).payment.status is Status.PAID
    assert [path for path, _ in flows.network.asked] == ["manage/subscription/status", "subscription"]


async def test_the_question_about_a_late_charge_takes_a_place_of_scheduled_charges(flows, monkeypatch):
    """There are fewer places to look things up than a worker runs charges: late ones would wait for each other."""
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=600)
    flows.clock.add(600 + 3_600)
    kinds, send = [], flows.network.send

    async def noted(request):
        kinds.append(request.kind)
        return await send(request)

    monkeypatch.setattr(flows.network, "send", noted)
    await run_due(flows)
    assert kinds == [CallKind.SCHEDULED, CallKind.SCHEDULED]


async def test_a_late_charge_whose_key_was_charged_unknown_to_us_is_not_made_again(flows):
    """As after a restore: the copy believes that the charge still waits, and KakaoPay knows that it was made."""
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    flows.clock.add(61)
    flows.network.approve_silently()
    flows.clock.add(3_600)
    for _ in range(3):
        assert await run_due(flows) == 1
        flows.clock.add(LEASE_SECONDS * 3)
    assert flows.network.count("subscription") == 0
    waiting = await stored(flows, "m_1")
    assert (waiting.status, waiting.payment) == (ScheduleStatus.SCHEDULED, None)
    # It was made: a person takes it back. Of another, a person knows that it was not, and gives it a new time.
    assert await unschedule(flows.services, MERCHANT, ["m_1"], None)
    await plan(flows, "m_2", in_seconds=60)
    flows.clock.add(61)
    await run_due(flows)
    assert (await stored(flows, "m_2")).payment.status is Status.PAID


async def test_a_late_charge_is_not_kept_by_what_we_charged_ourselves(flows):
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    flows.clock.add(61)
    await charge(flows.services, MERCHANT, an_order("m_0"))
    flows.clock.add(3_600)
    await run_due(flows)
    assert (await stored(flows, "m_1")).payment.status is Status.PAID


@pytest.mark.parametrize(
    "answer",
    [lost, lambda _: reply({"error_code": -500}, 500), lambda _: reply({"error_code": -10}, 429)],
    ids=["lost", "500", "429"],
)
async def test_a_late_charge_waits_until_the_pg_tells(flows, answer):
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    flows.clock.add(3_600)
    flows.network.next_answer["manage/subscription/status"] = answer
    await run_due(flows)
    assert flows.network.count("subscription") == 0
    flows.clock.add(LEASE_SECONDS * 3)
    await run_due(flows)
    assert (await stored(flows, "m_1")).payment.status is Status.PAID


async def test_a_late_charge_of_a_key_that_the_pg_does_not_know_fails_and_is_told(flows):
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    flows.clock.add(3_600)
    flows.network.next_answer["manage/subscription/status"] = lambda _: reply({"error_code": -750}, 400)
    flows.network.next_answer["subscription"] = lambda _: reply({"error_code": -750, "error_message": "x"}, 400)
    await run_due(flows)
    assert (await stored(flows, "m_1")).payment.status is Status.FAILED


async def test_a_late_charge_waits_for_what_is_unclear_of_its_key(flows):
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    flows.clock.add(3_600)
    flows.network.next_answer["subscription"] = lost
    unclear = await charge(flows.services, MERCHANT, an_order("m_0"))
    assert unclear.status is Status.UNKNOWN
    await run_due(flows)
    assert (await stored(flows, "m_1")).status is ScheduleStatus.SCHEDULED
    assert flows.network.count("subscription") == 1
