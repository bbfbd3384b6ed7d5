"""What is read of windows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from maedal.payments.payment import Payment
from maedal.payments.window import Window


class WindowReads(Protocol):
    """What is read of windows."""

    async def find(self, merchant_id: str, imp_uid: str) -> Window | None: ...
    async def sealed_pg_token(self, merchant_id: str, imp_uid: str) -> bytes | None: ...
    async def expired(self, before: datetime, count_max: int, after: datetime | None = None) -> Sequence[Payment]:
        """Return payments of all merchants whose window is open and ended before a moment, the longest open first.

        With `after` only those that were begun after that moment.
        """
        ...


class HasWindows(Protocol):
    @property
    def windows(self) -> WindowReads: ...
