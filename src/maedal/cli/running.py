"""What the commands share: clear errors and short-lived gateways. Quick to import: `maedal --help` waits for it."""

from __future__ import annotations

import asyncio
import getpass
import socket
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from maedal.app import Gateway
    from maedal.settings import Settings

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
_T = TypeVar("_T")
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def expected() -> tuple[type[Exception], ...]:
    """Return the errors whose own sentence is all that a person needs."""
    from maedal.errors import GatewayError
    from maedal.flows.key_ring import WrongKeys
    from maedal.log_chain.anchor import AnchorFileError
    from maedal.settings import SettingsError
    from maedal.storage.errors import StoreError
    from maedal.vault import KeyFileError

    return (SettingsError, StoreError, KeyFileError, WrongKeys, GatewayError, AnchorFileError)


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
    """Run `work` on a gateway that is opened for it alone, at the time of the `--data-dir` that was given."""
    from maedal.app import open_gateway
    from maedal.cli import data_dir

    async def run() -> _T:
        async with open_gateway(settings, serving=False, clock=data_dir.clock()) as gateway:
            return await work(gateway)

    return run_async(run())


def run_async(work: Coroutine[Any, Any, _T]) -> _T:
    """Run `work`; expected errors end the command with one line."""
    try:
        return asyncio.run(work)
    except expected() as error:
        give_up(error)


def check_port(host: str, port: int) -> None:
    """Give up early, with what to do, when somebody listens there already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            give_up(f"cannot listen on {host}:{port} ({error.strerror}); end what uses it, or choose another --port")
