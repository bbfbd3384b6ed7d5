"""Messages in SQL: each read bounded, and a range of an index."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from maedal.messages.alert import Alert, Receiver
from maedal.messages.mail_server import MailServer
from maedal.messages.message import Message
from maedal.storage.engine.log_pages import ITEMS_MAX, Range, Values, newest_rows, page_of, within
from maedal.storage.engine.reading import ROWS_MAX, SqlReads
from maedal.storage.messages.reads import MessageFilter, MessagePage
from maedal.storage.messages.rows import alert_of, mail_server_of, message_of, receiver_of

RECEIVERS_MAX = 100
MAIL_SERVER = "SELECT * FROM mail_servers WHERE merchant_id = $1"
RECEIVERS = "SELECT * FROM alert_receivers WHERE merchant_id = $1 ORDER BY id LIMIT $2"
RECEIVER = "SELECT * FROM alert_receivers WHERE merchant_id = $1 AND id = $2"
EVERY_RECEIVER = "SELECT * FROM alert_receivers WHERE (merchant_id, id) > ($1, $2) ORDER BY merchant_id, id LIMIT $3"
WITH_DUE_ALERTS = (
    "SELECT merchant_id, receiver_id FROM alerts WHERE message_id IS NULL AND due_at <= $1"
    " GROUP BY merchant_id, receiver_id ORDER BY min(due_at) LIMIT $2"
)
ALERTS_OF = "SELECT * FROM alerts WHERE merchant_id = $1 AND message_id = $2 ORDER BY happened_at, cause LIMIT $3"
MESSAGE = "SELECT * FROM messages WHERE merchant_id = $1 AND id = $2"


class SqlMessageReads(SqlReads):
    """The `MessageReads` (see reads.py) of a store in SQL."""

    async def mail_server(self, merchant_id: str) -> MailServer | None:
        rows = await self._engine.fetch(MAIL_SERVER, merchant_id)
        return mail_server_of(rows[0]) if rows else None

    async def receivers(self, merchant_id: str) -> Sequence[Receiver]:
        return [receiver_of(row) for row in await self._engine.fetch(RECEIVERS, merchant_id, RECEIVERS_MAX)]

    async def receiver(self, merchant_id: str, receiver_id: str) -> Receiver | None:
        rows = await self._engine.fetch(RECEIVER, merchant_id, receiver_id)
        return receiver_of(rows[0]) if rows else None

    async def every_receiver(self, after: tuple[str, str], count_max: int) -> Sequence[Receiver]:
        assert count_max <= ROWS_MAX, "a bounded number of rows"
        return [receiver_of(row) for row in await self._engine.fetch(EVERY_RECEIVER, *after, count_max)]

    async def with_due_alerts(self, now: datetime, count_max: int) -> Sequence[tuple[str, str]]:
        rows = await self._engine.fetch(WITH_DUE_ALERTS, now, count_max)
        return [(row["merchant_id"], row["receiver_id"]) for row in rows]

    async def alerts_of(self, merchant_id: str, message_id: str, count_max: int) -> Sequence[Alert]:
        return [alert_of(row) for row in await self._engine.fetch(ALERTS_OF, merchant_id, message_id, count_max)]

    async def find(self, merchant_id: str, message_id: str) -> Message | None:
        rows = await self._engine.fetch(MESSAGE, merchant_id, message_id)
        return message_of(rows[0]) if rows else None

    async def page(self, merchant_id: str, wanted: MessageFilter) -> MessagePage:
        assert wanted.limit < ITEMS_MAX, "a bounded number of messages"
        values = Values(merchant_id)
        window = within(values, "created_at", None, None, wanted.after)
        if wanted.state is not None:
            window += f" AND state = {values.mark(wanted.state)}"
        most = wanted.limit + 1
        span = Range(newest_rows("messages", window, "created_at", most), "created_at", tuple(values.all), most)
        rows, go_on = await page_of(self._engine, "SELECT found.*", span, (), wanted.limit, values)
        return MessagePage([message_of(row) for row in rows], go_on)
