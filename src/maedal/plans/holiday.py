"""Days that a merchant's operators have made a holiday, or a day like others, beside the country's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

NAME_MAX = 60
HOLIDAYS_MAX = 400
"""So many may a merchant have set; those that are long past are forgotten by hand."""


@dataclass(frozen=True, slots=True)
class OwnHoliday:
    """A day set by an operator; `closed`: it is a holiday, otherwise it is none although the country has one."""

    on: date
    closed: bool
    name: str
    who: str
