"""Writing a list out as a file: what it would hold and in which form, the file, and how far it has come."""

from __future__ import annotations

import re

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Stream

from maedal.console.frame import exports
from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.days import KOREA
from maedal.console.frame.exports import ListExport
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.page import problem_of, render, wrote
from maedal.console.frame.sealed_files import SEALED, as_file
from maedal.console.frame.spreadsheets import FORMATS
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.flows.export_list import begin_list_export, noted
from maedal.flows.seal_files import check_passphrase, draw_passphrase
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter

EXPORT = requires(Permission.EXPORT_PAYMENTS)


@get("/merchants/{code:str}/exports/{name:str}", opt=EXPORT)
async def export_form(request: AnyRequest, code: FromPath[str], name: FromPath[str]) -> Response[str]:
    """Show what would be written of a list, and ask how."""
    return await _form(visit_of(request), code, name)


async def _form(visit: Visit, code: str, name: str, error: InvalidParameter | None = None) -> Response[str]:
    merchant, wanted = await merchant_of(visit, code), _named(name)
    found = await wanted.read(visit, code)
    return render(
        visit,
        "frame/export.html",
        status=422 if error else 200,
        passphrase=visit.secret("passphrase") if error else draw_passphrase(),
        chosen=visit.value("format") or "xlsx",
        problem=None if error is None else problem_of(visit, error),
        merchant=merchant,
        title=visit.t(*wanted.title),
        back=f"/console/merchants/{code}/{wanted.page}",
        at=f"/console/merchants/{code}/exports/{name}",
        query=exports.query_of(visit),
        found=found,
        export_id=visit.services.ids.row(visit.services.clock.now()),
    )


@post("/merchants/{code:str}/exports/{name:str}", opt=EXPORT)
async def download(request: AnyRequest, code: FromPath[str], name: FromPath[str]) -> Stream | Response[str]:
    """Give the file, a part at a time, sealed if that is wanted; who had it is in the audit log before the first."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    wanted, form, export_id = _named(name), visit.value("format"), visit.value("export_id")
    if form not in FORMATS or not re.fullmatch(r"[0-9a-z]{20,40}", export_id, re.ASCII):
        raise InvalidParameter("format", "the form is too old; look at the list again")
    passphrase = visit.secret("passphrase") if visit.value("seal") else None
    if passphrase is not None:
        try:
            await check_passphrase(visit.services, visit.present.operator, passphrase)
        except InvalidParameter as error:
            return await _form(visit, code, name, error)
    # Nothing that was there when it was asked for may be missing in a file that goes to a bookkeeper.
    reading = visit.reading
    if visit.read_from is not None:
        await visit.read_from.catch_up()
    found = await wanted.read(visit, code)
    how = form if passphrase is None else f"{form}; sealed={SEALED}"
    summary = f"format={how}; filter={exports.for_audit_log(visit)}"
    operator = visit.present.operator
    export = await begin_list_export(reading, code, operator, export_id, name, found.total, summary, exact=found.exact)
    at = f"{export.seen_at.astimezone(KOREA):%Y%m%d-%H%M%S}"
    media_type, written = FORMATS[form]
    parts = written(found.head, noted(reading, export, found.lines()))
    shown = f"{visit.t(*wanted.title)}-{code}-{at}.{form}"
    answer = as_file(f"{name}-{code}-{at}.{form}", media_type, parts, passphrase, shown_name=shown)
    answer.cookies += wrote(visit)
    return answer


@get("/merchants/{code:str}/exports/{name:str}/{export_id:str}", opt=EXPORT)
async def progress(
    request: AnyRequest, code: FromPath[str], name: FromPath[str], export_id: FromPath[str]
) -> Response[str]:
    """Show how far a file of one's own has come."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    _named(name)
    export = await visit.services.store.payment_lists.export(visit.present.operator.id, export_id)
    at = f"/console/merchants/{code}/exports/{name}/{export_id}"
    return render(visit, "frame/export_progress.html", at=at, export=export)


def _named(name: str) -> ListExport:
    found = exports.export_named(name)
    if found is None:
        raise NotFoundException
    return found


HANDLERS = [export_form, download, progress]
