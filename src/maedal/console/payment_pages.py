"""Payments: a list that a link can hold, and everything that happened to one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import FromPath

from maedal.console.admission import asks, visit_of
from maedal.console.page import show
from maedal.console.visit import AnyRequest, Visit
from maedal.console.whose import merchant_of
from maedal.operators.role import Permission
from maedal.payments.errors import PaymentNotFound
from maedal.payments.moves import Status
from maedal.storage.store import Page, PageWish, Sorting, ToldWish

ASKS = asks(Permission.SEE_PAYMENTS)
ROWS = 25
PAGES_MAX = 400
WORD_CHARS_MAX = 80
TOLD_MAX = 50
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
    page = min(int(number), PAGES_MAX) if number.isascii() and number.isdigit() and int(number) > 0 else 1
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
    return show(
        visit,
        "payment.html",
        merchant=merchant,
        payment=found,
        events=await store.events(code, imp_uid),
        cancels=await store.cancellations(code, [imp_uid]),
        told=await store.told(code, ToldWish(TOLD_MAX, imp_uid=imp_uid)),
    )


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


HANDLERS = [payments, payment]
