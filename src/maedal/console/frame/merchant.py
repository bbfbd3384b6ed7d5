"""Merchants: whose matters a page is about."""

from __future__ import annotations

from maedal.console.frame.visit import Visit
from maedal.merchants.channel_pause import ChannelPause
from maedal.merchants.errors import MerchantNotFound
from maedal.merchants.merchant import Merchant


async def merchant_of(visit: Visit, code: str) -> Merchant:
    """Return the merchant that an address names. Raises MerchantNotFound."""
    merchant = await visit.services.store.merchants.find(code)
    if merchant is None:
        raise MerchantNotFound(f"no merchant has the identification code {code}")
    return merchant


async def paused_channels(visit: Visit, code: str, channel_id: str | None = None) -> list[ChannelPause]:
    """Return which of a merchant's channels, or whether one of them, does not work at present."""
    found = [pause for pause in await visit.services.store.channels.pauses() if pause.merchant_id == code]
    return found if channel_id is None else [pause for pause in found if pause.channel_id == channel_id]
