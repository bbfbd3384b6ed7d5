"""What is written of figures: hours that are over are counted once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

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
