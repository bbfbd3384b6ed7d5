"""A scheduled charge that failed is tried again as the merchant's rules say: bounded, seen beforehand, each try once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from maedal.flows.charge import charge
from maedal.flows.deactivate_key import deactivate_key
from maedal.flows.recovery import set_rule
from maedal.flows.resolve_unknown import UNCLEAR_AT_MOST, clarify
from maedal.flows.run_schedule import claim_due, retry, run_schedule
from maedal.flows.schedule_charges import reschedule, schedule_charges, unschedule
from maedal.merchants.errors import MerchantNotFound
from maedal.payments.attempt import DeclineReason
from maedal.payments.errors import InvalidParameter
from maedal.payments.moves import Status
from maedal.pg.driver import AnswerLost
from maedal.pg.kakaopay.codes import METHOD_UNSURE, REASONS
from maedal.rest.wire import schedule_object
from maedal.schedules.errors import NothingToUnschedule
from maedal.schedules.recovery import TRIES_MAX, WAIT_MAX, WAIT_MIN, NextTry
from maedal.schedules.schedule import ScheduleStatus
from maedal.storage.merchants.writes import SetRecovery
from maedal.storage.schedules.writes import EndTries
from tests.flows.test_schedules import LEASE_SECONDS, plan, run_due, stored
from tests.support.builders import MERCHANT, an_order
from tests.support.network import reply

DAY = timedelta(days=1)
DAY_SECONDS = 86_400


def declining(code):
    """Answer a charge with a decline of Money or the card company."""
    extras = {"method_result_code": code, "method_result_message": "why"}
    return lambda _: reply({"error_code": -782, "error_message": "declined", "extras": extras}, 400)


def lost(_):
    raise AnswerLost("the connection broke")


async def fail(flows, *waits, reason=DeclineReason.BALANCE, answer=None):
    """Let the charge m_1 fail after its merchant has set a rule, and return it."""
    if waits:
        await set_rule(flows.services, MERCHANT, reason, waits)
    flows.clock.add(3)
    await flows.issue_key()
    await plan(flows, "m_1")
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = answer or declining("LACK_BALANCE")
    assert await run_due(flows) == 1
    return await stored(flows, "m_1")


async def test_without_a_rule_nothing_is_tried_again(flows):
    failed = await fail(flows)
    assert (failed.payment.status, failed.next_try, failed.tries) == (Status.FAILED, None, 0)
    assert await flows.store.schedules.next_tries(MERCHANT, 10) == []


async def test_a_failure_is_tried_again_after_the_waits_of_its_reason_until_it_is_paid(flows):
    failed = await fail(flows, DAY, 3 * DAY)
    assert failed.next_try == NextTry(flows.clock.now() + DAY, DeclineReason.BALANCE)
    assert [s.order.merchant_uid for s in await flows.store.schedules.next_tries(MERCHANT, 10)] == ["m_1"]
    flows.clock.add(DAY_SECONDS - 1)
    assert await run_due(flows) == 0
    flows.clock.add(1)
    flows.network.next_answer["subscription"] = declining("LACK_BALANCE")
    assert await run_due(flows) == 1
    again = await stored(flows, "m_1")
    assert again.imp_uid != failed.imp_uid
    assert (again.next_try.at, again.tries) == (flows.clock.now() + 3 * DAY, 1)
    flows.clock.add(3 * DAY_SECONDS)
    assert await run_due(flows) == 1
    paid = await stored(flows, "m_1")
    assert (paid.status, paid.payment.status, paid.next_try, paid.tries) == (
        ScheduleStatus.EXECUTED, Status.PAID, None, 2,
    )  # fmt: skip
    flows.clock.add(100 * DAY_SECONDS)
    assert await run_due(flows) == 0
    assert flows.network.count("subscription") == 3


async def test_the_number_of_tries_is_bounded(flows):
    await fail(flows, DAY, DAY)
    for expected in (1, 1, 0, 0):
        flows.clock.add(DAY_SECONDS)
        flows.network.next_answer["subscription"] = declining("LACK_BALANCE")
        assert await run_due(flows) == expected
    assert (await stored(flows, "m_1")).next_try is None
    assert flows.network.count("subscription") == 3


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (declining("LACK_BALANCE"), DeclineReason.BALANCE),
        (declining("8326"), DeclineReason.LIMIT),
        (lambda _: reply({"error_code": -752, "error_message": "month"}, 400), DeclineReason.LIMIT),
        (declining("5012"), DeclineReason.LOCKED),
        (lambda _: reply({"error_code": -751, "error_message": "inactive"}, 400), DeclineReason.ENDED_KEY),
        (declining("5019"), DeclineReason.ENDED_KEY),
        (declining("0126"), DeclineReason.OTHER),
        (declining("LIMIT_ONE_TIME"), DeclineReason.OTHER),
        (lambda _: reply({"error_code": -797, "error_message": "too much"}, 400), DeclineReason.OTHER),
    ],
)
async def test_each_reason_has_a_rule_of_its_own(flows, answer, reason):
    for n, each in enumerate(DeclineReason, 1):
        await set_rule(flows.services, MERCHANT, each, [n * DAY])
    failed = await fail(flows, answer=answer)
    assert failed.payment.status is Status.FAILED
    waits = {r: n * DAY for n, r in enumerate(DeclineReason, 1)}
    assert failed.next_try == NextTry(flows.clock.now() + waits[reason], reason)


def test_no_answer_that_leaves_the_outcome_open_has_a_reason():
    assert set(REASONS).isdisjoint(METHOD_UNSURE)


async def test_an_unknown_outcome_is_never_tried_again_even_once_it_is_known(flows):
    for reason in DeclineReason:
        await set_rule(flows.services, MERCHANT, reason, [DAY])
    failed = await fail(flows, answer=lost)
    assert (failed.payment.status, failed.next_try) == (Status.UNKNOWN, None)
    flows.clock.add(2 * DAY_SECONDS)
    assert await run_due(flows) == 0
    [found] = await flows.store.unknown_outcomes.due(flows.clock.now(), 10)
    assert flows.clock.now() - found.attempt.begun_at > UNCLEAR_AT_MOST
    assert (await clarify(flows.services, found)).status is Status.FAILED
    assert (await stored(flows, "m_1")).next_try is None


async def test_without_a_key_the_buyer_has_until_the_try_to_register_anew(flows):
    await set_rule(flows.services, MERCHANT, DeclineReason.ENDED_KEY, [DAY, DAY])
    flows.clock.add(3)
    await flows.issue_key()
    await plan(flows, "m_1")
    await deactivate_key(flows.services, MERCHANT, "c_1")
    flows.clock.add(60)
    await run_due(flows)
    for tries in (0, 1):
        failed = await stored(flows, "m_1")
        assert (failed.payment.status, failed.tries) == (Status.FAILED, tries)
        assert failed.next_try.reason is DeclineReason.ENDED_KEY
        if tries:
            await flows.issue_key()
        flows.clock.add(DAY_SECONDS)
        assert await run_due(flows) == 1
    assert (await stored(flows, "m_1")).payment.status is Status.PAID


async def test_workers_that_claim_and_begin_at_once_try_once(flows):
    await fail(flows, DAY)
    flows.clock.add(DAY_SECONDS)
    first = await claim_due(flows.services, 20)
    assert await claim_due(flows.services, 20) == []
    flows.clock.add(LEASE_SECONDS)
    second = await claim_due(flows.services, 20)
    await asyncio.gather(*(run_schedule(flows.services, s) for s in (*first, *second)))
    assert (await stored(flows, "m_1")).payment.status is Status.PAID
    assert flows.network.count("subscription") == 2


async def test_a_retry_by_hand_takes_the_place_of_the_try(flows):
    await fail(flows, DAY)
    flows.clock.add(DAY_SECONDS)
    claimed = await claim_due(flows.services, 20)
    assert (await retry(flows.services, MERCHANT, "m_1")).status is Status.PAID
    await asyncio.gather(*(run_schedule(flows.services, s) for s in claimed))
    flows.clock.add(DAY_SECONDS)
    assert await run_due(flows) == 0
    assert flows.network.count("subscription") == 2


async def test_a_retry_by_hand_that_fails_counts_as_a_try(flows):
    await fail(flows, DAY, 2 * DAY)
    flows.network.next_answer["subscription"] = declining("LACK_BALANCE")
    assert (await retry(flows.services, MERCHANT, "m_1")).status is Status.FAILED
    failed = await stored(flows, "m_1")
    assert (failed.tries, failed.next_try.at) == (1, flows.clock.now() + 2 * DAY)


async def by_merchant_uid(flows):
    return await unschedule(flows.services, MERCHANT, ["m_1"], None)


async def by_customer(flows):
    return await unschedule(flows.services, MERCHANT, None, "c_1")


@pytest.mark.parametrize("take_back", [by_merchant_uid, by_customer])
@pytest.mark.parametrize("claimed_first", [False, True])
async def test_unscheduled_it_is_not_tried_again(flows, take_back, claimed_first):
    await fail(flows, DAY)
    claimed = []
    if claimed_first:
        flows.clock.add(DAY_SECONDS)
        claimed = await claim_due(flows.services, 20)
    [taken_back] = await take_back(flows)
    assert (taken_back.order.merchant_uid, taken_back.status) == ("m_1", ScheduleStatus.EXECUTED)
    await asyncio.gather(*(run_schedule(flows.services, s) for s in claimed))
    flows.clock.add(10 * DAY_SECONDS)
    assert await run_due(flows) == 0
    assert flows.network.count("subscription") == 1
    with pytest.raises(NothingToUnschedule):
        await take_back(flows)


@pytest.mark.parametrize("take_back", [by_merchant_uid, by_customer])
async def test_unscheduled_it_is_shown_as_when_it_is_read(flows, take_back):
    await fail(flows, DAY)
    [taken_back] = await take_back(flows)
    read = schedule_object(await stored(flows, "m_1"))
    assert schedule_object(taken_back) == read
    assert (read["schedule_status"], read["payment_status"], read["pg_provider"]) == ("executed", "failed", "kakaopay")
    assert read["fail_reason"]


async def test_somebody_elses_customer_keeps_its_tries(flows):
    await fail(flows, DAY)
    with pytest.raises(NothingToUnschedule):
        await unschedule(flows.services, MERCHANT, ["m_1"], "c_2")
    assert (await stored(flows, "m_1")).next_try is not None


@pytest.mark.parametrize("anew", ["reschedule", "plan"])
async def test_planned_anew_it_begins_from_the_start(flows, anew):
    await fail(flows, DAY, DAY)
    flows.clock.add(DAY_SECONDS)
    flows.network.next_answer["subscription"] = declining("LACK_BALANCE")
    await run_due(flows)
    at = flows.clock.now() + timedelta(hours=1)
    if anew == "reschedule":
        await reschedule(flows.services, MERCHANT, "m_1", at)
    else:
        key = await flows.store.billing_keys.find(MERCHANT, "c_1")
        await schedule_charges(flows.services, key, [((await stored(flows, "m_1")).order, at)])
    waiting = await stored(flows, "m_1")
    assert (waiting.status, waiting.next_try, waiting.tries) == (ScheduleStatus.SCHEDULED, None, 0)
    flows.clock.add(3_600)
    assert await run_due(flows) == 1
    assert (await stored(flows, "m_1")).payment.status is Status.PAID


async def test_charged_in_another_way_it_is_not_tried_and_nothing_is_told(flows):
    failed = await fail(flows, DAY)
    assert (await charge(flows.services, MERCHANT, an_order("m_1"))).status is Status.PAID
    flows.clock.add(DAY_SECONDS)
    assert await run_due(flows) == 1
    after = await stored(flows, "m_1")
    assert (after.imp_uid, after.next_try) == (failed.imp_uid, None)
    flows.clock.add(10 * DAY_SECONDS)
    assert await run_due(flows) == 0
    assert flows.network.count("subscription") == 2
    assert not await flows.store.write(EndTries(failed))


async def test_while_another_payment_of_it_is_open_it_waits(flows):
    await fail(flows, DAY)
    flows.network.next_answer["subscription"] = lost
    assert (await charge(flows.services, MERCHANT, an_order("m_1"))).status is Status.UNKNOWN
    flows.clock.add(DAY_SECONDS)
    assert await run_due(flows) == 1
    assert (await stored(flows, "m_1")).next_try is not None
    assert flows.network.count("subscription") == 2


async def test_a_charge_that_nobody_planned_is_not_tried_again(flows):
    await set_rule(flows.services, MERCHANT, DeclineReason.BALANCE, [DAY])
    await flows.issue_key()
    flows.network.next_answer["subscription"] = declining("LACK_BALANCE")
    assert (await charge(flows.services, MERCHANT, an_order("m_2"))).status is Status.FAILED
    assert await flows.store.schedules.next_tries(MERCHANT, 10) == []


async def test_a_rule_is_set_shown_and_taken_away(flows):
    await set_rule(flows.services, MERCHANT, "balance", [DAY, 2 * DAY])
    rules = await set_rule(flows.services, MERCHANT, "limit", [WAIT_MIN, WAIT_MAX])
    assert rules == {DeclineReason.BALANCE: (DAY, 2 * DAY), DeclineReason.LIMIT: (WAIT_MIN, WAIT_MAX)}
    assert await set_rule(flows.services, MERCHANT, "balance", []) == {DeclineReason.LIMIT: (WAIT_MIN, WAIT_MAX)}
    assert (await flows.store.merchants.find(MERCHANT)).recovery == {DeclineReason.LIMIT: (WAIT_MIN, WAIT_MAX)}


@pytest.mark.parametrize(
    ("reason", "waits"),
    [
        ("weather", [DAY]),
        ("balance", [DAY] * (TRIES_MAX + 1)),
        ("balance", [WAIT_MIN - timedelta(seconds=1)]),
        ("balance", [DAY, WAIT_MAX + timedelta(seconds=1)]),
    ],
)
async def test_no_rule_is_kept_that_is_none(flows, reason, waits):
    with pytest.raises(InvalidParameter):
        await set_rule(flows.services, MERCHANT, reason, waits)
    assert (await flows.store.merchants.find(MERCHANT)).recovery == {}


async def test_two_who_change_rules_at_once_do_not_undo_each_other(flows):
    await asyncio.gather(*(set_rule(flows.services, MERCHANT, reason, [DAY]) for reason in DeclineReason))
    assert set((await flows.store.merchants.find(MERCHANT)).recovery) == set(DeclineReason)
    assert await flows.store.write(SetRecovery(MERCHANT, {}, {})) is None


async def test_an_unknown_merchant_has_no_rules(flows):
    with pytest.raises(MerchantNotFound):
        await set_rule(flows.services, "imp99999998", "balance", [DAY])
