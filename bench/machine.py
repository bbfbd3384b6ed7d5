"""What the numbers were measured on."""

from __future__ import annotations

import asyncio
import os
import platform
import sqlite3
import statistics
import time
from importlib.metadata import version
from pathlib import Path

import asyncpg

from bench.proc import parent

FLUSHES = 50


def machine(folder: Path) -> dict[str, str]:
    """Return names and values, for people. `folder` is where the databases lie."""
    return {
        "cpu": f"{_cpu_model()}, {len(os.sched_getaffinity(0))} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
        "sqlite": f"{sqlite3.sqlite_version}, WAL, synchronous=FULL",
        "disk": f"{_file_system(folder)}, a flush takes {_flush_ms(folder):.2f} ms",
        "load before": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


LIBRARIES = ("litestar", "uvicorn", "uvloop", "httptools", "msgspec", "aiohttp", "asyncpg")


def postgres(url: str) -> tuple[str, int | None]:
    """Return version and durability of a PostgreSQL server, and its process id when it runs on this machine."""
    return asyncio.run(_ask_postgres(url))


async def _ask_postgres(url: str) -> tuple[str, int | None]:
    connection = await asyncpg.connect(url)
    try:
        number = await connection.fetchval("SHOW server_version")
        shown = [
            f"{name}={await connection.fetchval(f'SHOW {name}')}"
            for name in ("fsync", "synchronous_commit", "full_page_writes")
        ]
        return f"{number}, {', '.join(shown)}", _server_of(await connection.fetchval("SELECT pg_backend_pid()"))
    finally:
        await connection.close()


def analyze(url: str) -> None:
    """Let PostgreSQL count its rows."""

    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute("ANALYZE")
        finally:
            await connection.close()

    asyncio.run(run())


def _server_of(backend: int) -> int | None:
    """Return the parent of a backend, unless the backend runs on another machine."""
    try:
        local = Path(f"/proc/{backend}/comm").read_text().startswith("postgres")
        return parent(backend) if local else None
    except OSError:
        return None


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(folder: Path) -> str:
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    inside = [mount for mount in mounts if folder.is_relative_to(mount[0])]
    return max(inside, key=lambda mount: len(mount[0]))[1] if inside else "unknown file system"


def _flush_ms(folder: Path) -> float:
    """Return how long the disk takes to keep 4 KiB, the median of a few."""
    times = []
    with (folder / "flush").open("wb", buffering=0) as file:
        for _ in range(FLUSHES):
            file.write(bytes(4096))
            started = time.perf_counter()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)
