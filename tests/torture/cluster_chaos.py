"""Chaos on a cluster that fails over: the same shops, kills and faults, and the primary is hurt again and again.

Some gateways are spared: nobody kills or freezes them, each finds the primary in another way (HAProxy, several hosts,
PgBouncer), and a shop charges through each without a pause. So it is measured how long after a promotion charges flow
again without a restart.
"""

from __future__ import annotations

import random
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Literal

from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from maedal.storage.errors import StoreError
from maedal.storage.migrate import migrate
from tests.support.cluster import Cluster, ClusterFailed
from tests.support.pgbouncer import PgBouncer

from .chaos import Chaos, Score
from .checker import Records, check, check_after_losses
from .failovers import ACTS, LATE_SECONDS, PROMOTION_SECONDS_MAX, wait_for_promotion
from .findings import Finding
from .shop import Shop
from .testbed import Testbed, open_testbed

FAILOVERS_A_ROUND = 2
ROUND_SECONDS_MAX = 150.0
BEFORE_AN_ACT_SECONDS = (1.0, 4.0)
STEADY_SECONDS = 0.5
STEADY_KEYS = 12
RESERVED_KEYS = 12
"""Of each act, charged only once somebody is promoted: those that are charged in the outage may have to be clarified first."""
STEADY_OPEN_MAX = 60
"""A call that hangs must not keep the next one from being made: these are as many as half a minute has."""
SECONDS_BETWEEN_DISTURBANCES = 1.5
"""Fewer faults than elsewhere: a charge that is lost keeps its key, and of the spared gateways' keys most must be free."""
SECONDS_TO_LIVE = (0.3, 1.0, 3.0, 6.0, 10.0)
STEADY_PATIENCE_SECONDS = 25.0
BY_THE_SHOP = "asked twice"
"""The kind of a double charge that a shop asked for itself, after an asynchronous failover had forgotten the first."""


@dataclass
class Failovers:
    """What became of the failovers so far."""

    done: Counter[str] = field(default_factory=Counter)
    """Promotions, by the act."""
    missing: Counter[str] = field(default_factory=Counter)
    """Acts after which nobody was promoted in time."""
    flow_seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """From the promotion to the first charge that was answered `paid`, by the route of the gateway."""
    flow_of_act: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    asked_twice: int = 0
    entered: int = 0
    """Payments that the promoted database had forgotten, and that were entered."""

    @property
    def total(self) -> int:
        return self.done.total()

    def add(self, other: Failovers) -> None:
        self.done += other.done
        self.missing += other.missing
        for mine, theirs in ((self.flow_seconds, other.flow_seconds), (self.flow_of_act, other.flow_of_act)):
            for name, seconds in theirs.items():
                mine[name] += seconds
        self.asked_twice += other.asked_twice
        self.entered += other.entered


class ClusterChaos(Chaos):
    """Chaos on a testbed whose database is a cluster; `steady` are the spared gateways' ports by their route."""

    def __init__(
        self,
        testbed: Testbed,
        seed: int,
        cluster: Cluster,
        steady: dict[str, int],
        *,
        synchronous: bool,
        enough: threading.Event | None = None,
    ) -> None:
        super().__init__(testbed, seed, None, enough)
        self.failovers = Failovers()
        self.cluster, self._steady, self._synchronous = cluster, steady, synchronous
        self._paid = threading.Condition()
        self._last_paid: dict[str, float] = {}
        self._keys: dict[str, deque[str]] = defaultdict(deque)
        self._all_keys: dict[str, list[str]] = defaultdict(list)
        self.seconds_to_live, self.reads_files = SECONDS_TO_LIVE, not synchronous
        self.seconds_between_disturbances = SECONDS_BETWEEN_DISTURBANCES
        self._acts = list(self._in_turn())
        self._asked_twice: set[str] = set()

    # -- what is hurt, and what comes after

    def _more_disturbers(self, ending: threading.Event) -> Iterable[tuple[Any, ...]]:
        steady = [(self._charge_without_a_pause, route, node, ending) for route, node in self._steady.items()]
        return [*steady, (self._fail_over_again_and_again, ending)]

    def _wait_for_the_end(self, last_disturber: threading.Thread) -> None:
        last_disturber.join(ROUND_SECONDS_MAX)

    def _after_the_disturbances(self) -> None:
        self.cluster.whole()

    def _check(self, records: Records) -> list[Finding]:
        if self._synchronous:
            return check(records)
        found = check_after_losses(records)
        self._asked_twice |= {finding.text for finding in found if finding.kind == BY_THE_SHOP}
        self.failovers.asked_twice = len(self._asked_twice)
        self.failovers.entered = sum(row["proof"] == "settlement_file" for row in records.attempts)
        return [finding for finding in found if finding.kind != BY_THE_SHOP]

    def _in_turn(self) -> Iterator[str]:
        """Return the acts in an order that is drawn once, so that a short run, too, comes to all kinds of them."""
        acts = {name: act for name, act in ACTS.items() if self._synchronous or not act.only_synchronous}
        draws = random.Random(f"{self.seed}.acts")
        bag = [name for name, act in acts.items() for _ in range(act.weight)]
        draws.shuffle(bag)
        yield from bag

    def _fail_over_again_and_again(self, ending: threading.Event) -> None:
        draws = random.Random(f"{self.seed}.{self.score.rounds}.failovers")
        self._charge_keys(0)
        for number in range(FAILOVERS_A_ROUND):
            if self._enough.is_set() or ending.wait(draws.uniform(*BEFORE_AN_ACT_SECONDS)):
                return
            turn = (self.score.rounds - 1) * FAILOVERS_A_ROUND + number
            self._fail_over(self._acts[turn % len(self._acts)], draws, ending)

    def _fail_over(self, name: str, draws: random.Random, ending: threading.Event) -> None:
        before = self.cluster.promotion()
        if before is None:
            raise ClusterFailed("nobody leads before an act")
        timeline, leader = before
        self.testbed.note(f"failover: {name}, of n{leader} on timeline {timeline}")
        ACTS[name].hurt(self.cluster, leader, draws, ending.wait)
        promoted = wait_for_promotion(self.cluster, timeline, self._enough)
        if promoted is None:
            self.failovers.missing[name] += 1
            self.testbed.note(f"nobody was promoted in {PROMOTION_SECONDS_MAX:g} s")
        else:
            self.testbed.note(f"promoted: timeline {promoted[0]}")
            self.failovers.done[name] += 1
            self._charge_keys(1 + self.failovers.total % FAILOVERS_A_ROUND)
            self._pg_is_spared.set()
            self._see_charges_flow(name, promoted[1])
            self._pg_is_spared.clear()
        self.cluster.whole()
        self.testbed.note("the cluster is whole")

    # -- charges that flow

    def _see_charges_flow(self, act: str, since: float) -> None:
        """Measure how long each spared gateway takes until a charge is answered `paid` after a promotion."""
        waiting = dict(self._steady)
        with self._paid:
            while waiting and time.monotonic() < since + STEADY_PATIENCE_SECONDS and not self._enough.is_set():
                for route in list(waiting):
                    if self._last_paid.get(route, 0.0) > since:
                        seconds = self._last_paid[route] - since
                        self.failovers.flow_seconds[route].append(round(seconds, 2))
                        self.failovers.flow_of_act[act].append(round(seconds, 2))
                        del waiting[route]
                        if seconds > LATE_SECONDS:
                            self.testbed.seen.append(
                                Finding("late", "", f"{act}: {route} charged after {seconds:.1f} s")
                            )
                self._paid.wait(0.2)
        if not self._enough.is_set():
            for route in waiting:
                text = (
                    f"{act}: nothing was charged through {route} within {STEADY_PATIENCE_SECONDS:g} s of the promotion"
                )
                self.testbed.seen.append(Finding("late", "", text))

    def _charge_without_a_pause(self, route: str, node: int, ending: threading.Event) -> None:
        """Charge through one gateway again and again, whether or not earlier calls have come back."""
        with ThreadPoolExecutor(STEADY_OPEN_MAX) as pool:
            number = 0
            while not ending.wait(STEADY_SECONDS):
                number += 1
                shop = Shop(self.testbed, f"r{self.score.rounds}n{node}c{number}", node)
                pool.submit(self._guarded, self._charge_once, route, shop)

    def _charge_once(self, route: str, shop: Shop) -> None:
        keys = self._keys[route]
        try:
            customer = keys.popleft()
        except IndexError:
            return  # all are under way
        request = {"customer_uid": customer, "merchant_uid": shop.uid(), "amount": 1_000}
        try:
            reply = self.testbed.once("POST", "/subscribe/payments/again", request, node=shop.node)
        finally:
            keys.append(customer)
        self.testbed.keep(shop.tag, "again", request, reply)
        if reply.paid:
            with self._paid:
                self._last_paid[route] = time.monotonic()
                self._paid.notify_all()

    def _charge_keys(self, part: int) -> None:
        """Let the spared gateways charge this part of their keys: what is first, or what is reserved for an act."""
        for route, keys in self._all_keys.items():
            since = 0 if part == 0 else STEADY_KEYS + (part - 1) * RESERVED_KEYS
            self._keys[route] = deque(keys[since : since + (STEADY_KEYS if part == 0 else RESERVED_KEYS)])

    def prepare(self) -> None:
        """Issue the keys that are charged without a pause, before anything burns."""

        def issue(route: str, number: int) -> None:
            shop = Shop(self.testbed, f"n{self._steady[route]}k{number}", self._steady[route])
            shop.issue_key(shop.tag)
            self._all_keys[route].append(shop.tag)

        count = STEADY_KEYS + FAILOVERS_A_ROUND * RESERVED_KEYS
        with ThreadPoolExecutor(6) as pool:
            wanted = [(route, number) for number in range(count) for route in self._steady]
            list(pool.map(lambda one: self._guarded(issue, *one), wanted))


def _migrate_patiently(database_url: str) -> None:
    """Migrate as often as it takes: a cluster that has just begun may change its primary on a machine that is slow."""
    deadline = time.monotonic() + PRIMARY_SECONDS_MAX
    while True:
        try:
            migrate(database_url)
        except (SQLAlchemyError, StoreError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
        else:
            return


@contextmanager
def a_testbed_on_a_cluster(
    folder: Path, seed: int, *, synchronous: bool, enough: threading.Event | None = None
) -> Iterator[ClusterChaos]:
    """Build a cluster and a testbed on it, whose gateways and workers find the primary in different ways."""
    with ExitStack() as stack:
        cluster = stack.enter_context(Cluster(synchronous=synchronous))
        through_haproxy = cluster.create_database("torture")
        hosts = cluster.urls("torture")
        _migrate_patiently(through_haproxy)
        routes = {"serve-1": hosts, "serve-2": through_haproxy, "serve-3": hosts, "worker-1": hosts}
        steady = {"HAProxy": 2, "several hosts": 3}
        for mode in BOUNCERS:
            bouncer = stack.enter_context(PgBouncer(cluster.front_port, mode=mode))
            node = len(steady) + 2
            routes[f"serve-{node}"] = bouncer.url("torture")
            steady[f"PgBouncer, {mode}"] = node
        built = open_testbed(
            folder,
            through_haproxy,
            gateways=2 + len(steady),
            workers=2,
            routes=routes,
            spared=[f"serve-{node}" for node in steady.values()],
            files=True,
        )
        chaos = ClusterChaos(stack.enter_context(built), seed, cluster, steady, synchronous=synchronous, enough=enough)
        chaos.prepare()
        yield chaos


PRIMARY_SECONDS_MAX = 120
BOUNCERS: tuple[Literal["transaction", "session"], ...] = ("transaction", "session")


# -- a run


MODES = ("synchronous", "asynchronous")
BLOCK_SECONDS = 600.0
"""How long a cluster and its testbed live at most, and then the other mode has its turn: two cores carry one of them."""


def run_on_clusters(
    modes: Sequence[str], seed: int, seconds: float, console: Console
) -> tuple[dict[str, Score], dict[str, Failovers]]:
    """Torture clusters in turn, each mode for its part of the time; ends at the first finding, or with Ctrl-C."""
    turns = max(1, round(seconds / len(modes) / BLOCK_SECONDS))
    scores, failovers = {mode: Score() for mode in modes}, {mode: Failovers() for mode in modes}
    for turn in range(turns):
        for mode in modes:
            if any(score.found for score in scores.values()):
                break
            try:
                run_on_cluster(mode, seed + turn, seconds / len(modes) / turns, console, scores[mode], failovers[mode])
            except KeyboardInterrupt:
                return scores, failovers
    return scores, failovers


def run_on_cluster(
    mode: str, seed: int, seconds: float, console: Console, score: Score, failovers: Failovers
) -> ClusterChaos:
    """Torture a fresh cluster for so long, at least for a round; what it comes to is added to what is given."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maedal-torture-")))
        chaos = stack.enter_context(a_testbed_on_a_cluster(folder, seed, synchronous=mode == "synchronous"))
        end = time.monotonic() + seconds
        try:
            while True:
                now = chaos.round()
                flow = [second for route in chaos.failovers.flow_seconds.values() for second in route]
                console.print(
                    f"{mode} round {now.rounds}: {chaos.failovers.total} failovers, {now.kills:,} kills,"
                    f" {now.charges:,} charges, flowing again after {max(flow, default=0):.1f} s at most,"
                    f" {len(now.found)} findings"
                )
                if now.found or time.monotonic() >= end:
                    return chaos
        finally:
            score.add(chaos.score)
            failovers.add(chaos.failovers)
            if chaos.score.found or sys.exc_info()[0] is not None:
                kept = chaos.cluster.keep_logs()
                for log in folder.glob("*.log"):
                    (kept / log.name).write_bytes(log.read_bytes())


def result_of(failovers: Failovers) -> dict[str, Any]:
    """Return what became of the failovers of a mode, for machines."""
    return {
        "failovers": failovers.total,
        "by_act": dict(failovers.done),
        "without_a_promotion": dict(failovers.missing),
        "seconds_until_charges_flow": {
            route: {"median": round(median(seconds), 1), "max": max(seconds), "count": len(seconds)}
            for route, seconds in failovers.flow_seconds.items()
        },
        "max_seconds_by_act": {act: max(seconds) for act, seconds in failovers.flow_of_act.items()},
        "asked_twice_by_a_shop": failovers.asked_twice,
        "entered": failovers.entered,
    }


def rows_of_failovers(of_modes: Mapping[str, Failovers]) -> Iterator[tuple[str, list[str]]]:
    """Return lines for the summary table: a name, and a value for each mode."""
    modes = list(of_modes.values())
    if not modes:
        return
    yield "failovers", [f"{mode.total:,}" for mode in modes]
    for act in ACTS:
        yield f"  {act}", [f"{mode.done[act]:,}" for mode in modes]
    yield "nobody promoted", [f"{mode.missing.total():,}" for mode in modes]
    for route in sorted({route for mode in modes for route in mode.flow_seconds}):
        seconds = [mode.flow_seconds.get(route) or [0.0] for mode in modes]
        yield f"charging again through {route}", [f"{median(one):.1f} s, at most {max(one):.1f} s" for one in seconds]
    yield "asked twice by a shop", [f"{mode.asked_twice:,}" for mode in modes]
    yield "forgotten and entered", [f"{mode.entered:,}" for mode in modes]
