"""What tells of buyers, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from maedal.storage.engine.reading import SqlReads
from maedal.storage.personal_data.columns import BILLING_KEY, FINISHED, NOTED, PAYMENT, PLAN, SCHEDULE, any_of
from maedal.storage.personal_data.reads import Counts, Kind, Traces

IDS = {"payments": "imp_uid", "schedules": "merchant_uid", "billing_keys": "id", "plans": "plan_uid"}
HAS = {
    "payments": f"({any_of(PAYMENT)} OR {NOTED})",
    "schedules": any_of(SCHEDULE),
    "billing_keys": any_of(BILLING_KEY),
    "plans": any_of(PLAN),
}
CUSTOMER_NOTED = """
SELECT CAST($2 AS TEXT) AS id
 WHERE EXISTS (SELECT 1 FROM notes WHERE merchant_id = $1 AND kind = 'customer' AND subject = $2)
    OR EXISTS (SELECT 1 FROM tags WHERE merchant_id = $1 AND kind = 'customer' AND subject = $2)
"""
# What was written beside customers goes when all their keys are over for that long; one who has none had none for long.
NOBODYS = """
NOT EXISTS (SELECT 1 FROM billing_keys k WHERE k.merchant_id = $1 AND k.customer_uid = {table}.subject
            AND (k.ended_at IS NULL OR k.ended_at >= $2))
"""
CUSTOMERS_NOTED_LONG_AGO = f"""
SELECT DISTINCT id FROM (
  SELECT subject AS id FROM notes
   WHERE merchant_id = $1 AND kind = 'customer' AND written_at < $2 AND {NOBODYS.format(table="notes")}
  UNION ALL
  SELECT subject AS id FROM tags
   WHERE merchant_id = $1 AND kind = 'customer' AND tagged_at < $2 AND {NOBODYS.format(table="tags")}) found LIMIT $3
"""
CUSTOMERS_MAX = 100_000
OLDER: dict[Kind, dict[str, str]] = {
    Kind.PAID: {
        "payments": "status IN ('paid', 'cancelled') AND status_at < $2",
        "schedules": "status = 'executed' AND executed_at < $2",
        "plans": "status = 'ended' AND updated_at < $2",
    },
    Kind.UNPAID: {
        "payments": "status = 'failed' AND status_at < $2",
        "schedules": "status = 'revoked' AND revoked_at < $2",
    },
    Kind.ENDED_KEY: {"billing_keys": "ended_at < $2"},
}
"""By table, which rows of a kind have ended before a moment."""


class SqlPersonalDataReads(SqlReads):
    """The `PersonalDataReads` (see reads.py) of a store in SQL."""

    async def of_buyer(
        self, merchant_id: str, customer_uid: str | None, merchant_uid: str | None, count_max: int
    ) -> Traces:
        conditions, values = _of_buyer(merchant_id, customer_uid, merchant_uid)
        conditions["payments"] += f" AND {FINISHED}"
        traces = await self._traces(conditions, values, count_max)
        return replace(traces, customers=await self._customer(merchant_id, customer_uid, merchant_uid))

    async def count_of_buyer(self, merchant_id: str, customer_uid: str | None, merchant_uid: str | None) -> Counts:
        conditions, values = _of_buyer(merchant_id, customer_uid, merchant_uid)
        under_way = f"{conditions['payments']} AND NOT {FINISHED}"
        conditions["payments"] += f" AND {FINISHED}"
        counts = await self._counts(conditions, values)
        customers = len(await self._customer(merchant_id, customer_uid, merchant_uid))
        return counts + Counts(under_way=await self._count("payments", under_way, values), customers=customers)

    async def older(self, merchant_id: str, kind: Kind, before: datetime, count_max: int) -> Traces:
        traces = await self._traces(_older(kind), (merchant_id, before), count_max)
        return replace(traces, customers=await self._customers_of(kind, merchant_id, before, count_max))

    async def count_older(self, merchant_id: str, kind: Kind, before: datetime) -> Counts:
        customers = len(await self._customers_of(kind, merchant_id, before, CUSTOMERS_MAX))
        return await self._counts(_older(kind), (merchant_id, before)) + Counts(customers=customers)

    async def _customer(self, merchant_id: str, customer_uid: str | None, merchant_uid: str | None) -> list[str]:
        # What is written beside a customer is of no order.
        if customer_uid is None or merchant_uid is not None:
            return []
        rows = await self._engine.fetch(CUSTOMER_NOTED, merchant_id, customer_uid)
        return [row["id"] for row in rows]

    async def _customers_of(self, kind: Kind, merchant_id: str, before: datetime, count_max: int) -> list[str]:
        if kind is not Kind.ENDED_KEY:
            return []
        rows = await self._engine.fetch(CUSTOMERS_NOTED_LONG_AGO, merchant_id, before, count_max)
        return [row["id"] for row in rows]

    async def _traces(self, conditions: dict[str, str], values: Sequence[Any], count_max: int) -> Traces:
        found = {}
        for table, condition in conditions.items():
            sql = f"SELECT {IDS[table]} AS id FROM {table} WHERE {condition} LIMIT ${len(values) + 1}"
            found[table] = [row["id"] for row in await self._engine.fetch(sql, *values, count_max)]
        return Traces(**found)

    async def _counts(self, conditions: dict[str, str], values: Sequence[Any]) -> Counts:
        return Counts(**{table: await self._count(table, condition, values) for table, condition in conditions.items()})

    async def _count(self, table: str, condition: str, values: Sequence[Any]) -> int:
        [row] = await self._engine.fetch(f"SELECT count(*) AS count FROM {table} WHERE {condition}", *values)
        return int(row["count"])


def _of_buyer(
    merchant_id: str, customer_uid: str | None, merchant_uid: str | None
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the condition of each table that can tell of them, and the values of all."""
    named = {"customer_uid": customer_uid, "merchant_uid": merchant_uid}
    values = {name: value for name, value in named.items() if value is not None}
    condition = " AND ".join(["merchant_id = $1", *(f"{name} = ${n + 2}" for n, name in enumerate(values))])
    # A billing key, and a plan, is a customer's and no order's.
    of_customer = () if merchant_uid is not None else ("billing_keys", "plans")
    tables = ("payments", "schedules", *of_customer)
    return {table: f"{condition} AND {HAS[table]}" for table in tables}, (merchant_id, *values.values())


def _older(kind: Kind) -> dict[str, str]:
    return {table: f"merchant_id = $1 AND {old} AND {HAS[table]}" for table, old in OLDER[kind].items()}
