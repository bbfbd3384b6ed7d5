"""The network to PGs: each request sent once, and never when it is certain that it would come too late."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Self

from maedal.clock import Clock, SystemClock
from maedal.pg.connections import Connections, target_of, written
from maedal.pg.driver import CallKind, PgReply, PgRequest, TooLate
from maedal.pg.fair_places import FairPlaces


@lru_cache(maxsize=8)
def _time_of(text: str | None) -> datetime | None:
    try:
        at = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    # A date without a zone says nothing.
    return at if at.tzinfo is not None else None


SHARES = {
    CallKind.CHARGE: 0.25,
    CallKind.SCHEDULED: 0.3,  # three quarters of it, for one merchant alone, are more than a worker runs side by side
    CallKind.APPROVE: 0.12,
    CallKind.PREPARE: 0.11,
    CallKind.CANCEL: 0.11,
    CallKind.LOOK_UP: 0.11,
}
"""What each kind of call has of all connections."""


class HttpTransport:
    """Sends requests, so many of each kind at the same time. Use as an async context manager."""

    def __init__(self, connections_max: int = 1_024, clock: Clock | None = None) -> None:
        self._places = {kind: FairPlaces(max(1, int(connections_max * share))) for kind, share in SHARES.items()}
        self._clock = clock or SystemClock()
        self._connections: Connections | None = None

    async def __aenter__(self) -> Self:
        self._connections = Connections()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._connections is not None:
            self._connections.close()

    def is_crowded(self, kind: CallKind, merchant_id: str) -> bool:
        """Return whether so many of a merchant's calls wait for a connection that one more would wait in vain."""
        return self._places[kind].is_crowded(merchant_id)

    async def send(self, request: PgRequest) -> PgReply:
        places = self._places[request.kind]
        await places.take(request.merchant_id, request.connect_timeout_seconds)
        try:
            return await self._send(request)
        finally:
            places.leave(request.merchant_id)

    async def _send(self, request: PgRequest) -> PgReply:
        assert self._connections is not None, "the transport is not open"
        connections, target = self._connections, target_of(request.url)
        text = written(request, target)
        # Who waits for a connection has waited in a line of our own, which is fair; here there is always one.
        connection = connections.idle(target)
        if connection is None:
            connection = await connections.connect(target, request.connect_timeout_seconds)
        # Only now, with the connection in hand and nothing written: a process that was frozen, or a machine that slept,
        # goes on here as if no time had passed.
        if request.send_by is not None and self._clock.now() >= request.send_by:
            connections.give_back(target, connection)
            raise TooLate("too late to send")
        try:
            answer = await connection.ask(text, request.reply_bytes_max, request.read_timeout_seconds)
        except BaseException:
            # Whatever still comes over it would be taken for the answer to another request.
            connection.close()
            raise
        finally:
            connections.give_back(target, connection)
        return PgReply(answer.status, answer.body, _time_of(answer.date))
