"""How long a drain takes, and what it keeps busy: a simulation, and how it is held against measured drains.

    python -m tools.scaling drain --charges 400000 --gateways 2   one drain, simulated
    python -m tools.scaling table                                 what 10^4, 10^6 and 10^7 subscribers want
    python -m tools.scaling check numbers.json                    against make bench ARGS="--drain --json numbers.json"

A drain is simulated event by event: claims, places, the intent, the PG's answer, the outcome and the webhooks after
it. A gateway process does one thing at a time, a database as many as it has cores; all time is made up. Status 1:
`check` found the simulation further off than --within. docs/scaling.md tells the model with its symbols.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import random
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

CLAIM_SHARE = 4
CLAIM_PAUSE_SECONDS = 0.2
LATE_SECONDS = 60.0
"""As the worker has them: a claim when a quarter of the places is free, or after a pause; what is late asks first."""
SHARE_OF_INTENT = 0.5
"""How much of a charge's CPU comes before the PG is called; the rest comes with its answer."""
SIMULATED_MAX = 20_000
"""So many charges show the pace of any number; the rest of a longer drain goes on at it."""
SUBSCRIBERS = (10_000, 1_000_000, 10_000_000)


@dataclass(frozen=True, slots=True)
class Drain:
    """What is due at one moment, what works on it, and what one charge costs. CPU is in milliseconds."""

    charges: int = 10_000
    gateways: int = 1
    places: int = 200
    """Scheduled charges that one process has under way at most."""
    gateway_ms: float = 1.0
    database_ms: float = 1.0
    database_cores: int = 2
    shared_cores: int = 0
    """Cores that gateways, database and all else share, if they are on one machine; 0: each has its own."""
    pg_ms: float = 200.0
    """The median of the PG's answers."""
    pg_spread: float = 0.0
    """The standard deviation of the answer's logarithm: with 0.5 one in twenty takes more than 2.3 times the median."""
    commit_ms: float = 1.0
    """How long a commit takes beside its CPU: the flush, and the standby where there is one. A charge has two."""
    webhooks: int = 0
    """Of one charge."""
    webhook_ms: float = 0.0
    webhook_database_ms: float = 0.0
    asks_when_late: bool = True
    """Whether a charge that is a minute late asks the PG for its key first, as 0024 has it: one call more."""
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Drained:
    """How a drain went. `busy` is a share of the time, of one gateway process and of the database's cores."""

    seconds: float
    per_second: float
    gateway_busy: float
    database_busy: float
    calls: int
    under_way: float
    """How many calls of the PG were under way, on average."""


class Processors:
    """Cores that take what comes first; each piece of work is on one of them."""

    def __init__(self, count: int) -> None:
        self._free = [0.0] * count
        self.busy = 0.0

    def run(self, now: float, seconds: float) -> float:
        """Return when work that is there now is done."""
        began = max(now, heapq.heappop(self._free))
        heapq.heappush(self._free, began + seconds)
        self.busy += seconds
        return began + seconds


class _Machines:
    """What runs where: on cores of its own, or all on those of one machine."""

    def __init__(self, drain: Drain) -> None:
        self._shared = Processors(drain.shared_cores) if drain.shared_cores else None
        self.gateways = [Processors(1) for _ in range(drain.gateways)]
        self.database = Processors(drain.database_cores)

    def on_gateway(self, number: int, now: float, ms: float) -> float:
        return self._both(self.gateways[number], now, ms / 1000)

    def on_database(self, now: float, ms: float) -> float:
        return self._both(self.database, now, ms / 1000)

    def _both(self, own: Processors, now: float, seconds: float) -> float:
        done = own.run(now, seconds)
        return done if self._shared is None else max(done, self._shared.run(now, seconds))


def simulate(drain: Drain) -> Drained:
    """Let a drain happen. Of very many charges SIMULATED_MAX are simulated, and the rest goes on at their pace."""
    if not drain.asks_when_late:
        return _at_one_pace(drain, late=False)
    fresh = _at_one_pace(drain, late=False)
    in_time = int(LATE_SECONDS * fresh.per_second)
    if fresh.seconds <= LATE_SECONDS or in_time >= drain.charges:
        return fresh
    late = _at_one_pace(replace(drain, charges=drain.charges - in_time), late=True)
    return replace(late, seconds=LATE_SECONDS + late.seconds, calls=in_time + late.calls)


def _at_one_pace(drain: Drain, *, late: bool) -> Drained:
    """Let a drain happen in which every charge asks first, or none does."""
    simulated = min(drain.charges, SIMULATED_MAX)
    ends, machines, calls, called_seconds = _ends(replace(drain, charges=simulated), late=late)
    ends.sort()
    # The first charges all begin at once and the last ones have the machines to themselves: neither is the pace.
    first, last = simulated // 10, simulated - 1 - simulated // 10
    pace = (last - first) / (ends[last] - ends[first]) if ends[last] > ends[first] else simulated / ends[-1]
    return Drained(
        ends[-1] + (drain.charges - simulated) / pace,
        pace,
        sum(gateway.busy for gateway in machines.gateways) / (drain.gateways * ends[-1]),
        machines.database.busy / (drain.database_cores * ends[-1]),
        calls * drain.charges // simulated,
        called_seconds / ends[-1],
    )


def _ends(drain: Drain, *, late: bool) -> tuple[list[float], _Machines, int, float]:
    """Return when each charge was recorded, what was busy, how many calls there were and how long they took in all."""
    chance = random.Random(drain.seed)
    machines = _Machines(drain)
    events: list[tuple[float, int, int, Callable[[float, int], None]]] = []
    left, number = drain.charges, 0
    free = [drain.places] * drain.gateways
    ends: list[float] = []
    calls, called_seconds = 0, 0.0
    worth_a_claim = max(1, drain.places // CLAIM_SHARE)

    def later(at: float, gateway: int, what: Callable[[float, int], None]) -> None:
        nonlocal number
        number += 1
        heapq.heappush(events, (at, number, gateway, what))

    def take(now: float, gateway: int) -> None:
        nonlocal left
        taken = min(free[gateway], left)
        left -= taken
        free[gateway] -= taken
        for _ in range(taken):
            later(now, gateway, begin)

    def claim(now: float, gateway: int) -> None:
        take(now, gateway)
        if left:
            later(now + CLAIM_PAUSE_SECONDS, gateway, claim)

    def begin(now: float, gateway: int) -> None:
        nonlocal calls, called_seconds
        at = now
        if late:
            seconds = answer()
            calls, called_seconds, at = calls + 1, called_seconds + seconds, now + seconds
        later(at, gateway, intend)

    def intend(now: float, gateway: int) -> None:
        nonlocal calls, called_seconds
        at = machines.on_gateway(gateway, now, drain.gateway_ms * SHARE_OF_INTENT)
        at = machines.on_database(at, drain.database_ms * SHARE_OF_INTENT) + drain.commit_ms / 1000
        seconds = answer()
        calls, called_seconds = calls + 1, called_seconds + seconds
        later(at + seconds, gateway, record)

    def record(now: float, gateway: int) -> None:
        at = machines.on_gateway(gateway, now, drain.gateway_ms * (1 - SHARE_OF_INTENT))
        at = machines.on_database(at, drain.database_ms * (1 - SHARE_OF_INTENT)) + drain.commit_ms / 1000
        later(at, gateway, end)

    def end(now: float, gateway: int) -> None:
        ends.append(now)
        free[gateway] += 1
        for _ in range(drain.webhooks):
            machines.on_gateway(gateway, now, drain.webhook_ms)
            machines.on_database(now, drain.webhook_database_ms)
        if left and free[gateway] >= worth_a_claim:
            take(now, gateway)

    def answer() -> float:
        return drain.pg_ms / 1000 * (math.exp(chance.gauss(0.0, drain.pg_spread)) if drain.pg_spread else 1.0)

    for gateway in range(drain.gateways):
        later(0.0, gateway, claim)
    while events:
        at, _, gateway, what = heapq.heappop(events)
        what(at, gateway)
    return ends, machines, calls, called_seconds


def bounds(drain: Drain) -> dict[str, float]:
    """Return what each part alone would let through, in charges a second; the least of them is the pace, nearly."""
    trip = drain.pg_ms / 1000 * math.exp(drain.pg_spread**2 / 2) + 2 * drain.commit_ms / 1000
    of_gateway = drain.gateway_ms + drain.webhooks * drain.webhook_ms
    of_database = drain.database_ms + drain.webhooks * drain.webhook_database_ms
    found = {
        "places": drain.gateways * drain.places / (trip + (of_gateway + of_database) / 1000),
        "gateways": drain.gateways * 1000 / of_gateway,
        "database": drain.database_cores * 1000 / of_database,
    }
    if drain.shared_cores:
        found["shared cores"] = drain.shared_cores * 1000 / (of_gateway + of_database)
    return found


@dataclass(frozen=True, slots=True)
class Checked:
    """A measured drain, and what the simulation says of it."""

    name: str
    measured: float
    simulated: float

    @property
    def ratio(self) -> float:
        return self.simulated / self.measured


def check(measured: dict[str, Any], drain: Drain) -> Iterator[Checked]:
    """Hold the simulation against each measured drain; what one charge cost is taken from there."""
    for one in measured["drains"]:
        database = one["database_cpu_ms"]
        simulated = simulate(
            replace(
                drain,
                charges=one["count"],
                pg_ms=one["pg_ms"],
                gateway_ms=one["cpu_ms"],
                database_ms=database or 0.0,
                asks_when_late=False,
            )
        )
        yield Checked(f"{one['engine']}, PG {one['pg_ms']} ms", one["per_second"], simulated.per_second)


def main(arguments: Sequence[str] | None = None) -> int:
    """Say what was asked for as plain text; 1 when a check is further off than it may be."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.scaling", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("drain", "simulate one drain"),
        ("table", "simulate what subscribers of three sizes want"),
        ("check", "simulate measured drains"),
    ):
        _options(commands.add_parser(name, help=text))
    commands.choices["check"].add_argument("file", type=Path, help="what bench --drain --json wrote")
    commands.choices["check"].add_argument("--within", type=float, default=0.25, help="how far off it may be (0.25)")
    given = parser.parse_args(arguments)
    drain = Drain(**{name: getattr(given, name) for name in _TYPES})
    if given.command == "check":
        return _say_checked(list(check(json.loads(given.file.read_text()), drain)), given.within)
    if given.command == "table":
        _say_table(drain)
    else:
        _say(drain)
    return 0


_TYPES: dict[str, type] = {
    name: type(getattr(Drain(), name)) for name in Drain.__dataclass_fields__ if name != "asks_when_late"
}


def _options(parser: argparse.ArgumentParser) -> None:
    for name, kind in _TYPES.items():
        default = getattr(Drain(), name)
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=default, help=f"{default}")


def _say(drain: Drain) -> None:
    found = simulate(drain)
    print(
        f"{drain.charges:,} charges on {drain.gateways} gateways with {drain.places} places each, PG {drain.pg_ms:g} ms"
    )
    print(f"  takes            {_duration(found.seconds)}, {found.per_second:,.0f} a second")
    print(f"  calls of the PG  {found.calls:,}, {found.under_way:,.0f} under way on average")
    print(f"  busy             gateway {found.gateway_busy:.0%}, database {found.database_busy:.0%}")
    for name, most in bounds(drain).items():
        print(f"  at most          {most:,.0f} a second by {name}")


def _say_table(drain: Drain) -> None:
    print(
        f"{'subscribers':>12} {'gateways':>8} {'a second':>9} {'takes':>10} {'gateway':>8} {'database':>9}"
        f" {'calls':>12}"
    )
    for subscribers in SUBSCRIBERS:
        for gateways in (1, 2, 4):
            of = replace(drain, charges=subscribers, gateways=gateways)
            found = simulate(of)
            print(
                f"{subscribers:>12,} {gateways:>8} {found.per_second:>9,.0f} {_duration(found.seconds):>10}"
                f" {found.gateway_busy:>8.0%} {found.database_busy:>9.0%} {found.calls:>12,}"
            )


def _say_checked(found: Sequence[Checked], within: float) -> int:
    for one in found:
        print(f"{one.name:<24} measured {one.measured:>8,.0f}/s   simulated {one.simulated:>8,.0f}/s   {one.ratio:.2f}")
    print(f"median of the ratios: {statistics.median(one.ratio for one in found):.2f}")
    off = [one.name for one in found if not 1 / (1 + within) <= one.ratio <= 1 + within]
    if off:
        print(f"further off than {within:.0%}: {', '.join(off)}", file=sys.stderr)
    return 1 if off else 0


def _duration(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7_200
        else f"{seconds / 3_600:.1f} h"
    )


if __name__ == "__main__":
    sys.exit(main())
