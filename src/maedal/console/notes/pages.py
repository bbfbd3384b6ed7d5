"""Notes and tags: the forms beside a payment or a customer lead here, and back."""

from __future__ import annotations

from urllib.parse import quote

from litestar import Response, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.links import customer_path
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.once import form_id
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.flows import notes as flow
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter
from maedal.payments.notes import NoteSubject

WRITE = requires(Permission.WRITE_NOTES)


@post("/merchants/{code:str}/notes", opt=WRITE)
async def add_note(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Keep a note, once however often the form is sent; one that is refused stays as it was typed."""
    visit = visit_of(request)
    subject = _subject(visit)
    try:
        note_id = form_id(visit, f"note:{code}:{subject[0]}:{subject[1]}")
        await flow.add_note(visit.services, code, subject, visit.value("text"), visit.present.operator, note_id)
    except InvalidParameter as error:
        return await _refused(visit, code, subject, error)
    return redirect(visit, _back(code, subject), visit.t("메모를 남겼습니다.", "The note is kept."))


@post("/merchants/{code:str}/notes/delete", opt=WRITE)
async def remove_note(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Remove a note for good."""
    visit = visit_of(request)
    subject = _subject(visit)
    if await flow.remove_note(visit.services, code, subject, visit.value("note"), visit.present.operator):
        return redirect(visit, _back(code, subject), visit.t("메모를 지웠습니다.", "The note is deleted."))
    return redirect(visit, _back(code, subject))


@post("/merchants/{code:str}/tags", opt=WRITE)
async def add_tag(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Give a payment or a customer a tag."""
    visit = visit_of(request)
    subject = _subject(visit)
    try:
        await flow.add_tag(visit.services, code, subject, visit.value("tag"), visit.present.operator)
    except InvalidParameter as error:
        return await _refused(visit, code, subject, error)
    return redirect(visit, _back(code, subject))


@post("/merchants/{code:str}/tags/delete", opt=WRITE)
async def remove_tag(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Take a tag away."""
    visit = visit_of(request)
    subject = _subject(visit)
    await flow.remove_tag(visit.services, code, subject, visit.value("tag"), visit.present.operator)
    return redirect(visit, _back(code, subject))


def _subject(visit: Visit) -> tuple[NoteSubject, str]:
    """Return what a form is about. Raises InvalidParameter for one that is not ours."""
    kind = visit.value("kind")
    if kind not in set(NoteSubject):
        raise InvalidParameter("kind", "the form is too old; look again")
    return NoteSubject(kind), visit.secret("subject")


def _back(code: str, subject: tuple[NoteSubject, str]) -> str:
    kind, key = subject
    page = f"/console/merchants/{code}/payments/{quote(key, safe='')}"
    return (customer_path(code, key) if kind is NoteSubject.CUSTOMER else page) + "#notes"


async def _refused(visit: Visit, code: str, subject: tuple[NoteSubject, str], error: InvalidParameter) -> Response[str]:
    return render(
        visit,
        "notes/refused.html",
        status=422,
        merchant=await merchant_of(visit, code),
        kind=subject[0],
        subject=subject[1],
        back=_back(code, subject),
        typed={name: visit.value(name) for name in ("text", "tag", "drawn")},
        problem=problem_of(visit, error),
    )


HANDLERS = [add_note, remove_note, add_tag, remove_tag]
