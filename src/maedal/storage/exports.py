"""What an export needs of a store: everything as it was at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, Self


class ExportReads(Protocol):
    """What is read to write a merchant out."""

    def snapshot(self) -> AbstractAsyncContextManager[Self]:
        """Return this store as it is when the context begins, for reading only, whatever is written meanwhile."""
        ...

    async def keys_to_end(self, merchant_id: str, billing_key_ids: Sequence[str]) -> set[str]:
        """Return which of these keys have ended here and not yet at the PG."""
        ...
