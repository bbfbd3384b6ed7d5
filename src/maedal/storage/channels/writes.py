"""What is written about channels, and about those that rest because they do not work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maedal.merchants.audit_entry import AuditEntry
from maedal.merchants.channel import Channel
from maedal.merchants.channel_pause import ChannelPause
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class PutChannel(Write[None]):
    """Keep a new channel, or a changed one under its id."""

    channel: Channel
    audit_entry: AuditEntry | None = None


@dataclass(frozen=True, slots=True)
class PauseChannel(Write[bool]):
    """Let a channel rest until `after.until`. Gives False when its pause is `before` no more; then nothing is kept."""

    before: ChannelPause | None
    after: ChannelPause


@dataclass(frozen=True, slots=True)
class ResumeChannel(Write[bool]):
    """End a channel's pause; the scheduled charges that wait for it are due at once. Gives False if there was none."""

    merchant_id: str
    channel_id: str
    now: datetime
