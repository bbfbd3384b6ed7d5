"""What is written to the log of calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maedal.merchants.request_entry import RequestEntry
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class KeepRequests(Write[None]):
    """Keep entries of any merchants."""

    entries: tuple[RequestEntry, ...]


@dataclass(frozen=True, slots=True)
class TrimRequests(Write[int]):
    """Forget a merchant's oldest entries beyond `kept`, so many at most; gives how many."""

    merchant_id: str
    kept: int
    count_max: int


@dataclass(frozen=True, slots=True)
class ForgetRequests(Write[int]):
    """Forget the oldest entries from before a moment, so many at most; gives how many."""

    before: datetime
    count_max: int
