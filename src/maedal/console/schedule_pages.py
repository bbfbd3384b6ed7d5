"""Planned charges: a list that a link can hold, each with its story, and what people may do to one of them."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.console.admission import asks, visit_of
from maedal.console.days import begin_of, day_of, first_of_month, moment_of, next_month, today
from maedal.console.page import KOREA, go, show
from maedal.console.sentences import told
from maedal.console.visit import AnyRequest, Visit, inside
from maedal.console.whose import merchant_of, resting_of
from maedal.errors import GatewayError
from maedal.flows.change_schedules import ChangeRequest, change_schedule
from maedal.flows.run_schedule import ByHand, retry
from maedal.flows.schedule_charges import find_schedule
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter
from maedal.payments.moves import Status
from maedal.schedules.errors import ScheduleNotChangeable
from maedal.schedules.manual_changes import ManualChange, mark_of, obstacle_to
from maedal.schedules.schedule import Schedule
from maedal.storage.plans import PlanWish, Tab

ASKS, CHANGES = asks(Permission.SEE_PAYMENTS), asks(Permission.CHANGE_SCHEDULES)
ROWS = 50
PAGES_MAX = 400
COUNT_MAX = 20_000
WORD_CHARS_MAX = 80
SPAN_DAYS_MAX = 3 * 366
PAYMENTS_MAX = 30
ACTS_MAX = 30
BULK = (ManualChange.HOLD, ManualChange.RELEASE, ManualChange.MOVE, ManualChange.REVOKE, ManualChange.RETRY)


@dataclass(frozen=True, slots=True)
class PlanFilter:
    """What an address asks to see of the planned charges of a merchant."""

    tab: Tab
    word: str
    since: date
    until: date
    held: bool

    def wish(self) -> PlanWish:
        """Return what the store is asked for."""
        before = begin_of(self.until + timedelta(days=1))
        return PlanWish(begin_of(self.since), before, self.tab, self.word, self.held, self.tab is Tab.WAITING)

    def values(self, **changes: object) -> dict[str, str]:
        """Return the filter as the fields of an address, with changes; what is empty is left out."""
        own = {"tab": self.tab, "word": self.word, "since": self.since, "until": self.until,
               "held": "1" if self.held else ""}  # fmt: skip
        return {name: str(value) for name, value in (own | changes).items() if str(value)}


def read_filter(visit: Visit) -> PlanFilter:
    """Read the filter of an address; without a span it is this month and the next."""
    query = visit.request.query_params
    day = today(visit)
    since = day_of(query.get("since", "")) or first_of_month(day)
    until = day_of(query.get("until", "")) or next_month(next_month(first_of_month(since))) - timedelta(days=1)
    until = min(max(until, since), since + timedelta(days=SPAN_DAYS_MAX))
    tab = query.get("tab", "")
    return PlanFilter(
        Tab(tab) if tab in set(Tab) else Tab.ALL,
        query.get("word", "").replace("\0", "").strip()[:WORD_CHARS_MAX],
        since,
        until,
        query.get("held") == "1",
    )


def page_number(visit: Visit) -> int:
    """Return which page an address asks for."""
    number = visit.request.query_params.get("page", "1")
    return min(int(number), PAGES_MAX) if re.fullmatch(r"[1-9][0-9]{0,5}", number) else 1


@get("/merchants/{code:str}/schedules", opt=ASKS)
async def schedules(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """List planned charges that were or are due in a span of days."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    wanted, number = read_filter(visit), page_number(visit)
    wish = wanted.wish()
    counts = await visit.parts.store.plan_counts(code, wish, COUNT_MAX)
    found = await visit.parts.store.plans(code, wish, ROWS, (number - 1) * ROWS)
    day = today(visit)

    def link(**changes: object) -> str:
        return f"{request.url.path}?{urlencode(wanted.values(**changes))}"

    month = first_of_month(day)
    spans = [
        (("오늘", "Today"), day, day),
        (("앞으로 7일", "Next 7 days"), day, day + timedelta(days=6)),
        (("지난 30일", "Last 30 days"), day - timedelta(days=29), day),
        (("이번 달", "This month"), month, next_month(month) - timedelta(days=1)),
    ]
    return show(
        visit,
        "schedules.html",
        merchant=merchant,
        resting=await resting_of(visit, merchant.code),
        found=found,
        wanted=wanted,
        counts=counts,
        counted=counts[Tab.ALL] < COUNT_MAX,
        tabs=list(Tab),
        total=counts[wanted.tab],
        spans=[(visit.t(*words), since, until) for words, since, until in spans],
        changes=BULK,
        number=number,
        last=max(1, min(PAGES_MAX, -(-counts[wanted.tab] // ROWS))),
        link=link,
        one=lambda s: address_of(code, s),
        stands=stands,
        now=visit.parts.clock.now(),
    )


@get("/merchants/{code:str}/schedules/one", opt=ASKS)
async def schedule(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show a planned charge: when it was and is due, what became of it, who did what, and what may be done."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    store, now = visit.parts.store, visit.parts.clock.now()
    found = await find_schedule(visit.parts, code, request.query_params.get("uid", "").replace("\0", ""))
    uid = found.order.merchant_uid
    keys = await store.billing_keys(code, [found.order.customer_uid or ""])
    return show(
        visit,
        "schedule.html",
        merchant=merchant,
        resting=await resting_of(visit, merchant.code),
        schedule=found,
        payments=(await store.payments_by_ids(code, [], [uid]))[:PAYMENTS_MAX],
        acts=await store.acts_on(code, uid, ACTS_MAX),
        key=keys[0] if keys else None,
        mark=mark_of(found),
        can={change for change in ManualChange if obstacle_to(found, change, now) is None},
        drawn=_drawn(visit, found) if found.may_begin_anew() else "",
        stands=stands,
        at=f"{max(found.schedule_at, now + timedelta(hours=1)).astimezone(KOREA):%Y-%m-%dT%H:%M}",
        now=now,
    )


@post("/merchants/{code:str}/schedules/change", opt=CHANGES)
async def change_one(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Hold, release, revoke or move one planned charge, as it was when the page was shown."""
    visit = visit_of(request)
    back = visit.value("back")
    page = inside(back) if back else f"/console/merchants/{code}/schedules"
    try:
        found = await find_schedule(visit.parts, code, visit.value("uid"))
        if mark_of(found) != visit.value("mark"):
            raise ScheduleNotChangeable("it has moved in this very moment")
        wish = _wish(visit)
        await change_schedule(visit.parts, found, wish)
    except GatewayError as error:
        return go(visit, page, told(visit, error.message), tone="problem")
    return go(visit, page, visit.t(*DONE[wish.change]))


@post("/merchants/{code:str}/schedules/retry", opt=CHANGES)
async def retry_one(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Charge a failed or revoked one now, once however often the form is sent."""
    visit = visit_of(request)
    uid = visit.value("uid")
    page = address(code, uid)
    try:
        if visit.value("sure") != "on":
            raise InvalidParameter("sure", "tick the box first")
        payment = await retry(visit.parts, code, uid, _by_hand(visit, uid))
    except BillingKeyNotFound as error:
        return go(visit, page, told(visit, error.message), tone="problem")
    except GatewayError as error:
        return go(visit, page, told(visit, error.message), tone="problem")
    if payment.status is Status.PAID:
        return go(visit, page, visit.t("결제했습니다.", "It was charged."))
    if payment.status is Status.FAILED:
        text = visit.t(f"결제하지 못했습니다. {payment.fail_reason}", f"It was declined. {payment.fail_reason}")
        return go(visit, page, text, tone="problem")
    text = visit.t(
        "결과를 확인하고 있습니다. 다시 결제하지 마세요.", "The outcome is being clarified. Do not charge again."
    )
    return go(visit, page, text, tone="problem")


DONE = {
    ManualChange.HOLD: (
        "보류했습니다. 해제할 때까지 결제하지 않습니다.",
        "Held. Nothing is charged until it is released.",
    ),
    ManualChange.RELEASE: ("보류를 해제했습니다.", "Released."),
    ManualChange.REVOKE: ("해지했습니다.", "Revoked."),
    ManualChange.MOVE: ("예정 시각을 바꾸었습니다.", "The time was changed."),
    ManualChange.ANEW: ("다시 예약했습니다.", "It is planned anew."),
    ManualChange.RETRY: ("1분 뒤에 결제합니다.", "It is charged in a minute."),
}


def _wish(visit: Visit) -> ChangeRequest:
    word = visit.value("change")
    if word not in set(ManualChange):
        raise InvalidParameter("change", "choose what to do")
    change = ManualChange(word)
    at = moment_of(visit.value("at")) if change in {ManualChange.MOVE, ManualChange.ANEW} else None
    if change in {ManualChange.MOVE, ManualChange.ANEW} and at is None:
        raise InvalidParameter("at", "give a day and a time")
    return ChangeRequest(change, visit.present.user.name, visit.value("reason"), at=at)


def stands(found: Schedule) -> Tab:
    """Return the tab that a planned charge belongs to."""
    if found.status.value in {"scheduled", "revoked"}:
        return Tab.WAITING if found.status.value == "scheduled" else Tab.REVOKED
    status = None if found.payment is None else found.payment.status
    if status in {Status.PAID, Status.CANCELLED}:
        return Tab.PAID
    return Tab.FAILED if status is Status.FAILED else Tab.OPEN


def address(code: str, merchant_uid: str) -> str:
    """Return the address of a planned charge's page; its id may hold any sign."""
    return f"/console/merchants/{code}/schedules/one?{urlencode({'uid': merchant_uid})}"


def address_of(code: str, found: Schedule) -> str:
    return address(code, found.order.merchant_uid)


def sealed(visit: Visit, text: str, purpose: str) -> str:
    """Return what a form carries and nobody may change, good in this session only."""
    return base64.urlsafe_b64encode(visit.parts.vault.seal(text, _context(visit, purpose))).decode()


def opened(visit: Visit, field: str, purpose: str) -> Any:
    """Return what `sealed` gave. Raises InvalidParameter when it is of another form or session, or changed."""
    try:
        return visit.parts.vault.open(base64.urlsafe_b64decode(visit.value(field)), _context(visit, purpose))
    except Exception as error:
        raise InvalidParameter(field, "the form is too old; look at the list again") from error


def _context(visit: Visit, purpose: str) -> str:
    return f"console.{purpose}:{visit.present.session.id}"


def _drawn(visit: Visit, found: Schedule) -> str:
    attempt_id = visit.parts.ids.row(visit.parts.clock.now())
    return sealed(visit, f"{attempt_id} {found.imp_uid or '-'}", f"retry:{found.order.merchant_uid}")


def _by_hand(visit: Visit, uid: str) -> ByHand:
    attempt_id, imp_uid = str(opened(visit, "drawn", f"retry:{uid}")).split()
    return ByHand(visit.present.user.name, attempt_id, None if imp_uid == "-" else imp_uid)


HANDLERS = [schedules, schedule, change_one, retry_one]
