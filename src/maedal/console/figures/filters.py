"""The filters of the figures, as an address holds them: a span of months, the mode, and of money method and use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from maedal.console.frame.days import day_of, today
from maedal.console.frame.visit import Visit
from maedal.console.frame.words import mode_word, say
from maedal.flows.month_figures import MONTHS_MAX, MonthFigures, month_figures, span_before
from maedal.payments.attempt import Method
from maedal.storage.payment_lists.reads import Use

SPANS = (12, 24, 36)
"""Months that are offered as a span, the present one included."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What an address asks to see."""

    since: date
    """The first day of the first month."""
    until: date
    """The first day of the last one."""
    test_mode: bool
    method: Method | None = None
    use: Use | None = None

    def query(self, **changes: str) -> str:
        """Return the filters as a query, with changes; what is empty is left out."""
        own = {
            "since": f"{self.since:%Y-%m}",
            "until": f"{self.until:%Y-%m}",
            "mode": "test" if self.test_mode else "live",
            "method": self.method or "",
            "use": self.use or "",
        }
        return urlencode({name: value for name, value in (own | changes).items() if value})

    def said(self, visit: Visit) -> list[tuple[str, str]]:
        """Return the filters as people say them."""
        t = visit.t
        found = [
            (t("기간", "Span"), f"{self.since:%Y-%m} – {self.until:%Y-%m}"),
            (t("모드", "Mode"), mode_word(visit, test_mode=self.test_mode)),
        ]
        if self.method is not None:
            found.append((t("수단", "Method"), say(visit, "method", self.method)))
        if self.use is not None:
            found.append((t("구분", "Type"), say(visit, "payment_use", self.use)))
        return found


async def read_filters(visit: Visit, code: str) -> Filters:
    """Read the filters of an address; what it says that cannot be is as if it were not said."""
    query = visit.request.query_params
    this_month = today(visit).replace(day=1)
    until = min(_month(query.get("until", "")) or this_month, this_month)
    since = _month(query.get("since", "")) or span_before(until, SPANS[0])
    since = max(min(since, until), span_before(until, MONTHS_MAX))
    method, use, mode = query.get("method", ""), query.get("use", ""), query.get("mode", "")
    if visit.test_mode is not None:
        mode = "test" if visit.test_mode else "live"
    if mode not in {"live", "test"}:
        # Live where anything is.
        channels = await visit.reading.store.channels.of_merchant(code)
        mode = "test" if all(channel.test_mode for channel in channels) else "live"
    return Filters(
        since,
        until,
        mode == "test",
        Method(method) if method in set(Method) else None,
        Use(use) if use in set(Use) else None,
    )


async def figures_of(visit: Visit, code: str, filters: Filters) -> MonthFigures:
    """Return the months that the filters ask for."""
    return await month_figures(
        visit.reading,
        code,
        filters.since,
        filters.until,
        test_mode=filters.test_mode,
        method=filters.method,
        use=filters.use,
    )


def _month(text: str) -> date | None:
    return day_of(f"{text}-01") if len(text) == len("2026-03") else None
