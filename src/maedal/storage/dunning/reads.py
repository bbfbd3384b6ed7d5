"""What is read of unpaid charges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from maedal.dunning.unpaid import DunningRules, Unpaid


@dataclass(frozen=True, slots=True)
class FailedRenewal:
    """A scheduled charge's payment that failed, and when."""

    imp_uid: str
    merchant_uid: str
    failed_at: datetime


@dataclass(frozen=True, slots=True)
class PaidAfterAll:
    """An open one that a payment has paid."""

    unpaid: Unpaid
    imp_uid: str
    paid_at: datetime


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was unpaid and came in after all, in whole won."""

    count: int
    amount: int


class DunningReads(Protocol):
    """What is read of unpaid charges."""

    async def rules(self, merchant_id: str) -> DunningRules | None: ...
    async def every_rules(self, after: str, count_max: int) -> Sequence[DunningRules]:
        """Return rules in the order of their merchants, from those after `after` on."""
        ...

    async def failed_since(self, merchant_id: str, since: datetime, count_max: int) -> Sequence[FailedRenewal]:
        """Return payments of scheduled charges that failed since then and are not noted, the oldest first."""
        ...

    async def find(self, merchant_id: str, merchant_uid: str) -> Unpaid | None: ...
    async def by_token(self, token_digest: bytes) -> Unpaid | None: ...
    async def open(self, merchant_id: str, count_max: int) -> Sequence[Unpaid]:
        """Return those that nobody has paid yet, the newest first."""
        ...

    async def paid_after_all(self, merchant_id: str, count_max: int) -> Sequence[PaidAfterAll]:
        """Return open ones that have a payment by now."""
        ...

    async def over(self, merchant_id: str, now: datetime, count_max: int) -> Sequence[Unpaid]:
        """Return open ones whose link is over."""
        ...

    async def recovered(self, merchant_id: str, test_mode: bool, since: datetime, before: datetime) -> Recovered: ...


class HasDunning(Protocol):
    @property
    def dunning(self) -> DunningReads: ...
