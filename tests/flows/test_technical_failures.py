"""What nobody declined is not told as failed: a scheduled charge waits, within a bound, and the operator is told."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from maedal import metrics
from maedal.flows.cancel import CancelRequest, cancel
from maedal.flows.charge import charge
from maedal.flows.check_invariants import measure
from maedal.flows.outcome_writes import NOTHING_HAPPENED
from maedal.flows.recovery import set_rule
from maedal.flows.resolve_unknown import LOOK_MIN, UNCLEAR_AT_MOST, clarify_due
from maedal.flows.set_up_channel import ChannelSettings, change_channel
from maedal.flows.set_webhook import set_webhook
from maedal.merchants.channel import secret_context
from maedal.merchants.errors import ChannelMisconfigured
from maedal.payments.attempt import DeclineReason, Fault
from maedal.payments.errors import CancelRefused
from maedal.payments.moves import Status
from maedal.pg.driver import AnswerLost, NoConnectionFree, NotSent, PgReply, TooLate
from maedal.reconciliation.settlement import SEOUL
from maedal.schedules.schedule import ScheduleStatus
from maedal.schedules.waiting import AT_MOST, LONGEST, LONGEST_OF_TOO_MANY, SHORTEST, try_again_at
from maedal.storage.channels.writes import PutChannel
from maedal.storage.payments.reads import PaymentFilter, Sorting
from maedal.worker import loops
from maedal.worker.loops import Worker
from tests.flows.test_schedules import notices, plan, run_due, stored
from tests.support.builders import MERCHANT, NOW, a_channel, an_order
from tests.support.network import reply


def raising(error):
    def answer(_):
        raise error

    return answer


def refusing(code, status=400, message="x"):
    return lambda _: reply({"error_code": code, "error_message": message}, status)


NOBODYS_DECLINE = {
    "connection refused": raising(NotSent("ClientConnectorError")),
    "no connection free": raising(NoConnectionFree("no connection free")),
    "too late to send": raising(TooLate("too late to send")),
    "too many calls": refusing(-429, 429),
    "quota of the day": refusing(-10),
    "wrong secret": refusing(-401, 401),
    "wrong secret, no body": lambda _: PgReply(401, b""),
    "address not allowed": refusing(-798),
    "account restricted": refusing(-4),
    "API switched off": refusing(-3),
    "no permission": refusing(-5, 403),
    "CID wrong": refusing(-731),
    "a test CID under a live key": refusing(-2, message="invalid param(cid has invalid value)"),
}
SHORT = {"method_result_code": "LACK_BALANCE", "method_result_message": "x"}
THE_BUYERS = {
    "no balance": lambda _: reply({"error_code": -782, "error_message": "x", "extras": SHORT}, 400),
    "SID ended": refusing(-751),
    "monthly number used up": refusing(-752),
    "a bad field of this order": refusing(-2, message="item_name can't be null."),
}


@pytest.fixture
async def shop(flows):
    """A merchant who is told of everything, with a charge that is due."""
    await set_webhook(flows.services, MERCHANT, live=None, test="http://shop.test/told", body=None)
    flows.clock.add(3)
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    flows.clock.add(60)
    return flows


@pytest.mark.parametrize("answer", NOBODYS_DECLINE.values(), ids=NOBODYS_DECLINE)
async def test_a_planned_charge_that_nobody_declined_waits_untold_and_is_charged_later(shop, answer):
    shop.network.next_answer["subscription"] = answer
    assert await run_due(shop) == 1
    waiting = await stored(shop, "m_1")
    assert (waiting.status, waiting.imp_uid, waiting.tries) == (ScheduleStatus.SCHEDULED, None, 0)
    assert await notices(shop) == []
    shop.clock.add(86_400 - 61)
    assert await run_due(shop) == 1
    assert (await stored(shop, "m_1")).payment.status is Status.PAID
    assert ['"paid"' in body for _, body in await notices(shop)] == [True]


@pytest.mark.parametrize("answer", THE_BUYERS.values(), ids=THE_BUYERS)
async def test_what_the_pg_decided_about_the_payment_is_told_at_once(shop, answer):
    shop.network.next_answer["subscription"] = answer
    assert await run_due(shop) == 1
    assert (await stored(shop, "m_1")).payment.status is Status.FAILED
    assert ['"failed"' in body for _, body in await notices(shop)] == [True]


@pytest.mark.parametrize(
    "answer", [raising(AnswerLost("cut")), lambda _: PgReply(502, b"bad gateway")], ids=["cut", "502"]
)
async def test_a_planned_charge_whose_answer_was_lost_and_that_was_not_made_waits_too(shop, answer):
    shop.network.next_answer["subscription"] = answer
    await run_due(shop)
    shop.clock.add(UNCLEAR_AT_MOST.total_seconds() + 60)
    assert await clarify_due(shop.services, 10) == 1
    assert (await stored(shop, "m_1")).status is ScheduleStatus.SCHEDULED
    shop.clock.add(LONGEST.total_seconds() + 1)
    assert await run_due(shop) == 1
    assert (await stored(shop, "m_1")).payment.status is Status.PAID
    assert ['"paid"' in body for _, body in await notices(shop)] == [True]


async def test_one_that_a_method_of_payment_left_open_and_did_not_make_is_told_as_failed(shop):
    extras = {"method_result_code": "BANK_FIRM_UNKNOWN", "method_result_message": "open"}
    shop.network.next_answer["subscription"] = lambda _: reply(
        {"error_code": -782, "error_message": "x", "extras": extras}, 400
    )
    await run_due(shop)
    shop.clock.add(UNCLEAR_AT_MOST.total_seconds() + 60)
    await clarify_due(shop.services, 10)
    assert ['"failed"' in body for _, body in await notices(shop)] == [True]


async def test_after_its_bound_it_fails_with_the_true_reason_and_is_told_once(shop):
    due_at = (await stored(shop, "m_1")).schedule_at
    tries = 0
    while shop.clock.now() < due_at + AT_MOST + timedelta(hours=1):
        shop.network.next_answer["subscription"] = refusing(-401, 401, "wrong key")
        tries += await run_due(shop)
        shop.clock.add(60)
    assert 24 * 4 <= tries <= 24 * 4 + 20
    failed = (await stored(shop, "m_1")).payment
    assert (failed.status, failed.fail_reason) == (Status.FAILED, f"[-401] wrong key ({NOTHING_HAPPENED})")
    assert due_at + AT_MOST <= failed.failed_at < due_at + AT_MOST + timedelta(minutes=2)
    assert ['"failed"' in body for _, body in await notices(shop)] == [True]


def test_waits_grow_and_a_quota_of_the_day_waits_for_midnight_in_seoul():
    def wait(fault, age):
        return try_again_at(fault, NOW - age, NOW) - NOW

    day = timedelta(days=1)
    assert wait(Fault.UNREACHABLE, timedelta(0)) == SHORTEST
    assert wait(Fault.UNREACHABLE, timedelta(minutes=10)) == timedelta(minutes=5)
    assert wait(Fault.UNREACHABLE, day) == LONGEST
    assert wait(Fault.TOO_MANY, day) == LONGEST_OF_TOO_MANY
    evening = datetime(2026, 9, 1, 22, 30, tzinfo=SEOUL)
    assert try_again_at(Fault.QUOTA, evening, evening) == datetime(2026, 9, 2, 0, 1, tzinfo=SEOUL)
    assert try_again_at(Fault.QUOTA, evening, evening + timedelta(hours=2)).day == 3


# -- what a shop and the operator see meanwhile


async def test_while_it_waits_no_list_and_no_figure_tells_of_a_failure(shop):
    shop.network.next_answer["subscription"] = refusing(-401, 401)
    await run_due(shop)
    assert (
        await shop.store.payments.find_by_merchant_uid(MERCHANT, "m_1", tuple(Status), Sorting.STARTED_NEWEST) is None
    )
    page = await shop.store.payments.page(MERCHANT, PaymentFilter(tuple(Status), Sorting.STARTED_NEWEST, 1, 20))
    assert [p.order.merchant_uid for p in page.payments if p.status is Status.FAILED] == []
    [put_off] = await shop.store.payments.by_ids(MERCHANT, [], ["m_1"])
    assert (put_off.put_off, put_off.status) == (True, Status.FAILED)


async def test_a_channel_that_is_refused_rests_as_a_whole_and_one_charge_finds_out(flows):
    for n in range(5):
        await flows.issue_key(f"c_{n}")
        await plan(flows, f"m_{n}", customer_uid=f"c_{n}", in_seconds=60)
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = refusing(-401, 401, "wrong key")
    assert await run_due(flows, 1) == 1
    assert await run_due(flows) == 4
    assert flows.network.count("subscription") == 1
    [pause] = await flows.store.channels.pauses()
    assert (pause.fault, pause.reason) == (Fault.REFUSED, "wrong key")
    await measure(flows.services)
    assert metrics.RESTING.labels(Fault.REFUSED)._value.get() == 1
    flows.clock.add((pause.until - flows.clock.now()).total_seconds() + 1)
    flows.network.next_answer["subscription"] = refusing(-401, 401, "wrong key")
    await run_due(flows)
    assert flows.network.count("subscription") == 2
    [later] = await flows.store.channels.pauses()
    assert (later.since, later.until > pause.until) == (pause.since, True)


async def test_what_waits_is_charged_at_once_when_the_channel_is_mended(flows):
    for n in range(3):
        await flows.issue_key(f"c_{n}", now=NOW)
        await plan(flows, f"m_{n}", customer_uid=f"c_{n}", in_seconds=60)
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = refusing(-401, 401)
    await run_due(flows, 1)
    await run_due(flows)
    await change_channel(flows.services, MERCHANT, a_channel().id, ChannelSettings(secret="DEV" + "1" * 37))
    flows.clock.add(1)
    assert await run_due(flows) == 3
    assert await flows.store.channels.pauses() == []


async def test_an_answer_to_any_call_ends_the_rest_of_its_channel(shop):
    shop.network.next_answer["subscription"] = raising(NotSent("refused"))
    await run_due(shop)
    assert len(await shop.store.channels.pauses()) == 1
    await shop.issue_key("c_2")
    shop.clock.add(3)
    assert (await charge(shop.services, MERCHANT, an_order("m_2", customer_uid="c_2"))).status is Status.PAID
    assert await shop.store.channels.pauses() == []
    shop.clock.add(1)
    assert await run_due(shop) == 1
    assert (await stored(shop, "m_1")).payment.status is Status.PAID


async def test_a_merchants_own_call_is_passed_on_and_says_that_it_can_be_repeated(shop):
    shop.network.next_answer["subscription"] = refusing(-10, message="quota")
    refused = await charge(shop.services, MERCHANT, an_order("m_2"))
    assert (refused.status, refused.fail_reason) == (Status.FAILED, f"[-10] quota ({NOTHING_HAPPENED})")
    shop.clock.add(2)
    assert (await charge(shop.services, MERCHANT, an_order("m_2"))).status is Status.PAID


async def test_a_channels_bound_is_its_own(shop):
    await change_channel(shop.services, MERCHANT, a_channel().id, ChannelSettings(waits_hours=0))
    shop.clock.add(3)
    shop.network.next_answer["subscription"] = refusing(-401, 401)
    await run_due(shop)
    assert ['"failed"' in body for _, body in await notices(shop)] == [True]
    with pytest.raises(ChannelMisconfigured, match="0 to 72 hours"):
        await change_channel(shop.services, MERCHANT, a_channel().id, ChannelSettings(waits_hours=73))


async def test_a_try_by_the_merchants_rules_that_nobody_declined_is_none_of_their_number(shop):
    await set_rule(shop.services, MERCHANT, DeclineReason.BALANCE, [timedelta(hours=1)])
    shop.clock.add(3)
    extras = {"method_result_code": "LACK_BALANCE", "method_result_message": "x"}
    short = {"error_code": -782, "error_message": "x", "extras": extras}
    shop.network.next_answer["subscription"] = lambda _: reply(short, 400)
    await run_due(shop)
    before = await notices(shop)
    shop.clock.add(3_600)
    shop.network.next_answer["subscription"] = refusing(-401, 401)
    await run_due(shop)
    waiting = await stored(shop, "m_1")
    assert (waiting.tries, waiting.next_try is not None, await notices(shop)) == (0, True, before)
    shop.clock.add(LONGEST.total_seconds() + 1)
    await run_due(shop)
    assert (await stored(shop, "m_1")).payment.status is Status.PAID


async def test_one_that_comes_late_and_cannot_ask_the_pg_fails_after_its_bound_too(shop, monkeypatch):
    monkeypatch.setattr(shop.network, "send", _nobody_listens)
    while shop.clock.now() < NOW + AT_MOST + timedelta(hours=1):
        await run_due(shop)
        shop.clock.add(300)
    assert (await stored(shop, "m_1")).payment.status is Status.FAILED
    assert ['"failed"' in body for _, body in await notices(shop)] == [True]


async def _nobody_listens(_):
    raise NotSent("refused")


# -- modes


async def to_live(flows):
    live_channel = a_channel(pg_merchant_id="C000000001", test_mode=False)
    secret = flows.services.vault.seal("PRD" + "0" * 37, *secret_context(live_channel))
    await flows.store.write(PutChannel(replace(live_channel, sealed_secret=secret)))
    flows.clock.add(3)


async def test_a_key_and_a_payment_of_test_mode_never_meet_the_live_pg(shop):
    paid = await charge(shop.services, MERCHANT, an_order("m_2"))
    asked = len(shop.network.asked)
    await to_live(shop)
    await run_due(shop)
    assert (await stored(shop, "m_1")).status is ScheduleStatus.SCHEDULED
    again = await charge(shop.services, MERCHANT, an_order("m_3"))
    assert (again.status, "test mode" in again.fail_reason) == (Status.FAILED, True)
    with pytest.raises(CancelRefused, match="test mode"):
        await cancel(shop.services, MERCHANT, CancelRequest(paid.imp_uid, None, 900))
    assert len(shop.network.asked) == asked
    assert await shop.store.channels.pauses() == []


async def test_a_live_key_is_not_charged_through_a_channel_in_test_mode(shop):
    await to_live(shop)
    await shop.issue_key("c_live", test_mode=False, pg_merchant_id="C000000001")
    await shop.store.write(PutChannel(a_channel()))
    shop.clock.add(3)
    refused = await charge(shop.services, MERCHANT, an_order("m_3", customer_uid="c_live"))
    assert (refused.status, "live mode" in refused.fail_reason, shop.network.asked) == (Status.FAILED, True, [])


# -- looks, and an outage


async def test_a_look_that_reached_nobody_is_followed_by_another_soon(shop):
    shop.network.next_answer["subscription"] = raising(AnswerLost("cut"))
    await run_due(shop)
    shop.network.approve_silently()
    shop.clock.add(3_600)
    shop.network.next_answer["manage/subscription/status"] = raising(NotSent("refused"))
    assert await clarify_due(shop.services, 10) == 1
    shop.clock.add(LOOK_MIN.total_seconds() + 1)
    assert await clarify_due(shop.services, 10) == 1
    assert (await stored(shop, "m_1")).payment.status is Status.PAID


async def test_an_outage_of_ten_minutes_over_a_thousand_due_charges_loses_none_and_tells_of_none(flows, monkeypatch):
    monkeypatch.setattr(loops, "DUE_POLL_SECONDS", 0.01)
    await set_webhook(flows.services, MERCHANT, live=None, test="http://shop.test/told", body=None)
    flows.clock.add(3)
    await asyncio.gather(*(flows.issue_key(f"c_{n}") for n in range(1_000)))
    for n in range(1_000):
        await plan(flows, f"m_{n}", customer_uid=f"c_{n}", in_seconds=60 + n % 60)
    shown = {"status": "ACTIVE", "available": True, "payment_method_type": "MONEY"}
    monkeypatch.setattr(flows.network, "_status", lambda body: reply(shown | {"sid": body["sid"]}))
    up = flows.network.send
    monkeypatch.setattr(flows.network, "send", _nobody_listens)
    back_at = flows.clock.now() + timedelta(minutes=11)
    worker = Worker(flows.services)
    worker.start()
    try:
        async with asyncio.timeout(150):
            while True:
                flows.clock.add(5)
                if flows.clock.now() >= back_at:
                    monkeypatch.setattr(flows.network, "send", up)
                await asyncio.sleep(0.05)
                page = await flows.store.payments.page(
                    MERCHANT, PaymentFilter((Status.PAID,), Sorting.STARTED_NEWEST, 1, 1)
                )
                if page.total >= 2_000:
                    break
    finally:
        await worker.stop()
    assert flows.network.count("subscription") == 1_000
    rows = await flows.store.engine.fetch("SELECT count(*) AS n FROM webhook_deliveries WHERE body LIKE '%\"failed\"%'")
    assert rows[0]["n"] == 0
