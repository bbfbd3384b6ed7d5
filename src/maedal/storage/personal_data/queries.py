"""What tells of buyers, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from maedal.storage.engine.reading import SqlReads
from maedal.storage.personal_data.columns import BILLING_KEY, FINISHED, PAYMENT, PLAN, SCHEDULE, any_of
from maedal.storage.personal_data.reads import Counts, Kind, Traces

IDS = {"payments": "imp_uid", "schedules": "merchant_uid", "billing_keys": "id", "plans": "plan_uid"}
HAS = {
    "payments": any_of(PAYMENT),
    "schedules": any_of(SCHEDULE),
    "billing_keys": any_of(BILLING_KEY),
    "plans": any_of(PLAN),
}
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
        return await self._traces(conditions, values, count_max)

    async def count_of_buyer(self, merchant_id: str, customer_uid: str | None, merchant_uid: str | None) -> Counts:
        conditions, values = _of_buyer(merchant_id, customer_uid, merchant_uid)
        under_way = f"{conditions['payments']} AND NOT {FINISHED}"
        conditions["payments"] += f" AND {FINISHED}"
        counts = await self._counts(conditions, values)
        return counts + Counts(under_way=await self._count("payments", under_way, values))

    async def older(self, merchant_id: str, kind: Kind, before: datetime, count_max: int) -> Traces:
        return await self._traces(_older(kind), (merchant_id, before), count_max)

    async def count_older(self, merchant_id: str, kind: Kind, before: datetime) -> Counts:
        return await self._counts(_older(kind), (merchant_id, before))

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
