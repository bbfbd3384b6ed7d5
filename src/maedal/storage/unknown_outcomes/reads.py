"""What is read of calls whose outcome nobody knows, and of whatever else waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from maedal.payments.attempt import Attempt
from maedal.payments.payment import Payment

COUNT_MAX = 1000
"""Open items are counted up to this, and one more says that there are more."""


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt whose outcome nobody knows: nobody recorded one yet, or it was recorded as unknown.

    `approved_before` is the PG's time of the key's last approval when a charge began.
    """

    attempt: Attempt
    payment: Payment | None
    approved_before: datetime | None
    look_at: datetime | None = None
    """When to ask next, while the outcome is recorded as unknown."""
    code: str | None = None
    """What the PG said that proved nothing, if it said anything."""
    approved_before_in_reply: bool = False
    """Whether `approved_before` was told by the reply to the charge that it is the time of."""


@dataclass(frozen=True, slots=True)
class UnknownCall:
    """A call to the PG whose outcome nobody knows, with all that is known of it."""

    attempt: Attempt
    payment: Payment
    recorded_at: datetime
    code: str | None
    message: str | None
    """What the PG answered, if its answer proved nothing."""
    approved_before: datetime | None
    approved_before_in_reply: bool
    looks: int
    """How often the PG was asked since, without proof."""
    looked_at: datetime | None
    look_saw: str | None
    approved_after: datetime | None
    """The PG's time of the key's last approval at the last look."""
    look_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenCounts:
    """How many items of each kind are open, each counted up to `COUNT_MAX` and one more."""

    unknown: int = 0
    without_tid: int = 0
    findings: int = 0
    key_endings: int = 0
    webhooks: int = 0
    refunds: int = 0
    """That the PG refused, and that no later cancel of the payment has made good."""

    @property
    def total(self) -> int:
        return self.unknown + self.without_tid + self.findings + self.key_endings + self.webhooks + self.refunds


class UnknownOutcomeReads(Protocol):
    """What is read of calls whose outcome nobody knows."""

    async def unanswered(self, begun_before: datetime, count_max: int) -> Sequence[OpenAttempt]:
        """Return old attempts without an outcome; not those that end keys, which are tried until they have one."""
        ...

    async def due(self, due: datetime, count_max: int) -> Sequence[OpenAttempt]:
        """Return calls of unknown outcome that are to be looked at again by `due`, the longest due first."""
        ...

    async def of_payment(self, merchant_id: str, imp_uid: str) -> OpenAttempt | None:
        """Return the call of a payment whose outcome is unknown, if there is one."""
        ...

    async def of_merchant(
        self, merchant_id: str, count_max: int, test_mode: bool | None = None
    ) -> Sequence[UnknownCall]:
        """Return a merchant's calls of unknown outcome, of all channels or those of one mode, the oldest first."""
        ...

    async def open_counts(self, merchant_id: str, since: datetime, test_mode: bool | None = None) -> OpenCounts:
        """Return how much is open, of all channels or of one mode; of webhooks and refunds, those since then."""
        ...


class HasUnknownOutcomes(Protocol):
    @property
    def unknown_outcomes(self) -> UnknownOutcomeReads: ...
