"""The audit log: what people did in a merchant's matters, and what about operators; found, read, taken along."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Stream

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.days import when
from maedal.console.frame.facts import differences_in_words
from maedal.console.frame.filters import FilterReader, QueryFilters, place_text, span_of
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.sealed_files import SEALED, as_file
from maedal.console.frame.spreadsheets import Lines, as_csv
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.flows.export_logs import note_audit_log_export, note_operator_log_export
from maedal.flows.seal_files import check_passphrase, draw_passphrase
from maedal.merchants.audit_entry import NO_REASON, AuditAction, AuditEntry
from maedal.operators.operator_audit_entry import OperatorAuditAction, OperatorAuditEntry
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter
from maedal.storage.audit.reads import AuditEntryPage, LogFilter, OperatorEntryPage, Place

SEE, SEE_OPERATORS = requires(Permission.SEE_AUDIT_LOG), requires(Permission.MANAGE_OPERATORS)
ROWS = 50
EXPORTED_AT_ONCE = 500
WORD_CHARS_MAX = 120
COLUMNS = ("id", "happened_at", "kind", "subject", "who", "reason", "before", "after")
Rows = Sequence[AuditEntry | OperatorAuditEntry]
_Page = TypeVar("_Page", AuditEntryPage, OperatorEntryPage)


@dataclass(frozen=True, slots=True)
class Filters(QueryFilters):
    """What the address of the log holds."""

    who: str = ""
    kind: str = ""
    subject: str = ""
    since: str = ""
    until: str = ""


@get("/merchants/{code:str}/log", opt=SEE)
async def audit_log(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show what people did in a merchant's matters, the newest first."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    filters = _filters(request, list(AuditAction))
    page = await visit.reading.store.audit.page(code, _log_filter(filters, AuditAction, _place(request)))
    names = {code: merchant.name} | {one.id: one.name for one in await visit.services.store.channels.of_merchant(code)}
    at = f"/console/merchants/{code}/log"
    return _log(visit, at, "act", list(AuditAction), filters, page, merchant=merchant, names=names)


@get("/merchants/{code:str}/log/export", opt=SEE)
async def export_audit_entries(request: AnyRequest, code: FromPath[str]) -> Stream:
    """Give everything that the filters find as a file, while it is read."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    return await _audit_file(visit, code)


@post("/merchants/{code:str}/log/export", opt=SEE)
async def export_audit_entries_sealed(request: AnyRequest, code: FromPath[str]) -> Stream | Response[str]:
    """Give the same file sealed; its passphrase is in no address."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    refused = await _refused(visit, f"/console/merchants/{code}/log")
    return refused or await _audit_file(visit, code)


async def _audit_file(visit: Visit, code: str) -> Stream:
    """Return the file; who had it is in the log before its first row."""
    filters, store = _filters(visit.request, list(AuditAction)), visit.reading.store
    log_filter = _log_filter(filters, AuditAction, None, EXPORTED_AT_ONCE)
    await note_audit_log_export(visit.services, code, visit.present.operator.name, _summary(visit, filters))
    return _file(visit.request, f"audit-{code}", log_filter, lambda one: store.audit.page(code, one))


@get("/users/log", opt=SEE_OPERATORS)
async def operator_log(request: AnyRequest) -> Response[str]:
    """Show what was done about operators of the house, the newest first."""
    visit = visit_of(request)
    filters = _filters(request, list(OperatorAuditAction))
    page = await visit.reading.store.audit.operator_entry_page(
        _log_filter(filters, OperatorAuditAction, _place(request))
    )
    return _log(visit, "/console/users/log", "deed", list(OperatorAuditAction), filters, page)


@get("/users/log/export", opt=SEE_OPERATORS)
async def export_operator_entries(request: AnyRequest) -> Stream:
    """Give everything that the filters find as a file, while it is read."""
    return await _operator_file(visit_of(request))


@post("/users/log/export", opt=SEE_OPERATORS)
async def export_operator_entries_sealed(request: AnyRequest) -> Stream | Response[str]:
    """Give the same file sealed; its passphrase is in no address."""
    visit = visit_of(request)
    refused = await _refused(visit, "/console/users/log")
    return refused or await _operator_file(visit)


async def _operator_file(visit: Visit) -> Stream:
    filters = _filters(visit.request, list(OperatorAuditAction))
    log_filter = _log_filter(filters, OperatorAuditAction, None, EXPORTED_AT_ONCE)
    await note_operator_log_export(visit.services, visit.present.operator.name, _summary(visit, filters))
    return _file(visit.request, "users", log_filter, visit.reading.store.audit.operator_entry_page)


def _summary(visit: Visit, filters: Filters) -> str:
    """Return how and what of a log is taken along; a name that was typed may be anybody's, so it stays out."""
    sealed = f"; sealed={SEALED}" if visit.secret("passphrase") else ""
    typed = {name: "(…)" for name in ("who", "subject") if getattr(filters, name)}
    chosen = {name: value for name in ("kind", "since", "until") if (value := getattr(filters, name))}
    wanted = "&".join(f"{name}={value}" for name, value in {**typed, **chosen}.items())
    return f"format={_format(visit)}{sealed}; filter={wanted or '-'}"


def _format(visit: Visit) -> str:
    asked = visit.request.query_params.get("format") or visit.value("format")
    return asked if asked == "jsonl" else "csv"


async def _refused(visit: Visit, page: str) -> Response[str] | None:
    """Return where to go back to when a passphrase is not good enough."""
    try:
        await check_passphrase(visit.services, visit.present.operator, visit.secret("passphrase"))
    except InvalidParameter as error:
        query = visit.request.url.query
        return redirect(visit, f"{page}?{query}" if query else page, problem_of(visit, error)["text"], tone="problem")
    return None


def _log(
    visit: Visit,
    at: str,
    words: str,
    kinds: Sequence[Any],
    filters: Filters,
    page: AuditEntryPage | OperatorEntryPage,
    **more: Any,
) -> Response[str]:
    return render(
        visit,
        "audit_log/list.html",
        at=at,
        words=words,
        kinds=kinds,
        filters=filters,
        rows=page.rows,
        next=place_text(page.next),
        differences=lambda before, after: differences_in_words(visit, before, after),
        no_reason=NO_REASON,
        passphrase=draw_passphrase(),
        **({"names": {}} | more),
    )


def _filters(request: AnyRequest, kinds: Sequence[str]) -> Filters:
    read = FilterReader(request, WORD_CHARS_MAX)
    return Filters(
        read.text("who"), read.one_of("kind", kinds), read.text("subject"), read.day("since"), read.day("until")
    )


def _log_filter(
    filters: Filters, kinds: type[AuditAction | OperatorAuditAction], after: Place | None, limit: int = ROWS
) -> LogFilter:
    since, before = span_of(filters.since, filters.until)
    return LogFilter(
        limit,
        who=filters.who or None,
        kind=kinds(filters.kind) if filters.kind else None,
        subject=filters.subject or None,
        since=since,
        before=before,
        after=after,
    )


def _place(request: AnyRequest) -> Place | None:
    return FilterReader(request, WORD_CHARS_MAX).place()


def _file(
    request: AnyRequest, name: str, log_filter: LogFilter, read: Callable[[LogFilter], Awaitable[_Page]]
) -> Stream:
    """Return the rows as CSV or as JSON lines, sealed if a form asks; a page of them is in memory at a time."""
    pages = _pages(log_filter, read)
    visit = visit_of(request)
    if _format(visit) == "jsonl":
        ending, media_type, content = "jsonl", "application/x-ndjson", _json_lines(pages)
    else:
        ending, media_type, content = "csv", "text/csv; charset=utf-8", as_csv(COLUMNS, _table(pages))
    return as_file(f"{name}.{ending}", media_type, content, visit.secret("passphrase") or None)


async def _pages(log_filter: LogFilter, read: Callable[[LogFilter], Awaitable[_Page]]) -> AsyncIterator[Rows]:
    after: Place | None = None
    while True:
        page = await read(replace(log_filter, after=after))
        yield page.rows
        if page.next is None:
            return
        after = page.next


def _values(row: AuditEntry | OperatorAuditEntry) -> tuple[str, ...]:
    reason = row.reason if isinstance(row, AuditEntry) and row.reason != NO_REASON else ""
    return (row.id, row.happened_at.isoformat(), row.kind.value, row.subject, row.who, reason, row.before, row.after)


async def _json_lines(pages: AsyncIterator[Rows]) -> AsyncIterator[bytes]:
    async for rows in pages:
        entries = [dict(zip(COLUMNS, _values(row), strict=True)) for row in rows]
        yield "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries).encode()


async def _table(pages: AsyncIterator[Rows]) -> Lines:
    async for rows in pages:
        yield [(row.id, when(row.happened_at), *_values(row)[2:]) for row in rows]


HANDLERS = [
    audit_log,
    export_audit_entries,
    export_audit_entries_sealed,
    operator_log,
    export_operator_entries,
    export_operator_entries_sealed,
]
