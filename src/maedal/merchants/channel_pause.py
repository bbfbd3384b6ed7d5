"""A pause of a channel: nothing planned is charged through it, because each call would meet the same failure.

It lasts until a call through the channel is answered again, or the channel is changed. From time to time one planned
charge is let through to find out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maedal.payments.attempt import Fault


@dataclass(frozen=True, slots=True)
class ChannelPause:
    """Why a channel does not work, since when, and until when nobody tries. `reason` is for people."""

    merchant_id: str
    channel_id: str
    fault: Fault
    reason: str
    since: datetime
    until: datetime
