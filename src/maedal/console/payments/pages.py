"""Payments: a list that a link can hold, under names if people like, and everything that happened to one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.once import new_form_id, require_confirmation, seal, unseal
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.sentences import translated
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.console.payments.columns import COLUMNS, channel_word, context_of, read_columns, use_of
from maedal.console.payments.filters import NAMES, Selection, read_selection
from maedal.console.payments.timeline import History, timeline, unclear_answer
from maedal.console.payments.words import REFUND_KINDS
from maedal.errors import GatewayError
from maedal.flows.cancel import CANCELLABLE, CancelRequest, cancel
from maedal.flows.export_payments import counted, place_of
from maedal.flows.index_payment_texts import index_payment_texts
from maedal.flows.notes import may_remove, remarks
from maedal.flows.saved_views import choose_columns, drop_view, may_drop, save_view
from maedal.merchants.audit_entry import AuditAction
from maedal.operators.role import Permission
from maedal.payments.attempt import Method
from maedal.payments.cancellation import RefundKind
from maedal.payments.errors import InvalidParameter, PaymentNotFound
from maedal.payments.failure_causes import FailureCause
from maedal.payments.notes import NoteSubject
from maedal.payments.payment import Origin, Payment
from maedal.storage.payment_lists.reads import Basis, ListOrder, ListQuery, PaymentStanding, SearchField, Use
from maedal.storage.webhooks.reads import DeliveryFilter

SEE = requires(Permission.SEE_PAYMENTS)
ROWS = 25
REPORTED_MAX = 50
AUDIT_ENTRIES_MAX = 50
REASON_CHARS_MAX = 200
TAGS_SHOWN_MAX = 50
WON_DIGITS_MAX = 12
CAUGHT_UP_TURNS = 5
"""How many batches of changed payments are written before a word is looked for, so that what just happened is found."""
BEHIND_MAX = 10_000
DEFAULT_REASON = "관리자페이지취소"
"""What merchants know of a cancel that was made by hand and without a reason."""


@get("/merchants/{code:str}/payments", opt=SEE)
async def payments(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """List payments by any time, any filter and any part of a word."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    selection = read_selection(visit.services, request.query_params, visit.test_mode)
    written = await index_payment_texts(visit.services, CAUGHT_UP_TURNS) if selection.filter.word else 0
    # What was only just written would be missing in a replica.
    store = visit.services.store if written else visit.reading.store
    behind = 0
    if selection.filter.word:
        behind = await store.payment_lists.texts_behind(BEHIND_MAX)
    found, counts, views, saved, channels, tags = await asyncio.gather(
        store.payment_lists.page(
            code,
            ListQuery(selection.filter, selection.order, ROWS, selection.place, selection.backwards, bounded=True),
        ),
        store.payment_lists.counts(code, selection.filter),
        store.payment_lists.views(code, visit.present.operator.id),
        store.payment_lists.columns(visit.present.operator.id),
        store.channels.of_merchant(code),
        store.notes.tags(code, NoteSubject.PAYMENT, TAGS_SHOWN_MAX),
    )
    if not found.payments and selection.place is not None and not found.in_parts:
        # The place in the link is past the end; the list itself may have rows.
        selection = replace(selection, place=None, backwards=False)
        found = await store.payment_lists.page(code, ListQuery(selection.filter, selection.order, ROWS, bounded=True))
    path = f"/console/merchants/{code}/payments"
    columns = read_columns(request.query_params.get("columns") or saved)
    total = counted(counts, selection.filter.standing)

    def link(**changes: str) -> str:
        return selection.link(path, **changes)

    def to(payment: Payment, *, backwards: bool) -> str:
        return selection.link_to(path, place_of(payment, selection.filter, selection.order), backwards=backwards)

    rows = found.payments
    earlier = selection.place is not None and (not selection.backwards or found.more)
    further = bool(rows) and (found.more or selection.backwards)
    return render(
        visit,
        "payments/list.html",
        merchant=merchant,
        base=path,
        selection=selection,
        found=rows,
        counts=counts,
        total=total,
        exact=counts.exact,
        behind=behind,
        views=views,
        may_drop=lambda view: may_drop(view, visit.present.operator),
        channels={channel.id: channel for channel in channels},
        channel_word=channel_word,
        tags=tags,
        context=await context_of(visit, columns, code, rows),
        refund_kinds=list(RefundKind),
        all_columns=COLUMNS,
        columns=columns,
        link=link,
        previous=to(rows[0], backwards=True) if rows and earlier else "",
        following=to(rows[-1], backwards=False) if further else "",
        looked_until=found.looked_until,
        looking_on=selection.link_to(path, found.looked_until, backwards=False) if found.looked_until else "",
        use_of=use_of,
        fields=list(SearchField),
        bases=list(Basis),
        methods=list(Method),
        causes=list(FailureCause),
        uses=list(Use),
        origins=list(Origin),
        orders=list(ListOrder),
        standings=list(PaymentStanding),
    )


@post("/merchants/{code:str}/payments/columns", opt=SEE)
async def choose(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Keep which columns the operator sees."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    await choose_columns(
        visit.services, visit.present.operator, ",".join(read_columns(",".join(visit.form.get("column", []))))
    )
    return redirect(visit, _back(visit, code))


@post("/merchants/{code:str}/payments/views", opt=SEE)
async def save(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Keep the filters of a link under a name."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    query = _selection_of(visit).query
    try:
        await save_view(
            visit.services,
            code,
            visit.present.operator,
            visit.value("name"),
            query,
            shared=visit.value("shared") == "on",
        )
    except GatewayError as error:
        return redirect(visit, _back(visit, code), translated(visit, error.message), tone="problem")
    return redirect(visit, _back(visit, code), visit.t("조건을 저장했습니다.", "Filters saved."))


@post("/merchants/{code:str}/payments/views/{view_id:str}/delete", opt=SEE)
async def delete_view(request: AnyRequest, code: FromPath[str], view_id: FromPath[str]) -> Response[str]:
    """Forget a view."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    if await drop_view(visit.services, code, visit.present.operator, view_id):
        return redirect(visit, _back(visit, code), visit.t("저장한 조건을 지웠습니다.", "Saved filters deleted."))
    return redirect(visit, _back(visit, code))


def _selection_of(visit: Visit) -> Selection:
    """Return what the list showed that a form was sent from."""
    fields = dict(parse_qsl(visit.value("query"), max_num_fields=len(NAMES)))
    return read_selection(visit.services, fields)


def _back(visit: Visit, code: str) -> str:
    return _selection_of(visit).link(f"/console/merchants/{code}/payments")


@get("/merchants/{code:str}/payments/{imp_uid:str}", opt=SEE)
async def payment(request: AnyRequest, code: FromPath[str], imp_uid: FromPath[str]) -> Response[str]:
    """Show a payment: what it is, everything that happened to it and what each move rests on."""
    return await _page(visit_of(request), code, imp_uid)


async def _page(visit: Visit, code: str, imp_uid: str, problem: Mapping[str, str] | None = None) -> Response[str]:
    """Show it; a cancel that was refused stands open as it was sent, with what is wrong."""
    merchant = await merchant_of(visit, code)
    store = visit.services.store
    found = await store.payments.find(code, imp_uid)
    if found is None:
        raise PaymentNotFound("no such payment")
    planned = await store.schedules.find(code, found.order.merchant_uid)
    attempts = await store.attempts.of_payment(code, imp_uid)
    events = await store.payments.events(code, imp_uid)
    cancels = await store.cancellations.of_payments(code, [imp_uid])
    audit_entries = await store.audit.about(code, imp_uid, AUDIT_ENTRIES_MAX)
    webhooks = await store.webhooks.deliveries(code, DeliveryFilter(REPORTED_MAX, imp_uid=imp_uid))
    channels = await store.channels.of_merchant(code)
    prepared = await store.prepared_amounts.find(code, found.order.merchant_uid)
    planned = planned if planned is not None and planned.imp_uid == imp_uid else None
    left = found.order.price.total.amount - found.cancelled_amount
    done = [cancel for cancel in cancels if cancel.done_at is not None]
    tax_free_left = found.order.price.tax_free.amount - sum(cancel.split.tax_free for cancel in done)
    by = {
        audit_entry.happened_at: audit_entry.who
        for audit_entry in audit_entries
        if audit_entry.kind is AuditAction.CANCEL
    }
    return render(
        visit,
        "payments/payment.html",
        status=422 if problem else 200,
        problem=problem,
        typed={name: visit.value(name) if problem else "" for name in ("amount", "tax_free", "kind", "reason")},
        merchant=merchant,
        payment=found,
        prepared=prepared,
        left=left if found.status in CANCELLABLE else 0,
        tax_free_left=tax_free_left,
        drawn=_cancel_form_id(visit, found, left),
        planned=planned,
        cancels=[(cancel, by.get(cancel.begun_at)) for cancel in cancels],
        use=use_of(found),
        refund_kinds=list(RefundKind),
        written=(await remarks(visit.services, code, NoteSubject.PAYMENT, [imp_uid]))[imp_uid],
        known_tags=await store.notes.tags(code, NoteSubject.PAYMENT, TAGS_SHOWN_MAX),
        note_kind=NoteSubject.PAYMENT,
        note_id=new_form_id(visit, f"note:{code}:{NoteSubject.PAYMENT}:{imp_uid}"),
        may_remove=lambda note: may_remove(note, visit.present.operator),
        unclear=unclear_answer(attempts),
        channel=next((channel for channel in channels if channel.id == found.channel_id), None),
        entries=timeline(visit, History(found, planned, attempts, events, cancels, audit_entries, webhooks)),
    )


@post("/merchants/{code:str}/payments/{imp_uid:str}/cancel", opt=requires(Permission.CANCEL_PAYMENTS))
async def cancel_payment(request: AnyRequest, code: FromPath[str], imp_uid: FromPath[str]) -> Response[str]:
    """Give money back, once however often the form is sent: it carries the id under which the cancel is begun."""
    visit = visit_of(request)
    page = f"/console/merchants/{code}/payments/{imp_uid}"
    try:
        await cancel(visit.services, code, _cancel_request(visit, imp_uid))
    except GatewayError as error:
        return await _page(visit, code, imp_uid, problem_of(visit, error))
    return redirect(visit, page, visit.t("취소했습니다.", "Cancelled."))


def _cancel_request(visit: Visit, imp_uid: str) -> CancelRequest:
    require_confirmation(visit)
    attempt_id, left = unseal(visit, f"cancel:{imp_uid}").split()
    chosen = visit.value("kind")
    kind = RefundKind(chosen) if chosen in set(RefundKind) else None
    # Merchants read Korean, whoever cancels.
    named = DEFAULT_REASON if kind is None or kind is RefundKind.OTHER else REFUND_KINDS[kind][0]
    return CancelRequest(
        imp_uid=imp_uid,
        merchant_uid=None,
        amount=_won(visit.value("amount")),
        tax_free=_won(visit.value("tax_free"), least=0) if visit.value("tax_free") else None,
        checksum=int(left),
        reason=visit.value("reason")[:REASON_CHARS_MAX] or named,
        kind=kind,
        tell=True,
        attempt_id=attempt_id,
        who=visit.present.operator.name,
    )


def _won(text: str, least: int = 1) -> int:
    digits = text.replace(",", "").removesuffix("원")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= WON_DIGITS_MAX and int(digits) >= least):
        raise InvalidParameter("amount", "the amount is a whole number of won")
    return int(digits)


def _cancel_form_id(visit: Visit, payment: Payment, left: int) -> str:
    """Return, sealed, under which id a cancel of this form is begun, and how much was left when it was shown."""
    attempt_id = visit.services.ids.row(visit.services.clock.now())
    return seal(visit, f"cancel:{payment.imp_uid}", f"{attempt_id} {left}")


HANDLERS = [payments, choose, save, delete_view, payment, cancel_payment]
