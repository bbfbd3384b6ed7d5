"""Chaos: shops and buyers at random, while processes are killed, frozen and cut off. One seed decides every draw.

A round is some seconds of traffic under disturbances; then the workers run through and all records are compared. The draws are
the same for the same seed; which of two processes is faster is not, so a seed brings back the disturbances, not each race.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .checker import Records, check, read_records
from .findings import Finding
from .scenarios import SCENARIOS
from .shop import Shop
from .testbed import Reply, Testbed

FAULTS: dict[str, tuple[str, ...]] = {
    "ready": ("drop_before", "drop_after", "error_500_before", "garbled_after"),
    "approve": ("decline", "drop_before", "drop_after", "error_500_before", "error_500_after", "garbled_after", "delay"),
    "subscription": (
        "decline", "drop_before", "drop_after", "error_500_before", "error_500_after", "garbled_after", "delay",
    ),
    "cancel": ("decline", "drop_before", "drop_after", "error_500_before", "error_500_after", "garbled_after", "delay"),
    "inactive": ("drop_before", "drop_after", "error_500_before", "error_500_after", "garbled_after"),
    "status": ("drop_before", "error_500_before", "garbled_after"),
    "order": ("drop_before", "error_500_before", "garbled_after"),
}  # fmt: skip
DOOR = (-429, -10, -401, -798)
"""What KakaoPay refuses a call with before it looks at it: too many, the day's quota, our key, our address."""
REFUSED_AT = ("ready", "approve", "subscription", "cancel", "inactive")
OFFSETS_SECONDS = ((-2, 0), (-1, 0), (-1, 1), (0, 0), (0, 1), (1, 0), (1, 1), (2, 0))
"""By how much the times of KakaoPay's later replies differ from those of its first, and among themselves: 2 in all."""
METHODS = ("MONEY", "CARD")
SHOPS = 6
PART_OF_KNOWN_CUSTOMERS = 0.75
"""A charge that was lost keeps its key to the end of the round, so new customers keep coming."""
SECONDS_OF_DISTURBANCES = 30.0
SECONDS_TO_LIVE = (0.1, 0.2, 0.5, 1.0, 1.8)
"""How long a process serves until it is killed, on average; which of them is drawn each time anew."""
SECONDS_BETWEEN_DISTURBANCES = 0.3
"""At most."""
PART_KILLED_WHILE_THEY_START = 0.1
PART_KILLED_TOGETHER = 0.05
GRACE_SECONDS = 3.0
KILLED = {"serve": "gateway", "sandbox": "simulator"}


@dataclass
class Score:
    """What has happened so far; `findings` is what must stay empty."""

    rounds: int = 0
    kills_of: Counter[str] = field(default_factory=Counter)
    """By what was killed; only what was alive counts."""
    freezes: int = 0
    faults: int = 0
    cuts: int = 0
    restarts: int = 0
    refunds: int = 0
    """Made at the PG itself."""
    holds: int = 0
    calls: int = 0
    charges: int = 0
    seconds: float = 0.0
    found: list[tuple[int, Finding]] = field(default_factory=list)
    records: Records | None = None

    def add(self, other: Score) -> None:
        """Add what another torture of the same kind came to."""
        for name in (
            "rounds",
            "freezes",
            "faults",
            "cuts",
            "restarts",
            "refunds",
            "holds",
            "calls",
            "charges",
            "seconds",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.kills_of += other.kills_of
        self.found += other.found
        self.records = other.records

    def count(self, *kinds: str) -> int:
        return sum(1 for _, finding in self.found if finding.kind in kinds)

    @property
    def kills(self) -> int:
        return self.kills_of.total()

    @property
    def other(self) -> int:
        return len(self.found) - self.count("double", "lost", "stuck", "without proof")


PG_AWAY = frozenset({"refuse", "cut", "sandbox"})
"""What keeps the PG away, or may."""


class Chaos:
    """Fires at a testbed, round after round; `enough` ends a round early."""

    def __init__(
        self,
        testbed: Testbed,
        seed: int,
        restart_database: Callable[[], None] | None = None,
        enough: threading.Event | None = None,
    ) -> None:
        self.testbed, self.seed, self.score = testbed, seed, Score()
        self.seconds_between_disturbances = SECONDS_BETWEEN_DISTURBANCES
        self.reads_files = False
        """Whether the files of all days are read in each round, and not only after a refund at the PG."""
        self._refunds_read = 0
        self.seconds_to_live: Sequence[float] = SECONDS_TO_LIVE
        self._enough = enough or threading.Event()
        self._pg_is_spared = threading.Event()
        """While it is set nobody kills the simulator or cuts it off: what is measured is not the PG's absence."""
        self._restart_database = restart_database
        self._customers: list[str] = []
        self._known: set[tuple[str, str]] = set()
        self._errors: list[BaseException] = []
        self._unanswered: list[Callable[[], Reply]] = []

    def round(self) -> Score:
        """Fire, settle and compare once; return the score so far."""
        begun = time.monotonic()
        self.score.rounds += 1
        ending = threading.Event()
        kills_before, calls_before = self.testbed.kills.copy(), len(self.testbed.clients)
        threads = [
            threading.Thread(target=self._guarded, args=(self._shop, n, ending), daemon=True) for n in range(SHOPS)
        ]
        disturbers = [
            threading.Thread(target=self._guarded, args=arguments, daemon=True)
            for arguments in (
                (self._disturb, ending),
                *((self._kill_again_and_again, name, ending) for name in self.testbed.targets),
                *self._more_disturbers(ending),
            )
        ]
        for thread in (*threads, *disturbers):
            thread.start()
        self._wait_for_the_end(disturbers[-1])
        ending.set()
        for thread in disturbers:
            thread.join()
        self._after_the_disturbances()
        # The last calls of the shops find everybody alive, but for the one that stays frozen to the end.
        frozen = self._freeze_one()
        self.testbed.revive()
        for thread in threads:
            thread.join(0.1 if frozen else 120)
        if frozen is not None:
            # Longer than every lease, while no call can be under way any more, and then it goes on.
            time.sleep(GRACE_SECONDS)
            self.testbed.advance(180)
            time.sleep(0.5)
            self.testbed.thaw(frozen)
            for thread in threads:
                thread.join(120)
        assert not any(thread.is_alive() for thread in threads), f"a shop waits for ever\n{self.testbed.last_words()}"
        if self._errors:
            raise self._errors[0]
        left = self._settle()
        while self._unanswered:
            # Asked again hours later under the same Idempotency-Key, and perhaps carried out only then.
            self._unanswered.pop()()
            left = left if self._unanswered else self._settle()
        if left:
            self.testbed.ask_what_it_waits_for()
        self.score.records = records = read_records(self.testbed, left)
        for finding in (*self._check(records), *self.testbed.seen):
            if (finding.kind, finding.text + finding.subject) not in self._known:
                self._known.add((finding.kind, finding.text + finding.subject))
                self.score.found.append((self.score.rounds, finding))
        for name, count in (self.testbed.kills - kills_before).items():
            role = name.partition("-")[0]
            self.score.kills_of[KILLED.get(role, role)] += count
        self.score.calls += len(self.testbed.clients) - calls_before
        self.score.charges = sum(
            line["operation"] in ("subscription", "approve") and line["outcome"] in ("approved", "issued")
            for line in records.log
        )
        self.score.seconds += time.monotonic() - begun
        return self.score

    # -- what a torture of another kind does otherwise

    def _more_disturbers(self, ending: threading.Event) -> Iterable[tuple[Any, ...]]:
        """Return what else burns: a function each, with what it is called with."""
        return ()

    def _wait_for_the_end(self, last_disturber: threading.Thread) -> None:
        """Return when the round has burned for long enough."""
        self._enough.wait(SECONDS_OF_DISTURBANCES)

    def _after_the_disturbances(self) -> None:
        """Mend what the disturbances have broken beside the testbed's processes."""

    def _settle(self) -> dict[str, int]:
        """Let everything come to an end; what was given back at the PG itself is told by its file of the day."""
        left = self.testbed.settle()
        if self.score.refunds == self._refunds_read and not self.reads_files:
            return left
        self._refunds_read = self.score.refunds
        read = self.testbed.reconcile()
        return self.testbed.settle() | ({} if read else {"files of a day": 1})

    def _check(self, records: Records) -> list[Finding]:
        return check(records)

    def _guarded(self, work: Callable[..., None], *arguments: Any) -> None:
        try:
            work(*arguments)
        except BaseException as error:  # told by the round, in its own thread
            self._errors.append(error)

    # -- shops and buyers

    def _shop(self, number: int, ending: threading.Event) -> None:
        draws = random.Random(f"{self.seed}.{self.score.rounds}.{number}")
        acts = 0
        while not ending.is_set():
            acts += 1
            tag = f"r{self.score.rounds}s{number}a{acts}"
            shop = Shop(self.testbed, tag, draws.randrange(len(self.testbed.ports)))
            self._act(shop, draws)

    def _act(self, shop: Shop, draws: random.Random) -> None:
        known = self._customers
        customer = draws.choice(known) if known and draws.random() < PART_OF_KNOWN_CUSTOMERS else None
        if customer is None:
            customer = shop.tag
            shop.issue_key(customer, draws.choice((0, 0, 7_000)), draws.choice(METHODS))
            if shop.has_key(customer):
                known.append(customer)
            return
        act = draws.choices(
            ("again", "insist", "twice", "cancel", "refund", "plan", "hold", "unplan", "once", "anew", "end", "leave"),
            (32, 8, 10, 12, 3, 10, 2, 4, 8, 5, 4, 4),
        )[0]
        match act:
            case "again":
                shop.again(customer, draws.randrange(100, 9_000))
            case "insist":
                self._insist(shop, shop.charge_request(customer, draws.randrange(100, 9_000)))
            case "twice":
                SCENARIOS["charge twice at once"][1](shop, customer)
            case "cancel":
                self._cancel(shop, draws)
            case "refund":
                self._refund_at_the_pg(draws)
            case "plan":
                shop.schedule(customer, draws.randrange(1, 20))
            case "hold" if self.testbed.engine == "postgresql":
                merchant_uid = shop.schedule(customer, draws.randrange(1, 20))
                if merchant_uid is not None and self.testbed.try_to_hold(merchant_uid):
                    self.score.holds += 1
            case "hold":
                pass  # a command beside the one process of an SQLite file
            case "unplan":
                merchant_uid = shop.schedule(customer, 3)
                if merchant_uid is not None:
                    shop.unschedule(customer, merchant_uid)
            case "once":
                SCENARIOS["pay once"][1](shop, customer)
            case "anew":
                shop.issue_key(customer, draws.choice((0, 5_000)), draws.choice(METHODS))
            case "end":
                shop.delete_key(customer)
                if customer in known:
                    known.remove(customer)
            case _:
                SCENARIOS["closed by the buyer"][1](shop, customer)

    def _cancel(self, shop: Shop, draws: random.Random) -> None:
        """Give back a part of one of the latest payments, sometimes from two sides at once."""
        payment = self._one_that_was_paid(draws)
        if payment is None:
            return
        amount = draws.choice((None, 10, payment["amount"] // 2 or 1))
        if amount is not None and draws.random() < 0.3:
            self._insist(shop, shop.cancel_request(payment["imp_uid"], amount))
        else:
            shop.cancel(payment["imp_uid"], amount)

    def _one_that_was_paid(self, draws: random.Random) -> dict[str, Any] | None:
        charges = [
            charges for charges in self.testbed.clients[-400:] if charges.action == "again" and charges.reply.paid
        ]
        return draws.choice(charges).reply.response if charges else None

    def _refund_at_the_pg(self, draws: random.Random) -> None:
        """Give a part back in KakaoPay's own console, of which no server of the merchant hears."""
        payment = self._one_that_was_paid(draws)
        if payment is not None and payment["pg_tid"]:
            amount = draws.choice((payment["amount"], 10, payment["amount"] // 2 or 1))
            if self.testbed.refund_at_the_pg(payment["pg_tid"], amount):
                self.score.refunds += 1

    def _insist(self, shop: Shop, request: tuple[str, str, dict[str, Any]]) -> None:
        going_on = shop.begin_to_insist(*request)
        if going_on is not None:
            self._unanswered.append(going_on)

    # -- disturbances

    def _kill_again_and_again(self, name: str, ending: threading.Event) -> None:
        """Kill one process mostly soon after it serves, some while they start, a few so late that a whole flow fits in."""
        draws = random.Random(f"{self.seed}.{self.score.rounds}.kills.{name}")
        while not ending.is_set():
            if draws.random() > PART_KILLED_WHILE_THEY_START:
                self.testbed.wait_until_serving(name, ending)
            if ending.wait(draws.expovariate(1 / draws.choice(self.seconds_to_live))):
                break
            for one in self.testbed.targets if draws.random() < PART_KILLED_TOGETHER else [name]:
                if one != "sandbox" or not self._pg_is_spared.is_set():
                    self.testbed.kill(one)
            self.testbed.revive()

    def _disturb(self, ending: threading.Event) -> None:
        draws = random.Random(f"{self.seed}.{self.score.rounds}.fire")
        while not ending.wait(0.01 + draws.random() * self.seconds_between_disturbances):
            kinds = ("fault", "door", "second", "refuse", "freeze", "cut", "database", "sandbox")
            drawn = draws.choices(kinds, (400, 40, 15, 15, 30, 50, 2, 20))[0]
            if drawn in PG_AWAY and self._pg_is_spared.is_set():
                continue
            match drawn:
                case "fault":
                    operation = draws.choice(list(FAULTS))
                    kind = draws.choice(FAULTS[operation])
                    more = {"delay_seconds": round(draws.random() * 1.5, 2)} if kind == "delay" else {}
                    if kind == "decline":
                        more["method_result_code"] = "NOT_ENOUGH_BALANCE"
                    self.testbed.fault(operation, kind, **more)
                    self.score.faults += 1
                case "door":
                    self.testbed.fault(draws.choice(REFUSED_AT), "refuse", error_code=draws.choice(DOOR))
                    self.score.faults += 1
                case "second":
                    self.testbed.tell_times_off(*draws.choice(OFFSETS_SECONDS))
                case "refuse":
                    self.testbed.note("KakaoPay refuses connections")
                    self.testbed.to_sandbox.refuse(draws.random() * 1.5)
                    self.score.cuts += 1
                case "freeze":
                    name = draws.choice(self.testbed.targets)
                    self.testbed.freeze(name)
                    ending.wait(draws.random() * 2)
                    self.testbed.thaw(name)
                    self.score.freezes += 1
                case "cut":
                    proxy = draws.choice([self.testbed.to_sandbox, self.testbed.to_database or self.testbed.to_sandbox])
                    seconds = draws.random() * 0.3
                    self.testbed.note(
                        f"cut the network to {'KakaoPay' if proxy is self.testbed.to_sandbox else 'the database'}"
                    )
                    proxy.cut(seconds)
                    self.score.cuts += 1
                case "database" if self._restart_database is not None:
                    self.testbed.note("shut the database down at once")
                    self._restart_database()
                    self.score.restarts += 1
                case "sandbox":
                    self.testbed.kill("sandbox")
                    self.testbed.revive()
                case _:
                    pass

    def _freeze_one(self) -> str | None:
        """Freeze one of several gateways to the end of the traffic; a single one would stop everything."""
        gateways = [name for name in self.testbed.targets if name not in self.testbed.workers]
        if len(self.testbed.ports) < 2:
            return None
        name = gateways[self.score.rounds % len(gateways)]
        self.testbed.revive()
        self.testbed.freeze(name)
        self.score.freezes += 1
        return name


COLUMNS = (
    "rounds", "kills", "of gateways", "of workers", "of the simulator", "freezes", "faults", "cuts", "restarts", "refunds at the PG", "holds", "calls", "charges", "double", "lost", "stuck", "no proof", "other",
)  # fmt: skip


def row(score: Score) -> Iterable[str]:
    """Return the score as one row of the summary table, in the order of COLUMNS."""
    counts = (
        score.rounds, score.kills, *(score.kills_of[what] for what in ("gateway", "worker", "simulator")), score.freezes, score.faults, score.cuts, score.restarts, score.refunds, score.holds, score.calls, score.charges,
        score.count("double"), score.count("lost"), score.count("stuck"), score.count("without proof"), score.other,
    )  # fmt: skip
    return [f"{count:,}" for count in counts]
