"""Webhooks in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from maedal.payments.moves import Status
from maedal.storage.audit.reads import Place
from maedal.storage.engine.log_pages import ITEMS_MAX, LOOKED_THROUGH_MAX, Range, Values, newest_rows, page_of, within
from maedal.storage.engine.reading import ROWS_MAX, SqlReads, condition
from maedal.storage.engine.steps import Row
from maedal.storage.webhooks.reads import (
    FIRST,
    AnswerClass,
    DeliveryFilter,
    DeliveryPage,
    DeliverySearch,
    FoundDelivery,
)
from maedal.storage.webhooks.rows import address_of, delivery_log_of, delivery_of
from maedal.webhooks.address import WebhookAddress
from maedal.webhooks.webhook import Delivery, DeliveryLog, DeliveryState

LOOKED_INTO_MAX = 5_000
"""So many rows are looked through for a filter that has to look into another table for each of them."""
# The merchant is the first value of each question, and named for each table of it.
REPORTED_STATUS = (
    "SELECT e.status FROM payment_events e"
    " WHERE e.merchant_id = $1 AND e.imp_uid = found.imp_uid AND e.version = found.sequence"
)
TEST_MODE = "SELECT p.test_mode FROM payments p WHERE p.merchant_id = $1 AND p.imp_uid = found.imp_uid"
LAST_ANSWER = (
    "SELECT t.answer_status FROM webhook_tries t"
    " WHERE t.merchant_id = $1 AND t.delivery_id = found.id AND t.number = found.tries"
)
ANSWERS = {
    AnswerClass.TAKEN: (200, 299),
    AnswerClass.REDIRECT: (300, 399),
    AnswerClass.REFUSED: (400, 499),
    AnswerClass.BROKEN: (500, 599),
}


class SqlWebhookReads(SqlReads):
    """The `WebhookReads` (see reads.py) of a store in SQL."""

    async def deliveries(self, merchant_id: str, wanted: DeliveryFilter) -> Sequence[DeliveryLog]:
        where, values = condition(
            [merchant_id],
            "merchant_id = $1 AND state",
            wanted.states,
            ("id =", wanted.delivery_id),
            ("imp_uid =", wanted.imp_uid),
            ("created_at >=", wanted.since),
        )
        assert wanted.limit <= ROWS_MAX, "a bounded number of webhooks"
        rows = await self._engine.fetch(
            f"SELECT * FROM webhook_deliveries WHERE {where} ORDER BY created_at DESC, id DESC LIMIT {wanted.limit}",
            *values,
        )
        if not rows:
            return []
        marks = ", ".join(f"${n}" for n in range(2, 2 + len(rows)))
        tries = await self._engine.fetch(
            f"SELECT * FROM webhook_tries WHERE merchant_id = $1 AND delivery_id IN ({marks})"
            " ORDER BY delivery_id, number",
            merchant_id,
            *(row["id"] for row in rows),
        )
        made: dict[str, list[Row]] = {}
        for row in tries:
            made.setdefault(row["delivery_id"], []).append(row)
        return [delivery_log_of(row, made.get(row["id"], ())) for row in rows]

    async def has_untried(self, merchant_id: str, imp_uid: str, reported_by: datetime) -> bool:
        rows = await self._engine.fetch(
            "SELECT 1 FROM webhook_deliveries WHERE merchant_id = $1 AND imp_uid = $2 AND state = 'waiting'"
            " AND tries = 0 AND created_at <= $3 AND address_id IS NULL LIMIT 1",
            merchant_id,
            imp_uid,
            reported_by,
        )
        return bool(rows)

    async def addresses(self, merchant_id: str) -> Sequence[WebhookAddress]:
        rows = await self._engine.fetch(
            f"SELECT * FROM webhook_addresses WHERE merchant_id = $1 LIMIT {ROWS_MAX}", merchant_id
        )
        return sorted(map(address_of, rows), key=lambda one: (one.created_at, one.id))

    async def search(self, merchant_id: str, wanted: DeliverySearch) -> DeliveryPage:
        rows, go_on = await self._log(merchant_id, wanted)
        if not rows:
            return DeliveryPage([], go_on)
        values = Values(merchant_id)
        marks = values.marks([row["id"] for row in rows])
        made = await self._engine.fetch(
            f"SELECT * FROM webhook_tries WHERE merchant_id = $1 AND delivery_id IN ({marks})"
            " ORDER BY delivery_id, number",
            *values.all,
        )
        tries: dict[str, list[Row]] = {}
        for row in made:
            tries.setdefault(row["delivery_id"], []).append(row)
        found = [
            FoundDelivery(
                delivery_log_of(row, tries.get(row["id"], ())),
                Status(row["told_status"]) if row["told_status"] else None,
                bool(row["test_mode"]),
            )
            for row in rows
        ]
        return DeliveryPage(found, go_on)

    async def matching(self, merchant_id: str, wanted: DeliverySearch) -> Sequence[Delivery]:
        rows, _ = await self._log(merchant_id, wanted)
        return [delivery_of(row) for row in rows]

    async def _log(self, merchant_id: str, wanted: DeliverySearch) -> tuple[Sequence[Row], Place | None]:
        assert wanted.limit <= ITEMS_MAX, "a bounded number of webhooks"
        for some in (wanted.imp_uids, wanted.delivery_ids, wanted.states):
            if some is not None and not some:
                return [], None
        looks_into = wanted.answer is not None or wanted.status is not None or wanted.test_mode is not None
        most = LOOKED_INTO_MAX if looks_into else LOOKED_THROUGH_MAX
        values = Values(merchant_id)
        # Whatever a receiver has taken is delivered, so that the rest is looked for among what is not.
        states = [s for s in wanted.states if wanted.answer in {None, AnswerClass.TAKEN} or s != "delivered"]
        window = within(values, "created_at", wanted.since, wanted.until, wanted.after)
        if wanted.delivery_ids is not None:
            window += f" AND id IN ({values.marks(wanted.delivery_ids)})"
        if wanted.imp_uids is not None:
            window += f" AND imp_uid IN ({values.marks(wanted.imp_uids)})"
        asked = [s for s in DeliveryState if s in states]
        if not asked:
            return [], None
        if len(asked) == len(DeliveryState):
            looked_through = newest_rows("webhook_deliveries", window, "created_at", most)
        else:  # each state has its own range of the index; together they are put in order again
            ranges = [f"{window} AND state = {values.mark(s)}" for s in asked]
            parts = [
                f"SELECT * FROM ({newest_rows('webhook_deliveries', one, 'created_at', most)}) bounded"
                for one in ranges
            ]
            looked_through = " UNION ALL ".join(parts)
            if len(parts) > 1:
                newest = f"ORDER BY created_at DESC, id DESC LIMIT {most}"
                looked_through = f"SELECT * FROM ({looked_through}) bounded {newest}"
        return await page_of(
            self._engine,
            f"SELECT found.*, ({REPORTED_STATUS}) AS told_status, ({TEST_MODE}) AS test_mode",
            Range(looked_through, "created_at", tuple(values.all), most),
            _log_filters(values, wanted),
            wanted.limit,
            values,
        )


def _log_filters(values: Values, wanted: DeliverySearch) -> list[str]:
    filters = []
    if wanted.status is not None:
        filters.append(f"({REPORTED_STATUS}) = {values.mark(wanted.status)}")
    if wanted.test_mode is not None:
        filters.append(f"({TEST_MODE}) = {values.mark(wanted.test_mode)}")
    if wanted.answer is AnswerClass.NONE:
        filters.append(f"found.tries > 0 AND ({LAST_ANSWER}) IS NULL")
    elif wanted.answer is not None:
        low, high = ANSWERS[wanted.answer]
        filters.append(f"({LAST_ANSWER}) BETWEEN {low} AND {high}")
    if wanted.address_id == FIRST:
        filters.append("found.address_id IS NULL")
    elif wanted.address_id is not None:
        filters.append(f"found.address_id = {values.mark(wanted.address_id)}")
    if wanted.host is not None:
        host = wanted.host.lower()
        filters.append(f"(found.receiver = {values.mark(host)} OR found.receiver LIKE {values.mark(host + ':%')})")
    return filters
