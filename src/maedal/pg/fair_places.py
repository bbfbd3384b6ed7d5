"""Places for calls that are under way at the same time: bounded, and shared fairly among merchants.

A merchant may have three times as many places as are free at the moment. Alone it gets three quarters of them, two that
want all there are get three sevenths each: something is always left for one more merchant, however slow the PG is.
Whoever finds no place waits in a line of its merchant's own, and a place that becomes free goes to the merchants in
turn.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque

from maedal.pg.driver import NoConnectionFree

TIMES_THE_FREE = 3
TIMES_THE_PLACES = 10
"""So many times as many calls as there are places may wait of one merchant."""
PATIENCE_SECONDS = 2.0
"""When the first in a line has waited for so long, places do not become free at a pace that others could wait for."""


class FairPlaces:
    """So many places of one kind."""

    def __init__(self, places: int) -> None:
        self.places = places
        self._used = 0
        self._of_merchant: Counter[str] = Counter()
        self._lines: OrderedDict[str, deque[tuple[asyncio.Future[None], float]]] = OrderedDict()
        """Who waits, by merchant, and since when; the merchant whose turn is next comes first."""

    async def take(self, merchant_id: str, timeout_seconds: float) -> None:
        """Take a place. Raises NoConnectionFree when none becomes free in time, or too many wait already."""
        if merchant_id not in self._lines and self._may_have(merchant_id):
            self._give(merchant_id)
            return
        if len(self._lines.get(merchant_id, ())) >= TIMES_THE_PLACES * self.places:
            raise NoConnectionFree("no connection free")
        loop = asyncio.get_running_loop()
        place: asyncio.Future[None] = loop.create_future()
        self._lines.setdefault(merchant_id, deque()).append((place, loop.time()))
        try:
            async with asyncio.timeout(timeout_seconds):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                self.leave(merchant_id)  # it was given at this very moment
            else:
                self._stop_waiting(merchant_id, place)
            if isinstance(error, TimeoutError):
                raise NoConnectionFree("no connection free") from error
            raise

    def leave(self, merchant_id: str) -> None:
        """Give a place back."""
        self._used -= 1
        self._of_merchant[merchant_id] -= 1
        if not self._of_merchant[merchant_id]:
            del self._of_merchant[merchant_id]
        self._hand_out()

    def is_crowded(self, merchant_id: str) -> bool:
        """Return whether a merchant's calls wait as if one more would wait in vain."""
        line = self._lines.get(merchant_id)
        if line is None:
            return False
        waited = asyncio.get_running_loop().time() - line[0][1]
        return waited >= PATIENCE_SECONDS or len(line) >= TIMES_THE_PLACES * self.places

    def _may_have(self, merchant_id: str) -> bool:
        free, used = self.places - self._used, self._of_merchant[merchant_id]
        return free > 0 and (used == 0 or used < TIMES_THE_FREE * free)

    def _give(self, merchant_id: str) -> None:
        self._used += 1
        self._of_merchant[merchant_id] += 1

    def _hand_out(self) -> None:
        while True:
            merchant_id = next((waiting for waiting in self._lines if self._may_have(waiting)), None)
            if merchant_id is None:
                return
            place, _ = self._lines[merchant_id].popleft()
            if self._lines[merchant_id]:
                self._lines.move_to_end(merchant_id)
            else:
                del self._lines[merchant_id]
            if not place.done():
                self._give(merchant_id)
                place.set_result(None)

    def _stop_waiting(self, merchant_id: str, place: asyncio.Future[None]) -> None:
        line = self._lines.get(merchant_id)
        entry = next((one for one in line or () if one[0] is place), None)
        if line is not None and entry is not None:
            line.remove(entry)
            if not line:
                del self._lines[merchant_id]
