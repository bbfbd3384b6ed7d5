"""What is read of channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from maedal.merchants.channel import Channel
from maedal.merchants.channel_pause import ChannelPause


class ChannelReads(Protocol):
    """What is read of channels."""

    async def of_merchant(self, merchant_id: str) -> Sequence[Channel]:
        """Return a merchant's channels, the oldest first."""
        ...

    async def with_files(self, after: tuple[str, str], count_max: int) -> Sequence[Channel]:
        """Return channels whose PG gives us its files, in the order of merchant and id, from those after `after` on."""
        ...

    async def pauses(self) -> Sequence[ChannelPause]:
        """Return every channel's pause that no call has ended yet, longest first; a bounded number."""
        ...

    async def pause(self, merchant_id: str, channel_id: str) -> ChannelPause | None:
        """Return the pause of one channel."""
        ...


class HasChannels(Protocol):
    @property
    def channels(self) -> ChannelReads: ...
