"""Payments: a list that a link can hold, under names if people like, and everything that happened to one of them."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from urllib.parse import parse_qsl

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.admission import asks, visit_of
from maedal.console.page import go, show
from maedal.console.payment_columns import COLUMNS, channel_word, read_columns, use_of
from maedal.console.payment_filters import NAMES, Look, read_look
from maedal.console.payment_story import Known, story
from maedal.console.sentences import told
from maedal.console.visit import AnyRequest, Visit
from maedal.console.whose import merchant_of
from maedal.errors import GatewayError
from maedal.flows.cancel import CANCELLABLE, CancelRequest, cancel
from maedal.flows.export_payments import counted, place_of
from maedal.flows.index_payment_texts import index_payment_texts
from maedal.flows.saved_views import choose_columns, drop_view, may_drop, save_view
from maedal.merchants.act import ActKind
from maedal.operators.role import Permission
from maedal.payments.attempt import Method
from maedal.payments.errors import InvalidParameter, PaymentNotFound
from maedal.payments.payment import Origin, Payment
from maedal.storage.payment_lists import Basis, ListOrder, ListWish, SearchField, Standing, Use
from maedal.storage.store import ToldWish

ASKS = asks(Permission.SEE_PAYMENTS)
ROWS = 25
TOLD_MAX = 50
ACTS_MAX = 50
REASON_CHARS_MAX = 200
WON_DIGITS_MAX = 12
CAUGHT_UP_TURNS = 5
"""How many batches of changed payments are written before a word is looked for, so that what just happened is found."""
BEHIND_MAX = 10_000
DEFAULT_REASON = "관리자페이지취소"
"""What merchants know of a cancel that was made by hand and without a reason."""


@get("/merchants/{code:str}/payments", opt=ASKS)
async def payments(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """List payments by any time, any filter and any part of a word."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    store = visit.parts.store
    look = read_look(request.query_params, visit.parts.clock.now())
    behind = 0
    if look.filter.word:
        await index_payment_texts(visit.parts, CAUGHT_UP_TURNS)
        behind = await store.texts_behind(BEHIND_MAX)
    found, counts, views, saved, channels = await asyncio.gather(
        store.payment_list(code, ListWish(look.filter, look.order, ROWS, look.place, look.backwards)),
        store.payment_counts(code, look.filter),
        store.views(code, visit.present.user.id),
        store.columns(visit.present.user.id),
        store.channels(code),
    )
    if not found.payments and look.place is not None:
        # The place in the link is past the end; the list itself may have rows.
        look = replace(look, place=None, backwards=False)
        found = await store.payment_list(code, ListWish(look.filter, look.order, ROWS))
    path = f"/console/merchants/{code}/payments"
    columns = read_columns(request.query_params.get("columns") or saved)
    total = counted(counts, look.filter.standing)

    def link(**changes: str) -> str:
        return look.link(path, **changes)

    def to(payment: Payment, *, backwards: bool) -> str:
        return look.link_to(path, place_of(payment, look.filter, look.order), backwards=backwards)

    rows = found.payments
    earlier = look.place is not None and (not look.backwards or found.more)
    further = bool(rows) and (found.more or look.backwards)
    return show(
        visit,
        "payments.html",
        merchant=merchant,
        base=path,
        look=look,
        found=rows,
        counts=counts,
        total=total,
        exact=counts.exact,
        behind=behind,
        views=views,
        may_drop=lambda view: may_drop(view, visit.present.user),
        channels={channel.id: channel for channel in channels},
        channel_word=channel_word,
        all_columns=COLUMNS,
        columns=columns,
        link=link,
        previous=to(rows[0], backwards=True) if rows and earlier else "",
        following=to(rows[-1], backwards=False) if further else "",
        use_of=use_of,
        fields=list(SearchField),
        bases=list(Basis),
        methods=list(Method),
        uses=list(Use),
        origins=list(Origin),
        orders=list(ListOrder),
        standings=list(Standing),
    )


@post("/merchants/{code:str}/payments/columns", opt=ASKS)
async def choose(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Keep which columns the user sees."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    await choose_columns(
        visit.parts, visit.present.user, ",".join(read_columns(",".join(visit.form.get("column", []))))
    )
    return go(visit, _back(visit, code))


@post("/merchants/{code:str}/payments/views", opt=ASKS)
async def save(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Keep the filters of a link under a name."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    query = _look_of(visit).query
    try:
        await save_view(
            visit.parts, code, visit.present.user, visit.value("name"), query, shared=visit.value("shared") == "on"
        )
    except GatewayError as error:
        return go(visit, _back(visit, code), told(visit, error.message), tone="problem")
    return go(visit, _back(visit, code), visit.t("보기를 저장했습니다.", "View saved."))


@post("/merchants/{code:str}/payments/views/{view_id:str}/delete", opt=ASKS)
async def delete_view(request: AnyRequest, code: FromPath[str], view_id: FromPath[str]) -> Response[str]:
    """Forget a view."""
    visit = visit_of(request)
    await merchant_of(visit, code)
    if await drop_view(visit.parts, code, visit.present.user, view_id):
        return go(visit, _back(visit, code), visit.t("보기를 지웠습니다.", "View deleted."))
    return go(visit, _back(visit, code))


def _look_of(visit: Visit) -> Look:
    """Return what the list showed that a form was sent from."""
    fields = dict(parse_qsl(visit.value("query"), max_num_fields=len(NAMES)))
    return read_look(fields, visit.parts.clock.now())


def _back(visit: Visit, code: str) -> str:
    return _look_of(visit).link(f"/console/merchants/{code}/payments")


@get("/merchants/{code:str}/payments/{imp_uid:str}", opt=ASKS)
async def payment(request: AnyRequest, code: FromPath[str], imp_uid: FromPath[str]) -> Response[str]:
    """Show a payment: what it is, everything that happened to it and what each move rests on."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    store = visit.parts.store
    found = await store.payment(code, imp_uid)
    if found is None:
        raise PaymentNotFound("no such payment")
    planned = await store.schedule(code, found.order.merchant_uid)
    attempts = await store.attempts(code, imp_uid)
    events = await store.events(code, imp_uid)
    cancels = await store.cancellations(code, [imp_uid])
    acts = await store.acts_on(code, imp_uid, ACTS_MAX)
    webhooks = await store.told(code, ToldWish(TOLD_MAX, imp_uid=imp_uid))
    channels = await store.channels(code)
    planned = planned if planned is not None and planned.imp_uid == imp_uid else None
    left = found.order.price.total.amount - found.cancelled_amount
    done = [cancel for cancel in cancels if cancel.done_at is not None]
    tax_free_left = found.order.price.tax_free.amount - sum(cancel.split.tax_free for cancel in done)
    by = {act.happened_at: act.who for act in acts if act.kind is ActKind.CANCEL}
    return show(
        visit,
        "payment.html",
        merchant=merchant,
        payment=found,
        left=left if found.status in CANCELLABLE else 0,
        tax_free_left=tax_free_left,
        drawn=_drawn(visit, found, left),
        planned=planned,
        cancels=[(cancel, by.get(cancel.begun_at)) for cancel in cancels],
        use=use_of(found),
        channel=next((channel for channel in channels if channel.id == found.channel_id), None),
        chapters=story(visit, Known(found, planned, attempts, events, cancels, acts, webhooks)),
    )


@post("/merchants/{code:str}/payments/{imp_uid:str}/cancel", opt=asks(Permission.CANCEL_PAYMENTS))
async def cancel_payment(request: AnyRequest, code: FromPath[str], imp_uid: FromPath[str]) -> Response[str]:
    """Give money back, once however often the form is sent: it carries the id under which the cancel is begun."""
    visit = visit_of(request)
    page = f"/console/merchants/{code}/payments/{imp_uid}"
    try:
        await cancel(visit.parts, code, _cancel_wish(visit, imp_uid))
    except GatewayError as error:
        return go(visit, page, told(visit, error.message), tone="problem")
    return go(visit, page, visit.t("취소했습니다.", "Cancelled."))


def _cancel_wish(visit: Visit, imp_uid: str) -> CancelRequest:
    if visit.value("sure") != "on":
        raise InvalidParameter("sure", "tick the box first")
    try:
        drawn = base64.urlsafe_b64decode(visit.value("drawn"))
        attempt_id, left = visit.parts.vault.open(drawn, _cancel_context(visit, imp_uid)).split()
    except Exception as error:  # of another payment or session, or changed
        raise InvalidParameter("drawn", "the form is too old; look at the payment again") from error
    return CancelRequest(
        imp_uid=imp_uid,
        merchant_uid=None,
        amount=_won(visit.value("amount")),
        tax_free=_won(visit.value("tax_free"), least=0) if visit.value("tax_free") else None,
        checksum=int(left),
        reason=visit.value("reason")[:REASON_CHARS_MAX] or DEFAULT_REASON,
        tell=True,
        attempt_id=attempt_id,
        who=visit.present.user.name,
    )


def _won(text: str, least: int = 1) -> int:
    digits = text.replace(",", "").removesuffix("원")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= WON_DIGITS_MAX and int(digits) >= least):
        raise InvalidParameter("amount", "the amount is a whole number of won")
    return int(digits)


def _drawn(visit: Visit, payment: Payment, left: int) -> str:
    """Return, sealed, under which id a cancel of this form is begun, and how much was left when it was shown."""
    attempt_id = visit.parts.ids.row(visit.parts.clock.now())
    sealed = visit.parts.vault.seal(f"{attempt_id} {left}", _cancel_context(visit, payment.imp_uid))
    return base64.urlsafe_b64encode(sealed).decode()


def _cancel_context(visit: Visit, imp_uid: str) -> str:
    return f"console.cancel:{visit.present.session.id}:{imp_uid}"


HANDLERS = [payments, choose, save, delete_view, payment, cancel_payment]
