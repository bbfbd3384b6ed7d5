"""A hold: a scheduled charge is kept from being made until somebody lets it go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Hold:
    """Who keeps a scheduled charge back, since when (aware UTC) and why."""

    at: datetime
    who: str
    reason: str
