"""The charge protocol: begin, call, record, answer."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from maedal.billing_keys.errors import BillingKeyBusy, BillingKeyNotFound, BillingKeyUnclear
from maedal.billing_keys.last_approval import settles_in
from maedal.flows.charge import charge
from maedal.flows.record_lost_attempts import record_lost_attempts
from maedal.flows.resolve_unknown import UNCLEAR_AT_MOST, clarify, clarify_due, look_after
from maedal.payments.attempt import Proof
from maedal.payments.errors import MerchantUidUsed, OutcomeUnknown
from maedal.payments.ids import RandomIds
from maedal.payments.moves import Status
from maedal.pg.driver import AnswerLost, NotSent
from maedal.storage.errors import Conflict, StoreError
from maedal.storage.payments.writes import BeginCharge, Record, Refusal
from tests.support.builders import MERCHANT, NOW, an_order
from tests.support.network import reply


def lost(_):
    raise AnswerLost("the connection broke")


def not_sent(_):
    raise NotSent("refused")


async def test_the_intent_is_committed_before_the_call_and_the_outcome_before_the_answer(flows):
    await flows.issue_key()
    seen = []

    async def look(body):
        payment = await flows.store.payments.find_by_merchant_uid(MERCHANT, "m_1", list(Status), "started")
        seen.append((payment.status, body["partner_order_id"]))

    send = flows.network.send

    async def watched(request):
        import json

        await look(json.loads(request.body))
        return await send(request)

    flows.network.send = watched
    payment = await charge(flows.services, MERCHANT, an_order("m_1"))
    attempts = await flows.store.engine.fetch("SELECT id FROM attempts WHERE imp_uid = $1", payment.imp_uid)
    assert seen == [(Status.CALLING, attempts[0]["id"])]
    assert (await flows.store.payments.find(MERCHANT, payment.imp_uid)) == payment
    assert payment.status is Status.PAID


async def test_a_charge_that_never_left_is_failed_with_proof(flows):
    await flows.issue_key()
    flows.network.next_answer["subscription"] = not_sent
    payment = await charge(flows.services, MERCHANT, an_order("m_1"))
    assert payment.status is Status.FAILED
    rows = await flows.store.engine.fetch("SELECT outcome, proof FROM attempts WHERE imp_uid = $1", payment.imp_uid)
    assert (rows[0]["outcome"], rows[0]["proof"]) == ("not_sent", Proof.NO_CONNECTION)


async def test_a_lost_answer_is_paid_when_the_keys_last_approval_moved(flows):
    await flows.issue_key()

    def approve_and_drop(_):
        flows.network.approve_silently()
        raise AnswerLost("dropped")

    flows.clock.add(60)
    flows.network.next_answer["subscription"] = approve_and_drop
    payment = await charge(flows.services, MERCHANT, an_order("m_1"))
    assert (payment.status, payment.pg_tid) == (Status.PAID, None)
    assert flows.network.count("subscription") == 1
    # What was learnt is what the next charge is judged against.
    key = await flows.store.billing_keys.find(MERCHANT, "c_1")
    assert key.last_approved_at == NOW + timedelta(seconds=60)


async def test_a_lost_answer_stays_unknown_for_twenty_minutes_and_then_is_not_charged(flows):
    await flows.issue_key()
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = lost
    payment = await charge(flows.services, MERCHANT, an_order("m_1"))
    assert payment.status is Status.UNKNOWN
    with pytest.raises(BillingKeyUnclear):
        await charge(flows.services, MERCHANT, an_order("m_2"))
    with pytest.raises(MerchantUidUsed):
        await charge(flows.services, MERCHANT, an_order("m_1"))
    flows.clock.add(UNCLEAR_AT_MOST.total_seconds() - 30)
    [found] = await flows.store.unknown_outcomes.due(flows.clock.now(), 10)
    assert (await clarify(flows.services, found)).status is Status.UNKNOWN
    flows.clock.add(60)
    resolved = await clarify(flows.services, found)
    assert resolved.status is Status.FAILED
    rows = await flows.store.engine.fetch("SELECT proof FROM attempts WHERE imp_uid = $1", payment.imp_uid)
    assert rows[0]["proof"] == Proof.KEY_STATUS
    assert flows.network.count("subscription") == 1
    assert (await charge(flows.services, MERCHANT, an_order("m_2"))).status is Status.PAID


async def test_an_approval_of_before_we_sent_is_not_ours(flows):
    await flows.issue_key()
    flows.network.approve_silently()
    flows.clock.add(600)
    flows.network.next_answer["subscription"] = lost
    payment = await charge(flows.services, MERCHANT, an_order("m_1"))
    assert payment.status is Status.UNKNOWN


async def test_a_status_that_does_not_answer_leaves_it_unknown(flows):
    await flows.issue_key()
    flows.network.next_answer["subscription"] = lost
    payment = await charge(flows.services, MERCHANT, an_order("m_1"))
    flows.clock.add(UNCLEAR_AT_MOST.total_seconds() * 2)
    for answer in (lost, not_sent, lambda _: reply({}, 500), lambda _: reply({"sid": "S9999999999999999999"})):
        flows.network.next_answer["manage/subscription/status"] = answer
        [found] = await flows.store.unknown_outcomes.due(flows.clock.now(), 10)
        assert (await clarify(flows.services, found)).status is Status.UNKNOWN
    assert (await flows.store.payments.find(MERCHANT, payment.imp_uid)).status is Status.UNKNOWN


async def test_a_charge_of_a_dead_process_becomes_unknown_and_blocks_its_key(flows):
    await flows.issue_key()
    flows.clock.add(60)
    now = flows.clock.now()
    await flows.store.write(BeginCharge(MERCHANT, "imps_1", "at_dead", an_order("m_1"), now))
    assert await record_lost_attempts(flows.services) == 0
    flows.clock.add(61)
    assert await record_lost_attempts(flows.services) == 1
    assert (await flows.store.payments.find(MERCHANT, "imps_1")).status is Status.UNKNOWN
    with pytest.raises(BillingKeyUnclear):
        await charge(flows.services, MERCHANT, an_order("m_2"))


async def test_a_record_that_comes_late_adds_only_what_it_alone_knows(flows):
    """A process that was paused for longer than an attempt can last wakes up and finds its charge clarified."""
    await flows.issue_key()
    flows.clock.add(60)
    send = flows.network.send

    async def paused(request):
        answer = await send(request)
        flows.clock.add(120)
        await record_lost_attempts(flows.services)
        [found] = await flows.store.unknown_outcomes.due(flows.clock.now(), 10)
        flows.network.send = send
        assert (await clarify(flows.services, found)).status is Status.PAID
        return answer

    flows.network.send = paused
    payment = await charge(flows.services, MERCHANT, an_order("m_1"))
    assert payment.status is Status.PAID
    # Proved by the key, it lacked the PG's id, and the reply has it.
    assert payment.version == 4
    assert payment.pg_tid is not None
    assert flows.network.count("subscription") == 1


async def test_a_second_charge_waits_for_the_first_and_is_refused_in_bounded_time(flows):
    await flows.issue_key()
    flows.clock.add(60)
    # Another node is charging this key.
    await flows.store.write(BeginCharge(MERCHANT, "imps_1", "at_other", an_order("m_1"), flows.clock.now()))
    with pytest.raises(BillingKeyBusy):
        await charge(flows.services, MERCHANT, an_order("m_2"))
    assert flows.network.asked == []


async def test_parallel_charges_of_one_key_take_turns(flows):
    await flows.issue_key()
    flows.clock.add(60)
    orders = [an_order(f"m_{n}") for n in range(10)]
    payments = await asyncio.gather(*(charge(flows.services, MERCHANT, order) for order in orders))
    assert [p.status for p in payments] == [Status.PAID] * 10
    # Never two so close that the PG may tell the same time of both, or a lost one could not be told from its neighbour.
    approved = await flows.store.engine.fetch("SELECT begun_at FROM attempts WHERE verb = 'charge' ORDER BY begun_at")
    from maedal.storage.engine.reading import moment

    begun = [moment(row["begun_at"]) for row in approved]
    assert all(later - earlier >= settles_in(in_reply=True) for earlier, later in pairwise(begun))


async def test_a_charge_that_another_node_was_ahead_of_again_and_again_still_has_its_turn(flows, monkeypatch):
    await flows.issue_key()
    flows.clock.add(60)
    write, met = flows.store.write, []

    async def another_is_first(item):
        if isinstance(item, BeginCharge) and len(met) < 14:
            met.append(item)
            if len(met) % 2:
                raise Conflict("the rule one_charge_at_a_time refused the write")
            return Refusal.KEY_BUSY
        return await write(item)

    monkeypatch.setattr(flows.store, "write", another_is_first)
    assert (await charge(flows.services, MERCHANT, an_order("m_1"))).status is Status.PAID
    assert len(met) == 14
    assert flows.network.count("subscription") == 1


async def test_a_write_that_meets_nothing_but_conflicts_is_given_up(flows, monkeypatch):
    await flows.issue_key()
    flows.clock.add(60)

    async def refused(item):
        raise Conflict("a rule refused the write")

    monkeypatch.setattr(flows.store, "write", refused)
    with pytest.raises(Conflict):
        await charge(flows.services, MERCHANT, an_order("m_1"))
    assert flows.network.asked == []


async def test_ids_that_collide_are_drawn_again(flows):
    from dataclasses import replace

    class Colliding(RandomIds):
        drawn = 0

        def server_payment(self):
            self.drawn += 1
            return "imps_000000000001" if self.drawn <= 3 else super().server_payment()

    ids = Colliding()
    await flows.issue_key("c_1")
    await flows.issue_key("c_2")
    services = replace(flows.services, ids=ids)
    first = await charge(services, MERCHANT, an_order("m_1", customer_uid="c_1"))
    second = await charge(services, MERCHANT, an_order("m_2", customer_uid="c_2"))
    assert first.imp_uid == "imps_000000000001"
    assert second.imp_uid != first.imp_uid
    assert ids.drawn == 4


async def test_a_caller_that_goes_away_does_not_stop_the_recording(flows):
    await flows.issue_key()
    flows.clock.add(60)
    send = flows.network.send
    calling = asyncio.Event()
    go_on = asyncio.Event()

    async def slow(request):
        calling.set()
        await go_on.wait()
        return await send(request)

    flows.network.send = slow
    caller = asyncio.create_task(charge(flows.services, MERCHANT, an_order("m_1")))
    await calling.wait()
    caller.cancel()
    go_on.set()
    await flows.services.background.drain(10)
    payment = await flows.store.payments.find_by_merchant_uid(MERCHANT, "m_1", list(Status), "started")
    assert payment.status is Status.PAID


async def test_a_store_that_stumbles_is_asked_again_until_the_outcome_is_kept(flows, monkeypatch):
    await flows.issue_key()
    flows.clock.add(60)
    write, failures = flows.store.write, []

    async def stumbling(item):
        if isinstance(item, Record) and len(failures) < 3:
            failures.append(item)
            raise StoreError("the database restarts")
        return await write(item)

    monkeypatch.setattr(flows.store, "write", stumbling)
    assert (await charge(flows.services, MERCHANT, an_order("m_1"))).status is Status.PAID
    assert len(failures) == 3


async def test_an_outcome_that_cannot_be_kept_is_never_answered_with_try_again(flows, monkeypatch):
    await flows.issue_key()
    flows.clock.add(60)
    write = flows.store.write

    async def gone(item):
        if isinstance(item, Record):
            raise StoreError("the database is gone")
        return await write(item)

    monkeypatch.setattr(flows.store, "write", gone)
    with pytest.raises(OutcomeUnknown):
        await charge(flows.services, MERCHANT, an_order("m_1"))
    monkeypatch.undo()
    # Once the database is back, the process that knows it records it; the charge is not repeated.
    await flows.services.background.drain(10)
    stored = (await flows.store.payments.by_ids(MERCHANT, [], ["m_1"]))[0]
    assert (stored.status, stored.pg_tid is None) == (Status.PAID, False)
    assert flows.network.count("subscription") == 1


async def test_an_unknown_customer_is_refused_and_nothing_is_called(flows):
    with pytest.raises(BillingKeyNotFound):
        await charge(flows.services, MERCHANT, an_order("m_1"))
    assert flows.network.asked == []


async def test_what_can_never_be_known_does_not_keep_the_others_waiting(flows):
    for n in range(6):
        await flows.issue_key(f"c_{n}")
        flows.clock.add(3)
        flows.network.next_answer["subscription"] = lost
        await charge(flows.services, MERCHANT, an_order(f"m_{n}", customer_uid=f"c_{n}"))
    flows.clock.add(60)

    # Two at a time: each turn asks about others, until all were asked about once.
    assert [await clarify_due(flows.services, 2) for _ in range(4)] == [2, 2, 2, 0]


async def test_looks_come_at_growing_intervals_but_often_until_twenty_minutes(flows):
    begun = flows.clock.now()
    waits = []
    age = timedelta(0)
    while age < timedelta(days=3):
        waits.append(look_after(begun, begun + age))
        age += waits[-1]
    ages = [sum(waits[:n], timedelta(0)) for n in range(len(waits))]
    assert min(waits) == timedelta(seconds=15)
    assert max(waits) == timedelta(hours=6)
    # A charge is known not to have been made within five minutes of the time that it takes to know.
    assert any(UNCLEAR_AT_MOST <= age <= UNCLEAR_AT_MOST + timedelta(minutes=5) for age in ages)
    assert len(waits) < 40


async def test_two_workers_do_not_look_at_the_same_time(flows):
    await flows.issue_key()
    flows.network.next_answer["subscription"] = lost
    flows.clock.add(3)
    await charge(flows.services, MERCHANT, an_order("m_1"))
    before = flows.network.count("manage/subscription/status")
    flows.clock.add(60)
    await asyncio.gather(*(clarify_due(flows.services, 10) for _ in range(5)))
    assert flows.network.count("manage/subscription/status") == before + 1
