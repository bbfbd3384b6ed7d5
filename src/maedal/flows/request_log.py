"""Calls that wait to be written to the log: bounded for each merchant and in all, the rest only counted."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from maedal.merchants.request_entry import RequestEntry

OF_MERCHANT_MAX = 300
IN_ALL_MAX = 2_000
"""So many are kept from one writing to the next, which is a second later: what comes beyond is told by its number."""


@dataclass(slots=True)
class RequestLog:
    """What one process has not written yet."""

    days: int = 14
    """How long entries are kept; with 0 there is no log."""
    entries: list[RequestEntry] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    """How many calls of each merchant were not kept."""
    written: Counter[str] = field(default_factory=Counter)
    """How many entries of a merchant were written since its log was last trimmed to its number."""
    timer: asyncio.TimerHandle | None = None
    """Runs out when what waits is to be written."""
    _waiting: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, entry: RequestEntry) -> None:
        """Keep an entry, or count it when there are too many."""
        if len(self.entries) >= IN_ALL_MAX or self._waiting[entry.merchant_id] >= OF_MERCHANT_MAX:
            self.dropped[entry.merchant_id] += 1
            return
        self._waiting[entry.merchant_id] += 1
        self.entries.append(entry)

    def take(self) -> tuple[list[RequestEntry], Counter[str]]:
        """Return everything that waits, and begin anew."""
        taken = self.entries, self.dropped
        self.entries, self.dropped = [], Counter()
        self._waiting.clear()
        return taken
