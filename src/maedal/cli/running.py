"""What the commands share: clear errors, short-lived gateways, servers that end well."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import getpass
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, NoReturn, TypeVar

import typer
import uvicorn
from litestar import Litestar
from rich.console import Console
from rich.markup import escape

from maedal.app import DRAIN_SECONDS, Gateway, open_gateway
from maedal.errors import GatewayError
from maedal.plain_http import PlainHttp
from maedal.settings import Settings, SettingsError
from maedal.storage.store import StoreError
from maedal.vault import KeyFileError

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
_T = TypeVar("_T")
EXPECTED = (SettingsError, StoreError, KeyFileError, GatewayError)
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def give_up(error: Exception | str) -> NoReturn:
    """Say in one line what is wrong and what to do, and end with status 1."""
    err.print(f"[bold red]maedal:[/] {escape(str(error))}")
    raise typer.Exit(1)


def whoever() -> str:
    """Return who is at the command line, as the logs name them."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):  # a container's user without a name
        return "command line"


def show(title: str, **facts: str) -> None:
    """Print one thing with its facts, a line each: whole in a narrow terminal, and easy to search in a pipe."""
    out.print(f"[bold]{escape(title)}[/]")
    for name, fact in facts.items():
        out.print(f"  {name.replace('_', ' '):<14}{escape(fact)}")


def with_gateway(settings: Settings, work: Callable[[Gateway], Awaitable[_T]]) -> _T:
    """Run `work` on a gateway that is opened for it alone."""

    async def run() -> _T:
        async with open_gateway(settings, serving=False) as gateway:
            return await work(gateway)

    return run_async(run())


def run_async(work: Coroutine[Any, Any, _T]) -> _T:
    """Run `work`; expected errors end the command with one line."""
    try:
        return asyncio.run(work)
    except EXPECTED as error:
        give_up(error)


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


def server_of(app: Litestar, host: str, port: int) -> uvicorn.Server:
    """Return a server for `app` that drains before it ends."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=PlainHttp,
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=int(DRAIN_SECONDS),
        timeout_keep_alive=75,
        # Whose word on a caller's address is taken is a setting of the application; see `create_app`.
        proxy_headers=False,
    )
    return DrainingServer(config)


def check_port(host: str, port: int) -> None:
    """Give up early, with what to do, when somebody listens there already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            give_up(f"cannot listen on {host}:{port} ({error.strerror}); end what uses it, or choose another --port")


def serve_until_told(server: uvicorn.Server, started: Callable[[], Awaitable[None]]) -> None:
    """Serve; call `started` once requests are answered; end on SIGTERM or Ctrl-C after draining."""
    import uvloop

    async def run() -> None:
        serving = asyncio.ensure_future(server.serve())
        while not server.started and not serving.done():
            await asyncio.sleep(0.02)
        # What was imported stays for good; the garbage collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        if not serving.done():
            await started()
        await serving

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run())
    except KeyboardInterrupt:
        pass
    except EXPECTED as error:
        give_up(error)
    if not server.started:
        # The lifespan failed and has said why.
        sys.exit(1)
