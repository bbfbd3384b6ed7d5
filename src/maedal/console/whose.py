"""Merchants: whose matters a page is about."""

from __future__ import annotations

from maedal.console.visit import Visit
from maedal.merchants.errors import MerchantNotFound
from maedal.merchants.merchant import Merchant


async def merchant_of(visit: Visit, code: str) -> Merchant:
    """Return the merchant that an address names. Raises MerchantNotFound."""
    merchant = await visit.parts.store.merchant(code)
    if merchant is None:
        raise MerchantNotFound(f"no merchant has the identification code {code}")
    return merchant
