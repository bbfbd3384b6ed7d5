"""Plans in SQL: each read bounded, and a range of an index."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from maedal.plans.holiday import HOLIDAYS_MAX, OwnHoliday
from maedal.plans.plan import Consent, Occurrence, Plan
from maedal.storage.engine.log_pages import Values
from maedal.storage.engine.reading import ROWS_MAX, SqlReads, like, moment_not_null
from maedal.storage.plans.reads import KeysWithoutCharge, KeyWithoutCharge, PlanFilter, PlanPage
from maedal.storage.plans.rows import consent_of, holiday_of, occurrence_of, plan_of

LOOKED_THROUGH_MAX = 5_000
"""So many plans are looked through for a word; the next page goes on where that ended."""
DUE = "SELECT * FROM plans WHERE look_at IS NOT NULL AND look_at <= $1 ORDER BY look_at LIMIT $2"
LACKING = """
SELECT * FROM plans
 WHERE merchant_id = $1 AND needs_consent_on IS NOT NULL AND needs_consent_on <= $2
   AND (needs_consent_on, plan_uid) > ($3, $4)
 ORDER BY needs_consent_on, plan_uid LIMIT $5
"""
OCCURRENCES = """
SELECT * FROM plan_occurrences WHERE merchant_id = $1 AND plan_uid = $2 AND on_day < $3 ORDER BY on_day DESC LIMIT $4
"""
CONSENTS = "SELECT * FROM plan_consents WHERE merchant_id = $1 AND plan_uid = $2 ORDER BY id DESC LIMIT $3"
HOLIDAYS = "SELECT * FROM merchant_holidays WHERE merchant_id = $1 ORDER BY on_day LIMIT $2"
# First a bounded range of the keys, by an index; what has a charge before it is looked up for each of them.
WITHOUT_CHARGE = """
SELECT bounded.id, bounded.customer_uid, bounded.inserted_at,
       EXISTS (SELECT 1 FROM schedules s WHERE s.merchant_id = $1 AND s.customer_uid = bounded.customer_uid
                  AND (s.status = 'scheduled' OR s.next_try_at IS NOT NULL)) AS scheduled,
       EXISTS (SELECT 1 FROM plans p WHERE p.merchant_id = $1 AND p.customer_uid = bounded.customer_uid
                  AND (p.status = 'active' OR p.resumes_on IS NOT NULL)) AS planned
  FROM (SELECT id, customer_uid, inserted_at, test_mode, gone_at FROM billing_keys
         WHERE merchant_id = $1 AND customer_uid > $2 AND ended_at IS NULL ORDER BY customer_uid LIMIT $3) bounded
 WHERE bounded.gone_at IS NULL AND bounded.test_mode = $4
 ORDER BY bounded.customer_uid
"""
LAST_LOOKED_AT = """
SELECT max(customer_uid) AS last, count(*) AS count FROM (
  SELECT customer_uid FROM billing_keys
   WHERE merchant_id = $1 AND customer_uid > $2 AND ended_at IS NULL ORDER BY customer_uid LIMIT $3) bounded
"""


class SqlPlanReads(SqlReads):
    """The `PlanReads` (see reads.py) of a store in SQL."""

    async def find(self, merchant_id: str, plan_uid: str) -> Plan | None:
        rows = await self._engine.fetch(
            "SELECT * FROM plans WHERE merchant_id = $1 AND plan_uid = $2", merchant_id, plan_uid
        )
        return plan_of(rows[0]) if rows else None

    async def due(self, now: datetime, count_max: int) -> Sequence[Plan]:
        assert count_max <= ROWS_MAX, "a bounded number of rows"
        return [plan_of(row) for row in await self._engine.fetch(DUE, now, count_max)]

    async def page(self, merchant_id: str, wanted: PlanFilter, count_max: int) -> PlanPage:
        assert count_max <= ROWS_MAX, "a bounded number of rows"
        values = Values(merchant_id)
        where = "merchant_id = $1"
        if wanted.status is not None:
            where += f" AND status = {values.mark(wanted.status)}"
        if wanted.customer_uid is not None:
            where += f" AND customer_uid = {values.mark(wanted.customer_uid)}"
        if wanted.after is not None:
            where += f" AND (created_at, plan_uid) < ({values.mark(wanted.after[0])}, {values.mark(wanted.after[1])})"
        looked = LOOKED_THROUGH_MAX if wanted.word else count_max + 1
        range_ = f"SELECT * FROM plans WHERE {where} ORDER BY created_at DESC, plan_uid DESC LIMIT {looked}"
        if not wanted.word:
            plans = [plan_of(row) for row in await self._engine.fetch(range_, *values.all)]
            shown = plans[:count_max]
            return PlanPage(shown, _place(shown[-1]) if len(plans) > count_max else None)
        return await self._with_word(range_, values, wanted.word, count_max)

    async def _with_word(self, range_: str, values: Values, word: str, count_max: int) -> PlanPage:
        last = await self._engine.fetch(
            f"{range_.removesuffix(str(LOOKED_THROUGH_MAX))}1 OFFSET {LOOKED_THROUGH_MAX - 1}", *values.all
        )
        mark = values.mark(like(word))
        named = " OR ".join(
            f"lower({column}) LIKE lower({mark}) ESCAPE '\\'" for column in ("plan_uid", "customer_uid", "name")
        )
        rows = await self._engine.fetch(
            f"SELECT * FROM ({range_}) t WHERE {named} ORDER BY created_at DESC, plan_uid DESC LIMIT {count_max + 1}",
            *values.all,
        )
        plans = [plan_of(row) for row in rows]
        shown = plans[:count_max]
        if len(plans) > count_max:
            return PlanPage(shown, _place(shown[-1]))
        return PlanPage(shown, _place(plan_of(last[0])) if last else None)

    async def lacking_consent(
        self, merchant_id: str, until: date, after: tuple[date, str] | None, count_max: int
    ) -> Sequence[Plan]:
        assert count_max <= ROWS_MAX, "a bounded number of rows"
        begin = ("", "") if after is None else (after[0].isoformat(), after[1])
        rows = await self._engine.fetch(LACKING, merchant_id, until.isoformat(), *begin, count_max)
        return [plan_of(row) for row in rows]

    async def consents(self, merchant_id: str, plan_uid: str, count_max: int) -> Sequence[Consent]:
        assert count_max <= ROWS_MAX, "a bounded number of rows"
        return [consent_of(row) for row in await self._engine.fetch(CONSENTS, merchant_id, plan_uid, count_max)]

    async def occurrences(
        self, merchant_id: str, plan_uid: str, before: date | None, count_max: int
    ) -> Sequence[Occurrence]:
        assert count_max <= ROWS_MAX, "a bounded number of rows"
        end = "9999-12-31" if before is None else before.isoformat()
        rows = await self._engine.fetch(OCCURRENCES, merchant_id, plan_uid, end, count_max)
        return [occurrence_of(row) for row in rows]

    async def holidays(self, merchant_id: str) -> Sequence[OwnHoliday]:
        return [holiday_of(row) for row in await self._engine.fetch(HOLIDAYS, merchant_id, HOLIDAYS_MAX)]

    async def keys_without_charge(
        self, merchant_id: str, after: str, look_max: int, *, test_mode: bool
    ) -> KeysWithoutCharge:
        assert look_max <= ROWS_MAX, "a bounded number of rows"
        [looked] = await self._engine.fetch(LAST_LOOKED_AT, merchant_id, after, look_max)
        rows = await self._engine.fetch(WITHOUT_CHARGE, merchant_id, after, look_max, test_mode)
        keys = [
            KeyWithoutCharge(row["id"], row["customer_uid"], moment_not_null(row["inserted_at"]))
            for row in rows
            if not row["scheduled"] and not row["planned"]
        ]
        return KeysWithoutCharge(keys, looked["last"] if looked["count"] == look_max else None)


def _place(plan: Plan) -> tuple[datetime, str]:
    return plan.created_at, plan.plan_uid
