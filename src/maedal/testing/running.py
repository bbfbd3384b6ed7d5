"""A `maedal dev` of its own for a run of tests: on free ports, forgotten at the end, never outliving its parent."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from maedal.testing.http import Answer
from maedal.testing.receiver import NOBODY, Inbox, Webhook, receiving
from maedal.testing.shop import Control, Shop

STARTS_MAX = 3
"""Somebody else may take a port in the moment between finding it free and listening there."""
END_SECONDS_MAX = 40.0
LOG_CHARS_MAX = 20_000


class DidNotStart(Exception):
    """`maedal dev` ended before it was ready; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Dev:
    """A running `maedal dev`: what it printed with `--json`."""

    info: dict[str, Any]

    @property
    def control(self) -> Control:
        return Control(self.info["control"]["url"], self.info["control"]["key"])

    @property
    def demo_shop(self) -> Shop:
        """Return the merchant that every tutorial knows, `imp00000000`; what arrives for it is not seen here."""
        return Shop(self.info, self.info, self.control)

    def log(self, since: int = 0) -> str:
        """Return what gateway and simulator have logged from byte `since` on, the end of it when it is long."""
        path = Path(self.info["log"])
        if not path.exists():
            return ""
        with path.open("rb") as file:
            file.seek(max(since, path.stat().st_size - LOG_CHARS_MAX))
            return file.read().decode("utf-8", "replace")

    def log_size(self) -> int:
        """Return how long the log is by now."""
        path = Path(self.info["log"])
        return path.stat().st_size if path.exists() else 0


@contextlib.contextmanager
def running(*words: str) -> Iterator[Dev]:
    """Run `maedal dev` until the block ends, `words` being further options. Raises DidNotStart.

    It ends when this process does, however that ends.
    """
    process, info = _start(words)
    try:
        yield Dev(info)
    finally:
        _end(process)


def _start(words: tuple[str, ...]) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    # The tests' own folder must not lend its modules to the gateway (-P), nor their settings.
    command = [sys.executable, "-P", "-m", "maedal", "dev", "--json", "--port", "0", "--temporary"]
    command += ["--no-shop", "--end-with-stdin", *words]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAEDAL_")}
    message = ""
    for _ in range(STARTS_MAX):
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(  # noqa: S603 - our own command
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            )
            assert process.stdout is not None, "a pipe was asked for"
            line = process.stdout.readline()
            if line:
                return process, json.loads(line)
            _end(process)
            errors.seek(0)
            message = errors.read().decode("utf-8", "replace").strip()
    raise DidNotStart(f"maedal dev did not start: {message or 'it said nothing'}")


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None, "a pipe was asked for"
    assert process.stdout is not None, "a pipe was asked for"
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(END_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()


class Server:
    """One `maedal dev` for many tests, and one receiver for the webhooks of them all."""

    def __init__(self, dev: Dev, origin: str, inboxes: dict[str, Inbox]) -> None:
        self.dev = dev
        self.gateway: str = dev.info["gateway"]
        self.script: str = dev.info["script"]
        self.simulator: str = dev.info["simulator"]
        self._origin = origin
        self._inboxes = inboxes

    @contextlib.contextmanager
    def new_shop(self) -> Iterator[Shop]:
        """Give a merchant of its own, with the simulator calm; in the end nothing of it is left to happen."""
        control = self.dev.control
        shop = Shop(self.dev.info, control("POST", "/merchants", {}), control)
        path = f"/{shop.identification_code}"
        self._inboxes[path] = shop.webhooks
        shop.set_webhook(url=self._origin + path)
        shop.calm()
        try:
            yield shop
        finally:
            shop.end()
            del self._inboxes[path]


@contextlib.contextmanager
def served_by(dev: Dev) -> Iterator[Server]:
    """Run a receiver for the tests on a running `maedal dev` until the block ends."""
    inboxes: dict[str, Inbox] = {}

    def take(webhook: Webhook) -> Answer:
        inbox = inboxes.get(urlsplit(webhook.path).path)
        # 410 tells a patient gateway too that nobody waits for this any more.
        return NOBODY if inbox is None else inbox.take(webhook)

    with receiving(take) as origin:
        yield Server(dev, origin, inboxes)


@contextlib.contextmanager
def serving(*words: str) -> Iterator[Server]:
    """Run a `maedal dev` and a receiver until the block ends."""
    with running(*words) as dev, served_by(dev) as server:
        yield server
