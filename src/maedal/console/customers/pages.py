"""Customers: a list by tag or of those registered last, and one of them with keys, payments, plans and notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.billing_keys.billing_key import BillingKey
from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.days import KOREA, moment_of
from maedal.console.frame.filters import FilterReader, place_text
from maedal.console.frame.links import customer_path, schedule_path_of
from maedal.console.frame.merchant import merchant_of
from maedal.console.frame.once import new_form_id, seal, unseal
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.visit import AnyRequest, Visit
from maedal.errors import GatewayError
from maedal.flows.customer import find_customer
from maedal.flows.notes import may_remove, remarks
from maedal.flows.plan_charge import PlanRequest, plan_charge
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter
from maedal.payments.notes import TAG_CHARS_MAX, NoteSubject, Remarks
from maedal.storage.billing_keys.reads import KeyFilter, KeyStanding
from maedal.storage.notes.reads import Tagged

SEE = requires(Permission.SEE_PAYMENTS)
ROWS = 50
TAGS_SHOWN_MAX = 50
WON_DIGITS_MAX = 12


@dataclass(frozen=True, slots=True)
class Row:
    """A customer in the list."""

    customer_uid: str
    key: BillingKey | None
    """The key that can be charged, or else the one registered last."""
    remarks: Remarks


@get("/merchants/{code:str}/customers", opt=SEE)
async def customers(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """List the customers under a tag, the one tagged last first; without one, those who registered a key last."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    read, store = FilterReader(request, TAG_CHARS_MAX * 4), visit.reading.store
    tag = read.text("tag").lower()[:TAG_CHARS_MAX]
    following = ""
    if tag:
        tagged: list[Tagged] = list(await store.notes.tagged(code, NoteSubject.CUSTOMER, tag, ROWS + 1, read.place()))
        uids = [one.subject for one in tagged[:ROWS]]
        if len(tagged) > ROWS:
            place = place_text((tagged[ROWS - 1].tagged_at, tagged[ROWS - 1].subject)) or ""
            following = f"{request.url.path}?{urlencode({'tag': tag, 'after': place})}"
        keys = [key for uid in uids for key in await store.billing_keys.of_customer(code, uid, 1)]
    else:
        wanted = KeyFilter(KeyStanding.ALL, test_mode=visit.test_mode)
        keys = list(await store.billing_keys.search(code, wanted, ROWS))
        uids = list(dict.fromkeys(key.customer_uid for key in keys))
    of: dict[str, BillingKey] = {}
    for key in keys:
        if key.customer_uid not in of or key.ended_at is None:
            of[key.customer_uid] = key
    # Under a tag everybody is in the list, of whom something of the mode is known.
    shown = [uid for uid in uids if visit.test_mode is None or uid not in of or of[uid].test_mode == visit.test_mode]
    written = await remarks(visit.reading, code, NoteSubject.CUSTOMER, shown)
    return render(
        visit,
        "customers/list.html",
        merchant=merchant,
        rows=[Row(uid, of.get(uid), written[uid]) for uid in shown],
        tag=tag,
        tags=await store.notes.tags(code, NoteSubject.CUSTOMER, TAGS_SHOWN_MAX),
        following=following,
    )


@get("/merchants/{code:str}/customers/one", opt=SEE)
async def customer(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show a customer: keys and their history, payments, what is planned, sums, the last failure and notes."""
    visit = visit_of(request)
    return await _page(visit, code, request.query_params.get("uid", "").replace("\0", ""))


async def _page(visit: Visit, code: str, customer_uid: str, problem: Mapping[str, str] | None = None) -> Response[str]:
    """Show it; a form that was refused stands as it was sent, with what is wrong."""
    merchant = await merchant_of(visit, code)
    store, now = visit.services.store, visit.services.clock.now()
    found = await find_customer(visit.services, code, customer_uid, visit.test_mode)
    subject = f"{NoteSubject.CUSTOMER}:{customer_uid}"
    at = (now + timedelta(days=1)).astimezone(KOREA)
    typed = {name: visit.value(name) if problem else "" for name in ("name", "amount", "at")}
    return render(
        visit,
        "customers/customer.html",
        status=422 if problem else 200,
        merchant=merchant,
        customer=found,
        channels={channel.id: channel for channel in await store.channels.of_merchant(code)},
        known_tags=await store.notes.tags(code, NoteSubject.CUSTOMER, TAGS_SHOWN_MAX),
        drawn=new_form_id(visit, f"note:{code}:{subject}"),
        plan=seal(visit, _plan_action(code, customer_uid), f"console_{visit.services.ids.row(now)}"),
        kind=NoteSubject.CUSTOMER,
        may_remove=lambda note: may_remove(note, visit.present.operator),
        at=f"{at:%Y-%m-%dT10:00}",
        typed=typed,
        problem=problem,
        one=lambda s: schedule_path_of(code, s),
        now=now,
    )


@post("/merchants/{code:str}/customers/plan", opt=requires(Permission.CHANGE_SCHEDULES))
async def plan(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Schedule a charge of the customer's key, once however often the form is sent."""
    visit = visit_of(request)
    customer_uid = visit.secret("uid")
    try:
        drawn = unseal(visit, _plan_action(code, customer_uid))
        at = moment_of(visit.value("at"))
        if at is None:
            raise InvalidParameter("at", "give a day and a time")
        wanted = PlanRequest(
            customer_uid, visit.value("merchant_uid") or drawn, visit.value("name"), _won(visit.value("amount")), at
        )
        await plan_charge(visit.services, code, wanted, visit.present.operator)
    except GatewayError as error:
        return await _page(visit, code, customer_uid, problem_of(visit, error))
    return redirect(
        visit, customer_path(code, customer_uid), visit.t("결제를 예약했습니다.", "The charge is scheduled.")
    )


def _won(text: str) -> int:
    digits = text.replace(",", "").removesuffix("원")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= WON_DIGITS_MAX):
        raise InvalidParameter("amount", "the amount is a whole number of won")
    return int(digits)


def _plan_action(code: str, customer_uid: str) -> str:
    return f"plan:{code}:{customer_uid}"


HANDLERS = [customers, customer, plan]
