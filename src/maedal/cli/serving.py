"""Servers that drain before they end, for the commands that serve."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator

import uvicorn
import uvloop
from litestar import Litestar

from maedal.app import DRAIN_SECONDS
from maedal.cli.running import expected, give_up
from maedal.server.bounds import ServerBounds, descriptors, networks, shares
from maedal.server.protocol import protocol_of
from maedal.settings import Settings

BACKLOG_MAX = 2_048
NEW_OBJECTS = 10_000
"""After so many the garbage collector looks at them. A charge under way has some hundreds, and next to none of what it
leaves behind is for the collector: with Python's 700 it looks all the time, and a tenth of a charge's CPU is that."""


class DrainingServer(uvicorn.Server):
    """Ends on SIGTERM or Ctrl-C, and leaves the rest of the process alive to put things in order.

    uvicorn itself raises the signal again once it has drained, which would kill us before our children are ended.
    """

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {name: signal.signal(name, self.handle_exit) for name in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            # While things are put in order, another Ctrl-C must not tear a recording in two.
            for name in before:
                signal.signal(name, signal.SIG_IGN)


def bounds_of(settings: Settings) -> ServerBounds:
    """Return what connections may have: of their number never more than descriptors allow."""
    share = shares(descriptors(), incoming=settings.connections_max)
    return ServerBounds(
        connections_max=share.incoming,
        connections_per_address_max=settings.connections_per_address_max,
        proxies=networks(settings.trusted_proxies),
    )


def server_of(app: Litestar, host: str, port: int, bounds: ServerBounds | None = None) -> uvicorn.Server:
    """Return a server for `app` that drains before it ends."""
    bounds = bounds or ServerBounds()
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=protocol_of(bounds),
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=int(DRAIN_SECONDS),
        timeout_keep_alive=bounds.idle_seconds,
        # What waits in it is accepted at one go, before any of it can be counted.
        backlog=min(BACKLOG_MAX, bounds.connections_max),
        # Whose word on a caller's address is taken is a setting of the application; see `create_app`.
        proxy_headers=False,
    )
    return DrainingServer(config)


def serve_until_stopped(server: uvicorn.Server, started: Callable[[], Awaitable[None]]) -> None:
    """Serve; call `started` once requests are answered; end on SIGTERM or Ctrl-C after draining."""

    async def run() -> None:
        serving = asyncio.ensure_future(server.serve())
        while not server.started and not serving.done():
            await asyncio.sleep(0.02)
        # What was imported stays for good; the garbage collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(NEW_OBJECTS)
        if not serving.done():
            await started()
        await serving

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run())
    except KeyboardInterrupt:
        pass
    except expected() as error:
        give_up(error)
    if not server.started:
        # The lifespan failed and has said why.
        sys.exit(1)
