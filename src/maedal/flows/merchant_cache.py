"""Merchants, channels and closed times, remembered for a moment: charges need them and they hardly ever change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from maedal.clock import Clock
from maedal.maintenance.pause import LOOK_BACK, Pause
from maedal.merchants.channel import Channel
from maedal.merchants.channel_pause import ChannelPause
from maedal.merchants.errors import ChannelNotFound, MerchantNotFound
from maedal.merchants.merchant import Merchant
from maedal.storage.channels.reads import HasChannels
from maedal.storage.maintenance.reads import HasMaintenance
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.webhooks.reads import HasWebhooks
from maedal.webhooks.address import WebhookAddress

FRESH = timedelta(seconds=2)
"""How long another process's change may go unseen here."""


class MerchantCacheStore(HasChannels, HasMaintenance, HasMerchants, HasWebhooks, Protocol): ...


class MerchantCache:
    """Reads merchants, channels and closed times through a short memory."""

    def __init__(self, store: MerchantCacheStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._merchants: dict[str, tuple[datetime, Merchant]] = {}
        self._channels: dict[str, tuple[datetime, Sequence[Channel]]] = {}
        self.changes = 0
        """Grows with each change of a merchant that this process has made; whoever remembers more of one looks anew."""
        self._addresses: dict[str, tuple[datetime, Sequence[WebhookAddress]]] = {}
        self._pauses: tuple[datetime, Sequence[Pause]] | None = None
        self._channel_pauses: tuple[datetime, Sequence[ChannelPause]] | None = None

    async def merchant(self, code: str) -> Merchant:
        """Return the merchant with this identification code. Raises MerchantNotFound."""
        now = self._clock.now()
        known = self._merchants.get(code)
        if known is not None and _is_fresh(known[0], now):
            return known[1]
        merchant = await self._store.merchants.find(code)
        if merchant is None:
            raise MerchantNotFound(f"no merchant has the identification code {code}", code)
        self._merchants[code] = (now, merchant)
        return merchant

    async def channels(self, merchant_id: str) -> Sequence[Channel]:
        """Return all channels of a merchant, oldest first."""
        now = self._clock.now()
        known = self._channels.get(merchant_id)
        if known is not None and _is_fresh(known[0], now):
            return known[1]
        channels = await self._store.channels.of_merchant(merchant_id)
        self._channels[merchant_id] = (now, channels)
        return channels

    async def webhook_addresses(self, merchant_id: str) -> Sequence[WebhookAddress]:
        """Return a merchant's further webhook addresses, oldest first."""
        now = self._clock.now()
        known = self._addresses.get(merchant_id)
        if known is not None and _is_fresh(known[0], now):
            return known[1]
        addresses = await self._store.webhooks.addresses(merchant_id)
        self._addresses[merchant_id] = (now, addresses)
        return addresses

    async def pauses(self) -> Sequence[Pause]:
        """Return the closed times of all PGs: of the last days, at present, and to come."""
        now = self._clock.now()
        if self._pauses is None or not _is_fresh(self._pauses[0], now):
            self._pauses = (now, await self._store.maintenance.pauses(now - LOOK_BACK))
        return self._pauses[1]

    async def channel_pauses(self) -> Sequence[ChannelPause]:
        """Return the channels that do not work at present."""
        now = self._clock.now()
        if self._channel_pauses is None or not _is_fresh(self._channel_pauses[0], now):
            self._channel_pauses = (now, await self._store.channels.pauses())
        return self._channel_pauses[1]

    def forget_pauses(self) -> None:
        """Let the next look read anew what has just been changed here."""
        self._pauses = self._channel_pauses = None

    def forget_merchant(self, code: str) -> None:
        """Let the next look read a merchant and its channels anew, which have just been changed here."""
        self.changes += 1
        self._merchants.pop(code, None)
        self._channels.pop(code, None)
        self._addresses.pop(code, None)

    async def channel(self, merchant_id: str, channel_id: str) -> Channel:
        """Return one channel. Raises ChannelNotFound."""
        for channel in await self.channels(merchant_id):
            if channel.id == channel_id:
                return channel
        raise ChannelNotFound("the channel of this payment no longer exists")


def _is_fresh(read_at: datetime, now: datetime) -> bool:
    """Return whether what was read then may still be used; after the clock has jumped back nothing may."""
    return timedelta(0) <= now - read_at < FRESH
