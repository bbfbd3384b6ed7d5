"""A customer as a merchant sees one: every key, payment and scheduled charge under one customer_uid."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from maedal.billing_keys.billing_key import BillingKey
from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.flows.services import ServicesWith
from maedal.payments.notes import NoteSubject, Remarks
from maedal.payments.payment import Buyer, Payment
from maedal.schedules.schedule import HORIZON, Schedule, ScheduleStatus
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.channels.reads import HasChannels
from maedal.storage.notes.reads import HasNotes
from maedal.storage.payments.reads import CustomerSums, HasPayments
from maedal.storage.schedules.reads import HasSchedules, ScheduleFilter

KEYS_MAX = 20
PAYMENTS_MAX = 20
SCHEDULES_MAX = 20
EVER = datetime(2000, 1, 1, tzinfo=UTC)


class CustomerStore(HasBillingKeys, HasChannels, HasNotes, HasPayments, HasSchedules, Protocol): ...


@dataclass(frozen=True, slots=True)
class Customer:
    """What is known of a customer_uid, in all channels or those of one mode; each list is bounded, the newest first."""

    customer_uid: str
    keys: Sequence[BillingKey]
    payments: Sequence[Payment]
    planned: Sequence[Schedule]
    """What waits, the soonest first."""
    planned_total: int
    past: Sequence[Schedule]
    """What was executed or revoked."""
    sums: CustomerSums
    last_failure: Payment | None
    remarks: Remarks

    @property
    def living(self) -> BillingKey | None:
        """The key that can be charged."""
        return next((key for key in self.keys if key.ended_at is None), None)

    @property
    def buyer(self) -> Buyer:
        """Who they are: of each, what the newest key or else the newest payment says that says something."""
        known = [*(key.customer for key in self.keys), *(payment.order.buyer for payment in self.payments)]

        def newest(values: Iterable[str | None]) -> str | None:
            return next((value for value in values if value), None)

        return Buyer(
            name=newest(one.name for one in known),
            email=newest(one.email for one in known),
            tel=newest(one.tel for one in known),
        )


async def find_customer(
    services: ServicesWith[CustomerStore], merchant_id: str, customer_uid: str, test_mode: bool | None = None
) -> Customer:
    """Return a customer. Raises BillingKeyNotFound when nothing at all is known of the customer_uid."""
    store = services.store
    until = services.clock.now() + HORIZON
    over = (ScheduleStatus.EXECUTED, ScheduleStatus.REVOKED)
    wait = (ScheduleStatus.SCHEDULED,)
    keys, planned, past, channels = await asyncio.gather(
        store.billing_keys.of_customer(merchant_id, customer_uid, KEYS_MAX),
        store.schedules.page(
            merchant_id,
            ScheduleFilter(EVER, until, 1, SCHEDULES_MAX, wait, oldest_first=True, customer_uid=customer_uid),
        ),
        store.schedules.page(
            merchant_id, ScheduleFilter(EVER, until, 1, SCHEDULES_MAX, over, customer_uid=customer_uid)
        ),
        store.channels.of_merchant(merchant_id),
    )
    payments, sums, failure, remarks = await asyncio.gather(
        store.payments.of_customer(merchant_id, customer_uid, PAYMENTS_MAX, test_mode),
        store.payments.sums_of_customer(merchant_id, customer_uid, test_mode),
        store.payments.last_failure_of(merchant_id, customer_uid, test_mode),
        store.notes.of(merchant_id, NoteSubject.CUSTOMER, [customer_uid]),
    )
    if not (keys or payments or planned.total or past.total):
        raise BillingKeyNotFound("nothing is known of this customer_uid")
    of_mode = {channel.id for channel in channels if test_mode in {None, channel.test_mode}}
    waiting = [one for one in planned.schedules if one.channel_id in of_mode]
    return Customer(
        customer_uid,
        [key for key in keys if test_mode in {None, key.test_mode}],
        payments,
        waiting,
        planned.total if test_mode is None else len(waiting),
        [one for one in past.schedules if one.channel_id in of_mode],
        sums,
        failure,
        remarks[customer_uid],
    )
