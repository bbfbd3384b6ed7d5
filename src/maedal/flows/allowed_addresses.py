"""The list of addresses that may call the REST API in a merchant's name: add to it, take from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from maedal.flows.merchant_entry import audit_entry_of
from maedal.flows.services import ServicesWith
from maedal.merchants.addresses import ADDRESSES_MAX, AllowedAddress, allows, read_memo, read_network
from maedal.merchants.audit_entry import MAEDAL, AuditAction
from maedal.merchants.errors import MerchantNotFound
from maedal.merchants.merchant import Merchant
from maedal.payments.errors import InvalidParameter
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.merchants.writes import SetAllowedAddresses
from maedal.storage.write import Writes

_Changer = Callable[[Sequence[AllowedAddress]], Sequence[AllowedAddress]]

CHANGES_AT_ONCE_MAX = 5
IN_USE = timedelta(days=7)
"""A key that was used longer ago is not in use, as far as a warning is concerned."""


class AllowedAddressesStore(HasMerchants, Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class LockedOut:
    """A caller that has used an API key lately and that a list would keep out."""

    api_key: str
    address: str
    last_used_at: datetime


async def locked_out(
    services: ServicesWith[AllowedAddressesStore], code: str, allowed: Sequence[AllowedAddress]
) -> list[LockedOut]:
    """Return who called in the merchant's name lately and is not let in by `allowed`."""
    now = services.clock.now()
    return [
        LockedOut(key.api_key, key.last_used_from, key.last_used_at)
        for key in await services.store.merchants.api_keys(code)
        if key.last_used_from is not None and key.last_used_at is not None and now - key.last_used_at < IN_USE
        if key.ended_at is None and not allows(allowed, key.last_used_from)
    ]


async def allow_address(
    services: ServicesWith[AllowedAddressesStore],
    code: str,
    network: str,
    memo: str,
    *,
    sure: bool = False,
    who: str = MAEDAL,
) -> Merchant:
    """Let an address or network call; the first one keeps out everybody else.

    Raises MerchantNotFound or InvalidParameter; then nothing is changed. Unless `sure`, also when somebody who called
    lately would be kept out.
    """
    network, memo = read_network(network), read_memo(memo)

    def added(before: Sequence[AllowedAddress]) -> Sequence[AllowedAddress]:
        if len(before) >= ADDRESSES_MAX:
            raise InvalidParameter("network", f"the list has {ADDRESSES_MAX} lines, and no more fit")
        new = AllowedAddress(network, memo, services.clock.now(), who)
        return (*(one for one in before if one.network != network), new)

    return await _change(services, code, added, sure=sure, who=who)


async def end_address(
    services: ServicesWith[AllowedAddressesStore], code: str, network: str, *, sure: bool = False, who: str = MAEDAL
) -> Merchant:
    """Let an address or network call no more; with the last one gone, everybody may again.

    Raises MerchantNotFound or InvalidParameter as above, also when the list does not have it.
    """
    network = read_network(network)

    def taken(before: Sequence[AllowedAddress]) -> Sequence[AllowedAddress]:
        after = [one for one in before if one.network != network]
        if len(after) == len(before):
            raise InvalidParameter("network", f"{network} is not in the list")
        return after

    return await _change(services, code, taken, sure=sure, who=who)


async def _change(
    services: ServicesWith[AllowedAddressesStore], code: str, change: _Changer, *, sure: bool, who: str
) -> Merchant:
    for _ in range(CHANGES_AT_ONCE_MAX):
        merchant = await services.store.merchants.find(code)
        if merchant is None:
            raise MerchantNotFound(f"no merchant has the identification code {code}")
        before, after = merchant.allowed_addresses, tuple(change(merchant.allowed_addresses))
        if not sure:
            await _refuse_to_lock_out(services, code, before, after)
        audit_entry = audit_entry_of(
            services, code, AuditAction.CHANGE_ADDRESSES, code, who, _what_differs(before, after)
        )
        if await services.store.write(SetAllowedAddresses(code, before, after, audit_entry)):
            return replace(merchant, allowed_addresses=after)
    raise InvalidParameter("network", "somebody else keeps changing the list; nothing was changed")


async def _refuse_to_lock_out(
    services: ServicesWith[AllowedAddressesStore],
    code: str,
    before: Sequence[AllowedAddress],
    after: Sequence[AllowedAddress],
) -> None:
    for one in await locked_out(services, code, after):
        # Whoever is kept out already is no news.
        if allows(before, one.address):
            raise InvalidParameter(
                "sure", f"API key {one.api_key} was used from {one.address} lately, and this would keep it out"
            )


def _what_differs(before: Sequence[AllowedAddress], after: Sequence[AllowedAddress]) -> tuple[str, str]:
    gone = [one for one in before if one not in after]
    new = [one for one in after if one not in before]
    return _written(gone), _written(new)


def _written(addresses: Sequence[AllowedAddress]) -> str:
    return "; ".join(f"{one.network} ({one.memo})" if one.memo else one.network for one in addresses)
