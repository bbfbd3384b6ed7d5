"""Reads of planned charges for people, over any engine: each one bounded, and a range of an index."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Protocol

from maedal.merchants.act import Act
from maedal.schedules.schedule import Schedule
from maedal.storage.plans import DayPlan, PlanWish, Tab
from maedal.storage.sql import plans as sql
from maedal.storage.sql.audit import act_of
from maedal.storage.sql.steps import Row

PLANS_MAX = 5_001
DAYS_MAX = 400
NAMED_AT_ONCE = 500


class Fetches(Protocol):
    """What reads rows."""

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]: ...


class ReadsSchedules(Protocol):
    """What makes planned charges of rows."""

    engine: Fetches

    async def _with_payments(self, merchant_id: str, rows: Sequence[Row]) -> list[Schedule]: ...


class SqlPlanReads:
    """The `PlanReads` (see plans.py) of a store."""

    engine: Fetches

    async def plans(
        self: ReadsSchedules, merchant_id: str, wanted: PlanWish, limit: int, offset: int = 0
    ) -> Sequence[Schedule]:
        assert limit <= PLANS_MAX, "a bounded number of rows"
        where, values = _where(merchant_id, wanted)
        source = "schedules s"
        if wanted.tab is not Tab.ALL:
            where += f" AND {sql.STANDS[wanted.tab]}"
            source = source if "p." not in sql.STANDS[wanted.tab] else sql.WITH_PAYMENT
        order = "ASC" if wanted.oldest_first else "DESC"
        n = len(values)
        rows = await self.engine.fetch(
            f"SELECT s.* FROM {source} WHERE {where} ORDER BY s.schedule_at {order}, s.merchant_uid"
            f" LIMIT CAST(${n + 1} AS BIGINT) OFFSET CAST(${n + 2} AS BIGINT)",
            *values,
            limit,
            offset,
        )
        found: list[Schedule] = []
        for first in range(0, len(rows), NAMED_AT_ONCE):
            found += await self._with_payments(merchant_id, rows[first : first + NAMED_AT_ONCE])
        return found

    async def plans_named(self: ReadsSchedules, merchant_id: str, merchant_uids: Sequence[str]) -> Sequence[Schedule]:
        found: list[Schedule] = []
        for first in range(0, len(merchant_uids), NAMED_AT_ONCE):
            named = merchant_uids[first : first + NAMED_AT_ONCE]
            marks = ", ".join(f"${n}" for n in range(2, 2 + len(named)))
            rows = await self.engine.fetch(
                f"SELECT * FROM schedules WHERE merchant_id = $1 AND merchant_uid IN ({marks})", merchant_id, *named
            )
            found += await self._with_payments(merchant_id, rows)
        return found

    async def plan_counts(self, merchant_id: str, wanted: PlanWish, count_max: int) -> dict[Tab, int]:
        where, values = _where(merchant_id, wanted)
        rows = await self.engine.fetch(
            f"SELECT tab, count(*) AS count FROM (SELECT {sql.TAB} AS tab FROM schedules s WHERE {where}"
            f" LIMIT CAST(${len(values) + 1} AS BIGINT)) t GROUP BY tab",
            *values,
            count_max,
        )
        counts = {Tab(row["tab"]): int(row["count"]) for row in rows}
        return {Tab.ALL: sum(counts.values())} | {tab: counts.get(tab, 0) for tab in sql.STANDS}

    async def ahead(
        self: ReadsSchedules, merchant_id: str, since: datetime, before: datetime, limit: int, offset: int = 0
    ) -> Sequence[Schedule]:
        assert limit <= PLANS_MAX, "a bounded number of rows"
        rows = await self.engine.fetch(sql.AHEAD, merchant_id, since, before, offset + limit, limit, offset)
        found: list[Schedule] = []
        for first in range(0, len(rows), NAMED_AT_ONCE):
            found += await self._with_payments(merchant_id, rows[first : first + NAMED_AT_ONCE])
        return found

    async def days_planned(self, merchant_id: str, days: Sequence[tuple[datetime, datetime]]) -> Sequence[DayPlan]:
        assert 0 < len(days) <= DAYS_MAX, "a bounded number of days"
        assert all(one[1] == other[0] for one, other in pairwise(days)), "days follow each other"
        found = [DayPlan({}, {}) for _ in days]
        rows = await self.engine.fetch(
            sql.days_planned(len(days)), merchant_id, days[0][0], *(before for _, before in days)
        )
        for row in rows:
            day, count, amount = found[row["day"]], int(row["count"]), int(row["amount"])
            held = {"held_count": int(row["held_count"]), "held_amount": int(row["held_amount"])}
            if row["tab"] == "try":
                changes = {"try_count": count, "try_amount": amount}
            else:
                day.counts[Tab(row["tab"])], day.amounts[Tab(row["tab"])] = count, amount
                changes = {}
            found[row["day"]] = DayPlan(
                day.counts,
                day.amounts,
                day.held_count + held["held_count"],
                day.held_amount + held["held_amount"],
                changes.get("try_count", day.try_count),
                changes.get("try_amount", day.try_amount),
            )
        return found

    async def acts_on(self, merchant_id: str, subject: str, count_max: int) -> Sequence[Act]:
        return [act_of(row) for row in await self.engine.fetch(sql.ACTS_ON, merchant_id, subject, count_max)]

    async def acts_under(self, merchant_id: str, act_id: str) -> int:
        rows = await self.engine.fetch(sql.ACTS_UNDER, merchant_id, f"{act_id}.00000", f"{act_id}.99999")
        return int(rows[0]["count"])


def _where(merchant_id: str, wanted: PlanWish) -> tuple[str, list[Any]]:
    values: list[Any] = [merchant_id, wanted.since, wanted.before]
    where = "s.merchant_id = $1 AND s.schedule_at >= $2 AND s.schedule_at < $3"
    if wanted.held_only:
        where += " AND s.held_at IS NOT NULL"
    if wanted.word:
        values.append(like(wanted.word))
        named = (f"lower({column}) LIKE lower(${len(values)}) ESCAPE '\\'" for column in sql.WORD_COLUMNS)
        where += f" AND ({' OR '.join(named)})"
    return where, values


def like(word: str) -> str:
    """Return the pattern of texts that hold `word` anywhere; its own signs stand for themselves."""
    return "%" + word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
