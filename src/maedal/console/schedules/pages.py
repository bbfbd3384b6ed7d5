"""Scheduled charges: a list that a link can hold, each with its story, and what people may do to one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromPath

from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.console.frame.admission import requires, visit_of
from maedal.console.frame.days import KOREA, begin_of, day_of, first_of_month, moment_of, next_month, today
from maedal.console.frame.links import schedule_path, schedule_path_of
from maedal.console.frame.lists import PAGES_MAX, page_number
from maedal.console.frame.merchant import merchant_of, paused_channels
from maedal.console.frame.once import require_confirmation, seal, unseal
from maedal.console.frame.page import problem_of, redirect, render
from maedal.console.frame.sentences import translated
from maedal.console.frame.visit import AnyRequest, Visit, console_path
from maedal.console.frame.words import say
from maedal.errors import GatewayError
from maedal.flows.change_schedules import ChangeRequest, change_schedule
from maedal.flows.explain_failures import failed_with, failure_cause
from maedal.flows.run_schedule import ByHand, retry
from maedal.flows.schedule_charges import find_schedule
from maedal.flows.services import ServicesWithoutStore
from maedal.operators.role import Permission
from maedal.payments.errors import InvalidParameter
from maedal.payments.failure_causes import FailureCause
from maedal.payments.moves import Status
from maedal.schedules.errors import ScheduleNotChangeable
from maedal.schedules.manual_changes import ManualChange, mark_of, obstacle_to
from maedal.schedules.schedule import Schedule
from maedal.storage.schedules.reads import ScheduleSearch, ScheduleTab

SEE, CHANGE = requires(Permission.SEE_PAYMENTS), requires(Permission.CHANGE_SCHEDULES)
ROWS = 50
COUNT_MAX = 20_000
WORD_CHARS_MAX = 80
SPAN_DAYS_MAX = 3 * 366
PAYMENTS_MAX = 30
AUDIT_ENTRIES_MAX = 30
STILL_TO_COME = frozenset({ScheduleTab.ALL, ScheduleTab.WAITING, ScheduleTab.OPEN})
SORTS = ("soonest", "latest")
BULK = (ManualChange.HOLD, ManualChange.RELEASE, ManualChange.MOVE, ManualChange.REVOKE, ManualChange.RETRY)


@dataclass(frozen=True, slots=True)
class ScheduleFilter:
    """What an address asks to see of the scheduled charges of a merchant."""

    tab: ScheduleTab
    word: str
    since: date
    until: date
    held: bool
    cause: FailureCause | None = None
    sort: str = ""
    """Chosen by hand; else by the tab."""
    test_mode: bool | None = None
    """That of the console's switch, in no address."""

    def search(self, services: ServicesWithoutStore) -> ScheduleSearch:
        """Return what the store is asked for."""
        before = begin_of(self.until + timedelta(days=1))
        codes = None if self.cause is None else failed_with(services, self.cause)
        own = (self.tab, self.word, self.held, self.soonest_first, codes, self.test_mode)
        return ScheduleSearch(begin_of(self.since), before, *own)

    @property
    def soonest_first(self) -> bool:
        """Whether what is due first comes first, as it does where something is still to come."""
        return self.sort == "soonest" or (not self.sort and self.tab in STILL_TO_COME)

    def values(self, **changes: object) -> dict[str, str]:
        """Return the filter as the fields of an schedule_path, with changes; what is empty is left out."""
        own = {"tab": self.tab, "word": self.word, "since": self.since, "until": self.until,
               "held": "1" if self.held else "", "cause": self.cause or "", "sort": self.sort}  # fmt: skip
        return {name: str(value) for name, value in (own | changes).items() if str(value)}


def read_filter(visit: Visit) -> ScheduleFilter:
    """Read the filter of an address; without a span it is this month and the next."""
    query = visit.request.query_params
    day = today(visit)
    since = day_of(query.get("since", "")) or first_of_month(day)
    until = day_of(query.get("until", "")) or next_month(next_month(first_of_month(since))) - timedelta(days=1)
    until = min(max(until, since), since + timedelta(days=SPAN_DAYS_MAX))
    tab, cause, sort = query.get("tab", ""), query.get("cause", ""), query.get("sort", "")
    # Who comes by the menu wants to know what comes next; whoever looks for something looks among all.
    usual = ScheduleTab.ALL if set(query) - {"page", "sort"} else ScheduleTab.WAITING
    return ScheduleFilter(
        ScheduleTab(tab) if tab in set(ScheduleTab) else usual,
        query.get("word", "").replace("\0", "").strip()[:WORD_CHARS_MAX],
        since,
        until,
        query.get("held") == "1",
        FailureCause(cause) if cause in set(FailureCause) else None,
        sort if sort in SORTS else "",
        visit.test_mode,
    )


@get("/merchants/{code:str}/schedules", opt=SEE)
async def schedules(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """List scheduled charges that were or are due in a span of days."""
    visit = visit_of(request)
    merchant = await merchant_of(visit, code)
    wanted, number = read_filter(visit), page_number(visit)
    search = wanted.search(visit.services)
    counts = await visit.reading.store.schedules.counts(code, search, COUNT_MAX)
    found = await visit.reading.store.schedules.search(code, search, ROWS, (number - 1) * ROWS)
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
    return render(
        visit,
        "schedules/list.html",
        merchant=merchant,
        paused=await paused_channels(visit, merchant.code),
        found=found,
        wanted=wanted,
        counts=counts,
        counted=counts[ScheduleTab.ALL] < COUNT_MAX,
        tabs=list(ScheduleTab),
        total=counts[wanted.tab],
        spans=[(visit.t(*words), since, until) for words, since, until in spans],
        causes=list(FailureCause),
        changes=BULK,
        number=number,
        last=max(1, min(PAGES_MAX, -(-counts[wanted.tab] // ROWS))),
        link=link,
        one=lambda s: schedule_path_of(code, s),
        tab_of=tab_of,
        now=visit.services.clock.now(),
    )


@get("/merchants/{code:str}/schedules/one", opt=SEE)
async def schedule(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Show a scheduled charge: when it was and is due, what became of it, who did what, and what may be done."""
    visit = visit_of(request)
    found = await find_schedule(visit.services, code, request.query_params.get("uid", "").replace("\0", ""))
    return await _page(visit, code, found)


async def _page(visit: Visit, code: str, found: Schedule, problem: Mapping[str, str] | None = None) -> Response[str]:
    """Show it; a form that was refused stands as it was sent, with what is wrong."""
    merchant = await merchant_of(visit, code)
    store, now = visit.services.store, visit.services.clock.now()
    uid = found.order.merchant_uid
    keys = await store.billing_keys.living(code, [found.order.customer_uid or ""])
    return render(
        visit,
        "schedules/schedule.html",
        status=422 if problem else 200,
        merchant=merchant,
        paused=await paused_channels(visit, merchant.code),
        schedule=found,
        payments=(await store.payments.by_ids(code, [], [uid]))[:PAYMENTS_MAX],
        audit_entries=await store.audit.about(code, uid, AUDIT_ENTRIES_MAX),
        key=keys[0] if keys else None,
        mark=mark_of(found),
        can={change for change in ManualChange if obstacle_to(found, change, now) is None},
        drawn=_retry_form_id(visit, found) if found.may_begin_anew() else "",
        tab_of=tab_of,
        at=f"{max(found.schedule_at, now + timedelta(hours=1)).astimezone(KOREA):%Y-%m-%dT%H:%M}",
        typed={name: visit.value(name) if problem else "" for name in ("change", "at", "reason")},
        problem=problem,
        now=now,
    )


@post("/merchants/{code:str}/schedules/change", opt=CHANGE)
async def change_one(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Hold, release, revoke or move one scheduled charge, as it was when the page was shown."""
    visit = visit_of(request)
    back = visit.value("back")
    page = console_path(back) if back else f"/console/merchants/{code}/schedules"
    try:
        found = await find_schedule(visit.services, code, visit.value("uid"))
        if mark_of(found) != visit.value("mark"):
            raise ScheduleNotChangeable("it has moved in this very moment")
        try:
            change_request = _change_request(visit)
            await change_schedule(visit.services, found, change_request)
        except GatewayError as error:
            if page != schedule_path_of(code, found):
                raise
            return await _page(visit, code, found, problem_of(visit, error))
    except GatewayError as error:
        return redirect(visit, page, translated(visit, error.message), tone="problem")
    return redirect(visit, page, visit.t(*DONE[change_request.change]))


@post("/merchants/{code:str}/schedules/retry", opt=CHANGE)
async def retry_one(request: AnyRequest, code: FromPath[str]) -> Response[str]:
    """Charge a failed or revoked one now, once however often the form is sent."""
    visit = visit_of(request)
    uid = visit.value("uid")
    page = schedule_path(code, uid)
    try:
        require_confirmation(visit)
        payment = await retry(visit.services, code, uid, _retry_by_hand(visit, code, uid))
    except BillingKeyNotFound as error:
        return redirect(visit, page, translated(visit, error.message), tone="problem")
    except GatewayError as error:
        return redirect(visit, page, translated(visit, error.message), tone="problem")
    if payment.status is Status.PAID:
        return redirect(visit, page, visit.t("결제했습니다.", "It was charged."))
    if payment.status is Status.FAILED:
        cause = failure_cause(visit.services, payment)
        why = "" if cause is None else say(visit, "failure_cause", cause)
        text = visit.t(f"결제하지 못했습니다. 원인: {why}", f"It was not charged. Cause: {why}")
        return redirect(visit, page, text, tone="problem")
    text = visit.t(
        "결과를 확인하고 있습니다. 다시 결제하지 마세요.", "The outcome is being clarified. Do not charge again."
    )
    return redirect(visit, page, text, tone="problem")


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


def _change_request(visit: Visit) -> ChangeRequest:
    word = visit.value("change")
    if word not in set(ManualChange):
        raise InvalidParameter("change", "choose what to do")
    change = ManualChange(word)
    at = moment_of(visit.value("at")) if change in {ManualChange.MOVE, ManualChange.ANEW} else None
    if change in {ManualChange.MOVE, ManualChange.ANEW} and at is None:
        raise InvalidParameter("at", "give a day and a time")
    return ChangeRequest(change, visit.present.operator.name, visit.value("reason"), at=at)


def tab_of(found: Schedule) -> ScheduleTab:
    """Return the tab that a scheduled charge belongs to."""
    if found.status.value in {"scheduled", "revoked"}:
        return ScheduleTab.WAITING if found.status.value == "scheduled" else ScheduleTab.REVOKED
    status = None if found.payment is None else found.payment.status
    if status in {Status.PAID, Status.CANCELLED}:
        return ScheduleTab.PAID
    return ScheduleTab.FAILED if status is Status.FAILED else ScheduleTab.OPEN


def _retry_form_id(visit: Visit, found: Schedule) -> str:
    attempt_id = visit.services.ids.row(visit.services.clock.now())
    return seal(
        visit, _retry_action(found.merchant_id, found.order.merchant_uid), f"{attempt_id} {found.imp_uid or '-'}"
    )


def _retry_action(code: str, uid: str) -> str:
    return f"retry:{code}:{uid}"


def _retry_by_hand(visit: Visit, code: str, uid: str) -> ByHand:
    attempt_id, imp_uid = unseal(visit, _retry_action(code, uid)).split()
    return ByHand(visit.present.operator.name, attempt_id, None if imp_uid == "-" else imp_uid)


HANDLERS = [schedules, schedule, change_one, retry_one]
