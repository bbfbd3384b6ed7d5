"""Shops' own servers: the examples of the manual, each in a folder with what its language needs, started as a shop would."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET
from tests.support.world import free_port
from tools import provide

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples" / "webhooks"
REQUIREMENTS = ROOT / "requirements" / "receivers.txt"
NODE = Path(__file__).parent
START_SECONDS_MAX = 150
SAYS_SECONDS_MAX = 60


@contextmanager
def _one_at_a_time(name: str) -> Iterator[None]:
    """Let one process at a time make a folder under build/; the next finds it whole."""
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build" / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _made_once(name: str, *files: Path) -> tuple[Path, Path]:
    """Return a folder under build/ that belongs to these files as they are, and the mark that it is whole."""
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:12]
    folder = ROOT / "build" / f"{name}-{digest}"
    return folder, folder / ".whole"


@functools.cache
def python() -> Path:
    """A Python with what a shop has, exactly as locked; none of it is in our own environment."""
    with _one_at_a_time("receivers-python"):
        folder, whole = _made_once("receivers-python", REQUIREMENTS)
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            uv = [str(Path(sys.executable).with_name("uv"))]
            _run([*uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
            _run([*uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), "--require-hashes", "-r", str(REQUIREMENTS)])  # fmt: skip
            whole.touch()
    return folder / "bin" / "python"


@functools.cache
def node_modules() -> Path:
    """A folder with the packages of Node.js, exactly as locked."""
    provide.node()
    with _one_at_a_time("receivers-node"):
        folder, whole = _made_once("receivers-node", NODE / "package.json", NODE / "package-lock.json")
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(NODE / name, folder)
            _run(["npm", "ci", "--no-audit", "--no-fund"], folder)
            whole.touch()
    return folder / "node_modules"


def _run(command: list[str], folder: Path | None = None) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _python(*module: str) -> list[str]:
    return [str(python()), "-m", *module]


def _commands(port: int) -> Mapping[str, object]:
    """How each is started, as the manual says; a function, for looking for a program may install it."""
    at = ("--port", str(port))
    return {
        "flask": lambda: _python("flask", "--app", "flask_app", "run", *at),
        "fastapi": lambda: _python("uvicorn", "fastapi_app:app", "--log-level", "warning", *at),
        "django": lambda: [str(python()), "django_app.py", "runserver", "--noreload", str(port)],
        "express": lambda: [str(provide.node()), "express-app.mjs"],
        "nextjs": lambda: [str(provide.node()), "node_modules/next/dist/bin/next", "dev", "-H", "127.0.0.1", *at],
        "php": lambda: [str(provide.php()), "-S", f"127.0.0.1:{port}", "webhook.php"],
        "java": lambda: [str(provide.java()), "Receiver.java"],
    }


KINDS = tuple(_commands(0))
IN_NODE = {"express", "nextjs"}


@dataclass
class Shop:
    """One receiver that runs, and what it said that it kept."""

    url: str
    lines: queue.Queue[str] = field(default_factory=queue.Queue)
    all_lines: list[str] = field(default_factory=list)

    def kept(self) -> str:
        """Return what it kept next, such as `order_1 paid 3000 0`."""
        try:
            return self.lines.get(timeout=SAYS_SECONDS_MAX)
        except queue.Empty:
            raise AssertionError(f"nothing more was kept: {self.all_lines[-20:]}") from None

    def nothing_more(self) -> bool:
        return self.lines.empty()


@contextmanager
def shop(kind: str, folder: Path, gateway: str, secret: str) -> Iterator[Shop]:
    """Run a receiver of the manual until the block ends."""
    shutil.copytree(EXAMPLES, folder, dirs_exist_ok=True)
    if kind in IN_NODE:
        (folder / "node_modules").symlink_to(node_modules())
    port = free_port()
    environment = os.environ | {
        "MAEDAL_URL": gateway,
        "MAEDAL_API_KEY": DEMO_API_KEY,
        "MAEDAL_API_SECRET": DEMO_API_SECRET,
        "MAEDAL_WEBHOOK_SECRET": secret,
        "PORT": str(port),
        "SHOP_DATABASE": f"sqlite:{folder}/shop.db" if kind == "php" else str(folder / "shop.db"),
        "NEXT_TELEMETRY_DISABLED": "1",
        "PYTHONUNBUFFERED": "1",
    }
    command = _commands(port)[kind]()  # type: ignore[operator]
    running = Shop(f"http://127.0.0.1:{port}/webhook")
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        listener = threading.Thread(target=_listen, args=(process, running), daemon=True)
        listener.start()
        try:
            _wait_until_it_answers(process, running)
            yield running
        finally:
            # Next.js serves from a process of its own; the session has them all, and nobody else's.
            os.killpg(process.pid, 15)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
            listener.join(5)


def _listen(process: subprocess.Popen[str], running: Shop) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        running.all_lines.append(line.rstrip())
        if "kept " in line:
            running.lines.put(line.rstrip().rpartition("kept ")[2])


def _wait_until_it_answers(process: subprocess.Popen[str], running: Shop) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        assert process.poll() is None, running.all_lines
        with suppress(httpx.TransportError):
            # Not signed: whatever runs must refuse it.
            assert httpx.post(running.url, content=b"{}", timeout=60).status_code == 401, running.all_lines
            return
        time.sleep(0.2)
    raise AssertionError(running.all_lines)
