"""Presets of rules for failed charges, days of the month, and what the last month's failures would have done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from maedal.flows.preview_recovery import preview_recovery
from maedal.flows.recovery import set_rule, set_rules
from maedal.payments.attempt import Decline, DeclineReason, Fault
from maedal.payments.errors import InvalidParameter
from maedal.schedules.presets import Preset, rules_of
from maedal.schedules.recovery import PayDay, read_waits, written
from tests.flows.test_recovery import DAY, declining, fail
from tests.flows.test_schedules import run_due, stored
from tests.support.builders import MERCHANT


@pytest.mark.parametrize(
    ("day", "now", "at"),
    [
        (25, "2026-09-01T00:00", "2026-09-25T01:00"),
        (25, "2026-09-25T00:40", "2026-09-25T01:00"),
        (25, "2026-09-25T00:55", "2026-10-25T01:00"),  # less than ten minutes ahead
        (25, "2026-12-25T02:00", "2027-01-25T01:00"),
        (31, "2027-02-01T00:00", "2027-02-28T01:00"),
        (31, "2028-02-28T15:30", "2028-02-29T01:00"),  # the 29th in Korea already
        (1, "2026-09-30T16:00", "2026-10-01T01:00"),
    ],
)
def test_a_pay_day_is_the_next_such_day_at_ten_in_korea(day, now, at):
    assert PayDay(day).after(datetime.fromisoformat(now).replace(tzinfo=UTC)) == datetime.fromisoformat(at).replace(
        tzinfo=UTC
    )


def test_days_are_written_among_waits():
    waits = read_waits("1d, @25,@1")
    assert waits == (DAY, PayDay(25), PayDay(1))
    assert written(waits) == "1d,@25,@1"
    for text in ("@0", "@32", "@", "25", "@1d"):
        with pytest.raises(InvalidParameter):
            read_waits(text)


def test_a_preset_never_tries_an_ended_key_and_others_only_if_asked():
    for preset in Preset:
        assert DeclineReason.ENDED_KEY not in rules_of(preset, others=True)
        assert DeclineReason.OTHER not in rules_of(preset)
    rules = rules_of("days_1_3_7", others=True)
    assert rules[DeclineReason.OTHER] == rules[DeclineReason.BALANCE] == (DAY, 2 * DAY, 4 * DAY)
    assert rules_of("pay_day", pay_day=10)[DeclineReason.BALANCE] == (PayDay(10),)
    assert rules_of("never", others=True) == {}
    for preset, day in (("weekly", 25), ("pay_day", 0), ("pay_day", 32)):
        with pytest.raises(InvalidParameter):
            rules_of(preset, pay_day=day)


def test_only_a_decline_that_nothing_else_explains_is_an_other():
    assert Decline("-797", "too much").retry_reason is DeclineReason.OTHER
    assert Decline("c", "t", DeclineReason.BALANCE).retry_reason is DeclineReason.BALANCE
    for closed in (
        Decline("c", "t", key_gone=True),
        Decline("c", "t", maintenance=True),
        Decline("c", "t", fault=Fault.TOO_LATE),
    ):
        assert closed.retry_reason is None


async def test_a_failed_charge_is_tried_on_the_pay_day(flows):
    await set_rule(flows.services, MERCHANT, "balance", read_waits("@25"))
    failed = await fail(flows)
    assert failed.next_try.at == datetime(2026, 9, 25, 1, tzinfo=UTC)
    flows.clock.add((failed.next_try.at - flows.clock.now()).total_seconds() + 1)
    assert await run_due(flows) == 1
    assert (await stored(flows, "m_1")).payment.status == "paid"
    # Kept as text among the seconds, it is read as it was.
    assert (await flows.store.merchants.find(MERCHANT)).recovery == {DeclineReason.BALANCE: (PayDay(25),)}


async def test_a_decline_for_any_other_reason_is_tried_if_the_merchant_wants_it(flows):
    failed = await fail(flows, timedelta(hours=1), reason=DeclineReason.OTHER, answer=declining("9999"))
    assert failed.next_try.reason is DeclineReason.OTHER
    flows.clock.add(3_700)
    assert await run_due(flows) == 1
    assert (await stored(flows, "m_1")).payment.status == "paid"


async def test_a_preview_says_when_last_months_failures_would_have_been_tried_and_changes_nothing(flows):
    failed = await fail(flows)
    assert failed.next_try is None
    found = await preview_recovery(flows.services, MERCHANT, rules_of("days_1_3_7"))
    [one] = found.failures
    at = failed.payment.failed_at
    assert (one.reason, one.tries) == (DeclineReason.BALANCE, (at + DAY, at + 3 * DAY, at + 7 * DAY))
    assert (found.tries, found.amount_tried, found.whole, len(found.tried)) == (3, 9_900, True, 1)
    assert found.by_reason == {DeclineReason.BALANCE: 1}
    assert (await preview_recovery(flows.services, MERCHANT, {})).tries == 0
    assert (await stored(flows, "m_1")).next_try is None
    flows.clock.add(31 * 86_400)
    assert (await preview_recovery(flows.services, MERCHANT, rules_of("once"))).failures == []


async def test_a_preset_sets_all_rules_at_once_and_the_audit_log_has_each(flows):
    await set_rule(flows.services, MERCHANT, "ended_key", (DAY,))
    await set_rules(flows.services, MERCHANT, rules_of("pay_day", others=True))
    assert (await flows.store.merchants.find(MERCHANT)).recovery == rules_of("pay_day", others=True)
    entries = await flows.store.audit.entries(MERCHANT, 10)
    assert any("ended_key=1d" in entry.before and "balance=@25" in entry.after for entry in entries)
