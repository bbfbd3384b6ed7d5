"""Pages of scheduled charges (docs/wire/portone-v1-rest.md 4.5.7), under every name that clients give the fields."""

from __future__ import annotations

from datetime import datetime

from litestar import Response

from maedal.flows.services import Services
from maedal.rest.context import AnyRequest
from maedal.rest.envelope import success
from maedal.rest.errors import ApiRefusal
from maedal.rest.failures import asks_for_failures, with_failures
from maedal.rest.language import Bilingual
from maedal.rest.pages import BAD_SORTING, UNKNOWN_STATUS, page_object, read_moment, read_page
from maedal.rest.presentation import present_schedules
from maedal.schedules.schedule import LIST_SPAN_MAX, ScheduleStatus
from maedal.storage.schedules.reads import ScheduleFilter

STATUS_NAMES = ("schedule_status", "schedule-status")
ANY_STATUS = frozenset({"", "all", "undefined"})
NO_SPAN = Bilingual(
    "조회 기간(from, to 또는 schedule_from, schedule_to) 파라메터가 누락되었습니다.",
    "The span is missing: from and to, or schedule_from and schedule_to.",
)
BAD_SPAN = Bilingual(
    "조회 기간은 시작이 끝보다 앞서고 3개월을 넘지 않아야 합니다.",
    "The span must begin before it ends and be three months at most.",
)
OLDEST_FIRST = {"": False, "-scheduled": False, "scheduled": True}


async def schedules_page(
    request: AnyRequest, services: Services, merchant_id: str, customer_uid: str | None = None
) -> Response[bytes]:
    """Give a page of what is planned in a span of time, of one customer or of all; an unknown customer has nothing."""
    page_request = read_page_request(request, customer_uid)
    found = await services.store.schedules.page(merchant_id, page_request)
    rows = await present_schedules(services, merchant_id, found.schedules)
    rows = with_failures(asks_for_failures(request), services, [one.payment for one in found.schedules], rows)
    return success(page_object(found.total, page_request.page, page_request.limit, rows))


def read_page_request(request: AnyRequest, customer_uid: str | None) -> ScheduleFilter:
    """Return what a list asks for. Raises ApiRefusal: 400 for anything it cannot mean."""
    since = _moment(request, "from", "schedule_from")
    before = _moment(request, "to", "schedule_to")
    if since is None or before is None:
        raise ApiRefusal(400, -1, NO_SPAN)
    if since > before or before - since > LIST_SPAN_MAX:
        raise ApiRefusal(400, -1, BAD_SPAN)
    status = _first(request, *STATUS_NAMES) or ""
    if status not in ANY_STATUS and status not in set(ScheduleStatus):
        raise ApiRefusal(400, -1, UNKNOWN_STATUS)
    sorting = request.query_params.get("sorting", "")
    if sorting not in OLDEST_FIRST:
        raise ApiRefusal(400, -1, BAD_SORTING)
    page, limit = read_page(request)
    return ScheduleFilter(
        since,
        before,
        page,
        limit,
        tuple(ScheduleStatus) if status in ANY_STATUS else (ScheduleStatus(status),),
        OLDEST_FIRST[sorting],
        customer_uid,
    )


def _moment(request: AnyRequest, *names: str) -> datetime | None:
    """Return the moment that the first of these parameters tells; a refusal names the one that was sent."""
    name = next((name for name in names if request.query_params.get(name)), names[0])
    return read_moment(request.query_params.get(name), name)


def _first(request: AnyRequest, *names: str) -> str | None:
    """Return the first of these parameters that says anything."""
    return next((value for name in names if (value := request.query_params.get(name))), None)
