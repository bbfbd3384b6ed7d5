"""What good shops feel while everybody else means no good: `python -m bench.hostile`.

A real `maedal serve` on PostgreSQL and a PG that approves after 20 ms. Charges of one shop arrive at half of what was
the most, at set moments, and wait is counted from these. In turns nothing else happens, and bench.attackers does all it
can. Every charge must be paid. Memory and descriptors of the gateway are looked at after each turn.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from tests.support.rows import reading

from bench.load import Task, charge_request, token_request
from bench.machine import analyze, machine
from bench.proc import descriptors, memory_kib, processor_ticks
from bench.programs import LEASH, ROOT, ask, environment
from bench.report import percentile
from bench.seed import Shop as SeededShop
from bench.served import Served, served

KEYS = 5_000
CALLERS = 64
PEAK_SECONDS = 15.0
SETTLE_SECONDS = 3.0
"""After attackers come or go, before anything counts."""
PG_MS = 20
UNAUTHORIZED = -1
"""The code of an answer to a token that is over."""


@dataclass
class Shop:
    """One shop's server, its connections kept alive."""

    task: Task
    merchant: SeededShop
    number: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    _renewing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def charge(self) -> bool:
        """Charge the next key once, and say whether it was paid."""
        number, self.number = self.number, self.number + 1
        token = self.task.token
        try:
            answer = await self._exchange(charge_request(self.task, number, number % KEYS))
            if answer.get("code") == UNAUTHORIZED:
                await self._renew(token)
                answer = await self._exchange(charge_request(self.task, number, number % KEYS))
        except OSError as error:
            self.refused[type(error).__name__] += 1
            return False
        payment = answer.get("response") or {}
        if payment.get("status") != "paid":
            self.refused[str(payment.get("fail_reason") or answer.get("message"))[:80]] += 1
            return False
        return True

    async def _renew(self, token: str) -> None:
        """Get a new token in place of one that is over, unless another charge has done so."""
        async with self._renewing:
            if self.task.token == token:
                request = token_request(self.task, self.merchant.api_key, self.merchant.api_secret)
                self.task.token = (await self._exchange(request))["response"]["access_token"]

    def _kept(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """Return a connection that the gateway has not closed for want of requests, as HTTP clients look for one."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return None

    async def _exchange(self, request: bytes) -> dict[str, Any]:
        reader, writer = self._kept() or await asyncio.open_connection("127.0.0.1", self.task.port)
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            lines = [line.lower().partition(b":") for line in head.split(b"\r\n")]
            [length] = [int(value) for name, _, value in lines if name == b"content-length"]
            answer = msgspec.json.decode(await reader.readexactly(length), type=dict[str, Any])
        except (asyncio.IncompleteReadError, OSError) as error:
            writer.transport.abort()
            raise ConnectionError(str(error)) from error
        self._idle.append((reader, writer))
        return answer

    async def peak(self, seconds: float) -> float:
        """Return how many charges a second are made when each caller sends the next at once."""
        over = time.monotonic() + seconds
        first = self.number

        async def call() -> None:
            while time.monotonic() < over:
                await self.charge()

        await asyncio.gather(*(call() for _ in range(CALLERS)))
        return (self.number - first) / seconds

    async def steadily(self, per_second: float, seconds: float) -> list[float]:
        """Charge at set moments, however long the others take; return each one's wait in milliseconds."""
        waits: list[float] = []
        begun = time.monotonic()

        async def one(due: float) -> None:
            if await self.charge():
                waits.append((time.monotonic() - due) * 1000)

        tasks = []
        for count in range(int(per_second * seconds)):
            due = begun + count / per_second
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            tasks.append(asyncio.create_task(one(due)))
        await asyncio.gather(*tasks)
        return waits


@dataclass(frozen=True)
class Attacks:
    """How many requests a second all attackers send together, and of which kinds, after commas; none means all."""

    per_second: float
    kinds: str


@contextlib.contextmanager
def attacked(port: int, user_code: str, attacks: Attacks, answers: Counter[str]) -> Iterator[None]:
    """Let the attackers do all they can until the block ends; what they were answered is added to `answers`."""
    command = [
        *LEASH,
        sys.executable,
        "-m",
        "bench.attackers",
        str(port),
        user_code,
        str(attacks.per_second),
        attacks.kinds,
    ]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield
    finally:
        said, _ = process.communicate(timeout=120)
        answers.update(json.loads(said))


@dataclass
class Found:
    """What was seen."""

    clean: list[list[float]] = field(default_factory=list)
    """Waits in ms, sorted, turn by turn."""
    hostile: list[list[float]] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    memory_mib: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    stolen: list[float] = field(default_factory=list)
    """What share of the machine's time other machines took in each turn, in percent."""


def run(minutes: float, turn_seconds: float, attacks: Attacks, out: Path | None) -> int:
    """Measure, print what was found, and return the exit code: 1 when a charge was refused or lost."""
    with served("postgresql", KEYS) as on:
        ask(on.pg_port, f"/bench/start/{PG_MS}", post=True)
        shop = Shop(Task(on.port, on.token, CALLERS, 0, 0, 0, False, 0.0, {}), on.merchant)
        found = Found()
        with reading(on.settings.database_url) as rows:
            [merchant] = rows.fetch("SELECT code FROM merchants")
        user_code = merchant["code"]
        peak = asyncio.run(_measure(shop, found, minutes, turn_seconds, attacks, on, user_code))
        seen = msgspec.json.decode(ask(on.pg_port, "/bench/seen"), type=dict[str, int])
    clean, hostile = sorted(chain(*found.clean)), sorted(chain(*found.hostile))
    print(f"peak {peak:.0f} charges a second, then half of that; {shop.number} charges, refused: {dict(shop.refused)}")
    print(f"the PG saw {seen['charges']} charges of {seen['orders']} orders")
    for name, waits in (("clean", clean), ("attacked", hostile)):
        print(f"{name}: {len(waits)} charges, p50 {percentile(waits, 50):.1f} ms, p99 {percentile(waits, 99):.1f} ms")
    print(f"p99 attacked / clean: {percentile(hostile, 99) / percentile(clean, 99):.2f}")
    ratios = [percentile(h, 99) / percentile(c, 99) for c, h in zip(found.clean, found.hostile, strict=True)]
    print(
        f"the same within each turn: {' '.join(f'{ratio:.2f}' for ratio in ratios)}; {median(ratios):.2f} in the median"
    )
    print(f"memory after each turn, MiB: {found.memory_mib}")
    print(f"descriptors after each turn: {found.descriptors}")
    for kind, count in sorted(found.answers.items()):
        print(f"  {kind}: {count}")
    if out is not None:
        out.write_bytes(msgspec.json.encode({
            "machine": machine(Path(tempfile.gettempdir())), "clean": found.clean, "hostile": found.hostile,
            "answers": found.answers, "memory_mib": found.memory_mib, "descriptors": found.descriptors,
            "stolen": found.stolen, "refused": shop.refused,
        }))  # fmt: skip
    whole = seen["charges"] == seen["orders"] == shop.number and not shop.refused
    return 0 if whole else 1


async def _measure(
    shop: Shop, found: Found, minutes: float, turn_seconds: float, attacks: Attacks, on: Served, code: str
) -> float:
    await shop.peak(PEAK_SECONDS / 3)
    await asyncio.to_thread(analyze, on.settings.database_url)
    peak = await shop.peak(PEAK_SECONDS)
    over = time.monotonic() + minutes * 60
    while time.monotonic() < over:
        before = processor_ticks()
        found.clean.append(sorted(await shop.steadily(peak / 2, turn_seconds / 4)))
        with attacked(on.port, code, attacks, found.answers):
            await asyncio.sleep(SETTLE_SECONDS)
            found.hostile.append(sorted(await shop.steadily(peak / 2, turn_seconds)))
        stolen, whole = (now - then for now, then in zip(processor_ticks(), before, strict=True))
        await asyncio.sleep(SETTLE_SECONDS)
        found.memory_mib.append(memory_kib(on.pid) >> 10)
        found.descriptors.append(descriptors(on.pid))
        found.stolen.append(round(100 * stolen / whole, 1))
        clean, hostile = (percentile(turns[-1], 99) for turns in (found.clean, found.hostile))
        print(
            f"turn {len(found.hostile)}: p99 {clean:.0f} ms clean, {hostile:.0f} ms under attack,"
            f" {sum(shop.refused.values())} refused, {found.memory_mib[-1]} MiB, {found.descriptors[-1]} descriptors,"
            f" {found.stolen[-1]} % of the time taken by other machines",
            flush=True,
        )
    return peak


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=41.0, help="three quarters of it are under attack")
    parser.add_argument("--turn", type=float, default=60.0, help="seconds of a turn under attack")
    parser.add_argument("--attacks", type=float, default=100.0, help="requests a second of all attackers together")
    parser.add_argument("--kinds", default="", help="only these kinds of attacks, after commas")
    parser.add_argument("--json", type=Path, default=None, help="also write every number to this file")
    given = parser.parse_args()
    raise SystemExit(run(given.minutes, given.turn, Attacks(given.attacks, given.kinds), given.json))
