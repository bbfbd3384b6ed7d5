"""After a restore: the database is older than the world, and whatever uses it must know that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from maedal.billing_keys import billing_key
from maedal.flows.services import ServicesWith
from maedal.merchants import channel as channels
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.channels.reads import HasChannels
from maedal.storage.database_servers.writes import NoteRestored
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.write import Writes


class AfterRestoreStore(HasBillingKeys, HasChannels, HasMerchants, Writes, Protocol): ...


class OtherKeys(Exception):
    """The key file does not open what is sealed in the database."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back: how many merchants, and how many secrets of theirs were tried and opened."""

    merchants: int
    opened: int


async def take_over(services: ServicesWith[AfterRestoreStore]) -> Restored:
    """Let keys be asked about before they are charged, as after a failover, and try a secret of each kind.

    Raises OtherKeys when one does not open.
    """
    await services.store.write(NoteRestored(services.clock.now()))
    merchants = await services.store.merchants.all()
    opened = 0
    for merchant in merchants:
        sealed = [
            (channel.sealed_secret, channels.secret_context(channel))
            for channel in await services.store.channels.of_merchant(merchant.code)
            if channel.sealed_secret is not None
        ]
        keys = await services.store.billing_keys.after(merchant.code, "", 1)
        sealed += [(key.sealed_pg_key, billing_key.secret_context(key)) for key in keys]
        for secret, context in sealed:
            try:
                services.vault.open(secret, *context)
            except Exception as error:  # the library's own kind is the vault's matter
                raise OtherKeys(merchant.code) from error
            opened += 1
    return Restored(len(merchants), opened)
