"""What is written of figures: hours that are over are counted once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from maedal.storage.figures.reads import MonthFigure
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class CountHours(Write[bool]):
    """Count the hours from `since` to `before`, each anew, and keep that everything before `counted` is counted.

    Gives False, and changes nothing, when somebody else has counted on from `known` meanwhile.
    """

    merchant_id: str
    since: datetime
    counted: datetime
    known: datetime | None


@dataclass(frozen=True, slots=True)
class KeepMonth(Write[bool]):
    """Keep what a month came to as of `counted_at`, in the place of what was kept of it.

    Gives False, and changes nothing, when somebody else has counted it since `known`, or let it be counted anew.
    """

    merchant_id: str
    month: str
    figures: Sequence[MonthFigure]
    counted_at: datetime
    known: datetime | None
