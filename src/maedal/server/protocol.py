"""HTTP/1.1 within bounds: uvicorn's protocol, which by itself has none for heads, slow clients and connections.

Nothing is timed by a timer of its own, and nothing is counted for each header field: a request that keeps within the
bounds pays a few assignments.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import socket
import struct
from enum import Enum
from typing import Any

from maedal.http11_only import Http11Only
from maedal.server.answers import answer
from maedal.server.bounds import ServerBounds
from maedal.server.connections import Connections

_log = logging.getLogger("maedal.server")
_log.setLevel(logging.ERROR)  # what clients send wrong is counted; a line for each would fill the disk for them

SENT_BYTES_MIN = 16 * 1024
"""What a client must take of an answer in the time it has, at least."""


AT_ONCE = struct.pack("ii", 1, 0)


class Phase(Enum):
    """What a connection waits for."""

    NEW = "new"  # the first byte of its first request
    IDLE = "idle"  # the first byte of its next request
    HEAD = "head"  # the rest of a head
    BODY = "body"  # the rest of a body
    WORKING = "working"  # our own answer
    REST = "rest"  # the rest of a body that was answered without it
    CLOSING = "closing"  # the client to see that we have closed


# To look a member up in its class costs several times as much, in each request.
_NEW, _IDLE, _HEAD, _BODY, _WORKING, _REST, _CLOSING = Phase


class _Refused(Exception):
    """Stops the parser; the answer is known by then."""


def protocol_of(bounds: ServerBounds) -> Any:
    """Return what uvicorn makes its connections with; all of them are counted together."""
    return functools.partial(BoundedHttp, connections=Connections(bounds))


class BoundedHttp(Http11Only):
    """One connection."""

    def __init__(self, *args: Any, connections: Connections, **named: Any) -> None:
        super().__init__(*args, **named)
        self.logger = _log
        self.address = ""
        self._connections = connections
        self._bounds = connections.bounds
        self._phase = _NEW
        self._since = 0.0
        """Since when it is in its phase."""
        self._head_open = False
        self._body_open = False
        self._begun = 0
        """How many requests have begun to arrive."""
        self._head_bytes = 0
        self._discarded = 0
        self._refusal = 400
        self._unsent = 0
        """What the client had not taken of our answers when it last took a noteworthy part, and when that was."""
        self._unsent_since = 0.0

    # -- what arrives

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        refused = self._connections.add(self, self.loop)
        self._since = self._connections.next_look
        if refused is not None:
            self._refuse(refused)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        phase = self._phase
        if phase is _CLOSING or phase is _REST:
            self._discarded += len(data)
            if self._discarded > self._bounds.discarded_bytes_max:
                self.drop()
            if phase is _CLOSING or self.transport.is_closing():
                return
        between, begun = not (self._head_open or self._body_open), self._begun
        super().data_received(data)
        # A head that began behind the end of another request is counted from the next piece on.
        if self._head_open and self._begun - begun <= between:
            self._head_bytes += len(data)
            if self._head_bytes > self._bounds.head_bytes_max:
                self._refuse(431)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_open, self._head_bytes = True, 0
        self._begun += 1
        if self._phase is _NEW or self._phase is _IDLE:
            self._phase, self._since = _HEAD, self._connections.next_look

    def on_headers_complete(self) -> None:
        self._head_open = False
        refusal = self._judge_head()
        if refusal is not None:
            self._refusal = refusal
            raise _Refused
        under_way = self.cycle is not None and not self.cycle.response_complete
        self._body_open = True
        super().on_headers_complete()
        if not under_way:
            connections = self._connections
            connections.idle.pop(self, None)
            self._phase, self._since = _BODY, connections.next_look

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._body_open = False
        if self._phase is _BODY:
            self._phase = _WORKING
        elif self._phase is _REST:
            self._discarded = 0
            self._enter(_IDLE)

    def _judge_head(self) -> int | None:
        bounds, target = self._bounds, self.url
        if len(target) > bounds.short_target_bytes:
            path, _, query = target.partition(b"?")
            if (
                len(target) > bounds.target_bytes_max
                or path.count(b"%") > bounds.path_escapes_max
                or query.count(b"&") >= bounds.query_fields_max
            ):
                return 414
        if len(self.headers) > bounds.fields_max:
            return 431
        if self._head_bytes + len(self._data) > bounds.head_bytes_max:
            # It may have come together with a body, so its own bytes are counted.
            size = len(target) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > bounds.head_bytes_max:
                return 431
        if len(self.pipeline) >= bounds.pipelined_max:
            return 429
        return None

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own words
        """Answer what the parser stopped at."""
        self._refuse(self._refusal)

    # -- what we answer

    def on_response_complete(self) -> None:
        more = bool(self.pipeline)
        super().on_response_complete()
        if self.transport.is_closing():
            self._enter(_CLOSING)
        elif more:
            self._enter(_BODY if self._body_open and not self.pipeline else _WORKING)
        else:
            self._connections.idle[self] = None
            self._enter(_REST if self._body_open else _HEAD if self._head_open else _IDLE)

    def _refuse(self, status: int) -> None:
        """Answer for the server and end the connection; what is being answered on it already gets its answer first."""
        cycle = self.cycle
        if self._phase is _CLOSING or self.transport.is_closing():
            return
        self._connections.note_refused(status)
        if cycle is not None and not cycle.response_complete:
            if not self._body_open:
                # It is about a request behind those that are under way, which are the last.
                cycle.keep_alive = False
                self.flow.pause_reading()
                self._head_open = False
                return
            if self.pipeline or cycle.response_started:
                self.drop()
                return
            # The application learns that the client is gone, and whatever it says goes nowhere.
            cycle.disconnected = True
            cycle.message_event.set()
        self._connections.idle[self] = None
        self._enter(_CLOSING)
        self.flow.resume_reading()
        self._unset_keepalive_if_required()
        self.transport.write(answer(status, getattr(self, "url", b""), self.headers or ()))
        # Closing at once, with bytes of the client's unread, would take the answer from it.
        self.transport.write_eof()

    # -- what takes too long

    def end_if_over(self, now: float) -> None:
        self._look_at_sending(now)
        bounds, phase, waited = self._bounds, self._phase, now - self._since
        if phase is _NEW and waited > bounds.head_seconds:
            self.drop()
        elif phase is _HEAD and waited > bounds.head_seconds:
            self._refuse(408)
        elif phase is _BODY and self.flow.read_paused:
            self._since = now  # it is us who do not read
        elif phase is _BODY and waited > bounds.body_seconds:
            self._refuse(408)
        elif phase is _REST or phase is _CLOSING:
            if waited > bounds.closing_seconds and not self._unsent:
                self.drop()
        elif self.transport.is_closing():
            self._enter(_CLOSING)

    def _look_at_sending(self, now: float) -> None:
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent > self._unsent or unsent <= self._unsent - SENT_BYTES_MIN:
            self._unsent, self._unsent_since = unsent, now
        elif now - self._unsent_since > self._bounds.sending_seconds:
            # What the system still has of the answer goes with it.
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            self.drop()

    def drop(self) -> None:
        self._connections.remove(self)
        self.transport.abort()

    def _enter(self, phase: Phase) -> None:
        self._phase, self._since = phase, self._connections.next_look
