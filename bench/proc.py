"""CPU time and memory of a process, and the ticks of all processors, read from /proc. Linux only."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Return the user and system time of a process with all its threads, its living children and its ended ones."""
    # The fields behind the name, which is in brackets and may hold anything, begin with the third of proc(5).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    ticks = sum(int(field) for field in fields[11:15])
    return ticks / _TICKS + sum(cpu_seconds(child) for child in _children(pid))


def memory_kib(pid: int) -> int:
    """Return the resident memory of one process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def descriptors(pid: int) -> int:
    """Return how many files and sockets one process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def peak_memory_kib(pid: int) -> int:
    """Return the most resident memory that one process had since its start, or since that was forgotten."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def reset_peak_memory(pid: int) -> None:
    """Forget the most memory that a process had."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def processor_ticks() -> tuple[int, int]:
    """Return the ticks that other machines took from this one since it started, and all ticks of its processors."""
    # Steal is the eighth field of the line of all processors, proc(5); what guests took is in the others already.
    ticks = [int(field) for field in Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]]
    return ticks[7], sum(ticks)


def parent(pid: int) -> int:
    """Return the id of a process's parent."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
