"""What nobody declined is not told as failed: a planned charge waits, within a bound, and the operator is told."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from maedal.flows.resolve_unknown import UNCLEAR_AT_MOST, clarify_due
from maedal.flows.set_up_merchant import set_webhook
from maedal.payments.attempt import Fault
from maedal.payments.moves import Status
from maedal.pg.driver import AnswerLost, NoConnectionFree, NotSent, PgReply, TooLate
from maedal.reconciliation.settlement import SEOUL
from maedal.schedules.schedule import ScheduleStatus
from maedal.schedules.waiting import AT_MOST, LONGEST, LONGEST_OF_TOO_MANY, SHORTEST, try_again_at
from tests.flows.test_schedules import plan, run_due, stored, told
from tests.support.builders import MERCHANT, NOW
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
THE_BUYERS = {
    "no balance": refusing(-782),
    "SID ended": refusing(-751),
    "monthly number used up": refusing(-752),
    "a bad field of this order": refusing(-2, message="item_name can't be null."),
}


@pytest.fixture
async def shop(flows):
    """A merchant who is told of everything, with a charge that is due."""
    await set_webhook(flows.parts, MERCHANT, live=None, test="http://shop.test/told", body=None)
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
    assert await told(shop) == []
    shop.clock.add(86_400 - 61)
    assert await run_due(shop) == 1
    assert (await stored(shop, "m_1")).payment.status is Status.PAID
    assert ['"paid"' in body for _, body in await told(shop)] == [True]


@pytest.mark.parametrize("answer", THE_BUYERS.values(), ids=THE_BUYERS)
async def test_what_the_pg_decided_about_the_payment_is_told_at_once(shop, answer):
    shop.network.next_answer["subscription"] = answer
    assert await run_due(shop) == 1
    assert (await stored(shop, "m_1")).payment.status is Status.FAILED
    assert ['"failed"' in body for _, body in await told(shop)] == [True]


@pytest.mark.parametrize(
    "answer", [raising(AnswerLost("cut")), lambda _: PgReply(502, b"bad gateway")], ids=["cut", "502"]
)
async def test_a_planned_charge_whose_answer_was_lost_and_that_was_not_made_waits_too(shop, answer):
    shop.network.next_answer["subscription"] = answer
    await run_due(shop)
    shop.clock.add(UNCLEAR_AT_MOST.total_seconds() + 60)
    assert await clarify_due(shop.parts, 10) == 1
    assert (await stored(shop, "m_1")).status is ScheduleStatus.SCHEDULED
    shop.clock.add(LONGEST.total_seconds() + 1)
    assert await run_due(shop) == 1
    assert (await stored(shop, "m_1")).payment.status is Status.PAID
    assert ['"paid"' in body for _, body in await told(shop)] == [True]


async def test_one_that_a_method_of_payment_left_open_and_did_not_make_is_told_as_failed(shop):
    extras = {"method_result_code": "BANK_FIRM_UNKNOWN", "method_result_message": "open"}
    shop.network.next_answer["subscription"] = lambda _: reply(
        {"error_code": -782, "error_message": "x", "extras": extras}, 400
    )
    await run_due(shop)
    shop.clock.add(UNCLEAR_AT_MOST.total_seconds() + 60)
    await clarify_due(shop.parts, 10)
    assert ['"failed"' in body for _, body in await told(shop)] == [True]


async def test_after_its_bound_it_fails_with_the_true_reason_and_is_told_once(shop):
    due_at = (await stored(shop, "m_1")).schedule_at
    tries = 0
    while shop.clock.now() < due_at + AT_MOST + timedelta(hours=1):
        shop.network.next_answer["subscription"] = refusing(-401, 401, "wrong key")
        tries += await run_due(shop)
        shop.clock.add(60)
    assert 24 * 4 <= tries <= 24 * 4 + 20
    failed = (await stored(shop, "m_1")).payment
    assert (failed.status, failed.fail_reason) == (Status.FAILED, "[-401] wrong key")
    assert due_at + AT_MOST <= failed.failed_at < due_at + AT_MOST + timedelta(minutes=2)
    assert ['"failed"' in body for _, body in await told(shop)] == [True]


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
