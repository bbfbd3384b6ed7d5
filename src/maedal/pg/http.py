"""The network to PGs: one aiohttp session, each request sent once."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Self

import aiohttp

from maedal.clock import Clock, SystemClock
from maedal.pg.driver import AnswerLost, CallKind, NotSent, PgReply, PgRequest, TooLate
from maedal.pg.fair_places import FairPlaces

NEVER_LEFT: tuple[type[Exception], ...] = (
    aiohttp.ClientConnectorError,  # refused, no route, unknown name, TLS failure: all before the first byte
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
)
"""Exceptions that prove no byte of the request was sent. Anything that is not listed counts as lost."""


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


class AiohttpTransport:
    """Sends requests, so many of each kind at the same time. Use as an async context manager."""

    def __init__(self, connections_max: int = 1_024, clock: Clock | None = None) -> None:
        self._places = {kind: FairPlaces(max(1, int(connections_max * share))) for kind, share in SHARES.items()}
        self._clock = clock or SystemClock()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # Kept-alive connections are closed before the server would: a request written to a connection that the
        # server is closing is an answer lost, and each of those stops a billing key until it is resolved.
        # Who waits for a connection waits in a line of our own, which is fair; here there is always one.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=4, enable_cleanup_closed=False)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
            # aiohttp repeats idempotent requests on a broken connection. What moves anything is a POST and never is; a
            # file that is only read may be.
            skip_auto_headers={"User-Agent"},
            trace_configs=[self._last_look()],
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

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
        assert self._session is not None, "the transport is not open"
        timeout = aiohttp.ClientTimeout(
            total=None,
            connect=request.connect_timeout_seconds,
            sock_connect=request.connect_timeout_seconds,
            sock_read=request.read_timeout_seconds,
        )
        try:
            async with self._session.request(
                request.method,
                request.url,
                data=request.body or None,
                headers=request.headers,
                timeout=timeout,
                allow_redirects=False,
                trace_request_ctx=request,
            ) as response:
                most = request.reply_bytes_max
                body = bytearray()
                while len(body) <= most and not response.content.at_eof():
                    body += await response.content.read(most + 1 - len(body))
                if len(body) > most:
                    raise AnswerLost("the reply is larger than any of this PG")
                return PgReply(response.status, bytes(body), _time_of(response.headers.get("Date")))
        except NotSent:
            raise
        except NEVER_LEFT as error:
            raise NotSent(type(error).__name__) from error
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise AnswerLost(type(error).__name__) from error

    def _last_look(self) -> aiohttp.TraceConfig:
        """Look at the clock once a connection is there, before the first byte is written to it.

        A process that was frozen, or a machine that slept, goes on here as if no time had passed.
        """

        async def look(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
            send_by: datetime | None = context.trace_request_ctx.send_by
            if send_by is not None and self._clock.now() >= send_by:
                raise TooLate("too late to send")

        looks = aiohttp.TraceConfig()
        # aiohttp calls this with the connection in hand and before it writes the headers; a test holds it to that.
        looks.on_request_headers_sent.append(look)
        return looks
