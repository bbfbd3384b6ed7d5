"""The connections of one server: how many there may be, whose, and which have to go."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from typing import Protocol

import structlog

from maedal.server.bounds import ServerBounds

_log = structlog.get_logger()

LOOK_SECONDS = 1.0
"""How often the connections are looked through: one look for all of them costs less than a timer for each."""


class Connection(Protocol):
    """A connection, as far as it is counted and ended here."""

    address: str

    def end_if_over(self, now: float) -> None:
        """End it if it has been too slow, or idle for too long."""
        ...

    def drop(self) -> None:
        """End it at once, whatever it waits for."""
        ...


class Connections:
    """Counts them. The idlest goes first: one on which no request is under way, and for the longest time."""

    def __init__(self, bounds: ServerBounds) -> None:
        self.bounds = bounds
        self.idle: dict[Connection, None] = {}
        """Those on which no request is under way, longest first."""
        self._all: set[Connection] = set()
        self._of_address: Counter[str] = Counter()
        self._refused: Counter[int] = Counter()
        self._dropped = 0
        self._looking: asyncio.TimerHandle | None = None
        self.next_look = 0.0
        """When the connections are looked through next, by the loop's clock. What begins now is counted from then on:
        to ask the clock for each request costs more than the second is worth."""

    def add(self, connection: Connection, loop: asyncio.AbstractEventLoop) -> int | None:
        """Count a connection; return the status it is refused with if there is no place for it."""
        refused = self._make_place(connection.address)
        self._all.add(connection)
        self._of_address[connection.address] += 1
        if refused is None:
            self.idle[connection] = None
        if self._looking is None:
            self._look_again(loop)
        return refused

    def remove(self, connection: Connection) -> None:
        """Count a connection no longer. To do so twice changes nothing."""
        self.idle.pop(connection, None)
        if connection not in self._all:
            return
        self._all.remove(connection)
        self._of_address[connection.address] -= 1
        if not self._of_address[connection.address]:
            del self._of_address[connection.address]

    def note_refused(self, status: int) -> None:
        """Count an answer that the server itself gave; they are told together."""
        self._refused[status] += 1

    def _make_place(self, address: str) -> int | None:
        if self._of_address[address] >= self.bounds.connections_per_address_max and not self._is_proxy(address):
            idlest = next((one for one in self.idle if one.address == address), None)
            if idlest is None:
                return 429
            self._drop(idlest)
        if len(self._all) >= self.bounds.connections_max:
            idlest = next(iter(self.idle), None)
            if idlest is None:
                return 503
            self._drop(idlest)
        return None

    def _drop(self, connection: Connection) -> None:
        self._dropped += 1
        self.remove(connection)
        connection.drop()

    def _is_proxy(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        # On a socket that takes both, an address of IPv4 is written as one of IPv6.
        ip = getattr(ip, "ipv4_mapped", None) or ip
        return any(ip in network for network in self.bounds.proxies)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in list(self._all):
            try:
                connection.end_if_over(now)
            except Exception:  # one that cannot be looked at must not keep the others from it
                _log.exception("connection_not_looked_at")
                self._drop(connection)
        if self._refused or self._dropped:
            refused = {str(status): count for status, count in sorted(self._refused.items())}
            _log.warning("server_bounds_met", refused=refused, idle_closed=self._dropped, connections=len(self._all))
            self._refused.clear()
            self._dropped = 0
        self._looking = None
        if self._all:
            self._look_again(loop)

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        self.next_look = loop.time() + LOOK_SECONDS
        self._looking = loop.call_later(LOOK_SECONDS, self._look, loop)
