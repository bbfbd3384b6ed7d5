"""Export a merchant: everything it owns, in one file that only its owner may read."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TextIO

from maedal.billing_keys.billing_key import secret_context
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.errors import MerchantNotFound
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.channels.reads import HasChannels
from maedal.storage.errors import StoreError
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments
from maedal.storage.prepared_amounts.reads import HasPreparedAmounts
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.snapshots import HasSnapshots
from maedal.transfer.entries_in import STATUSES
from maedal.transfer.entries_out import (
    channel_entry,
    key_entry,
    merchant_entry,
    payment_entry,
    prepared_entry,
    schedule_entry,
)
from maedal.transfer.reading import FORMAT

PAGE = 500


class ExportStore(
    HasBillingKeys,
    HasCancellations,
    HasChannels,
    HasMerchants,
    HasPayments,
    HasPreparedAmounts,
    HasSchedules,
    HasSnapshots,
    Protocol,
): ...


class StillOpen(StoreError):
    """Something of the merchant is under way, or does not open; an export would lose it."""


@dataclass(frozen=True, slots=True)
class Exported:
    """How many of each were written, and whether the merchant's webhooks were signed: with a secret that stays here."""

    counts: dict[str, int]
    signed: bool


async def export_merchant(
    services: ServicesWith[ExportStore], code: str, path: Path, recipient: Any, progress: Callable[[int], None]
) -> Exported:
    """Write the merchant to `path`, mode 0600, whole or not at all.

    `recipient` is the age public key that the SIDs are sealed to; `progress` is called for every entry. Raises
    MerchantNotFound, and StillOpen while a payment or a cancel is under way.
    """
    # Everything is read as it was at one moment: a charge that is made meanwhile is in no list, or in all of them.
    async with services.store.snapshot() as seen:
        return await _export(services, seen, code, path, recipient, progress)


async def _export(
    services: ServicesWithoutStore,
    seen: ExportStore,
    code: str,
    path: Path,
    recipient: Any,
    progress: Callable[[int], None],
) -> Exported:
    merchant = await seen.merchants.find(code)
    if merchant is None:
        raise MerchantNotFound(f"no merchant has the identification code {code}")
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            api_keys = await seen.merchants.api_keys(code)
            file.write(f'{{"maedal": {FORMAT},\n"merchants": [\n{_text(merchant_entry(merchant, api_keys))}\n]')
            lists = {
                "channels": _channels(seen, code),
                "billing_keys": _billing_keys(services, seen, code, recipient),
                "payments": _payments(seen, code),
                "schedules": _schedules(seen, code),
                "prepared": _prepared(seen, code),
            }
            counts = {name: await _write(file, name, entries, progress) for name, entries in lists.items()}
            file.write("}\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return Exported(counts, signed=merchant.sealed_webhook_secret is not None)


async def _write(
    file: TextIO, name: str, entries: AsyncIterator[dict[str, Any]], progress: Callable[[int], None]
) -> int:
    count = 0
    file.write(f',\n"{name}": [')
    async for entry in entries:
        file.write(f"{',' if count else ''}\n{_text(entry)}")
        count += 1
        progress(1)
    file.write("\n]")
    return count


def _text(entry: dict[str, Any]) -> str:
    return json.dumps(entry, ensure_ascii=False)


async def _channels(seen: ExportStore, code: str) -> AsyncIterator[dict[str, Any]]:
    for channel in await seen.channels.of_merchant(code):
        yield channel_entry(channel)


async def _billing_keys(
    services: ServicesWithoutStore, seen: ExportStore, code: str, recipient: Any
) -> AsyncIterator[dict[str, Any]]:
    last = ""
    while page := await seen.billing_keys.after(code, last, PAGE):
        to_end = await seen.billing_keys.with_pending_ending(code, [key.id for key in page])
        for key in page:
            try:
                pg_key = services.vault.open(key.sealed_pg_key, *secret_context(key))
            except Exception as error:
                raise StillOpen(
                    f"the billing key of {key.customer_uid} does not open where it stands; see: maedal keys check"
                ) from error
            yield key_entry(key, pg_key, recipient, to_end=key.id in to_end)
        last = page[-1].id


async def _payments(seen: ExportStore, code: str) -> AsyncIterator[dict[str, Any]]:
    last = ""
    while page := await seen.payments.after(code, last, PAGE):
        cancels = await seen.cancellations.of_payments(code, [p.imp_uid for p in page])
        for payment in page:
            if payment.put_off:
                # Its scheduled charge waits, and is in the file.
                continue
            own = [c for c in cancels if c.imp_uid == payment.imp_uid]
            if payment.status not in STATUSES.values():
                raise StillOpen(
                    f"payment {payment.imp_uid} is under way ({payment.status}); take no new ones and export again "
                    "once it is over, windows end after 15 minutes"
                )
            if payment.undo_at is not None:
                raise StillOpen(f"payment {payment.imp_uid} is being given back; export again once it is cancelled")
            unconfirmed = any(c.done_at is None for c in own)
            if unconfirmed and await seen.cancellations.has_open(code, payment.imp_uid):
                raise StillOpen(f"a cancel of payment {payment.imp_uid} is under way; export again once it is over")
            yield payment_entry(payment, [c for c in own if c.done_at is not None])
        last = page[-1].imp_uid


async def _schedules(seen: ExportStore, code: str) -> AsyncIterator[dict[str, Any]]:
    last = ""
    while page := await seen.schedules.after(code, last, PAGE):
        for schedule in page:
            yield schedule_entry(schedule)
        last = page[-1].order.merchant_uid


async def _prepared(seen: ExportStore, code: str) -> AsyncIterator[dict[str, Any]]:
    last = ""
    while page := await seen.prepared_amounts.after(code, last, PAGE):
        for prepared in page:
            yield prepared_entry(prepared)
        last = page[-1].merchant_uid
