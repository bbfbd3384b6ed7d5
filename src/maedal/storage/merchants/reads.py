"""What is read of merchants, their API keys and their settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from maedal.merchants.go_live import KeptCheck
from maedal.merchants.merchant import ApiKey, Merchant
from maedal.merchants.token import TokenOwner


class MerchantReads(Protocol):
    """What is read of merchants."""

    async def find(self, code: str) -> Merchant | None:
        """Return the merchant of an identification code."""
        ...

    async def all(self) -> Sequence[Merchant]: ...
    async def api_key(self, api_key: str) -> ApiKey | None:
        """Return an API key, however it is capitalised."""
        ...

    async def api_keys(self, merchant_id: str) -> Sequence[ApiKey]:
        """Return a merchant's API keys, the first one first, also those that have ended."""
        ...

    async def token_owner(self, token_digests: Sequence[bytes]) -> TokenOwner | None:
        """Return whose token has any of these digests."""
        ...

    async def live_checks(self, merchant_ids: Sequence[str]) -> Sequence[KeptCheck]:
        """Return what was found last on the way to live mode."""
        ...


class HasMerchants(Protocol):
    @property
    def merchants(self) -> MerchantReads: ...
