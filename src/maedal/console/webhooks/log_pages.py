"""The log of webhooks: what was told to whom and what came back, and sending it again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.filters import FilterReader, QueryFilters, place_text, span_of
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.once import require_confirmation, seal, unseal
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.errors import GatewayError
from maedal.flows.resend_webhooks import resend_webhooks
from maedal.merchants.merchant import Merchant
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter
from maedal.payments.moves import Status
from maedal.storage.webhooks.reads import FIRST, AnswerClass, DeliverySearch
from maedal.webhooks.address import WebhookAddress
from maedal.webhooks.webhook import GIVEN_UP_OPEN_FOR, Delivery, DeliveryState, sent_again

SEE, RESEND = requires(Permission.SEE_PAYMENTS), requires(Permission.RESEND_WEBHOOKS)
ROWS = 25
WORD_CHARS_MAX = 80
RESEND_MAX = 500
"""So many go out again for one submission; a receiver that was down is not to be buried when it is back."""
DAYS = (1, 7, 30, 90, 365)
SPANS = tuple(str(one) for one in (*DAYS, GIVEN_UP_OPEN_FOR.days))
STATUSES = (Status.PAID, Status.FAILED, Status.CANCELLED)
FOUND_MAX = 500


@dataclass(frozen=True, slots=True)
class Filters(QueryFilters):
    """What the address of the list holds."""

    word: str = ""
    state: str = ""
    told: str = ""
    mode: str = ""
    answer: str = ""
    host: str = ""
    address: str = ""
    days: str = "7"
    since: str = ""
    until: str = ""
    id: str = ""


@get("/merchants/{code:str}/webhook-log", opt=SEE)
async def webhook_log(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """List webhooks, each with its tries and their answers."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    filters = read_filters(request)
    search = await search_of(visit, code, filters, ROWS)
    page = await visit.reading.store.webhooks.search(
        code, replace(search, after=FilterReader(request, WORD_CHARS_MAX).place(str.isalnum))
    )
    failed = [one.log.delivery.imp_uid for one in page.rows if one.status is Status.FAILED]
    payments = await visit.services.store.payments.by_ids(code, failed, []) if failed else []
    further = await visit.services.store.webhooks.addresses(code)
    return render(
        visit,
        "webhooks/log.html",
        merchant=merchant,
        failed={payment.imp_uid: payment for payment in payments},
        rows=page.rows,
        next=place_text(page.next),
        signature=lambda one: _signature(merchant, further, one.log.delivery),
        further=further,
        first=FIRST,
        address_names={one.id: one.name for one in further},
        pretty=_pretty,
        **_common(code, filters),
    )


@get("/merchants/{code:str}/webhook-log/resend", opt=RESEND)
async def preview(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show how many webhooks would go out again, those that are ticked or all that a filter finds, and ask."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    filters = read_filters(request)
    ticked = [one for one in request.query_params.getall("tick", []) if one.isalnum()][:ROWS]
    whole = request.query_params.get("all") == "on" or not ticked
    now = visit.services.clock.now()
    wanted = {
        "ids": None if whole else ticked,
        "filters": {name: getattr(filters, name) for name in Filters.__slots__},
        "until": now.isoformat(),
        "act": visit.services.ids.row(now),
    }
    return await _preview(visit, merchant, filters, wanted)


@post("/merchants/{code:str}/webhook-log/resend", opt=RESEND)
async def resend(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Send them again, once however often the form is sent."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    here = _address(code)
    try:
        wanted: dict[str, Any] = json.loads(unseal(visit, _purpose(code)))
    except InvalidParameter as error:
        return redirect(visit, here, problem_of(visit, error)["text"], tone="problem")
    filters = Filters(**wanted["filters"])
    back = f"{here}?{filters.query()}"
    try:
        require_confirmation(visit)
        sent = await resend_webhooks(
            visit.services,
            code,
            await _wanted(visit, code, filters, wanted),
            to_current=visit.value("to") == "current",
            who=visit.present.operator.name,
            audit_entry_id=wanted["act"],
        )
    except InvalidParameter as error:
        return await _preview(visit, merchant, filters, wanted, problem_of(visit, error))
    except GatewayError as error:
        return redirect(visit, back, problem_of(visit, error)["text"], tone="problem")
    if sent is None:
        return redirect(
            visit,
            back,
            visit.t("이미 보낸 요청입니다. 다시 보내지 않았습니다.", "This was done before; nothing was sent again."),
        )
    return redirect(visit, back, visit.t(f"{sent:,}건을 다시 보냅니다.", f"{sent:,} are being sent again."))


async def _preview(
    visit: Visit,
    merchant: Merchant,
    filters: Filters,
    wanted: Mapping[str, Any],
    problem: Mapping[str, str] | None = None,
) -> Response[str]:
    search = await _wanted(visit, merchant.code, filters, wanted)
    found = await visit.services.store.webhooks.matching(merchant.code, search)
    return render(
        visit,
        "webhooks/resend.html",
        status=422 if problem else 200,
        merchant=merchant,
        found=found,
        whole=wanted["ids"] is None,
        more=len(found) >= RESEND_MAX,
        most=RESEND_MAX,
        problem=problem,
        to=visit.value("to") or "original",
        drawn=seal(visit, _purpose(merchant.code), json.dumps(wanted)),
        **_common(merchant.code, filters),
    )


async def _wanted(visit: Visit, code: str, filters: Filters, wanted: Mapping[str, Any]) -> DeliverySearch:
    """Return what a preview was about: what came after it was shown does not belong to it."""
    if wanted["ids"] is not None:
        return DeliverySearch(RESEND_MAX, delivery_ids=wanted["ids"])
    search = await search_of(visit, code, filters, RESEND_MAX, datetime.fromisoformat(wanted["until"]))
    state = DeliveryState(filters.state) if filters.state else None
    return replace(search, states=sent_again(state, by_id=bool(filters.id)))


def _common(code: str, filters: Filters) -> dict[str, Any]:
    return {
        "filters": filters,
        "at": _address(code),
        "states": list(DeliveryState),
        "answers": list(AnswerClass),
        "statuses": STATUSES,
        "spans": DAYS,
    }


def read_filters(request: AnyRequest) -> Filters:
    """Read the filters of an address; what it says that cannot be is as if it were not said."""
    read = FilterReader(request, WORD_CHARS_MAX)
    delivery_id = read.text("id")
    return Filters(
        word=read.text("word"),
        state=read.one_of("state", list(DeliveryState)),
        told=read.one_of("told", STATUSES),
        mode=visit_of(request).mode or read.one_of("mode", ("test", "live")),
        answer=read.one_of("answer", list(AnswerClass)),
        host=read.text("host"),
        address=address if (address := read.text("address")).isalnum() else "",
        days=read.one_of("days", SPANS, "7"),
        since=read.day("since"),
        until=read.day("until"),
        id=delivery_id if delivery_id.isalnum() else "",
    )


async def search_of(
    visit: Visit, code: str, filters: Filters, limit: int, now: datetime | None = None
) -> DeliverySearch:
    """Return what the store is asked for."""
    now = now or visit.services.clock.now()
    search = DeliverySearch(
        limit,
        states=[DeliveryState(filters.state)] if filters.state else tuple(DeliveryState),
        status=Status(filters.told) if filters.told else None,
        test_mode={"test": True, "live": False}.get(filters.mode),
        answer=AnswerClass(filters.answer) if filters.answer else None,
        host=filters.host or None,
        address_id=filters.address or None,
        until=now,
    )
    if filters.id:
        return replace(search, delivery_ids=[filters.id])
    if filters.word:
        return replace(search, imp_uids=await _named(visit, code, filters.word))
    since, before = span_of(filters.since, filters.until)
    if since or before:
        return replace(
            search,
            since=since,
            until=now if before is None else min(now, before - timedelta(microseconds=1)),
        )
    return replace(search, since=now - timedelta(days=int(filters.days)))


async def _named(visit: Visit, code: str, word: str) -> list[str]:
    """Return the payments that people mean: by imp_uid or merchant_uid."""
    found = await visit.services.store.payments.by_ids(code, [word], [word])
    return [payment.imp_uid for payment in found][:FOUND_MAX]


def _signature(merchant: Merchant, further: Sequence[WebhookAddress], delivery: Delivery) -> list[tuple[str, str]]:
    """Return the headers that go with a webhook, as far as they are no secret: signatures are made anew each time."""
    signing = (merchant.sealed_webhook_secret, merchant.sealed_old_webhook_secret)
    if delivery.address_id is not None:
        found = [(a.sealed_secret, a.sealed_old_secret) for a in further if a.id == delivery.address_id]
        signing = found[0] if found else (None, None)
    if signing[0] is None:
        return []
    signatures = "v1,…" if signing[1] is None else "v1,… v1,…"
    return [
        ("webhook-id", delivery.event_id),
        ("webhook-sequence", str(delivery.sequence)),
        ("webhook-signature", signatures),
    ]


def _pretty(body: str, media_type: str) -> str:
    """Return a body as people read it; one that is not what it says stays as it is."""
    if media_type != "application/json":
        return body
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except ValueError:
        return body


def _purpose(code: str) -> str:
    return f"resend:{code}"


def _address(code: str) -> str:
    return f"/console/merchants/{code}/webhook-log"


HANDLERS = [webhook_log, preview, resend]
