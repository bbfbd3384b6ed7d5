"""Figures in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from maedal.storage.engine.reading import SqlReads, moment, moment_not_null
from maedal.storage.engine.steps import Row
from maedal.storage.figures.counted import EVENTS, SUMS
from maedal.storage.figures.months import CHURNED, FIRST_PAID, MONTH_OF, PAYING, SIMPLE
from maedal.storage.figures.reads import (
    Figure,
    FigureKind,
    FirstSteps,
    Month,
    MonthFigure,
    MonthKind,
    Upcoming,
)

SPANS_MAX = 31
FRESH = "\nUNION ALL\n".join(
    f"SELECT '{kind}' AS kind, {SUMS} FROM ({events}) {kind} WHERE test_mode = $4 GROUP BY detail"
    for kind, events in EVENTS.items()
)
KEPT = """
SELECT day, kind, detail, CAST(sum(count) AS BIGINT) AS count, CAST(sum(amount) AS BIGINT) AS amount FROM figures
 WHERE merchant_id = $1 AND hour >= $2 AND hour < $3 AND test_mode = $4 GROUP BY day, kind, detail ORDER BY day
"""


class SqlFigureReads(SqlReads):
    """The `FigureReads` (see reads.py) of a store in SQL."""

    async def counted_until(self, merchant_id: str) -> datetime | None:
        rows = await self._engine.fetch("SELECT until FROM figures_counted WHERE merchant_id = $1", merchant_id)
        return moment(rows[0]["until"]) if rows else None

    async def kept(
        self, merchant_id: str, test_mode: bool, since: datetime, before: datetime
    ) -> Sequence[tuple[date, Figure]]:
        rows = await self._engine.fetch(KEPT, merchant_id, since, before, test_mode)
        return [(date.fromisoformat(row["day"]), _figure_of(row)) for row in rows]

    async def fresh(self, merchant_id: str, test_mode: bool, since: datetime, before: datetime) -> Sequence[Figure]:
        return [_figure_of(row) for row in await self._engine.fetch(FRESH, merchant_id, since, before, test_mode)]

    async def living_keys(self, merchant_id: str, test_mode: bool) -> int:
        rows = await self._engine.fetch(
            "SELECT count(*) AS count FROM billing_keys WHERE merchant_id = $1 AND test_mode = $2"
            " AND ended_at IS NULL AND gone_at IS NULL",
            merchant_id,
            test_mode,
        )
        return int(rows[0]["count"])

    async def unknown_outcomes(self, merchant_id: str, test_mode: bool, count_max: int) -> int:
        rows = await self._engine.fetch(
            "SELECT count(*) AS count FROM (SELECT 1 FROM attempts a CROSS JOIN payments p WHERE a.merchant_id = $1"
            " AND a.outcome = 'unknown' AND a.verb IN ('approve', 'charge', 'cancel')"
            " AND p.merchant_id = a.merchant_id AND p.imp_uid = a.imp_uid AND p.test_mode = $2 LIMIT $3) t",
            merchant_id,
            test_mode,
            count_max,
        )
        return int(rows[0]["count"])

    async def upcoming(
        self, merchant_id: str, test_mode: bool, days: Sequence[tuple[date, datetime, datetime]]
    ) -> Sequence[Upcoming]:
        assert len(days) <= SPANS_MAX, "a bounded number of spans"
        values: list[Any] = [merchant_id, test_mode]
        parts = []
        for number, (_, since, before) in enumerate(days):
            parts.append(
                f"SELECT {number} AS number, count(*) AS count, CAST(coalesce(sum(s.amount), 0) AS BIGINT) AS amount"
                " FROM channels c CROSS JOIN schedules s WHERE c.merchant_id = $1 AND c.test_mode = $2"
                " AND s.merchant_id = c.merchant_id AND s.channel_id = c.id AND s.status = 'scheduled'"
                f" AND s.schedule_at >= ${len(values) + 1} AND s.schedule_at < ${len(values) + 2}"
            )
            values += [since, before]
        rows = await self._engine.fetch(" UNION ALL ".join(parts), *values)
        return [
            Upcoming(days[row["number"]][0], row["count"], row["amount"])
            for row in sorted(rows, key=lambda row: int(row["number"]))
        ]

    async def months(self, merchant_id: str, test_mode: bool, first: str, last: str) -> Sequence[MonthFigure]:
        rows = await self._engine.fetch(
            "SELECT month, test_mode, kind, detail, count, amount FROM month_figures"
            " WHERE merchant_id = $1 AND month >= $2 AND month <= $3 AND test_mode = $4 ORDER BY month, kind, detail",
            merchant_id,
            first,
            last,
            test_mode,
        )
        return [_month_figure(row["month"], MonthKind(row["kind"]), row) for row in rows]

    async def months_counted(self, merchant_id: str) -> dict[str, datetime]:
        rows = await self._engine.fetch(
            "SELECT month, counted_at FROM months_counted WHERE merchant_id = $1 ORDER BY month", merchant_id
        )
        return {row["month"]: moment_not_null(row["counted_at"]) for row in rows}

    async def count_month(self, merchant_id: str, month: Month) -> Sequence[MonthFigure]:
        found = []
        for kind, sql in SIMPLE.items():
            rows = await self._engine.fetch(sql, merchant_id, month.since, month.until)
            found += [_month_figure(month.name, kind, row) for row in rows]
        span = merchant_id, month.before, month.since, month.until
        paying = PAYING.format(first=MONTH_OF[self._engine.name].format(at=FIRST_PAID))
        cohorts: dict[tuple[bool, MonthKind, str], MonthFigure] = {}
        for row in await self._engine.fetch(paying, *span):
            one = _month_figure(month.name, MonthKind.PAYING, row)
            kinds = [one]
            if row["absent"] and one.detail != month.name:
                kinds.append(replace(one, kind=MonthKind.RETURNED, detail=""))
            for figure in kinds:
                key = figure.test_mode, figure.kind, figure.detail
                other = cohorts.get(key)
                if other is not None:
                    figure = replace(figure, count=figure.count + other.count, amount=figure.amount + other.amount)
                cohorts[key] = figure
        churned = await self._engine.fetch(CHURNED, *span)
        return [*found, *cohorts.values(), *(_month_figure(month.name, MonthKind.CHURNED, row) for row in churned)]

    async def first_paid_at(self, merchant_id: str) -> datetime | None:
        rows = await self._engine.fetch(
            "SELECT min(paid_at) AS at FROM payments WHERE merchant_id = $1 AND paid_at IS NOT NULL", merchant_id
        )
        return moment(rows[0]["at"])

    async def first_steps(self, merchant_id: str) -> FirstSteps:
        rows = await self._engine.fetch(
            "SELECT EXISTS (SELECT 1 FROM windows WHERE merchant_id = $1) AS has_window,"
            " EXISTS (SELECT 1 FROM billing_keys WHERE merchant_id = $1) AS has_key,"
            " EXISTS (SELECT 1 FROM payments WHERE merchant_id = $1 AND paid_at >= $2 AND amount > 0) AS has_charge,"
            " EXISTS (SELECT 1 FROM webhook_deliveries WHERE merchant_id = $1 AND state = 'delivered') AS has_webhook",
            merchant_id,
            datetime(2000, 1, 1).astimezone(),
        )
        return FirstSteps(*(bool(rows[0][f"has_{name}"]) for name in ("window", "key", "charge", "webhook")))


def _figure_of(row: Row) -> Figure:
    return Figure(FigureKind(row["kind"]), row["detail"], row["count"], row["amount"])


def _month_figure(month: str, kind: MonthKind, row: Row) -> MonthFigure:
    return MonthFigure(month, bool(row["test_mode"]), kind, row["detail"], int(row["count"]), int(row["amount"]))
