"""Payments: a list that a link can hold, and everything that happened to one of them."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.admission import asks, visit_of
from maedal.console.page import go, show
from maedal.console.sentences import told
from maedal.console.visit import AnyRequest, Visit
from maedal.console.whose import merchant_of
from maedal.errors import GatewayError
from maedal.flows.cancel import CANCELLABLE, CancelWish, cancel
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter, PaymentNotFound
from maedal.payments.moves import Status
from maedal.payments.payment import Payment
from maedal.storage.store import Page, PageWish, Sorting, ToldWish

ASKS = asks(Permission.SEE_PAYMENTS)
ROWS = 25
PAGES_MAX = 400
WORD_CHARS_MAX = 80
TOLD_MAX = 50
REASON_CHARS_MAX = 200
WON_DIGITS_MAX = 12
DEFAULT_REASON = "관리자페이지취소"
"""What merchants know of a cancel that was made by hand and without a reason."""
GROUPS: Mapping[str, Sequence[Status]] = {
    "all": tuple(Status),
    "paid": (Status.PAID,),
    "cancelled": (Status.CANCELLED,),
    "failed": (Status.FAILED,),
    "waiting": (Status.READY, Status.CALLING, Status.UNKNOWN),
}
DAYS = (1, 7, 30, 90)


@get("/merchants/{code:str}/payments", opt=ASKS)
async def payments(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """List payments that came to their status in a span of days, or those that a word names."""
    visit, query = visit_of(request), request.query_params
    merchant = await merchant_of(visit, code)
    word = query.get("word", "").replace("\0", "").strip()[:WORD_CHARS_MAX]
    group = query.get("status", "all")
    group = group if group in GROUPS else "all"
    days = int(query["days"]) if query.get("days") in {str(d) for d in DAYS} else 7
    number = query.get("page", "1")
    page = int(number) if re.fullmatch(r"[1-9][0-9]{0,5}", number) else 1
    page = min(page, PAGES_MAX)
    found = await (_named(visit, code, word, page) if word else _of_days(visit, code, GROUPS[group], days, page))

    def link(**changes: str | int) -> str:
        wish = {"word": word, "status": group, "days": days, "page": 1} | changes
        return f"{request.url.path}?{urlencode({name: value for name, value in wish.items() if value != ''})}"

    return show(
        visit,
        "payments.html",
        merchant=merchant,
        found=found.payments,
        total=found.total,
        word=word,
        group=group,
        groups=list(GROUPS),
        days=days,
        spans=DAYS,
        number=page,
        last=max(1, min(PAGES_MAX, -(-found.total // ROWS))),
        link=link,
    )


@get("/merchants/{code:str}/payments/{imp_uid:str}", opt=ASKS)
async def payment(request: AnyRequest, code: FromPath[str], imp_uid: FromPath[str]) -> Response[str]:
    """Show a payment: what it is, what happened to it and what each move rests on, and whom it was told."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    store = visit.parts.store
    found = await store.payment(code, imp_uid)
    if found is None:
        raise PaymentNotFound("no such payment")
    left = found.order.price.total.amount - found.cancelled_amount
    return show(
        visit,
        "payment.html",
        merchant=merchant,
        payment=found,
        left=left if found.status in CANCELLABLE else 0,
        drawn=_drawn(visit, found, left),
        events=await store.events(code, imp_uid),
        cancels=await store.cancellations(code, [imp_uid]),
        told=await store.told(code, ToldWish(TOLD_MAX, imp_uid=imp_uid)),
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


def _cancel_wish(visit: Visit, imp_uid: str) -> CancelWish:
    if visit.value("sure") != "on":
        raise InvalidParameter("sure", "tick the box first")
    try:
        drawn = base64.urlsafe_b64decode(visit.value("drawn"))
        attempt_id, left = visit.parts.vault.open(drawn, _cancel_context(visit, imp_uid)).split()
    except Exception as error:  # of another payment or session, or changed
        raise InvalidParameter("drawn", "the form is too old; look at the payment again") from error
    return CancelWish(
        imp_uid=imp_uid,
        merchant_uid=None,
        amount=_won(visit.value("amount")),
        tax_free=_won(visit.value("tax_free")) if visit.value("tax_free") else None,
        checksum=int(left),
        reason=visit.value("reason")[:REASON_CHARS_MAX] or DEFAULT_REASON,
        tell=True,
        attempt_id=attempt_id,
        who=visit.present.user.name,
    )


def _won(text: str) -> int:
    digits = text.replace(",", "").removesuffix("원")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= WON_DIGITS_MAX and int(digits) > 0):
        raise InvalidParameter("amount", "the amount is a whole number of won")
    return int(digits)


def _drawn(visit: Visit, payment: Payment, left: int) -> str:
    """Return, sealed, under which id a cancel of this form is begun, and how much was left when it was shown."""
    attempt_id = visit.parts.ids.row(visit.parts.clock.now())
    sealed = visit.parts.vault.seal(f"{attempt_id} {left}", _cancel_context(visit, payment.imp_uid))
    return base64.urlsafe_b64encode(sealed).decode()


def _cancel_context(visit: Visit, imp_uid: str) -> str:
    return f"console.cancel:{visit.present.session.id}:{imp_uid}"


async def _of_days(visit: Visit, code: str, statuses: Sequence[Status], days: int, page: int) -> Page:
    now = visit.parts.clock.now()
    wish = PageWish(statuses, Sorting.STARTED_NEWEST, page, ROWS, since=now - timedelta(days=days), until=now)
    return await visit.parts.store.page(code, wish)


async def _named(visit: Visit, code: str, word: str, page: int) -> Page:
    """Return the payment of this imp_uid or those of this merchant_uid, or else those of this customer_uid."""
    store = visit.parts.store
    exact = await store.payments_by_ids(code, [word], [word])
    if exact:
        return Page(len(exact), exact[(page - 1) * ROWS : page * ROWS])
    return await store.page(code, PageWish(tuple(Status), Sorting.STARTED_NEWEST, page, ROWS, customer_uid=word))


HANDLERS = [payments, payment, cancel_payment]
