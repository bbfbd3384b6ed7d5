"""What a person does to scheduled charges: nothing is charged that is held, nothing twice, and all of it is on record."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.flows.change_schedules import ChangeRequest, change_schedule, change_schedules
from maedal.flows.deactivate_key import KeyByHand, deactivate_key
from maedal.flows.run_schedule import ByHand, claim_due, retry, run_schedule
from maedal.flows.schedule_charges import change_time
from maedal.merchants.audit_entry import AuditAction
from maedal.payments.errors import InvalidParameter
from maedal.payments.moves import Status
from maedal.schedules.errors import ScheduleNotChangeable
from maedal.schedules.manual_changes import ManualChange, Obstacle, mark_of, obstacle_to
from maedal.schedules.schedule import ScheduleStatus
from tests.flows.test_schedules import declining, plan, run_due, stored
from tests.support.builders import MERCHANT
from tests.support.network import reply

HOLD, RELEASE = ChangeRequest(ManualChange.HOLD, "Kim", "점검"), ChangeRequest(ManualChange.RELEASE, "Kim")
DAY_SECONDS = 86_400


async def test_a_held_charge_waits_past_its_time_and_runs_once_it_is_released(flows):
    await flows.issue_key()
    await plan(flows, "m_1")
    await change_schedule(flows.services, await stored(flows, "m_1"), HOLD)
    flows.clock.add(DAY_SECONDS)
    assert await run_due(flows) == 0
    await change_schedule(flows.services, await stored(flows, "m_1"), RELEASE)
    assert await run_due(flows) == 1
    assert (await stored(flows, "m_1")).payment.status is Status.PAID
    # It came late, so the PG was asked about the key first.
    assert (flows.network.count("manage/subscription/status"), flows.network.count("subscription")) == (1, 1)


async def test_a_hold_between_a_workers_claim_and_its_charge_keeps_the_charge_from_beginning(flows):
    await flows.issue_key()
    await plan(flows, "m_1")
    flows.clock.add(60)
    [claimed] = await claim_due(flows.services, 10)
    await change_schedule(flows.services, await stored(flows, "m_1"), HOLD)
    await run_schedule(flows.services, claimed)
    assert flows.network.count("subscription") == 0
    assert (await stored(flows, "m_1")).status is ScheduleStatus.SCHEDULED


async def test_the_merchants_server_moves_what_is_held_and_does_not_release_it(flows):
    await flows.issue_key()
    await plan(flows, "m_1")
    await change_schedule(flows.services, await stored(flows, "m_1"), HOLD)
    moved = await change_time(flows.services, MERCHANT, "m_1", flows.clock.now() + timedelta(minutes=5))
    assert moved.hold is not None
    flows.clock.add(600)
    assert await run_due(flows) == 0


async def a_failure(flows, uid="m_1"):
    await plan(flows, uid)
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = declining
    await run_due(flows)
    flows.clock.add(5)
    return await stored(flows, uid)


async def test_a_retry_by_hand_charges_once_however_often_it_is_sent(flows):
    await flows.issue_key()
    failed = await a_failure(flows)
    by_hand = ByHand("Kim", "01ATTEMPT", failed.imp_uid)
    first, second = [await retry(flows.services, MERCHANT, "m_1", by_hand) for _ in range(2)]
    assert (first.imp_uid, first.status) == (second.imp_uid, Status.PAID)
    assert flows.network.count("subscription") == 2
    [act] = await flows.store.audit.about(MERCHANT, "m_1", 10)
    assert (act.kind, act.who) == (AuditAction.RETRY_SCHEDULE, "Kim")
    with pytest.raises(ScheduleNotChangeable):
        await retry(flows.services, MERCHANT, "m_1", ByHand("Kim", "01OTHER", failed.imp_uid))


async def test_what_is_held_after_it_failed_is_not_retried(flows):
    await flows.issue_key()
    await plan(flows, "m_1")
    await change_schedule(flows.services, await stored(flows, "m_1"), HOLD)
    with pytest.raises(ScheduleNotChangeable):
        await retry(flows.services, MERCHANT, "m_1")
    assert flows.network.count("subscription") == 0


async def test_many_are_changed_as_they_were_seen_and_twice_is_once(flows):
    await flows.issue_key()
    planned = await plan(flows, *(f"m_{n}" for n in range(6)))
    seen = [(s.order.merchant_uid, mark_of(s)) for s in planned]
    await change_time(flows.services, MERCHANT, "m_2", flows.clock.now() + timedelta(hours=9))
    await change_schedule(flows.services, await stored(flows, "m_4"), ChangeRequest(ManualChange.REVOKE, "Lee"))
    wanted = ChangeRequest(ManualChange.MOVE, "Kim", "연휴", days=3)
    both = await asyncio.gather(
        *(change_schedules(flows.services, MERCHANT, seen, wanted, "01DRAWN") for _ in range(2))
    )
    assert max(both) == 4
    assert await change_schedules(flows.services, MERCHANT, seen, wanted, "01DRAWN") == 4
    for n in (0, 1, 3, 5):
        assert (await stored(flows, f"m_{n}")).schedule_at == planned[n].schedule_at + timedelta(days=3)
    assert (await stored(flows, "m_4")).status is ScheduleStatus.REVOKED
    [act] = await flows.store.audit.about(MERCHANT, "m_0", 10)
    assert (act.kind, act.who, act.reason) == (AuditAction.MOVE_SCHEDULE, "Kim", "연휴")


async def test_failed_ones_that_are_to_be_charged_anew_are_begun_by_a_worker(flows):
    await flows.issue_key()
    failed = await a_failure(flows)
    seen = [("m_1", mark_of(failed))]
    assert (
        await change_schedules(flows.services, MERCHANT, seen, ChangeRequest(ManualChange.RETRY, "Kim"), "01DRAWN") == 1
    )
    assert await run_due(flows) == 0
    flows.clock.add(61)
    assert await run_due(flows) == 1
    paid = await stored(flows, "m_1")
    assert (paid.payment.status, paid.imp_uid == failed.imp_uid) == (Status.PAID, False)


async def test_what_is_in_the_way_is_named(flows):
    await flows.issue_key()
    failed = await a_failure(flows, "m_2")
    [waiting] = await plan(flows, "m_1")
    now = flows.clock.now()
    found = {change: (obstacle_to(waiting, change, now), obstacle_to(failed, change, now)) for change in ManualChange}
    assert found == {
        ManualChange.HOLD: (None, Obstacle.NOT_AHEAD),
        ManualChange.RELEASE: (Obstacle.NOT_HELD, Obstacle.NOT_HELD),
        ManualChange.REVOKE: (None, Obstacle.NOT_AHEAD),
        ManualChange.MOVE: (None, Obstacle.NOT_WAITING),
        ManualChange.RETRY: (Obstacle.STILL_WAITS, None),
        ManualChange.ANEW: (Obstacle.STILL_WAITS, None),
    }
    assert obstacle_to(waiting, ManualChange.MOVE, now, now) is Obstacle.TIME_OVER
    flows.clock.add(60)
    await run_due(flows)
    paid = await stored(flows, "m_1")
    assert obstacle_to(paid, ManualChange.RETRY, now) is Obstacle.PAID
    with pytest.raises(InvalidParameter):
        await change_schedule(flows.services, waiting, ChangeRequest(ManualChange.MOVE, "Kim", days=0))


async def test_a_key_that_the_buyer_ended_at_the_pg_is_known_from_then_on(flows):
    key = await flows.issue_key()
    assert (await flows.store.billing_keys.find(MERCHANT, "c_1")).gone_at is None
    await plan(flows, "m_1")
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = lambda _: reply({"error_code": -751, "error_message": "inactive"}, 400)
    await run_due(flows)
    found = await flows.store.billing_keys.find(MERCHANT, "c_1")
    assert (found.id, found.gone_at is not None, found.ended_at) == (key.id, True, None)


async def test_a_person_ends_the_key_they_saw_and_no_newer_one(flows):
    old = await flows.issue_key()
    await flows.issue_key()
    with pytest.raises(BillingKeyNotFound):
        await deactivate_key(flows.services, MERCHANT, "c_1", KeyByHand(old.id, "Kim", "탈퇴"))
    living = await flows.store.billing_keys.find(MERCHANT, "c_1")
    await deactivate_key(flows.services, MERCHANT, "c_1", KeyByHand(living.id, "Kim", "탈퇴"))
    assert await flows.store.billing_keys.find(MERCHANT, "c_1") is None
    [act] = await flows.store.audit.about(MERCHANT, living.id, 10)
    assert (act.kind, act.who, act.reason) == (AuditAction.END_KEY, "Kim", "탈퇴")
