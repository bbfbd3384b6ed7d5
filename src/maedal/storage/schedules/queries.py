"""Scheduled charges in SQL: each read bounded, and a range of an index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any, Protocol

from maedal.payments.payment import Payment
from maedal.schedules.schedule import Schedule
from maedal.storage.engine.reading import ROWS_MAX, Fetches, SqlReads, condition, like, moment, rows_after
from maedal.storage.engine.steps import Row
from maedal.storage.failed_with import failed_with
from maedal.storage.schedules.reads import ScheduleDay, ScheduleFilter, SchedulePage, ScheduleSearch, ScheduleTab
from maedal.storage.schedules.rows import PACE, schedule_of

SCHEDULES_MAX = 5_001
DAYS_MAX = 400
NAMED_AT_ONCE = 500
STANDS: Mapping[ScheduleTab, str] = {
    ScheduleTab.WAITING: "s.status = 'scheduled'",
    ScheduleTab.REVOKED: "s.status = 'revoked'",
    ScheduleTab.PAID: "s.status = 'executed' AND p.status IN ('paid', 'cancelled')",
    ScheduleTab.FAILED: "s.status = 'executed' AND p.status = 'failed'",
    ScheduleTab.OPEN: "s.status = 'executed' AND p.status IN ('ready', 'calling', 'unknown')",
}
"""Where a scheduled charge `s` stands, by its payment `p` when there is one."""
# For counting, each payment is looked up by its key: a join would have PostgreSQL read all payments from end to end.
# The merchant is the first value of the question, and named for each table of it.
TAB = f"""CASE s.status WHEN 'scheduled' THEN '{ScheduleTab.WAITING}' WHEN 'revoked' THEN '{ScheduleTab.REVOKED}' ELSE (
  SELECT CASE p.status WHEN 'paid' THEN '{ScheduleTab.PAID}' WHEN 'cancelled' THEN '{ScheduleTab.PAID}'
              WHEN 'failed' THEN '{ScheduleTab.FAILED}' ELSE '{ScheduleTab.OPEN}' END
    FROM payments p WHERE p.merchant_id = $1 AND p.imp_uid = s.imp_uid) END"""
WITH_PAYMENT = "schedules s LEFT JOIN payments p ON p.merchant_id = s.merchant_id AND p.imp_uid = s.imp_uid"
WORD_COLUMNS = ("s.merchant_uid", "s.customer_uid", "s.name", "s.buyer_name", "s.imp_uid")

# Of a channel in the mode that is a value of the question: there are few channels, whichever of them are planned with.
OF_MODE = " AND s.channel_id IN (SELECT c.id FROM channels c WHERE c.merchant_id = $1 AND c.test_mode = {mode})"
AHEAD = """
SELECT * FROM (
  SELECT * FROM (SELECT s.*, s.schedule_at AS due_at FROM schedules s
     WHERE s.merchant_id = $1 AND s.status = 'scheduled' AND s.schedule_at >= $2 AND s.schedule_at < $3{of_mode}
     ORDER BY s.schedule_at LIMIT $4) t
  UNION ALL
  SELECT * FROM (SELECT s.*, s.next_try_at AS due_at FROM schedules s
     WHERE s.merchant_id = $1 AND s.next_try_at IS NOT NULL AND s.next_try_at >= $2 AND s.next_try_at < $3{of_mode}
     ORDER BY s.next_try_at LIMIT $4) t) t
 ORDER BY due_at, merchant_uid LIMIT $5 OFFSET $6
"""
PACE_USED = "SELECT free_at FROM schedule_pace WHERE name = $1"


# Looked for among the payments that failed, by the time of that; the scheduled charge tells what came after it.
FAILED_SINCE = """
SELECT count(*) AS count FROM (
  SELECT 1 FROM payments p CROSS JOIN schedules s
   WHERE p.merchant_id = $1 AND p.status = 'failed' AND p.status_at >= $2 AND p.key_use = 'payment.scheduled'{of_mode}
     AND s.merchant_id = $1 AND s.merchant_uid = p.merchant_uid AND s.imp_uid = p.imp_uid AND s.status = 'executed'
     AND s.next_try_at IS NULL LIMIT $3) bounded
"""
OVERDUE = """
SELECT count(*) AS count FROM (
  SELECT 1 FROM schedules s
   WHERE s.merchant_id = $1 AND s.status = 'scheduled' AND s.schedule_at < $2 AND s.held_at IS NULL{of_mode}
   LIMIT $3) bounded
"""


def planned_by_day(count: int, *, of_mode: bool = False) -> str:
    """Return the question what falls on each of so many days that follow each other: their borders are its values.

    The mode, if it is asked for, is the last value.
    """
    after = 3 + count
    of_channels = OF_MODE.format(mode=f"${after}") if of_mode else ""

    def of(moment: str, tab: str, where: str) -> str:
        day = "CASE " + " ".join(f"WHEN {moment} < ${n + 3} THEN {n}" for n in range(count)) + " END"
        return (
            f"SELECT {day} AS day, {tab} AS tab, count(*) AS count, sum(s.amount) AS amount,"
            " sum(CASE WHEN s.held_at IS NULL THEN 0 ELSE 1 END) AS held_count,"
            " sum(CASE WHEN s.held_at IS NULL THEN 0 ELSE s.amount END) AS held_amount"
            f" FROM schedules s WHERE s.merchant_id = $1 AND {where} AND {moment} >= $2 AND {moment} < ${after - 1}"
            f"{of_channels} GROUP BY 1, 2"
        )

    planned = of("s.schedule_at", TAB, "1 = 1")
    tries = of("s.next_try_at", "'try'", "s.next_try_at IS NOT NULL")
    return f"{planned} UNION ALL {tries}"


class ReadsPayments(Protocol):
    """What gives scheduled charges their payments; that subject knows this one, so it is not imported here."""

    async def by_ids(
        self, merchant_id: str, imp_uids: Sequence[str], merchant_uids: Sequence[str]
    ) -> Sequence[Payment]: ...


class SqlScheduleReads(SqlReads):
    """The `ScheduleReads` (see reads.py) of a store in SQL."""

    def __init__(self, engine: Fetches, payments: ReadsPayments) -> None:
        super().__init__(engine)
        self._payments = payments

    async def find(self, merchant_id: str, merchant_uid: str) -> Schedule | None:
        rows = await self._engine.fetch(
            "SELECT * FROM schedules WHERE merchant_id = $1 AND merchant_uid = $2", merchant_id, merchant_uid
        )
        found = await self._with_payments(merchant_id, rows)
        return found[0] if found else None

    async def page(self, merchant_id: str, wanted: ScheduleFilter) -> SchedulePage:
        where, values = condition(
            [merchant_id, wanted.since, wanted.before],
            "merchant_id = $1 AND schedule_at >= $2 AND schedule_at < $3 AND status",
            wanted.statuses,
            ("customer_uid =", wanted.customer_uid),
        )
        count = await self._engine.fetch(f"SELECT count(*) AS total FROM schedules WHERE {where}", *values)
        n = len(values)
        rows = await self._engine.fetch(
            f"SELECT * FROM schedules WHERE {where}"
            f" ORDER BY schedule_at {'ASC' if wanted.oldest_first else 'DESC'}, merchant_uid"
            f" LIMIT CAST(${n + 1} AS BIGINT) OFFSET CAST(${n + 2} AS BIGINT)",
            *values,
            wanted.limit,
            (wanted.page - 1) * wanted.limit,
        )
        return SchedulePage(count[0]["total"], await self._with_payments(merchant_id, rows))

    async def next_tries(self, merchant_id: str, count_max: int) -> Sequence[Schedule]:
        assert count_max <= ROWS_MAX, "a bounded number of rows"
        rows = await self._engine.fetch(
            "SELECT * FROM schedules WHERE merchant_id = $1 AND next_try_at IS NOT NULL"
            " ORDER BY next_try_at, merchant_uid LIMIT $2",
            merchant_id,
            count_max,
        )
        return await self._with_payments(merchant_id, rows)

    async def after(self, merchant_id: str, merchant_uid: str, count_max: int) -> Sequence[Schedule]:
        rows = await rows_after(self._engine, "schedules", "merchant_uid", merchant_id, merchant_uid, count_max)
        return await self._with_payments(merchant_id, rows)

    async def search(
        self,
        merchant_id: str,
        wanted: ScheduleSearch,
        limit: int,
        offset: int = 0,
        after: tuple[datetime, str] | None = None,
    ) -> Sequence[Schedule]:
        assert limit <= SCHEDULES_MAX, "a bounded number of rows"
        where, values = _where(merchant_id, wanted)
        source = "schedules s"
        if wanted.tab is not ScheduleTab.ALL:
            where += f" AND {STANDS[wanted.tab]}"
            source = source if "p." not in STANDS[wanted.tab] else WITH_PAYMENT
        order, further = ("ASC", ">") if wanted.oldest_first else ("DESC", "<")
        if after is not None:
            values += after
            at, uid = f"${len(values) - 1}", f"${len(values)}"
            where += f" AND s.schedule_at {further}= {at} AND (s.schedule_at {further} {at} OR s.merchant_uid > {uid})"
        n = len(values)
        rows = await self._engine.fetch(
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

    async def counts(self, merchant_id: str, wanted: ScheduleSearch, count_max: int) -> dict[ScheduleTab, int]:
        where, values = _where(merchant_id, wanted)
        rows = await self._engine.fetch(
            f"SELECT tab, count(*) AS count FROM (SELECT {TAB} AS tab FROM schedules s WHERE {where}"
            f" LIMIT CAST(${len(values) + 1} AS BIGINT)) t GROUP BY tab",
            *values,
            count_max,
        )
        counts = {ScheduleTab(row["tab"]): int(row["count"]) for row in rows}
        return {ScheduleTab.ALL: sum(counts.values())} | {tab: counts.get(tab, 0) for tab in STANDS}

    async def by_merchant_uids(self, merchant_id: str, merchant_uids: Sequence[str]) -> Sequence[Schedule]:
        found: list[Schedule] = []
        for first in range(0, len(merchant_uids), NAMED_AT_ONCE):
            named = merchant_uids[first : first + NAMED_AT_ONCE]
            marks = ", ".join(f"${n}" for n in range(2, 2 + len(named)))
            rows = await self._engine.fetch(
                f"SELECT * FROM schedules WHERE merchant_id = $1 AND merchant_uid IN ({marks})", merchant_id, *named
            )
            found += await self._with_payments(merchant_id, rows)
        return found

    async def due_between(
        self,
        merchant_id: str,
        since: datetime,
        before: datetime,
        limit: int,
        offset: int = 0,
        *,
        test_mode: bool | None = None,
    ) -> Sequence[Schedule]:
        assert limit <= SCHEDULES_MAX, "a bounded number of rows"
        sql = AHEAD.format(of_mode="" if test_mode is None else OF_MODE.format(mode="$7"))
        mode = () if test_mode is None else (test_mode,)
        rows = await self._engine.fetch(sql, merchant_id, since, before, offset + limit, limit, offset, *mode)
        found: list[Schedule] = []
        for first in range(0, len(rows), NAMED_AT_ONCE):
            found += await self._with_payments(merchant_id, rows[first : first + NAMED_AT_ONCE])
        return found

    async def by_day(
        self, merchant_id: str, days: Sequence[tuple[datetime, datetime]], test_mode: bool | None = None
    ) -> Sequence[ScheduleDay]:
        assert 0 < len(days) <= DAYS_MAX, "a bounded number of days"
        assert all(one[1] == other[0] for one, other in pairwise(days)), "days follow each other"
        found = [ScheduleDay({}, {}) for _ in days]
        sql = planned_by_day(len(days), of_mode=test_mode is not None)
        mode = () if test_mode is None else (test_mode,)
        rows = await self._engine.fetch(sql, merchant_id, days[0][0], *(before for _, before in days), *mode)
        for row in rows:
            day, count, amount = found[row["day"]], int(row["count"]), int(row["amount"])
            held = {"held_count": int(row["held_count"]), "held_amount": int(row["held_amount"])}
            if row["tab"] == "try":
                changes = {"try_count": count, "try_amount": amount}
            else:
                day.counts[ScheduleTab(row["tab"])], day.amounts[ScheduleTab(row["tab"])] = count, amount
                changes = {}
            found[row["day"]] = ScheduleDay(
                day.counts,
                day.amounts,
                day.held_count + held["held_count"],
                day.held_amount + held["held_amount"],
                changes.get("try_count", day.try_count),
                changes.get("try_amount", day.try_amount),
            )
        return found

    async def failed_since(
        self, merchant_id: str, since: datetime, count_max: int, test_mode: bool | None = None
    ) -> int:
        mode = () if test_mode is None else (test_mode,)
        sql = FAILED_SINCE.format(of_mode="" if test_mode is None else " AND p.test_mode = $4")
        rows = await self._engine.fetch(sql, merchant_id, since, count_max, *mode)
        return int(rows[0]["count"])

    async def overdue(self, merchant_id: str, before: datetime, count_max: int, test_mode: bool | None = None) -> int:
        mode = () if test_mode is None else (test_mode,)
        sql = OVERDUE.format(of_mode="" if test_mode is None else OF_MODE.format(mode="$4"))
        rows = await self._engine.fetch(sql, merchant_id, before, count_max, *mode)
        return int(rows[0]["count"])

    async def pace_used_until(self) -> datetime | None:
        rows = await self._engine.fetch(PACE_USED, PACE)
        return moment(rows[0]["free_at"]) if rows else None

    async def _with_payments(self, merchant_id: str, rows: Sequence[Row]) -> list[Schedule]:
        schedules = [schedule_of(row) for row in rows]
        executed = [s.imp_uid for s in schedules if s.imp_uid is not None]
        payments = {p.imp_uid: p for p in await self._payments.by_ids(merchant_id, executed, [])}
        return [replace(s, payment=payments.get(s.imp_uid) if s.imp_uid else None) for s in schedules]


def _where(merchant_id: str, wanted: ScheduleSearch) -> tuple[str, list[Any]]:
    values: list[Any] = [merchant_id, wanted.since, wanted.before]
    where = "s.merchant_id = $1 AND s.schedule_at >= $2 AND s.schedule_at < $3"
    if wanted.held_only:
        where += " AND s.held_at IS NOT NULL"
    if wanted.word:
        values.append(like(wanted.word))
        named = (f"lower({column}) LIKE lower(${len(values)}) ESCAPE '\\'" for column in WORD_COLUMNS)
        where += f" AND ({' OR '.join(named)})"
    if wanted.test_mode is not None:
        values.append(wanted.test_mode)
        where += OF_MODE.format(mode=f"${len(values)}")
    if wanted.failed_with is not None:

        def value(code: str) -> str:
            values.append(code)
            return f"${len(values)}"

        where += f" AND {failed_with(wanted.failed_with, '$1', 's.imp_uid', value)}"
    return where, values
