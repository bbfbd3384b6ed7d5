"""The log of calls of the REST API: which key called what, how it went and how long it took."""

from __future__ import annotations

from dataclasses import dataclass, replace

from litestar import Response, get
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.filters import FilterReader, QueryFilters, place_text, span_of
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import render
from maedal.console.frame.visit import AnyRequest
from maedal.flows.keep_requests import OF_MERCHANT_MAX, write_requests
from maedal.operators.role import Permission
from maedal.storage.request_log.reads import CallOutcome, RequestFilter

ROWS = 50
WORD_CHARS_MAX = 120
METHODS = ("GET", "POST", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Filters(QueryFilters):
    """What the address of the log holds."""

    key: str = ""
    outcome: str = ""
    method: str = ""
    route: str = ""
    error: str = ""
    since: str = ""
    until: str = ""


@get("/merchants/{code:str}/api-log", opt=requires(Permission.SEE_SETTINGS))
async def request_log(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show the calls that were made in a merchant's name, the newest first."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    keys = await visit.services.store.merchants.api_keys(code)
    read = FilterReader(request, WORD_CHARS_MAX)
    filters = Filters(
        read.one_of("key", [key.api_key for key in keys]),
        read.one_of("outcome", list(CallOutcome)),
        read.one_of("method", METHODS),
        read.text("route"),
        read.text("error"),
        read.day("since"),
        read.day("until"),
    )
    # What this process has not written yet is the newest there is.
    await write_requests(visit.services)
    since, before = span_of(filters.since, filters.until)
    wanted = RequestFilter(
        ROWS,
        api_key=filters.key or None,
        outcome=CallOutcome(filters.outcome) if filters.outcome else None,
        method=filters.method or None,
        route=filters.route or None,
        error=filters.error or None,
        since=since,
        before=before,
    )
    page = await visit.reading.store.request_log.page(code, replace(wanted, after=read.place(str.isalnum)))
    return render(
        visit,
        "merchants/request_log.html",
        merchant=merchant,
        at=f"/console/merchants/{code}/api-log",
        filters=filters,
        keys=keys,
        names={key.api_key: key.name for key in keys},
        outcomes=list(CallOutcome),
        methods=METHODS,
        rows=page.rows,
        next=place_text(page.next),
        days=visit.services.request_log.days,
        most=OF_MERCHANT_MAX,
    )


HANDLERS = [request_log]
