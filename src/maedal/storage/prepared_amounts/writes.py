"""What is written about amounts that a merchant registers before a payment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maedal.payments.prepared import PreparedAmount
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class Prepare(Write[bool]):
    """Register an amount; gives False, and changes nothing, when one is registered already."""

    prepared: PreparedAmount
    now: datetime


@dataclass(frozen=True, slots=True)
class ChangePrepared(Write[bool]):
    """Change a registered amount; gives False when there is none. Without a `customer_uid` the one before stays."""

    prepared: PreparedAmount
    now: datetime
