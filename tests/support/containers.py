"""Podman with a store of its own: images and containers of a test, gone at its end."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools import provide

SECONDS_MAX = 600
# Less than Podman would ask for: some machines let even root raise nothing.
LIMITS = ("--ulimit", "nofile=1024:4096", "--ulimit", "nproc=1000:1000")


class Podman:
    """Runs `podman` and keeps everything below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._words = [
            str(provide.podman()),
            "--root",
            str(folder / "store"),
            "--runroot",
            str(folder / "run"),
            # crun, the usual one, refuses machines that have both kinds of cgroups.
            "--runtime",
            "runc",
            "--cgroup-manager",
            "cgroupfs",
        ]

    def __call__(self, *words: object, status: int | None = 0, seconds: float = SECONDS_MAX) -> str:
        """Run it to its end; give what it says."""
        done = subprocess.run(
            [*self._words, *map(str, words)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert status is None or done.returncode == status, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def run(self, image: str, *command: str, options: Sequence[object] = (), status: int | None = 0) -> str:
        return self("run", "--rm", *LIMITS, *options, image, *command, status=status)

    def start(self, name: str, image: str, *command: str, options: Sequence[object] = ()) -> None:
        """Run a container in the background under a name."""
        self("run", "--detach", "--name", name, *LIMITS, *options, image, *command)

    def inspect(self, name: str) -> dict[str, Any]:
        (found,) = json.loads(self("inspect", name))
        return found

    def healthy(self, name: str) -> bool:
        """Ask what the image or the container has for a health check, as a daemon does every few seconds."""
        self("healthcheck", "run", name, status=None)
        state = self.inspect(name)["State"]
        tries = (state.get("Health") or state.get("Healthcheck") or {}).get("Log") or [{"ExitCode": 1}]
        return bool(tries[-1]["ExitCode"] == 0)

    def wait_until_healthy(self, name: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self.healthy(name):
            running = self.inspect(name)["State"]["Running"]
            assert running and time.monotonic() < deadline, self("logs", name)
            time.sleep(0.5)


@contextmanager
def podman() -> Iterator[Podman]:
    # Not below pytest's folder: Podman refuses long paths.
    folder = Path(tempfile.mkdtemp(prefix="maedal-podman-", dir="/tmp"))
    program = Podman(folder)
    try:
        yield program
    finally:
        program("rm", "--all", "--force", "--time", 0, status=None)
        program("rmi", "--all", "--force", status=None)
        program("umount", "--all", "--force", status=None)
        subprocess.run(["umount", "--recursive", str(folder / "store" / "overlay")], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)
