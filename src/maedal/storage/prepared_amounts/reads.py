"""What is read of registered amounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from maedal.payments.prepared import PreparedAmount


class PreparedAmountReads(Protocol):
    """What is read of registered amounts."""

    async def find(self, merchant_id: str, merchant_uid: str) -> PreparedAmount | None: ...
    async def after(self, merchant_id: str, merchant_uid: str, count_max: int) -> Sequence[PreparedAmount]:
        """Return a merchant's registered amounts in the order of their merchant_uids."""
        ...


class HasPreparedAmounts(Protocol):
    @property
    def prepared_amounts(self) -> PreparedAmountReads: ...
