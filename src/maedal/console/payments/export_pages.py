"""Writing a list of payments out as a file: a plain download, with how far it has come beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from urllib.parse import parse_qsl

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Stream

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.days import KOREA
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import problem_of, render, wrote
from maedal.console.frame.sealed_files import SEALED, as_file
from maedal.console.frame.spreadsheets import FORMATS, Lines
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.console.frame.words import say
from maedal.console.payments.columns import context_of, file_headings, file_row, read_columns
from maedal.console.payments.filters import NAMES, Selection, read_selection
from maedal.flows.export_payments import begin_export, counted, exported
from maedal.flows.index_payment_texts import index_payment_texts
from maedal.flows.seal_files import check_passphrase, draw_passphrase
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter
from maedal.storage.payment_lists.reads import Export

EXPORT = requires(Permission.EXPORT_PAYMENTS)
CAUGHT_UP_TURNS = 100
SPAN_WORDS = {
    "today": ("오늘", "Today"),
    "yesterday": ("어제", "Yesterday"),
    "1w": ("1주일", "1 week"),
    "1m": ("1개월", "1 month"),
    "3m": ("3개월", "3 months"),
    "6m": ("6개월", "6 months"),
    "all": ("전체 기간", "All time"),
    "own": ("직접 입력", "From … to …"),
}


@get("/merchants/{code:str}/payments/export", opt=EXPORT)
async def export_form(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show what would be written, and ask how."""
    visit = visit_of(request)
    return await _form(visit, code, request.query_params)


async def _form(
    visit: Visit, code: str, asked: Mapping[str, str], error: InvalidParameter | None = None
) -> Response[str]:
    merchant = await merchant_of(visit, code)
    store = visit.reading.store
    selection = read_selection(visit.services, asked, visit.test_mode)
    counts = await store.payment_lists.counts(code, selection.filter)
    columns = read_columns(asked.get("columns") or await store.payment_lists.columns(visit.present.operator.id))
    return render(
        visit,
        "payments/export.html",
        status=422 if error else 200,
        passphrase=visit.secret("passphrase") if error else draw_passphrase(),
        chosen=visit.value("format") or "xlsx",
        problem=None if error is None else problem_of(visit, error),
        merchant=merchant,
        base=f"/console/merchants/{code}/payments",
        selection=selection,
        total=counted(counts, selection.filter.standing),
        exact=counts.exact,
        heads=file_headings(visit, columns),
        columns=",".join(columns),
        export_id=visit.services.ids.row(visit.services.clock.now()),
        filters=_filters(visit, selection, {c.id: c.name for c in await store.channels.of_merchant(code)}),
    )


@post("/merchants/{code:str}/payments/export", opt=EXPORT)
async def download(request: AnyRequest, code: FromPath[str]) -> Stream | Response[str]:
    """Give the file, a part at a time, sealed if that is wanted; who had it is in the audit log before the first."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    form, export_id = visit.value("format"), visit.value("export_id")
    if form not in FORMATS or not re.fullmatch(r"[0-9a-z]{20,40}", export_id, re.ASCII):
        raise InvalidParameter("format", "the form is too old; look at the list again")
    asked = dict(parse_qsl(visit.value("query"), max_num_fields=len(NAMES)))
    passphrase = visit.secret("passphrase") if visit.value("seal") else None
    if passphrase is not None:
        try:
            await check_passphrase(visit.services, visit.present.operator, passphrase)
        except InvalidParameter as error:
            return await _form(visit, code, asked | {"columns": visit.value("columns")}, error)
    selection = read_selection(visit.services, asked, visit.test_mode)
    columns = read_columns(visit.value("columns"))
    if selection.filter.word:
        await index_payment_texts(visit.services, CAUGHT_UP_TURNS)
    how = form if passphrase is None else f"{form}; sealed={SEALED}"
    description = f"format={how}; columns={','.join(columns)}; filter={_filters_for_audit_log(visit, selection)}"
    # Nothing that was there when it was asked for may be missing in a file that goes to a bookkeeper.
    reading = visit.reading
    if visit.read_from is not None:
        await visit.read_from.catch_up()
    export = await begin_export(reading, code, visit.present.operator, export_id, selection.filter, description)
    media_type, written = FORMATS[form]
    lines = _lines(visit, code, export, selection, columns)
    name = f"payments-{code}-{export.seen_at.astimezone(KOREA):%Y%m%d-%H%M%S}"
    parts = written(file_headings(visit, columns), lines)
    shown = f"{visit.t('결제 내역', 'payments')}{name.removeprefix('payments')}.{form}"
    answer = as_file(f"{name}.{form}", media_type, parts, passphrase, shown_name=shown)
    answer.cookies += wrote(visit)
    return answer


@get("/merchants/{code:str}/payments/export/{export_id:str}", opt=EXPORT)
async def progress(request: AnyRequest, code: FromPath[str], export_id: FromPath[str]) -> Response[str]:
    """Show how far a file of one's own has come."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    export = await visit.services.store.payment_lists.export(visit.present.operator.id, export_id)
    return render(
        visit,
        "frame/export_progress.html",
        at=f"/console/merchants/{code}/payments/export/{export_id}",
        export=export,
    )


def _names(visit: Visit) -> dict[str, str]:
    """Return what the filters of a link are called."""
    words = (
        ("찾는 말", "Word"), ("찾을 곳", "Where"), ("기간 기준", "Span goes by"), ("기간", "Span"), ("시작일", "From"),
        ("종료일", "To"), ("상태", "Status"), ("수단", "Method"), ("구분", "Type"), ("모드", "Mode"),
        ("채널", "Channel"),
        ("결제 환경", "Origin"), ("금액부터", "Amount from"), ("금액까지", "Amount to"), ("정렬", "Sorted"),
        ("실패 원인", "Cause of failure"), ("취소 사유 종류", "Kind of refund"), ("태그", "Tag"),
    )  # fmt: skip
    return {name: visit.t(*word) for name, word in zip(NAMES, words, strict=True)}


def _filters(visit: Visit, selection: Selection, channels: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what a link asks for, as people say it."""
    names, wanted = _names(visit), selection.filter
    kinds: dict[str, tuple[str, StrEnum | None]] = {
        "field": ("search_field", wanted.field),
        "basis": ("basis", wanted.basis),
        "status": ("payment_standing", wanted.standing),
        "method": ("method", wanted.method),
        "use": ("payment_use", wanted.use),
        "origin": ("origin", wanted.origin),
        "sort": ("list_order", selection.order),
        "cause": ("failure_cause", selection.cause),
        "refund": ("refund_kind", wanted.refund_kind),
    }
    described = []
    restricted = {"mode": visit.mode} if visit.mode else {}
    for name, value in ({"span": selection.span} | dict(selection.chosen) | restricted).items():
        kind, chosen = kinds.get(name, ("", None))
        if chosen is not None:
            text = say(visit, kind, chosen)
        elif name == "span":
            text = visit.t(*SPAN_WORDS[value])
        elif name == "mode":
            text = visit.t("테스트", "Test") if value == "test" else visit.t("실연동", "Live")
        else:
            text = channels.get(value, value) if name == "channel" else value
        described.append((names[name], text))
    return described


async def _lines(visit: Visit, code: str, export: Export, selection: Selection, columns: Sequence[str]) -> Lines:
    async for payments in exported(visit.reading, code, export, selection.filter, selection.order):
        context = await context_of(visit, columns, code, payments)
        yield [file_row(context, columns, payment) for payment in payments]


def _filters_for_audit_log(visit: Visit, selection: Selection) -> str:
    """Return the filters for the audit log; a word that was looked for may be somebody's name, so it stays out."""
    filters = {name: "(…)" if name in {"word", "tag"} else value for name, value in selection.chosen.items()}
    if visit.mode:
        filters["mode"] = visit.mode
    return "&".join(f"{name}={value}" for name, value in filters.items()) or "-"


HANDLERS = [export_form, download, progress]
