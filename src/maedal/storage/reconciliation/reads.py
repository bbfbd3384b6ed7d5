"""What is read to hold a PG's file of a day against what is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from maedal.payments.attempt import Attempt, Outcome
from maedal.payments.cancellation import Cancellation
from maedal.payments.payment import Payment
from maedal.reconciliation.settlement import SettlementRow
from maedal.storage.reconciliation.writes import DaySums


@dataclass(frozen=True, slots=True)
class KnownCharge:
    """A call that took money, or may have, with its payment. The PG knows it by `attempt.order_id`."""

    attempt: Attempt
    payment: Payment
    outcome: Outcome | None
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class KnownCancel:
    """A cancel that was done, or may have been, with its payment."""

    cancellation: Cancellation
    payment: Payment


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A row of a file, and the day of that file."""

    day: date
    row: SettlementRow


@dataclass(frozen=True, slots=True)
class DayState:
    """How far the file of a day of a channel has come."""

    day: date
    tries: int
    due_at: datetime
    done_at: datetime | None
    complete: bool
    sums: DaySums | None


@dataclass(frozen=True, slots=True)
class AccountSpan:
    """What one merchant did under one contract with a PG in a span of time, `since` inclusive, `before` not."""

    merchant_id: str
    pg_provider: str
    pg_merchant_id: str
    since: datetime
    before: datetime


class ReconciliationReads(Protocol):
    """What is read to reconcile."""

    async def days(self, merchant_id: str, channel_id: str, since: date, until: date) -> Sequence[DayState]:
        """Return the days of a channel whose files were asked for, both ends inclusive."""
        ...

    async def known_charges(self, merchant_id: str, order_ids: Sequence[str]) -> Sequence[KnownCharge]:
        """Return the calls that the PG knows under any of these order numbers, with the outcome that each has here."""
        ...

    async def known_at_another_pg(self, span: AccountSpan, order_ids: Sequence[str]) -> Sequence[str]:
        """Return which of these order numbers belong to another merchant here who has the same contract."""
        ...

    async def kept_rows(self, merchant_id: str, order_ids: Sequence[str], pg_tids: Sequence[str]) -> Sequence[KeptRow]:
        """Return what files have said of any of these."""
        ...

    async def charges_without_row(
        self, span: AccountSpan, after: tuple[datetime, str], count_max: int
    ) -> Sequence[KnownCharge]:
        """Return calls that took money, or may have, and that no file has said anything of, the oldest first.

        From the one after `after` on, by when it was begun and its id.
        """
        ...

    async def cancels_between(
        self, span: AccountSpan, after: tuple[datetime, str], count_max: int
    ) -> Sequence[KnownCancel]:
        """Return cancels that were done, or may have been, the oldest first; from the one after `after` on."""
        ...


class HasReconciliation(Protocol):
    @property
    def reconciliation(self) -> ReconciliationReads: ...
