"""What the home page tells equals a plain recount of the rows, whatever of it was counted before and kept."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace

import pytest

from maedal.billing_keys.billing_key import KeyEnd
from maedal.flows.cancel import CancelRequest, cancel
from maedal.flows.charge import charge
from maedal.flows.count_figures import AGAIN, OVER_FOR, count_figures
from maedal.flows.deactivate_key import deactivate_key
from maedal.flows.overview import DAYS, FailureGroup, Sums, a_day_in_seoul, midnight, overview, total
from maedal.flows.recovery import set_rule
from maedal.payments.attempt import DeclineReason
from maedal.payments.moves import Status
from maedal.storage.engine.reading import moment
from maedal.storage.figures.writes import CountHours
from maedal.storage.invariants.reads import OpenWork
from tests.flows.test_recovery import declining
from tests.flows.test_schedules import plan, run_due
from tests.support.builders import MERCHANT, an_order

HOUR_SECONDS = 3600
DAY = timedelta(days=1)
ANSWERS = {"LACK_BALANCE": FailureGroup.BALANCE, "LIMIT_USE_PER_DAY": FailureGroup.LIMIT,
           "5012": FailureGroup.LOCKED, "5019": FailureGroup.ENDED_KEY, "0126": FailureGroup.OTHER,
           "BILLING_KEY_NOT_FOUND": FailureGroup.ENDED_KEY}  # fmt: skip


async def wait(flows, hours: float) -> None:
    """Let time pass, with every scheduled charge made at its time."""
    end = flows.clock.now() + timedelta(hours=hours)
    while True:
        due = [
            (await flows.store.invariants.open_work(kind, end)).oldest for kind in (OpenWork.SCHEDULES, OpenWork.TRIES)
        ]
        stop = min((at for at in due if at is not None), default=end)
        flows.clock.add(max(0.0, (stop - flows.clock.now()).total_seconds()))
        if await run_due(flows) == 0:
            return


async def live(flows, days: int, seed: int, begin: int = 0) -> None:
    """Let a shop live for some days: keys, charges, planned ones that fail and recover, cancels, and keys that end."""
    chance = random.Random(seed)
    for number in range(begin, begin + days):
        await wait(flows, chance.randrange(2, 20))
        await flows.issue_key(f"c_{number}", flows.clock.now())
        flows.clock.add(3)
        if chance.random() < 0.4:
            flows.network.next_answer["subscription"] = declining(chance.choice(list(ANSWERS)[:5]))
        order = an_order(f"m_{number}", chance.randrange(1, 90) * 100, customer_uid=f"c_{number}")
        paid = await charge(flows.services, MERCHANT, order)
        await plan(flows, f"s_{number}", customer_uid=f"c_{number}")
        if chance.random() < 0.5:
            flows.network.next_answer["subscription"] = declining("LACK_BALANCE")
        await wait(flows, 2)
        if paid.status is Status.PAID and chance.random() < 0.5:
            await wait(flows, chance.randrange(1, 60))
            await cancel(flows.services, MERCHANT, CancelRequest(paid.imp_uid, None, 100))
        if chance.random() < 0.2:
            # The PG said that the buyer has ended it there.
            gone = "UPDATE billing_keys SET gone_at = $1 WHERE customer_uid = $2 RETURNING id"
            await flows.store.engine.fetch(gone, flows.clock.now(), f"c_{number}")
            await wait(flows, 1)
        if chance.random() < 0.3:
            await deactivate_key(flows.services, MERCHANT, f"c_{number}")
        if chance.random() < 0.3:
            await count_figures(flows.services)


async def recounted(flows) -> dict[object, Sums]:
    """Return the same of every day, counted from the rows one by one."""

    async def rows(table: str) -> list[SimpleNamespace]:
        found = await flows.store.engine.fetch(f"SELECT * FROM {table} ORDER BY 1, 2")
        return [SimpleNamespace(**dict(row)) for row in found]

    payments = await rows("payments")
    first = a_day_in_seoul(flows.clock.now()) - timedelta(days=2 * DAYS - 1)
    days = {first + timedelta(days=n): Sums() for n in range(2 * DAYS)}

    def of(at: object) -> Sums:
        return days.get(a_day_in_seoul(moment(at)), Sums())

    def tried_before(p: SimpleNamespace) -> bool:
        return any(
            e.merchant_uid == p.merchant_uid and e.status == "failed" and moment(e.started_at) < moment(p.started_at)
            for e in payments
        )

    for p in payments:
        planned = p.key_use == "payment.scheduled"
        if p.paid_at is not None and p.amount:
            sums = of(p.paid_at)
            sums.charged, sums.charged_count = sums.charged + p.amount, sums.charged_count + 1
            sums.renewed += planned and not tried_before(p)
            sums.recovered += planned and tried_before(p)
        if p.paid_at is not None and p.key_use == "issue":
            of(p.paid_at).keys_issued += 1
        if p.status == "failed":
            of(p.failed_at).failed[ANSWERS[p.fail_code.rpartition(" ")[2]]] += 1
            of(p.failed_at).renewal_failed += planned and not tried_before(p)
    for c in await rows("cancellations"):
        of(c.done_at).cancelled += c.amount
        of(c.done_at).cancelled_count += 1
    for k in await rows("billing_keys"):
        if k.gone_at is not None:
            of(k.gone_at).keys_gone += 1
        elif k.ended_at is not None:
            of(k.ended_at).keys_ended[KeyEnd(k.ended_by)] += 1
    return days


async def test_the_figures_equal_a_plain_recount_whatever_was_kept_before(flows):
    await set_rule(flows.services, MERCHANT, DeclineReason.BALANCE, (DAY, DAY))
    await live(flows, 30, seed=7)
    assert (await overview(flows.services, MERCHANT, test_mode=True)).days == await recounted(flows)
    await count_figures(flows.services)
    await live(flows, 25, seed=8, begin=30)
    before = await overview(flows.services, MERCHANT, test_mode=True)
    assert before.days == await recounted(flows)
    await count_figures(flows.services)
    assert await count_figures(flows.services) == 0
    found = await overview(flows.services, MERCHANT, test_mode=True)
    assert found.days == before.days
    # It is no empty story.
    sums = total(found.days.values())
    assert (
        min(
            sums.charged,
            sums.cancelled,
            sums.recovered,
            sums.renewal_failed,
            sums.keys_issued,
            sums.keys_gone,
            sums.keys_lost - sums.keys_gone,
        )
        > 0
    )
    assert len(sums.failed) >= 4
    assert sums.failed.total() == sums.failed_count > 0
    assert found.month == total(list(found.days.values())[-DAYS:])
    [living] = await flows.store.engine.fetch(
        "SELECT count(*) AS n FROM billing_keys WHERE ended_at IS NULL AND gone_at IS NULL"
    )
    assert found.living_keys == living["n"] == found.keys_by_day()[-1]
    # Nothing of it is live money.
    nothing = await overview(flows.services, MERCHANT, test_mode=False)
    assert total(nothing.days.values()) == Sums(failed=Counter(), keys_ended=Counter())


async def test_two_workers_count_an_hour_once(flows):
    flows.clock.add(3 * HOUR_SECONDS)
    await flows.issue_key()
    flows.clock.add(3)
    await charge(flows.services, MERCHANT, an_order("m_1", 5_000))
    flows.clock.add(HOUR_SECONDS + OVER_FOR.total_seconds())
    assert await count_figures(flows.services) > 0
    known = await flows.store.figures.counted_until(MERCHANT)
    flows.clock.add(HOUR_SECONDS)
    late = CountHours(MERCHANT, known - AGAIN, known + timedelta(hours=1), known)
    assert [await flows.store.write(late), await flows.store.write(late)] == [True, False]
    assert (await overview(flows.services, MERCHANT, test_mode=True)).today.charged == 5_000


async def test_what_was_committed_late_is_counted_with_a_later_hour(flows):
    await flows.issue_key()
    flows.clock.add(3)
    await charge(flows.services, MERCHANT, an_order("m_1", 5_000))
    flows.clock.add(HOUR_SECONDS + OVER_FOR.total_seconds())
    await count_figures(flows.services)
    # As if the charge's process had been frozen meanwhile, and its row had not been there yet.
    await flows.store.engine.fetch("DELETE FROM figures WHERE kind = 'charged' RETURNING hour")
    assert (await overview(flows.services, MERCHANT, test_mode=True)).month.charged == 0
    flows.clock.add(HOUR_SECONDS)
    await count_figures(flows.services)
    assert (await overview(flows.services, MERCHANT, test_mode=True)).month.charged == 5_000


@pytest.mark.parametrize("hour", [0, 23])
async def test_a_day_is_one_of_korea(flows, hour):
    today = midnight(a_day_in_seoul(flows.clock.now()) + DAY)
    flows.clock.add((today + timedelta(hours=hour, minutes=30) - flows.clock.now()).total_seconds())
    await flows.issue_key()
    flows.clock.add(3)
    await charge(flows.services, MERCHANT, an_order("m_1", 5_000))
    found = await overview(flows.services, MERCHANT, test_mode=True)
    assert (found.today.charged, found.month_before.charged) == (5_000, 0)
    flows.clock.add((24 - hour) * HOUR_SECONDS)
    found = await overview(flows.services, MERCHANT, test_mode=True)
    assert (found.today.charged, list(found.days.values())[-2].charged) == (0, 5_000)


async def test_what_is_planned_is_told_by_day(flows):
    await flows.issue_key()
    for days, amount in ((1, 1_000), (2, 2_000), (2, 3_000), (9, 9_000)):
        await plan(flows, f"m_{amount}", in_seconds=days * 24 * HOUR_SECONDS, amount=amount)
    found = await overview(flows.services, MERCHANT, test_mode=True)
    assert [(day.count, day.amount) for day in found.ahead] == [(0, 0), (1, 1_000), (2, 5_000)] + [(0, 0)] * 4
    assert (found.ahead_count, found.ahead_amount, found.unknown) == (3, 6_000, 0)
