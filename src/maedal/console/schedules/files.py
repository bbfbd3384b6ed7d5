"""Scheduled charges as a file, by the filters of their list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from maedal.console.frame.exports import AT_ONCE, FoundList, ListExport
from maedal.console.frame.spreadsheets import Cell
from maedal.console.frame.visit import Visit
from maedal.console.frame.words import say
from maedal.console.schedules.pages import COUNT_MAX, read_filter, tab_of
from maedal.flows.explain_failures import failure_cause
from maedal.schedules.schedule import Schedule
from maedal.storage.schedules.reads import ScheduleSearch

HEAD = (
    ("예정 시각", "Due"), ("상태", "Status"), ("merchant_uid", "merchant_uid"), ("주문명", "Order name"),
    ("customer_uid", "customer_uid"), ("구매자 이름", "Buyer"), ("금액", "Amount"), ("imp_uid", "imp_uid"),
    ("실행 시각", "Executed"), ("재시도 횟수", "Tries"), ("다음 재시도", "Next try"), ("실패 원인", "Cause of failure"),
    ("실패 코드", "Failure code"), ("보류 시각", "Held since"), ("해지 시각", "Revoked"), ("등록 시각", "Made"),
)  # fmt: skip


async def read(visit: Visit, code: str) -> FoundList:
    """Return the scheduled charges that an address asks for."""
    wanted = read_filter(visit)
    search = wanted.search(visit.services)
    total = (await visit.reading.store.schedules.counts(code, search, COUNT_MAX))[wanted.tab]
    t = visit.t
    filters = [
        (t("상태", "Status"), say(visit, "schedule_tab", wanted.tab)),
        (t("예정일", "Due"), f"{wanted.since} – {wanted.until}"),
    ]
    if wanted.word:
        filters.append((t("찾는 말", "Word"), wanted.word))
    if wanted.cause is not None:
        filters.append((t("실패 원인", "Cause of failure"), say(visit, "failure_cause", wanted.cause)))
    if wanted.held:
        filters.append((t("보류", "Held"), t("보류만", "held only")))
    return FoundList(
        filters, total, [t(*words) for words in HEAD], lambda: _lines(visit, code, search), exact=total < COUNT_MAX
    )


async def _lines(visit: Visit, code: str, search: ScheduleSearch) -> AsyncIterator[Sequence[Sequence[Cell]]]:
    store, after = visit.reading.store, None
    while True:
        found = await store.schedules.search(code, search, AT_ONCE, after=after)
        if found:
            yield [_row(visit, one) for one in found]
            after = found[-1].schedule_at, found[-1].order.merchant_uid
        if len(found) < AT_ONCE:
            return


def _row(visit: Visit, one: Schedule) -> list[Cell]:
    cause = None if one.payment is None else failure_cause(visit.services, one.payment)
    return [
        one.schedule_at, say(visit, "schedule_tab", tab_of(one)), one.order.merchant_uid, one.order.name,
        one.order.customer_uid or "", one.order.buyer.name or "", one.order.price.total.amount, one.imp_uid or "",
        one.executed_at or "", one.tries, one.next_try.at if one.next_try else "",
        "" if cause is None else say(visit, "failure_cause", cause),
        (one.payment and one.payment.fail_code) or "", one.hold.at if one.hold else "", one.revoked_at or "",
        one.inserted_at,
    ]  # fmt: skip


EXPORTS: Mapping[str, ListExport] = {"schedules": ListExport(("예약", "Scheduled charges"), "schedules", read)}
