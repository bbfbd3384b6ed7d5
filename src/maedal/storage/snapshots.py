"""Reading a store as it was at one moment."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol, Self


class HasSnapshots(Protocol):
    """What of a store holds still while it is read."""

    def snapshot(self) -> AbstractAsyncContextManager[Self]:
        """Return this store as it is when the context begins, for reading only, whatever is written meanwhile."""
        ...
