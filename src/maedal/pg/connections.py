"""Connections to PGs: HTTP/1.1, one request at a time on each, kept for a moment, and no byte more than has to be.

A general client costs a charge more than its whole transaction (docs/performance.md). What a call to a PG needs of one
is little: a POST of a few hundred bytes, an answer within bounds, and to know for certain what has not been sent.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import zlib
from collections import deque
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast
from urllib.parse import quote, urlsplit

import aiohappyeyeballs
import httptools

from maedal.pg.driver import AnswerLost, NotSent, PgRequest

KEPT_SECONDS = 4.0
"""So long a connection is kept without a call. Servers close theirs later: a request that is written to a connection
which the server is closing is an answer lost, and each of those stops a billing key until it is resolved."""
HEAD_BYTES_MAX = 64 * 1024
"""How much the status line and header fields of an answer may have, and what else is no body."""
ADDRESSES_KEPT_SECONDS = 10.0
HAPPY_EYEBALLS_SECONDS = 0.25
"""How long one address of a host is tried before the next is tried beside it (RFC 8305)."""
_AS_IT_IS = "%/:=&?~+!$,;'@()*[]"
"""What an address may have besides letters, digits and `_.-`; anything else is escaped."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes."""

    host: str
    port: int
    encrypted: bool
    head: bytes
    """The first bytes of the request, behind its method: path and query, and who is asked."""

    @property
    def server(self) -> tuple[str, int, bool]:
        return (self.host, self.port, self.encrypted)


@lru_cache(maxsize=256)
def target_of(url: str) -> Target:
    """Return where `url` leads to. Raises NotSent when it leads nowhere."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise NotSent("no address of HTTP")
        encrypted = parts.scheme == "https"
        host = parts.hostname.encode("ascii" if parts.hostname.isascii() else "idna").decode()
        named = f"[{host}]" if ":" in host else host
        if parts.port is not None and parts.port != (443 if encrypted else 80):
            named += f":{parts.port}"
        path = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=_AS_IT_IS)
        head = f" {path} HTTP/1.1\r\nHost: {named}\r\nAccept: */*\r\n".encode("ascii")
        return Target(host, parts.port or (443 if encrypted else 80), encrypted, head)
    except ValueError as error:
        raise NotSent("no address of HTTP") from error


def written(request: PgRequest, target: Target) -> bytes:
    """Return the bytes of a request. Raises NotSent when a header field could become two."""
    fields = [f"{name}: {value}" for name, value in request.headers.items()]
    if request.body or request.method != "GET":
        fields.append(f"Content-Length: {len(request.body)}")
    if not all(map(str.isprintable, fields)):
        raise NotSent("a header field that is none")
    return request.method.encode() + target.head + "\r\n".join((*fields, "\r\n")).encode() + request.body


@dataclass(slots=True)
class Answer:
    """What came back."""

    status: int
    date: str | None
    body: bytes


class Connection(asyncio.Protocol):
    """One connection to a server, with one request under way at most."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        """Who waits for the answer, from the moment its request is written."""
        self._body_bytes_max = 0
        self._read_seconds = 0.0
        self._heard_at = 0.0
        self._other_bytes = 0
        """What came since the request and is no body."""
        self._timer: asyncio.TimerHandle | None = None
        self.idle_since = 0.0
        self.usable = False
        """Whether another request may be written to it."""
        self._begin()

    def _begin(self) -> None:
        self._fields: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._head_read = False

    # -- what is asked of it

    def ask(self, request: bytes, body_bytes_max: int, read_seconds: float) -> asyncio.Future[Answer]:
        """Write a request; the future gives its answer, or raises AnswerLost. From here on something may be sent."""
        assert self._transport is not None, "it is connected"
        assert self._answer is None, "one request at a time"
        self._answer = self._loop.create_future()
        self._other_bytes = 0
        self._body_bytes_max, self._read_seconds = body_bytes_max, read_seconds
        self._heard_at = self._loop.time()
        self._timer = self._loop.call_later(read_seconds, self._look)
        self._transport.write(request)
        return self._answer

    def is_ready(self) -> bool:
        """Return whether a request may be written now: it is not about to end, either."""
        return self.usable and self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        """End it at once."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()
        self._fail("the call was given up")

    # -- what happens to it

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.usable = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        framed = b"content-length" in self._fields or b"transfer-encoding" in self._fields
        if exc is None and self._head_read and not framed:
            self._complete()  # an answer without a length ends with its connection
        else:
            self._fail("the connection ended" if exc is None else type(exc).__name__)

    def eof_received(self) -> None:
        self.usable = False

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            self.close()  # nobody asked
            return
        self._heard_at = self._loop.time()
        before = self._body_bytes
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(type(error).__name__)
            return
        if self._answer is None:
            return
        self._other_bytes += len(data) - (self._body_bytes - before)
        # Pieces of a body have a line each.
        if self._other_bytes > HEAD_BYTES_MAX + 8 * self._body_bytes:
            self._fail("the head of the reply is larger than any")
        elif self._body_bytes > self._body_bytes_max:
            self._fail("the reply is larger than any of this PG")

    def _look(self) -> None:
        """Give up on a server that has said nothing for so long."""
        left = self._heard_at + self._read_seconds - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._fail("TimeoutError")

    # -- what the parser reads

    def on_message_begin(self) -> None:
        if self._answer is None:
            self.usable = False  # a second answer to one request: whose would the next one be?

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields[name.lower()] = value

    def on_headers_complete(self) -> None:
        self._head_read = self._parser.get_status_code() >= 200

    def on_body(self, body: bytes) -> None:
        self._body.append(body)
        self._body_bytes += len(body)

    def on_message_complete(self) -> None:
        if self._head_read:
            self._complete()
        else:
            self._begin()  # an interim answer: the real one comes behind it

    # -- how it ends

    def _complete(self) -> None:
        waiting = self._done()
        if waiting is None:
            self.close()
            return
        assert self._transport is not None, "it is connected"
        if not self._parser.should_keep_alive() or self._transport.get_write_buffer_size():
            self.usable = False  # the server ends it, or answered before it had heard everything
        try:
            body = _read(b"".join(self._body), self._fields.get(b"content-encoding", b""), self._body_bytes_max)
            date = self._fields.get(b"date")
            answer = Answer(self._parser.get_status_code(), None if date is None else date.decode("latin-1"), body)
        except (zlib.error, ValueError) as error:
            waiting.set_exception(AnswerLost(str(error)))
            self.close()
            return
        self._begin()
        waiting.set_result(answer)

    def _fail(self, reason: str) -> None:
        self.usable = False
        waiting = self._done()
        if waiting is not None:
            waiting.set_exception(AnswerLost(reason))
        if self._transport is not None and not self._transport.is_closing():
            self._transport.abort()

    def _done(self) -> asyncio.Future[Answer] | None:
        waiting, self._answer = self._answer, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return None if waiting is None or waiting.done() else waiting


def _read(body: bytes, encoding: bytes, bytes_max: int) -> bytes:
    """Return a body as it was before it was compressed, which nobody asked for. Raises ValueError or zlib.error."""
    if len(body) > bytes_max:
        raise ValueError("the reply is larger than any of this PG")
    kind = encoding.strip().lower()
    if kind in {b"", b"identity"}:
        return body
    if kind not in {b"gzip", b"x-gzip", b"deflate"}:
        raise ValueError("the reply has an encoding that nobody asked for")
    decoder = zlib.decompressobj(wbits=47)
    decoded = decoder.decompress(body, bytes_max + 1)
    if len(decoded) > bytes_max:
        raise ValueError("the reply is larger than any of this PG")
    if not decoder.eof:
        raise ValueError("the reply is cut off")
    return decoded


class Connections:
    """Connections to the servers of PGs: those that are idle, the last used first, and new ones."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._idle: dict[tuple[str, int, bool], deque[Connection]] = {}
        self._all: set[Connection] = set()
        self._addresses: dict[tuple[str, int], tuple[float, asyncio.Future[Sequence[Any]]]] = {}
        self._encryption: ssl.SSLContext | None = None
        self._sweep: asyncio.TimerHandle | None = None

    def idle(self, target: Target) -> Connection | None:
        """Return a connection that is ready for a request; None when a new one is needed."""
        kept = self._idle.get(target.server)
        oldest = self._loop.time() - KEPT_SECONDS
        while kept:
            connection = kept.pop()
            if connection.is_ready() and connection.idle_since > oldest:
                return connection
            connection.close()
            self._all.discard(connection)
        return None

    async def connect(self, target: Target, seconds: float) -> Connection:
        """Make a connection. Raises NotSent: whatever goes wrong here, nothing of a request has been written."""
        try:
            async with asyncio.timeout(seconds):
                found = await self._found(target.host, target.port)
                sock = await aiohappyeyeballs.start_connection(
                    list(found), happy_eyeballs_delay=HAPPY_EYEBALLS_SECONDS, interleave=1, loop=self._loop
                )
                try:
                    _, connection = await self._loop.create_connection(
                        lambda: Connection(self._loop),
                        sock=sock,
                        ssl=await self._context() if target.encrypted else None,
                        server_hostname=target.host if target.encrypted else None,
                    )
                except BaseException:
                    sock.close()
                    raise
        except (OSError, ValueError, RuntimeError, EOFError) as error:  # refused, no route, unknown name, TLS, too slow
            raise NotSent(type(error).__name__) from error
        self._all.add(connection)
        return connection

    def give_back(self, target: Target, connection: Connection) -> None:
        """Keep a connection for the next request, if it is good for one."""
        if not connection.is_ready():
            connection.close()
            self._all.discard(connection)
            return
        connection.idle_since = self._loop.time()
        self._idle.setdefault(target.server, deque()).append(connection)
        if self._sweep is None:
            self._sweep = self._loop.call_later(KEPT_SECONDS, self._close_idle)

    def close(self) -> None:
        """End all connections."""
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in self._all:
            connection.close()

    def _close_idle(self) -> None:
        self._sweep = None
        oldest = self._loop.time() - KEPT_SECONDS
        for kept in self._idle.values():
            while kept and (kept[0].idle_since <= oldest or not kept[0].is_ready()):
                connection = kept.popleft()
                connection.close()
                self._all.discard(connection)
        self._idle = {server: kept for server, kept in self._idle.items() if kept}
        if self._idle:
            self._sweep = self._loop.call_later(KEPT_SECONDS / 4, self._close_idle)

    async def _found(self, host: str, port: int) -> Sequence[Any]:
        """Return the addresses of a host, asked for once by all who want them at the same time."""
        known = self._addresses.get((host, port))
        now = self._loop.time()
        if known is None or now - known[0] > ADDRESSES_KEPT_SECONDS or (known[1].done() and _failed(known[1])):
            asking: Awaitable[Sequence[Any]] = self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            asked = asyncio.ensure_future(asking)
            asked.add_done_callback(_failed)  # whoever asked may have gone
            known = (now, asked)
            self._addresses[host, port] = known
        return await asyncio.shield(known[1])

    async def _context(self) -> ssl.SSLContext:
        if self._encryption is None:
            # It reads all certificates that the system trusts.
            context = await asyncio.to_thread(ssl.create_default_context)
            context.set_alpn_protocols(["http/1.1"])
            self._encryption = context
        return self._encryption


def _failed(asked: asyncio.Future[Any]) -> bool:
    return asked.cancelled() or asked.exception() is not None
