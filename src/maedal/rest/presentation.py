"""Objects as answers show them, in the field set that the merchant chose.

Payments come with their cancellations: a list costs one more query, whatever its length.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from maedal.billing_keys.billing_key import BillingKey
from maedal.flows.services import Services
from maedal.merchants.merchant import FieldSet
from maedal.payments.cancellation import Cancellation
from maedal.payments.payment import Payment
from maedal.payments.prepared import PreparedAmount
from maedal.rest.field_sets import CUSTOMER_2021, PREPARED_2021, SCHEDULE_2021, only, payment_of_2021
from maedal.rest.wire import customer_object, payment_object, schedule_object
from maedal.schedules.schedule import Schedule


async def present_payment(services: Services, payment: Payment) -> dict[str, Any]:
    """Return one payment as answers show it."""
    return (await present_payments(services, payment.merchant_id, [payment]))[0]


async def present_payments(services: Services, merchant_id: str, payments: Sequence[Payment]) -> list[dict[str, Any]]:
    """Return payments as answers show them, in their order; none as paid before that is proved."""
    payments = await services.proved_payments.visible(services, payments)
    of_payment: dict[str, list[Cancellation]] = defaultdict(list)
    cancelled = [p.imp_uid for p in payments if p.cancelled_amount]
    for cancellation in await services.store.cancellations.of_payments(merchant_id, cancelled) if cancelled else ():
        of_payment[cancellation.imp_uid].append(cancellation)
    rows = [payment_object(p, of_payment[p.imp_uid] if p.cancelled_amount else ()) for p in payments]
    return [payment_of_2021(row) for row in rows] if await _wants_2021(services, merchant_id) else rows


async def present_billing_keys(
    services: Services, merchant_id: str, keys: Sequence[BillingKey]
) -> list[dict[str, Any]]:
    """Return billing keys as answers show them, in their order."""
    return await _chosen(services, merchant_id, [customer_object(key) for key in keys], CUSTOMER_2021)


async def present_schedules(
    services: Services, merchant_id: str, schedules: Sequence[Schedule]
) -> list[dict[str, Any]]:
    """Return scheduled charges as answers show them, in their order; none as paid before that is proved."""
    executed = [s.payment for s in schedules if s.payment is not None]
    stands = {p.imp_uid: p for p in await services.proved_payments.visible(services, executed)}
    schedules = [s if s.payment is None else replace(s, payment=stands[s.payment.imp_uid]) for s in schedules]
    return await _chosen(services, merchant_id, [schedule_object(s) for s in schedules], SCHEDULE_2021)


async def present_schedule(services: Services, schedule: Schedule) -> dict[str, Any]:
    """Return one scheduled charge as answers show it."""
    return (await present_schedules(services, schedule.merchant_id, [schedule]))[0]


async def present_prepared(services: Services, prepared: PreparedAmount) -> dict[str, Any]:
    """Return a registered amount as answers show it."""
    row = {"merchant_uid": prepared.merchant_uid, "amount": prepared.amount, "currency": prepared.currency}
    return (await _chosen(services, prepared.merchant_id, [row], PREPARED_2021))[0]


async def _chosen(
    services: Services, merchant_id: str, rows: list[dict[str, Any]], keys_2021: frozenset[str]
) -> list[dict[str, Any]]:
    return [only(keys_2021, row) for row in rows] if await _wants_2021(services, merchant_id) else rows


async def _wants_2021(services: Services, merchant_id: str) -> bool:
    return (await services.merchant_cache.merchant(merchant_id)).field_set is FieldSet.YEAR_2021
