"""What is read of plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from maedal.plans.holiday import OwnHoliday
from maedal.plans.plan import Consent, Occurrence, Plan, PlanStatus

Place = tuple[datetime, str]
"""Where a list goes on: after the plan that was made at this moment and has this plan_uid."""


@dataclass(frozen=True, slots=True)
class PlanFilter:
    """Which of a merchant's plans, the newest first; `word` is a part of a plan_uid, customer_uid or name."""

    status: PlanStatus | None = None
    customer_uid: str | None = None
    word: str = ""
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class PlanPage:
    """Plans, and where the next page goes on; None on the last one."""

    plans: Sequence[Plan]
    go_on: Place | None


@dataclass(frozen=True, slots=True)
class KeyWithoutCharge:
    """A living billing key for which nothing is scheduled."""

    billing_key_id: str
    customer_uid: str
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class KeysWithoutCharge:
    """Some of them, and the customer after whom the next look goes on; None when all were looked through."""

    keys: Sequence[KeyWithoutCharge]
    go_on: str | None


class PlanReads(Protocol):
    """What is read of plans."""

    async def find(self, merchant_id: str, plan_uid: str) -> Plan | None: ...
    async def due(self, now: datetime, count_max: int) -> Sequence[Plan]:
        """Return plans of all merchants that a worker must look at, the longest due first."""
        ...

    async def page(self, merchant_id: str, wanted: PlanFilter, count_max: int) -> PlanPage: ...
    async def lacking_consent(
        self, merchant_id: str, until: date, after: tuple[date, str] | None, count_max: int
    ) -> Sequence[Plan]:
        """Return plans with something that a buyer has not agreed to and that is due by `until`, the soonest first."""
        ...

    async def consents(self, merchant_id: str, plan_uid: str, count_max: int) -> Sequence[Consent]:
        """Return what the buyer of a plan agreed to, the newest first."""
        ...

    async def occurrences(
        self, merchant_id: str, plan_uid: str, before: date | None, count_max: int
    ) -> Sequence[Occurrence]:
        """Return the days of a plan that were scheduled or passed, the latest first."""
        ...

    async def holidays(self, merchant_id: str) -> Sequence[OwnHoliday]:
        """Return the days that a merchant's operators have set, the earliest first."""
        ...

    async def keys_without_charge(
        self, merchant_id: str, after: str, look_max: int, *, test_mode: bool
    ) -> KeysWithoutCharge:
        """Look through so many living keys, by customer_uid, for those without a next charge or plan."""
        ...


class HasPlans(Protocol):
    @property
    def plans(self) -> PlanReads: ...
