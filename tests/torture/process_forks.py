"""Starts the testbed's processes quickly: everything is imported and built once, and each process is a fork of that.

`python -m tests.torture.process_forks` reads one JSON object a line, each asking for a process, and writes one a line: which
process was started, and which has ended. It is single-threaded, so that a fork copies no held lock. When its input
ends, it kills what it started.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import ctypes
import functools
import gc
import json
import os
import selectors
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import uvicorn

from kakaopay_sandbox.app import create_app as create_sandbox
from kakaopay_sandbox.settings import Settings as SandboxSettings
from maedal import logs
from maedal.app import create_app, open_gateway
from maedal.cli.serving import serve_until_stopped, server_of
from maedal.pg.http import HttpTransport
from maedal.settings import load
from maedal.storage.sql_store import SqlStore
from maedal.worker import loops

from .shared_clock import SharedClock

POLL_SECONDS = {
    "WEBHOOK_POLL_SECONDS": 0.2,
    "LOST_SECONDS": 0.2,
    "UNKNOWN_SECONDS": 0.2,
    "EXPIRED_SECONDS": 0.3,
    "KEY_ENDINGS_SECONDS": 0.2,
    "UNDO_SECONDS": 0.2,
    "DUE_POLL_SECONDS": 0.2,
    "WATCH_SECONDS": 5.0,
    "RECONCILE_SECONDS": 1.0,
}
"""The worker's loops look more often than in life, because a testbed's days are short."""
TESTBEDS_KEPT = 3
START_SECONDS_MAX = 120
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


@dataclass(frozen=True)
class Wanted:
    """A process to start. A `watched` one tells its steps while the testbed is armed, and dies at the one that is named."""

    name: str
    role: str
    folder: str
    port: int
    settings: dict[str, str] = field(default_factory=dict)
    watched: bool = False
    break_guard: str | None = None


# -- the roles: each builds what it can before the fork, and gives what runs in the process that was started


def gateway(wanted: Wanted) -> Callable[[], None]:
    app = create_app(
        load(wanted.settings), with_worker=wanted.role == "serve", demo_allowed=True, clock=_clock_of(wanted)
    )

    async def started() -> None:
        return

    return lambda: serve_until_stopped(server_of(app, "127.0.0.1", wanted.port), started)


def tell_tasks() -> None:
    """Write what every task waits for to the log: for something that is stuck."""
    for task in asyncio.all_tasks():
        waiting: Any = task.get_coro()
        print("task", task.get_name(), file=sys.stderr)
        while waiting is not None:
            frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "ag_frame", None)
            place = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""
            print("   ", getattr(waiting, "__qualname__", waiting), place, file=sys.stderr)
            waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "ag_await", None)
    sys.stderr.flush()


def worker(wanted: Wanted) -> Callable[[], None]:
    settings, clock = load(wanted.settings), _clock_of(wanted)

    async def run() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, tell_tasks)
        async with open_gateway(settings, clock=clock) as opened:
            working = loops.Worker(opened.services)
            working.start()
            await stop.wait()
            await working.stop()

    return lambda: asyncio.run(run())


def sandbox(wanted: Wanted) -> Callable[[], None]:
    settings = SandboxSettings(
        data_file=Path(wanted.folder) / "sandbox.db",
        public_url=f"http://127.0.0.1:{wanted.port}",
        wall=_clock_of(wanted).now,
        monthly_limit=1_000_000_000,
        opening_balance=10**12,
    )

    # Its data file is opened with it, so it is built in its own process.
    return lambda: uvicorn.run(
        create_sandbox(settings), host="127.0.0.1", port=wanted.port, log_config=None, access_log=False
    )


def _clock_of(wanted: Wanted) -> SharedClock:
    return SharedClock(Path(wanted.folder) / "clock")


ROLES: dict[str, Callable[[Wanted], Callable[[], None]]] = {
    "serve": gateway,  # as `maedal serve`, with the loops inside
    "serve-only": gateway,
    "worker": worker,
    "sandbox": sandbox,
}


NO_STOPS = {
    "IndexTexts",
    "AppendBlock",
    "AppendWalked",
    "CountHours",
    "KeepMonth",
    "SeeApiKey",
    "SweepRequests",
    "SweepSignIns",
}
"""Writes that come whenever they like, from the loops or once a minute beside a call, and that no money hangs on."""


def watch_steps(wanted: Wanted) -> None:
    """Tell each step while the testbed is armed, and die or freeze at the one that the file names, once."""
    armed = Path(wanted.folder) / "armed"
    message = os.open(Path(wanted.folder) / f"{wanted.name}.steps", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def step(name: str) -> None:
        try:
            how, _, wanted_step = armed.read_text().partition(" ")
        except FileNotFoundError:
            return
        os.write(message, f"{name}\n".encode())
        if name == wanted_step:
            try:
                armed.unlink()
            except FileNotFoundError:
                return  # another process came first
            os.kill(os.getpid(), signal.SIGSTOP if how == "freeze" else signal.SIGKILL)

    def around(
        method: Callable[[Any, Any], Awaitable[Any]], name_of: Callable[[Any], str]
    ) -> Callable[[Any, Any], Awaitable[Any]]:
        async def stepped(self: Any, write: Any) -> Any:
            name = name_of(write)
            if name in NO_STOPS:
                return await method(self, write)
            step(f"before {name}")
            result = await method(self, write)
            # A claim that took nothing changed nothing: there is nothing to lose after it.
            if not (name.startswith("Claim") and result in ([], (), False, None)):
                step(f"after {name}")
            return result

        return stepped

    SqlStore.write = around(SqlStore.write, lambda write: type(write).__name__)  # type: ignore[assignment]
    HttpTransport.send = around(  # type: ignore[assignment,method-assign]
        HttpTransport.send, lambda request: f"call {request.url.rpartition('/')[2]}"
    )


def live(wanted: Wanted, role: Callable[[], None]) -> NoReturn:
    """Become the wanted process; never returns."""
    status = 1
    try:
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
        log = os.open(Path(wanted.folder) / f"{wanted.name}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for target, source in ((0, nothing), (1, log), (2, log)):
            os.dup2(source, target)
        os.closerange(3, 256)
        # Opened again: what the process server had under these numbers is closed.
        logs.set_up("json")
        if wanted.break_guard is not None:
            from .guards import GUARDS

            GUARDS[wanted.break_guard].turn_off()
        if wanted.watched:
            watch_steps(wanted)
        role()
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


# -- the process server itself


def main() -> None:
    """Start what is asked for until the input ends."""
    for name, seconds in POLL_SECONDS.items():
        assert hasattr(loops, name), name
        setattr(loops, name, seconds)
    children: set[int] = set()
    built: dict[str, dict[str, Callable[[], None]]] = {}
    wake_up, woken = socket.socketpair()
    for end in (wake_up, woken):
        end.setblocking(False)
    signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    waiting = selectors.DefaultSelector()
    waiting.register(0, selectors.EVENT_READ)
    waiting.register(wake_up, selectors.EVENT_READ)
    unread = b""
    while True:
        for key, _ in waiting.select():
            if key.fileobj is wake_up:
                with contextlib.suppress(BlockingIOError):
                    wake_up.recv(4_096)
                continue
            read = os.read(0, 1 << 16)
            if not read:
                for pid in children:
                    os.kill(pid, signal.SIGKILL)
                return
            *lines, unread = (unread + read).split(b"\n")
            for line in lines:
                wanted = Wanted(**json.loads(line))
                role = _built(built, wanted)
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    for name in (signal.SIGCHLD, signal.SIGINT):
                        signal.signal(name, signal.SIG_DFL)
                    live(wanted, role)
                children.add(pid)
                _say(started=wanted.name, pid=pid)
        while children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            children.discard(pid)
            _say(ended=pid, status=os.waitstatus_to_exitcode(status))


def _built(built: dict[str, dict[str, Callable[[], None]]], wanted: Wanted) -> Callable[[], None]:
    """Return what runs in the wanted process; it is built once, and kept for as long as its testbed is among the latest."""
    testbed = built.setdefault(wanted.folder, {})
    while len(built) > TESTBEDS_KEPT:
        del built[next(iter(built))]
    if wanted.name not in testbed:
        testbed[wanted.name] = ROLES[wanted.role](wanted)
        gc.collect()
        gc.freeze()
    return testbed[wanted.name]


def _say(**facts: object) -> None:
    os.write(1, json.dumps(facts).encode() + b"\n")


# -- whoever asks the process server


class ProcessForks:
    """A running process server; `start` gives a pid, `ended` tells how a pid ended, or None while it lives."""

    def __init__(self) -> None:
        import subprocess

        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.process_forks"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._changed = threading.Condition()
        self._started: list[int] = []
        self._ended: dict[int, int] = {}
        self._starting = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def start(self, wanted: Wanted) -> int:
        assert self._process.stdin is not None
        with self._starting:
            before = len(self._started)
            self._process.stdin.write(json.dumps(asdict(wanted)).encode() + b"\n")
            self._process.stdin.flush()
            with self._changed:
                assert self._changed.wait_for(lambda: len(self._started) > before, START_SECONDS_MAX), (
                    "the process server started nothing"
                )
                return self._started[-1]

    def ended(self, pid: int, within_seconds: float = 0) -> int | None:
        """Return the exit code of a process that ends within these seconds (negative: by which signal)."""
        with self._changed:
            self._changed.wait_for(lambda: pid in self._ended, within_seconds)
            return self._ended.get(pid)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._reader.join(5)
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            with self._changed:
                if "started" in message:
                    # After tens of thousands of processes the system gives out the same numbers again.
                    self._ended.pop(message["pid"], None)
                    self._started.append(message["pid"])
                else:
                    self._ended[message["ended"]] = message["status"]
                self._changed.notify_all()


@functools.cache
def shared_process_forks() -> ProcessForks:
    """Return the process server of this process, which serves all its testbeds: to import everything takes a second of a core."""
    forks = ProcessForks()
    atexit.register(forks.close)
    return forks


if __name__ == "__main__":
    main()
