"""Find whatever a merchant has under a word: payments, customers, scheduled charges and webhooks, each by an index."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from maedal.billing_keys.billing_key import BillingKey
from maedal.flows.index_payment_texts import index_payment_texts
from maedal.flows.services import ServicesWith
from maedal.payments.payment import Buyer, Payment
from maedal.schedules.schedule import Schedule
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.payment_lists.reads import FoundBy, HasPaymentLists
from maedal.storage.payments.reads import HasPayments
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.webhooks.reads import DeliveryFilter, HasWebhooks
from maedal.storage.write import Writes
from maedal.webhooks.webhook import DeliveryLog

WORD_CHARS_MAX = 120
WORD_CHARS_MIN = 2
SHOWN_MAX = 8
"""Of each kind."""
LOOKED_AT_MAX = 60
"""Rows of an index that are looked at for a word that many begin with."""
CAUGHT_UP_TURNS = 2
"""Batches of changed payments that are written before, so that what just happened is found."""
EVENT_ID = re.compile(r"(imps?_[0-9]{12})-([1-9][0-9]{0,8})")


class SearchEverythingStore(
    HasBillingKeys, HasPaymentLists, HasPayments, HasSchedules, HasWebhooks, Writes, Protocol
): ...


@dataclass(frozen=True, slots=True)
class FoundCustomer:
    """A customer, as the newest key or payment that was found tells of them."""

    customer_uid: str
    buyer: Buyer
    has_key: bool
    """Whether they have a billing key that can be charged."""
    test_mode: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, at most `SHOWN_MAX` of each kind."""

    customers: Sequence[FoundCustomer] = ()
    payments: Sequence[Payment] = ()
    keys: Sequence[BillingKey] = ()
    """By their own ids alone; else their customer is found."""
    schedules: Sequence[Schedule] = ()
    webhooks: Sequence[DeliveryLog] = ()

    @property
    def count(self) -> int:
        parts = (self.customers, self.payments, self.keys, self.schedules, self.webhooks)
        return sum(map(len, parts))


async def search_everything(
    services: ServicesWith[SearchEverythingStore], merchant_id: str, typed: str, test_mode: bool | None = None
) -> Found:
    """Return what a merchant has under a word: whole ids, and names, addresses and phone numbers as they begin.

    A phone number is found however it is divided. Of a word of one letter nothing is looked for.
    """
    word = typed.strip()[:WORD_CHARS_MAX]
    if len(word) < WORD_CHARS_MIN:
        return Found()
    await index_payment_texts(services, CAUGHT_UP_TURNS)
    store = services.store
    named, by_terms, keys, schedule, by_attempt, webhooks = await asyncio.gather(
        store.payments.by_ids(merchant_id, [word], [word]),
        store.payment_lists.found_by(merchant_id, word, LOOKED_AT_MAX),
        store.billing_keys.found_by(merchant_id, word, LOOKED_AT_MAX),
        store.schedules.find(merchant_id, word),
        store.payments.find_by_attempt(merchant_id, word),
        _webhooks(services, merchant_id, word),
    )
    tellers = await store.payments.by_ids(merchant_id, [one.imp_uid for one in by_terms], []) if by_terms else []
    customers = await _customers(services, merchant_id, keys, by_terms, tellers, test_mode)
    nobodys = {one.imp_uid for one in by_terms if one.customer_uid is None}
    payments = [*named, *([by_attempt] if by_attempt else []), *(one for one in tellers if one.imp_uid in nobodys)]
    of_mode = {one.imp_uid: one for one in payments if test_mode in {None, one.test_mode}}
    return Found(
        customers,
        list(of_mode.values())[:SHOWN_MAX],
        [key for key in keys if key.id == word and test_mode in {None, key.test_mode}],
        [] if schedule is None else [schedule],
        webhooks,
    )


async def _customers(
    services: ServicesWith[SearchEverythingStore],
    merchant_id: str,
    keys: Sequence[BillingKey],
    by_terms: Iterable[FoundBy],
    tellers: Iterable[Payment],
    test_mode: bool | None,
) -> list[FoundCustomer]:
    payments = {one.imp_uid: one for one in tellers}
    found: dict[str, FoundCustomer] = {}
    for key in keys:
        if test_mode in {None, key.test_mode} and key.customer_uid not in found:
            found[key.customer_uid] = FoundCustomer(key.customer_uid, key.customer, key.ended_at is None, key.test_mode)
    for one in by_terms:
        payment = payments.get(one.imp_uid)
        if one.customer_uid is None or payment is None or one.customer_uid in found:
            continue
        if test_mode in {None, payment.test_mode}:
            found[one.customer_uid] = FoundCustomer(
                one.customer_uid, payment.order.buyer, has_key=False, test_mode=payment.test_mode
            )
    shown = list(found.values())[:SHOWN_MAX]
    uids = [one.customer_uid for one in shown]
    living = (
        {key.customer_uid for key in await services.store.billing_keys.living(merchant_id, uids)} if uids else set()
    )
    return [FoundCustomer(one.customer_uid, one.buyer, one.customer_uid in living, one.test_mode) for one in shown]


async def _webhooks(
    services: ServicesWith[SearchEverythingStore], merchant_id: str, word: str
) -> Sequence[DeliveryLog]:
    """Return the webhook of an id, or those of an event as their header `webhook-id` names it."""
    reads = services.store.webhooks
    event = EVENT_ID.fullmatch(word)
    if event is None:
        return await reads.deliveries(merchant_id, DeliveryFilter(1, delivery_id=word))
    of_payment = await reads.deliveries(merchant_id, DeliveryFilter(LOOKED_AT_MAX, imp_uid=event[1]))
    return [one for one in of_payment if one.delivery.event_id == word][:SHOWN_MAX]
