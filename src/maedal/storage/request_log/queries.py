"""The log of calls in SQL."""

from __future__ import annotations

from maedal.storage.engine.log_pages import ITEMS_MAX, LOOKED_THROUGH_MAX, Range, Values, newest_rows, page_of
from maedal.storage.engine.reading import SqlReads
from maedal.storage.request_log.reads import CallOutcome, RequestFilter, RequestPage
from maedal.storage.request_log.rows import entry_of

OUTCOMES = {
    CallOutcome.DONE: "found.error IS NULL AND found.dropped = 0",
    CallOutcome.REFUSED: "found.error IS NOT NULL AND found.status < 500",
    CallOutcome.BROKEN: "found.status >= 500",
}


class SqlRequestLogReads(SqlReads):
    """The `RequestLogReads` (see reads.py) of a store in SQL."""

    async def page(self, merchant_id: str, wanted: RequestFilter) -> RequestPage:
        assert wanted.limit <= ITEMS_MAX, "a bounded number of calls"
        values = Values(merchant_id)
        window = "merchant_id = $1"
        if wanted.api_key is not None:
            window += f" AND api_key = {values.mark(wanted.api_key)}"
        if wanted.since is not None:
            window += f" AND happened_at >= {values.mark(wanted.since)}"
        if wanted.before is not None:
            window += f" AND happened_at < {values.mark(wanted.before)}"
        if wanted.after is not None:
            window += f" AND (happened_at, id) < ({values.mark(wanted.after[0])}, {values.mark(wanted.after[1])})"
        span = Range(
            newest_rows("request_log", window, "happened_at", LOOKED_THROUGH_MAX),
            "happened_at",
            tuple(values.all),
            LOOKED_THROUGH_MAX,
        )
        filters = []
        if wanted.outcome is not None:
            filters.append(f"({OUTCOMES[wanted.outcome]})")
        if wanted.method is not None:
            filters.append(f"found.method = {values.mark(wanted.method)}")
        if wanted.error is not None:
            filters.append(f"found.error = {values.mark(wanted.error)}")
        if wanted.route is not None:
            filters.append(f"found.route LIKE {values.mark(_part(wanted.route))} ESCAPE '!'")
        rows, go_on = await page_of(self._engine, "SELECT *", span, filters, wanted.limit, values)
        return RequestPage([entry_of(row) for row in rows], go_on)


def _part(text: str) -> str:
    """Return the pattern of LIKE for any text with this part."""
    for sign in "!%_":
        text = text.replace(sign, "!" + sign)
    return f"%{text}%"
