"""Webhooks as a file, by the filters of their log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from maedal.console.frame.exports import AT_ONCE, FoundList, ListExport
from maedal.console.frame.spreadsheets import Cell
from maedal.console.frame.visit import Visit
from maedal.console.frame.words import mode_word, say
from maedal.console.webhooks.log_pages import read_filters, search_of
from maedal.payments.moves import Status
from maedal.storage.webhooks.reads import AnswerClass, DeliverySearch, FoundDelivery
from maedal.webhooks.webhook import DeliveryState

HEAD = (
    ("생성 시각", "Made"), ("상태", "State"), ("이벤트", "Event"), ("imp_uid", "imp_uid"), ("주소", "Address"),
    ("모드", "Mode"), ("시도 횟수", "Tries"), ("마지막 시도", "Last try"), ("마지막 응답", "Last answer"),
    ("다음 시도", "Next try"), ("사람이 다시 보냄", "Sent again by a person"), ("웹훅 id", "Webhook id"),
)  # fmt: skip


async def read(visit: Visit, code: str) -> FoundList:
    """Return the webhooks that an address asks for, as they were when it was asked."""
    filters, t = read_filters(visit.request), visit.t
    search = await search_of(visit, code, filters, AT_ONCE)
    spans = " – ".join(filter(None, (filters.since, filters.until)))
    said = [(t("기간", "Span"), spans or t(f"최근 {filters.days}일", f"Last {filters.days} days"))]
    for name, value in (
        (t("결제 찾기", "Find a payment"), filters.word),
        (t("상태", "State"), filters.state and say(visit, "delivery", DeliveryState(filters.state))),
        (t("이벤트", "Event"), filters.told and say(visit, "status", Status(filters.told))),
        (t("모드", "Mode"), filters.mode and mode_word(visit, test_mode=filters.mode == "test")),
        (t("마지막 응답", "Last answer"), filters.answer and say(visit, "answer_class", AnswerClass(filters.answer))),
        (t("받는 서버", "Receiver"), filters.host),
    ):
        if value:
            said.append((name, value))
    return FoundList(said, None, [t(*words) for words in HEAD], lambda: _lines(visit, code, search))


async def _lines(visit: Visit, code: str, search: DeliverySearch) -> AsyncIterator[Sequence[Sequence[Cell]]]:
    store = visit.reading.store
    while True:
        page = await store.webhooks.search(code, search)
        if page.rows:
            yield [_row(visit, one) for one in page.rows]
        if page.next is None:
            return
        search = replace(search, after=page.next)


def _row(visit: Visit, one: FoundDelivery) -> list[Cell]:
    delivery, tries = one.log.delivery, one.log.tries
    last = tries[-1] if tries else None
    return [
        delivery.created_at, say(visit, "delivery", one.log.state),
        say(visit, "status", one.status) if one.status else "", delivery.imp_uid, delivery.address,
        mode_word(visit, test_mode=one.test_mode), len(tries),
        last.sent_at if last else "", (last and last.answer_status) or "",
        one.log.due_at if one.log.state is DeliveryState.WAITING and one.log.due_at else "",
        visit.t("예", "yes") if delivery.by_hand else "", delivery.id,
    ]  # fmt: skip


EXPORTS: Mapping[str, ListExport] = {"webhooks": ListExport(("웹훅 기록", "Webhook log"), "webhook-log", read)}
