"""Schedule a charge of a customer's key by hand, in the console."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.flows.schedule_charges import schedule_charges
from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import NO_REASON, AuditAction, AuditEntry
from maedal.operators.operator import Operator
from maedal.payments.errors import InvalidParameter
from maedal.payments.money import AMOUNT_MAX, Money, Price
from maedal.payments.payment import Buyer, KeyUse, Order
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.payments.reads import HasPayments
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.write import Writes

NAME_CHARS_MAX = 100


class PlanChargeStore(HasBillingKeys, HasPayments, HasSchedules, Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """A charge that a person schedules; `amount` in whole won."""

    customer_uid: str
    merchant_uid: str
    name: str
    amount: int
    schedule_at: datetime


async def plan_charge(
    services: ServicesWith[PlanChargeStore], merchant_id: str, wanted: PlanRequest, operator: Operator
) -> None:
    """Schedule a charge of the customer's key, once however often it comes under this merchant_uid.

    Raises BillingKeyNotFound when no key of theirs lives, InvalidParameter or InvalidScheduleTime.
    """
    if not 0 < wanted.amount <= AMOUNT_MAX:
        raise InvalidParameter("amount", "the amount is a whole number of won")
    if not wanted.name or len(wanted.name) > NAME_CHARS_MAX or not wanted.name.isprintable():
        raise InvalidParameter("name", f"the order's name is 1 to {NAME_CHARS_MAX} printable characters")
    if await services.store.schedules.find(merchant_id, wanted.merchant_uid) is not None:
        # The form was sent before: whatever became of it since, it is planned once.
        return
    key = await services.store.billing_keys.find(merchant_id, wanted.customer_uid)
    if key is None:
        raise BillingKeyNotFound("the customer has no billing key that can be charged")
    buyer = Buyer(name=key.customer.name, email=key.customer.email, tel=key.customer.tel)
    order = Order(
        merchant_uid=wanted.merchant_uid,
        name=wanted.name,
        price=Price(Money(wanted.amount), Money(0)),
        customer_uid=wanted.customer_uid,
        key_use=KeyUse.SCHEDULED,
        buyer=buyer,
    )
    now = services.clock.now()
    entry = AuditEntry(
        services.ids.row(now),
        merchant_id,
        AuditAction.PLAN_CHARGE,
        wanted.merchant_uid,
        operator.name,
        NO_REASON,
        "",
        f"amount={wanted.amount}; at={wanted.schedule_at:%Y-%m-%dT%H:%M:%SZ}",
        now,
    )
    await schedule_charges(services, key, [(order, wanted.schedule_at)], entry)
