"""Starting and ending the processes of a run. Each ends with the run, however the run ends."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
START_SECONDS_MAX = 120
END_SECONDS_MAX = 30
LEASH = (sys.executable, "-m", "bench.leash")


class ProgramFailed(Exception):
    """A process did not start or did not do its work; the text holds the end of what it said."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on; below the range of outgoing connections."""
    for port in random.sample(range(12_000, 20_000), 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ProgramFailed("no free port between 12000 and 20000")


@contextlib.contextmanager
def running(
    command: Sequence[str | Path], port: int, ready: str, log: Path, settings: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Run a server until the block ends; gives its process id once `ready` (a path) answers on `port`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*LEASH, *command],
            cwd=ROOT,
            env=environment() | dict(settings or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + START_SECONDS_MAX
        while not answers(port, ready):
            if process.poll() is not None or time.monotonic() > deadline:
                raise ProgramFailed(f"{command[0]} did not start\n{log.read_text(errors='replace')[-2_000:]}")
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answer_of(module: str, supplied: bytes, seconds_max: float) -> bytes:
    """Run a module of this package on `supplied` and return what it writes."""
    try:
        ran = subprocess.run(
            [*LEASH, sys.executable, "-m", module],
            cwd=ROOT,
            env=environment(),
            input=supplied,
            capture_output=True,
            timeout=seconds_max,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ProgramFailed(f"{module} took more than {seconds_max:.0f} s") from None
    if ran.returncode != 0:
        raise ProgramFailed(f"{module} ended with {ran.returncode}\n{ran.stderr.decode(errors='replace')[-2_000:]}")
    return ran.stdout


def environment() -> dict[str, str]:
    """Return our environment without settings of a gateway that happen to be in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MAEDAL_")}


def answers(port: int, path: str) -> bool:
    try:
        ask(port, path)
    except (OSError, urllib.error.URLError):
        return False
    return True


def ask(port: int, path: str, *, post: bool = False) -> bytes:
    """GET or POST a path of a server of this run and return its body."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method="POST" if post else "GET")
    with urllib.request.urlopen(request, timeout=5) as answer:
        body: bytes = answer.read()
        return body
