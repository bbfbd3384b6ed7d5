"""What is kept of each month equals a plain recount of the rows, and goes on being proved against them."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from maedal.flows.charge import charge
from maedal.flows.count_months import (
    AGAIN,
    FINAL_AFTER,
    PROVED_EVERY,
    count_months,
    differing_months,
    due_months,
    kept_month,
    month_named,
    month_of,
    months_between,
)
from maedal.flows.deactivate_key import deactivate_key
from maedal.flows.month_figures import cohorts_of, month_figures
from maedal.flows.overview import a_day_in_seoul, midnight
from maedal.flows.recovery import set_rule
from maedal.payments.attempt import DeclineReason
from maedal.storage.engine.reading import moment
from maedal.storage.figures.reads import Churn, MonthFigure, MonthKind, month_detail
from maedal.storage.figures.writes import KeepMonth
from tests.flows.test_overview import DAY, live
from tests.flows.test_recovery import declining
from tests.support.builders import MERCHANT, an_order


async def recounted(flows) -> dict[str, dict[tuple[MonthKind, str], tuple[int, int]]]:
    """Return each month's sums, counted from the rows one by one."""

    async def rows(table: str) -> list[SimpleNamespace]:
        return [SimpleNamespace(**dict(row)) for row in await flows.store.engine.fetch(f"SELECT * FROM {table}")]

    payments, keys = await rows("payments"), await rows("billing_keys")
    by_uid = {p.imp_uid: p for p in payments}
    sums: dict[str, dict[tuple[MonthKind, str], tuple[int, int]]] = defaultdict(dict)

    def name(at: object) -> str:
        return f"{a_day_in_seoul(moment(at)):%Y-%m}"

    def add(month: str, kind: MonthKind, detail: str, amount: int) -> None:
        count, total = sums[month].get((kind, detail), (0, 0))
        sums[month][kind, detail] = count + 1, total + amount

    def tried_before(p: SimpleNamespace) -> bool:
        return any(
            e.merchant_uid == p.merchant_uid
            and e.status == "failed"
            and not e.put_off
            and e.key_use == "payment.scheduled"
            and moment(e.started_at) < moment(p.started_at)
            for e in payments
        )

    paid: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for p in sorted(payments, key=lambda p: moment(p.started_at)):
        planned = p.key_use == "payment.scheduled"
        if p.paid_at is not None and p.amount:
            add(name(p.paid_at), MonthKind.CHARGED, month_detail(p.method, p.key_use), p.amount)
            if planned and tried_before(p):
                add(name(p.paid_at), MonthKind.RECOVERED, "", p.amount)
            if p.key_use:
                paid[p.customer_uid][name(p.paid_at)] += p.amount
        if p.status == "failed" and planned and not tried_before(p):
            add(name(p.status_at), MonthKind.RENEWAL_FAILED, "", p.amount)
    for c in await rows("cancellations"):
        p = by_uid[c.imp_uid]
        add(name(c.done_at), MonthKind.CANCELLED, month_detail(p.method, p.key_use), c.amount)
    now = flows.clock.now()
    span = months_between(a_day_in_seoul(min(moment(p.paid_at) for p in payments if p.paid_at)), a_day_in_seoul(now))
    for customer, of_month in paid.items():
        for before, month in zip([None, *span], span, strict=False):
            past = before is not None and of_month.get(before.name, 0)
            if amount := of_month.get(month.name, 0):
                add(month.name, MonthKind.PAYING, min(of_month), amount)
                if not past and min(of_month) < month.name:
                    add(month.name, MonthKind.RETURNED, "", amount)
            elif past and month.until <= now:
                add(month.name, MonthKind.CHURNED, why(customer, month, payments, keys), past)
    return {month: dict(of) for month, of in sums.items()}


def why(customer: str, month, payments, keys) -> Churn:
    of_customer = [k for k in keys if k.customer_uid == customer]

    def lately(at: object) -> bool:
        return at is not None and month.before <= moment(at) < month.until

    if any(lately(k.gone_at) for k in of_customer):
        return Churn.BUYER
    if any(
        p.customer_uid == customer and p.status == "failed" and not p.put_off and p.key_use != "issue"
        and month.since <= moment(p.status_at) < month.until for p in payments
    ):  # fmt: skip
        return Churn.FAILURE
    return Churn.MERCHANT if any(k.ended_by == "deleted" and lately(k.ended_at) for k in of_customer) else Churn.NOTHING


async def kept(flows) -> dict[str, dict[tuple[MonthKind, str], tuple[int, int]]]:
    counted = await flows.store.figures.months_counted(MERCHANT)
    found = {name: await kept_month(flows.services, MERCHANT, month_named(name)) for name in counted}
    assert all(figure.test_mode for figures in found.values() for figure in figures)
    return {
        name: {(one.kind, one.detail): (one.count, one.amount) for one in figures}
        for name, figures in found.items()
        if figures
    }


async def test_what_is_kept_of_months_equals_a_plain_recount_of_the_rows(flows):
    await set_rule(flows.services, MERCHANT, DeclineReason.BALANCE, (DAY, DAY))
    await live(flows, 40, seed=7)
    await count_months(flows.services)
    assert await kept(flows) == await recounted(flows)
    # Some customers come again, one of the first after a month or two in which nothing was charged, and one fails.
    living = await flows.store.engine.fetch(
        "SELECT DISTINCT k.customer_uid, k.inserted_at FROM billing_keys k JOIN payments p"
        " ON p.merchant_id = k.merchant_id AND p.customer_uid = k.customer_uid WHERE k.ended_at IS NULL"
        " AND k.gone_at IS NULL AND p.paid_at IS NOT NULL AND p.amount > 0 ORDER BY k.inserted_at"
    )
    first, *_, next_to_last, last = [row["customer_uid"] for row in living]
    for customer, days in ((last, 25), (next_to_last, 30), (first, 30)):
        flows.clock.add(days * 24 * 3600)
        await charge(flows.services, MERCHANT, an_order(f"again_{customer}", 7_700, customer_uid=customer))
        await count_months(flows.services)
    flows.clock.add(32 * 24 * 3600)
    flows.network.next_answer["subscription"] = declining("LACK_BALANCE")
    await charge(flows.services, MERCHANT, an_order("lost", 7_700, customer_uid=first))
    flows.clock.add(40 * 24 * 3600)
    assert await count_months(flows.services) > 0
    assert await count_months(flows.services) == 0
    expected = await recounted(flows)
    assert await kept(flows) == expected
    assert await differing_months(flows.services, MERCHANT) == []
    # It is no empty story.
    kinds = Counter(kind for of in expected.values() for kind, _ in of)
    assert set(kinds) == set(MonthKind)
    assert {detail for of in expected.values() for kind, detail in of if kind is MonthKind.CHURNED} >= {
        Churn.BUYER, Churn.NOTHING}  # fmt: skip
    # What the page shows is the same, and the cohorts hold every customer of every month.
    today = a_day_in_seoul(flows.clock.now())
    found = await month_figures(flows.services, MERCHANT, today - timedelta(days=200), today, test_mode=True)
    assert found.complete
    assert sum(one.charged.total() for one in found.months) == sum(
        amount for of in expected.values() for (kind, _), (_, amount) in of.items() if kind is MonthKind.CHARGED
    )
    cohorts = cohorts_of(found)
    assert sum(sum(one.customers) for one in cohorts) == sum(one.active for one in found.months) > 0
    for before, one in zip(found.months, found.months[1:], strict=False):
        assert one.active_before == before.active or not one.is_over


def test_a_month_is_counted_until_it_is_final_and_then_proved_one_a_day():
    months = months_between(date(2026, 1, 5), date(2026, 4, 2))
    assert [month.name for month in months] == ["2026-01", "2026-02", "2026-03", "2026-04"]
    assert months[1].since == midnight(date(2026, 2, 1)) == months[0].until == months[2].before
    now = months[3].since + timedelta(hours=30)

    def due(**counted):
        named = {f"2026-{name[1:]}": at for name, at in counted.items()}
        return [month.name[-2:] for month in due_months(months, named, now)]

    assert due() == ["04", "03", "02", "01"]
    final = {f"m{month.name[-2:]}": month.until + FINAL_AFTER for month in months[:3]}
    assert due(**final, m04=now) == []
    assert due(**final, m04=now - AGAIN) == ["04"]
    # Over, and not final: what happened in it may still be on its way.
    assert due(**final | {"m03": months[2].until}, m04=now) == ["03", "01"]
    # A day later the one that was counted first is proved anew.
    now += PROVED_EVERY
    assert due(**final, m04=now) == ["01"]


async def test_a_final_month_that_differs_is_told_and_mended(flows):
    await flows.issue_key("c_1", flows.clock.now())
    flows.clock.add(3)
    await charge(flows.services, MERCHANT, an_order("m_1", 5_000, customer_uid="c_1"))
    flows.clock.add(40 * 24 * 3600)
    await count_months(flows.services)
    first = min(await flows.store.figures.months_counted(MERCHANT))
    await flows.store.engine.fetch("UPDATE month_figures SET amount = 1 WHERE kind = 'charged' RETURNING month")
    assert await differing_months(flows.services, MERCHANT) == [first]
    flows.clock.add(PROVED_EVERY.total_seconds())
    with capture_logs() as logs:
        await count_months(flows.services)
    assert [(log["event"], log["month"]) for log in logs if log["log_level"] == "warning"] == [
        ("month_figures_differed", first)
    ]
    assert await differing_months(flows.services, MERCHANT) == []


async def test_two_workers_keep_a_month_once(flows):
    now = flows.clock.now()
    figure = MonthFigure("2026-03", True, MonthKind.CHARGED, "card one_time", 1, 5_000)
    first = KeepMonth(MERCHANT, "2026-03", [figure], now, None)
    assert [await flows.store.write(first), await flows.store.write(first)] == [True, False]
    again = KeepMonth(MERCHANT, "2026-03", [], now + AGAIN, now)
    assert [await flows.store.write(again), await flows.store.write(again)] == [True, False]
    assert await flows.store.figures.months(MERCHANT, True, "2026-03", "2026-03") == []


@pytest.mark.parametrize("how", ["ended by the shop", "failed"])
async def test_why_a_customer_is_gone(flows, how):
    await flows.issue_key("c_1", flows.clock.now())
    flows.clock.add(3)
    await charge(flows.services, MERCHANT, an_order("m_1", 5_000, customer_uid="c_1"))
    next_month = month_of(a_day_in_seoul(flows.clock.now())).until
    flows.clock.add((next_month + 9 * DAY - flows.clock.now()).total_seconds())
    if how == "failed":
        flows.network.next_answer["subscription"] = declining("LACK_BALANCE")
        await charge(flows.services, MERCHANT, an_order("m_2", 5_000, customer_uid="c_1"))
    else:
        await deactivate_key(flows.services, MERCHANT, "c_1")
    month = a_day_in_seoul(flows.clock.now())
    flows.clock.add(32 * 24 * 3600)
    await count_months(flows.services)
    found = await month_figures(flows.services, MERCHANT, month, month, test_mode=True)
    [one] = found.months
    assert one.churned == Counter([Churn.FAILURE if how == "failed" else Churn.MERCHANT])
    assert (one.churned_amount, one.active_before, one.churn_rate) == (5_000, 1, 1.0)
