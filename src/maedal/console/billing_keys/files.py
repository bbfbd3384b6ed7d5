"""Billing keys as a file, by the filters of their list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from maedal.billing_keys.billing_key import BillingKey
from maedal.console.billing_keys.pages import COUNT_MAX, read_filter
from maedal.console.frame.days import begin_of, first_of_month, today
from maedal.console.frame.exports import AT_ONCE, FoundList, ListExport
from maedal.console.frame.spreadsheets import Cell
from maedal.console.frame.visit import Visit
from maedal.console.frame.words import mode_word, say
from maedal.storage.billing_keys.reads import KeyFilter, KeyStanding, KeyUsage

HEAD = (
    ("customer_uid", "customer_uid"), ("고객 이름", "Customer"), ("이메일", "E-mail"), ("전화번호", "Phone"),
    ("상태", "Status"), ("결제수단", "Method"), ("카드사", "Card company"), ("모드", "Mode"), ("채널", "Channel"),
    ("발급 시각", "Issued"), ("이번 달 결제 건수", "Charges this month"), ("마지막 결제", "Last charge"),
    ("다음 예약", "Next charge"), ("대기 중인 예약", "Planned"), ("해지 시각", "Ended"),
    ("빌링키 id", "Billing key id"),
)  # fmt: skip


async def read(visit: Visit, code: str) -> FoundList:
    """Return the billing keys that an address asks for."""
    wanted, store, t = read_filter(visit), visit.reading.store, visit.t
    channels = {channel.id: channel.name for channel in await store.channels.of_merchant(code)}
    total = await store.billing_keys.count(code, wanted, COUNT_MAX)
    filters = [(t("상태", "Status"), say(visit, "key_standing", wanted.standing))]
    if wanted.word:
        filters.append((t("찾는 말", "Word"), wanted.word))
    if wanted.method is not None:
        filters.append((t("결제수단", "Method"), say(visit, "method", wanted.method)))
    if wanted.channel_id is not None:
        filters.append((t("채널", "Channel"), channels.get(wanted.channel_id, wanted.channel_id)))
    if wanted.test_mode is not None:
        filters.append((t("모드", "Mode"), mode_word(visit, test_mode=wanted.test_mode)))
    head = [t(*words) for words in HEAD]
    return FoundList(filters, total, head, lambda: _lines(visit, code, wanted, channels), exact=total < COUNT_MAX)


async def _lines(
    visit: Visit, code: str, wanted: KeyFilter, channels: Mapping[str, str]
) -> AsyncIterator[Sequence[Sequence[Cell]]]:
    store, after = visit.reading.store, None
    month = begin_of(first_of_month(today(visit)))
    while True:
        found = await store.billing_keys.search(code, wanted, AT_ONCE, after=after)
        if found:
            uses = await store.billing_keys.usage(code, found, month)
            yield [_row(visit, key, uses[key.id], channels) for key in found]
            after = found[-1].inserted_at, found[-1].id
        if len(found) < AT_ONCE:
            return


def _row(visit: Visit, key: BillingKey, use: KeyUsage, channels: Mapping[str, str]) -> list[Cell]:
    return [
        key.customer_uid, key.customer.name or "", key.customer.email or "", key.customer.tel or "",
        say(visit, "key_standing", _standing(key)), say(visit, "method", key.method) if key.method else "",
        (key.card and key.card.issuer_name) or "", mode_word(visit, test_mode=key.test_mode),
        channels.get(key.channel_id, key.channel_id), use.issued_at or key.inserted_at, use.charges_since,
        use.last_paid_at or "", use.next_at or "", use.waiting, key.gone_at or key.ended_at or "", key.id,
    ]  # fmt: skip


def _standing(key: BillingKey) -> KeyStanding:
    if key.gone_at is not None:
        return KeyStanding.GONE
    if key.ended_by is not None:
        return KeyStanding(key.ended_by.value)
    return KeyStanding.LIVING


EXPORTS: Mapping[str, ListExport] = {"billing-keys": ListExport(("빌링키", "Billing keys"), "billing-keys", read)}
