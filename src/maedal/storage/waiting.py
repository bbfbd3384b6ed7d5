"""What we need of any store for charges that wait because a channel does not work, in our words; see store.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from maedal.merchants.channel_pause import ChannelPause
from maedal.payments.payment import Payment
from maedal.schedules.schedule import Schedule


@dataclass(frozen=True, slots=True)
class PauseChannel:
    """Let a channel rest until `after.until`. Gives False when its pause is `before` no more; then nothing is kept."""

    before: ChannelPause | None
    after: ChannelPause


@dataclass(frozen=True, slots=True)
class ResumeChannel:
    """End a channel's pause; the planned charges that wait for it are due at once. Gives False if there was none."""

    merchant_id: str
    channel_id: str
    now: datetime


@dataclass(frozen=True, slots=True)
class LinkSchedule:
    """Execute a claimed charge by a payment that has taken its money already. Gives False when it has moved."""

    schedule: Schedule
    payment: Payment
    now: datetime


WaitingWrite = PauseChannel | ResumeChannel | LinkSchedule


class WaitingReads(Protocol):
    """What is read of channels that rest."""

    async def channel_pauses(self) -> Sequence[ChannelPause]:
        """Return every channel's pause that no call has ended yet, longest first; a bounded number."""
        ...

    async def channel_pause(self, merchant_id: str, channel_id: str) -> ChannelPause | None:
        """Return the pause of one channel."""
        ...
