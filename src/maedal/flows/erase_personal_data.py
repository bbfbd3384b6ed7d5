"""Erase what was told of buyers: of one who asks for it, or of all whose time is over. What proves money stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import AuditAction, AuditEntry, check_who_and_why
from maedal.merchants.errors import MerchantNotFound
from maedal.payments.errors import InvalidParameter
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.personal_data.reads import Counts, HasPersonalData, Kind, Traces
from maedal.storage.personal_data.writes import EraseBuyers
from maedal.storage.write import Writes

BATCH_MAX = 200
"""Rows of each kind in one transaction, which a charge may have to wait for."""
FOUND_MAX = 20_000
"""Rows that are looked for at once: each look passes over all that was erased before."""


class ErasePersonalDataStore(HasMerchants, HasPersonalData, Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class Expired:
    """What of a merchant is kept longer than its kind is."""

    merchant_id: str
    kind: Kind
    counts: Counts


async def count_buyer(
    services: ServicesWith[ErasePersonalDataStore], merchant_id: str, customer_uid: str | None, merchant_uid: str | None
) -> Counts:
    """Return how much tells of a customer, an order, or a customer's order.

    Raises MerchantNotFound or InvalidParameter.
    """
    await _check(services, merchant_id, customer_uid, merchant_uid)
    return await services.store.personal_data.count_of_buyer(merchant_id, customer_uid, merchant_uid)


async def erase_buyer(
    services: ServicesWith[ErasePersonalDataStore],
    merchant_id: str,
    customer_uid: str | None,
    merchant_uid: str | None,
    *,
    who: str,
    reason: str,
) -> Counts:
    """Erase it for good and return how much it was; what is under way is left, and counted.

    Raises MerchantNotFound, or InvalidParameter that names what is missing.
    """
    check_who_and_why(who, reason)
    await _check(services, merchant_id, customer_uid, merchant_uid)
    erased = Counts()
    # The order is the first name for what was asked for; a customer's uid is the merchant's own.
    subject = merchant_uid or customer_uid or ""
    while traces := await services.store.personal_data.of_buyer(merchant_id, customer_uid, merchant_uid, FOUND_MAX):
        before = erased
        for batch in _batches(traces):
            erased += await _erase(services, merchant_id, batch, subject, who, reason)
        if erased == before:
            break
    left = await services.store.personal_data.count_of_buyer(merchant_id, customer_uid, merchant_uid)
    return replace(erased, under_way=left.under_way)


async def expired(services: ServicesWith[ErasePersonalDataStore], kept: Mapping[Kind, timedelta]) -> list[Expired]:
    """Return what is kept longer than it may be, of each merchant and kind that has any."""
    found = []
    now = services.clock.now()
    for merchant in await services.store.merchants.all():
        for kind, span in kept.items():
            counts = await services.store.personal_data.count_older(merchant.code, kind, now - span)
            if counts.all:
                found.append(Expired(merchant.code, kind, counts))
    return found


async def erase_expired(
    services: ServicesWith[ErasePersonalDataStore], kept: Mapping[Kind, timedelta], *, who: str
) -> list[Expired]:
    """Erase it for good and return how much it was."""
    done = []
    now = services.clock.now()
    for merchant in await services.store.merchants.all():
        for kind, span in kept.items():
            erased = Counts()
            reason = f"kept for {span.days} days"
            while traces := await services.store.personal_data.older(merchant.code, kind, now - span, FOUND_MAX):
                before = erased
                for batch in _batches(traces):
                    erased += await _erase(services, merchant.code, batch, kind, who, reason)
                if erased == before:
                    break
            if erased.all:
                done.append(Expired(merchant.code, kind, erased))
    return done


def _batches(traces: Traces) -> Iterator[Traces]:
    longest = max(map(len, (traces.payments, traces.schedules, traces.billing_keys, traces.customers, traces.plans)))
    for begin in range(0, longest, BATCH_MAX):
        part = slice(begin, begin + BATCH_MAX)
        yield Traces(
            traces.payments[part],
            traces.schedules[part],
            traces.billing_keys[part],
            traces.customers[part],
            traces.plans[part],
        )


async def _erase(
    services: ServicesWith[ErasePersonalDataStore],
    merchant_id: str,
    traces: Traces,
    subject: str,
    who: str,
    reason: str,
) -> Counts:
    now = services.clock.now()
    rows = (
        f"payments={len(traces.payments)}; schedules={len(traces.schedules)}; keys={len(traces.billing_keys)}"
        f"; noted={len(traces.customers)}"
    )
    rows += f"; plans={len(traces.plans)}" if traces.plans else ""
    entry = AuditEntry(
        services.ids.row(now), merchant_id, AuditAction.ERASE_BUYERS, subject, who, reason, rows, "", now
    )
    return await services.store.write(EraseBuyers(merchant_id, traces, now, entry))


async def _check(
    services: ServicesWith[ErasePersonalDataStore], merchant_id: str, customer_uid: str | None, merchant_uid: str | None
) -> None:
    if not customer_uid and not merchant_uid:
        raise InvalidParameter("customer_uid", "say whose data: --customer-uid, --merchant-uid, or both")
    if await services.store.merchants.find(merchant_id) is None:
        raise MerchantNotFound(f"no merchant has the identification code {merchant_id}")
