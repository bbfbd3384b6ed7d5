"""Reads of the desk, the log of webhooks and the audit log, over any engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from maedal.billing_keys.billing_key import KeyEnd
from maedal.billing_keys.ending import PendingEnding
from maedal.payments.attempt import Outcome
from maedal.payments.moves import Status
from maedal.payments.payment import Payment
from maedal.storage.desk import (
    LOOKED_INTO_MAX,
    LOOKED_THROUGH_MAX,
    ActPage,
    AnswerClass,
    DeedPage,
    DeskCounts,
    LoggedWebhook,
    LogWish,
    Place,
    UnknownCall,
    WebhookPage,
    WebhookWish,
)
from maedal.storage.sql import desk as sql
from maedal.storage.sql.audit import act_of
from maedal.storage.sql.billing_keys import CHARGE_OPEN
from maedal.storage.sql.rows import attempt_of, delivery_of, ending_of, moment, payment_of, told_of
from maedal.storage.sql.steps import Row
from maedal.storage.sql.users import deed_of
from maedal.webhooks.webhook import Delivery, DeliveryState

ITEMS_MAX = 1000

ENDINGS = f"""
SELECT e.merchant_id, e.attempt_id, e.billing_key_id, e.tries, e.due_at, k.customer_uid, k.ended_by,
       {CHARGE_OPEN} AS charge_open, t.outcome, t.code, t.message
  FROM key_endings e
  JOIN billing_keys k ON k.merchant_id = e.merchant_id AND k.id = e.billing_key_id
  JOIN attempts t ON t.merchant_id = e.merchant_id AND t.id = e.attempt_id
 WHERE e.merchant_id = $1 AND e.ended_at IS NULL ORDER BY e.due_at LIMIT $2
"""
TOLD_STATUS = (
    "SELECT e.status FROM payment_events e"
    " WHERE e.merchant_id = found.merchant_id AND e.imp_uid = found.imp_uid AND e.version = found.sequence"
)
TEST_MODE = "SELECT p.test_mode FROM payments p WHERE p.merchant_id = found.merchant_id AND p.imp_uid = found.imp_uid"
LAST_ANSWER = (
    "SELECT t.answer_status FROM webhook_tries t"
    " WHERE t.merchant_id = found.merchant_id AND t.delivery_id = found.id AND t.number = found.tries"
)
ANSWERS = {
    AnswerClass.TAKEN: (200, 299),
    AnswerClass.REDIRECT: (300, 399),
    AnswerClass.REFUSED: (400, 499),
    AnswerClass.BROKEN: (500, 599),
}


class Fetches(Protocol):
    """What reads rows."""

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]: ...


class _Values:
    """The values of a statement, and the mark of each."""

    def __init__(self, *values: Any) -> None:
        self.all = list(values)

    def mark(self, value: Any) -> str:
        self.all.append(value)
        return f"${len(self.all)}"

    def marks(self, values: Sequence[Any]) -> str:
        return ", ".join(self.mark(value) for value in values)


@dataclass(frozen=True, slots=True)
class _Range:
    """What is looked through, newest first, up to a bound: a statement with its values, and the column of its time."""

    sql: str
    time: str
    values: tuple[Any, ...]
    most: int


class SqlDeskReads:
    """The `DeskReads` (see desk.py) of a store."""

    engine: Fetches

    async def desk_counts(self, merchant_id: str, webhooks_since: datetime) -> DeskCounts:
        [row] = await self.engine.fetch(sql.COUNTS, merchant_id, webhooks_since)
        return DeskCounts(row["unknown"], row["without_tid"], row["findings"], row["key_endings"], row["webhooks"])

    async def unknown_calls(self, merchant_id: str, count_max: int) -> Sequence[UnknownCall]:
        rows = await self.engine.fetch(sql.UNKNOWN, merchant_id, min(count_max, ITEMS_MAX))
        if not rows:
            return []
        values = _Values(merchant_id)
        marks = values.marks(sorted({row["imp_uid"] for row in rows}))
        found = await self.engine.fetch(
            f"SELECT * FROM payments WHERE merchant_id = $1 AND imp_uid IN ({marks})", *values.all
        )
        payments = {row["imp_uid"]: payment_of(row) for row in found}
        return [_unknown_call_of(row, payments[row["imp_uid"]]) for row in rows]

    async def paid_without_tid(self, merchant_id: str, count_max: int) -> Sequence[Payment]:
        rows = await self.engine.fetch(sql.WITHOUT_TID, merchant_id, min(count_max, ITEMS_MAX))
        return [payment_of(row) for row in rows]

    async def key_endings_of(self, merchant_id: str, count_max: int) -> Sequence[PendingEnding]:
        rows = await self.engine.fetch(ENDINGS, merchant_id, min(count_max, ITEMS_MAX))
        return [
            PendingEnding(
                ending=ending_of(row),
                customer_uid=row["customer_uid"],
                ended_by=KeyEnd(row["ended_by"]),
                charge_open=bool(row["charge_open"]),
                outcome=Outcome(row["outcome"]) if row["outcome"] else None,
                code=row["code"],
                message=row["message"],
            )
            for row in rows
        ]

    async def webhook_page(self, merchant_id: str, wanted: WebhookWish) -> WebhookPage:
        rows, go_on = await self._webhooks(merchant_id, wanted)
        if not rows:
            return WebhookPage([], go_on)
        values = _Values(merchant_id)
        marks = values.marks([row["id"] for row in rows])
        made = await self.engine.fetch(
            f"SELECT * FROM webhook_tries WHERE merchant_id = $1 AND delivery_id IN ({marks})"
            " ORDER BY delivery_id, number",
            *values.all,
        )
        tries: dict[str, list[Row]] = {}
        for row in made:
            tries.setdefault(row["delivery_id"], []).append(row)
        found = [
            LoggedWebhook(
                told_of(row, tries.get(row["id"], ())),
                Status(row["told_status"]) if row["told_status"] else None,
                bool(row["test_mode"]),
            )
            for row in rows
        ]
        return WebhookPage(found, go_on)

    async def webhooks_found(self, merchant_id: str, wanted: WebhookWish) -> Sequence[Delivery]:
        rows, _ = await self._webhooks(merchant_id, wanted)
        return [delivery_of(row) for row in rows]

    async def _webhooks(self, merchant_id: str, wanted: WebhookWish) -> tuple[Sequence[Row], Place | None]:
        assert wanted.limit <= ITEMS_MAX, "a bounded number of webhooks"
        for some in (wanted.imp_uids, wanted.delivery_ids, wanted.states):
            if some is not None and not some:
                return [], None
        looks_into = wanted.answer is not None or wanted.told is not None or wanted.test_mode is not None
        most = LOOKED_INTO_MAX if looks_into else LOOKED_THROUGH_MAX
        values = _Values(merchant_id)
        # Whatever a receiver has taken is delivered, so that the rest is looked for among what is not.
        states = [s for s in wanted.states if wanted.answer in {None, AnswerClass.TAKEN} or s != "delivered"]
        window = _within(values, "created_at", wanted.since, wanted.until, wanted.after)
        if wanted.delivery_ids is not None:
            window += f" AND id IN ({values.marks(wanted.delivery_ids)})"
        if wanted.imp_uids is not None:
            window += f" AND imp_uid IN ({values.marks(wanted.imp_uids)})"
        asked = [s for s in DeliveryState if s in states]
        if not asked:
            return [], None
        if len(asked) == len(DeliveryState):
            looked_through = _newest("webhook_deliveries", window, "created_at", most)
        else:  # each state has its own range of the index; together they are put in order again
            ranges = [f"{window} AND state = {values.mark(s)}" for s in asked]
            parts = [
                f"SELECT * FROM ({_newest('webhook_deliveries', one, 'created_at', most)}) bounded" for one in ranges
            ]
            looked_through = " UNION ALL ".join(parts)
            if len(parts) > 1:
                newest = f"ORDER BY created_at DESC, id DESC LIMIT {most}"
                looked_through = f"SELECT * FROM ({looked_through}) bounded {newest}"
        return await self._page(
            f"SELECT found.*, ({TOLD_STATUS}) AS told_status, ({TEST_MODE}) AS test_mode",
            _Range(looked_through, "created_at", tuple(values.all), most),
            _webhook_filters(values, wanted),
            wanted.limit,
            values,
        )

    async def act_page(self, merchant_id: str, wanted: LogWish) -> ActPage:
        rows, go_on = await self._log("audit_log", _Values(merchant_id), "merchant_id = $1", wanted)
        return ActPage([act_of(row) for row in rows], go_on)

    async def deed_page(self, wanted: LogWish) -> DeedPage:
        rows, go_on = await self._log("user_log", _Values(), "TRUE", wanted)
        return DeedPage([deed_of(row) for row in rows], go_on)

    async def _log(
        self, table: str, values: _Values, whose: str, wanted: LogWish
    ) -> tuple[Sequence[Row], Place | None]:
        assert wanted.limit <= ITEMS_MAX, "a bounded number of acts"
        window = whose
        if wanted.since is not None:
            window += f" AND happened_at >= {values.mark(wanted.since)}"
        if wanted.before is not None:
            window += f" AND happened_at < {values.mark(wanted.before)}"
        if wanted.after is not None:
            window += f" AND (happened_at, id) < ({values.mark(wanted.after[0])}, {values.mark(wanted.after[1])})"
        if wanted.subject is not None:
            window += f" AND subject = {values.mark(wanted.subject)}"
        span = _Range(
            _newest(table, window, "happened_at", LOOKED_THROUGH_MAX),
            "happened_at",
            tuple(values.all),
            LOOKED_THROUGH_MAX,
        )
        filters = [
            f"found.{column} = {values.mark(value)}"
            for column, value in (("who", wanted.who), ("kind", wanted.kind))
            if value is not None
        ]
        return await self._page("SELECT *", span, filters, wanted.limit, values)

    async def _page(
        self, select: str, span: _Range, filters: Sequence[str], limit: int, values: _Values
    ) -> tuple[Sequence[Row], Place | None]:
        """Return rows of what is looked through that pass the filters, and where the next page goes on, if it does."""
        where = f" WHERE {' AND '.join(filters)}" if filters else ""
        rows = await self.engine.fetch(
            f"{select} FROM ({span.sql}) found{where} ORDER BY found.{span.time} DESC, found.id DESC LIMIT {limit + 1}",
            *values.all,
        )
        if len(rows) > limit:
            return rows[:limit], _place_of(rows[limit - 1], span.time)
        if not filters:
            return rows, None
        # Fewer than wanted passed; perhaps the bound, and not the end, was met.
        last = await self.engine.fetch(
            f"SELECT {span.time}, id FROM ({span.sql}) found ORDER BY {span.time} DESC, id DESC"
            f" LIMIT 1 OFFSET {span.most - 1}",
            *span.values,
        )
        return rows, _place_of(last[0], span.time) if last else None


def _newest(table: str, window: str, time: str, count_max: int) -> str:
    return f"SELECT * FROM {table} WHERE {window} ORDER BY {time} DESC, id DESC LIMIT {count_max}"


def _within(values: _Values, column: str, since: datetime | None, until: datetime | None, after: Place | None) -> str:
    text = "merchant_id = $1"
    if since is not None:
        text += f" AND {column} >= {values.mark(since)}"
    if until is not None:
        text += f" AND {column} <= {values.mark(until)}"
    if after is not None:
        text += f" AND ({column}, id) < ({values.mark(after[0])}, {values.mark(after[1])})"
    return text


def _webhook_filters(values: _Values, wanted: WebhookWish) -> list[str]:
    filters = []
    if wanted.told is not None:
        filters.append(f"({TOLD_STATUS}) = {values.mark(wanted.told)}")
    if wanted.test_mode is not None:
        filters.append(f"({TEST_MODE}) = {values.mark(wanted.test_mode)}")
    if wanted.answer is AnswerClass.NONE:
        filters.append(f"found.tries > 0 AND ({LAST_ANSWER}) IS NULL")
    elif wanted.answer is not None:
        low, high = ANSWERS[wanted.answer]
        filters.append(f"({LAST_ANSWER}) BETWEEN {low} AND {high}")
    if wanted.host is not None:
        host = wanted.host.lower()
        filters.append(f"(found.receiver = {values.mark(host)} OR found.receiver LIKE {values.mark(host + ':%')})")
    return filters


def _place_of(row: Row, time: str) -> Place:
    at = moment(row[time])
    assert at is not None, "the column is never null"
    return at, row["id"]


def _unknown_call_of(row: Row, payment: Payment) -> UnknownCall:
    recorded_at = moment(row["recorded_at"])
    assert recorded_at is not None, "an outcome that is unknown was recorded as such"
    return UnknownCall(
        attempt=attempt_of(row),
        payment=payment,
        recorded_at=recorded_at,
        code=row["code"],
        message=row["message"],
        approved_before=moment(row["approved_before"]),
        approved_before_in_reply=bool(row["approved_before_in_reply"]),
        looks=row["looks"],
        looked_at=moment(row["looked_at"]),
        look_saw=row["look_saw"],
        approved_after=moment(row["look_approved_at"]),
        look_at=moment(row["look_at"]),
    )
