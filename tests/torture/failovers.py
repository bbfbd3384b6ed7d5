"""The ways in which a cluster fails over, each an act: it hurts the leader, and another timeline follows."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.cluster import TTL_SECONDS, Cluster

PROMOTION_SECONDS_MAX = 45.0
LAG_SECONDS = (0.5, 3.0)
LATE_SECONDS = 15.0
"""From a promotion on, charges flow again within this time, without a restart."""

Sleep = Callable[[float], bool]
"""Waits for so many seconds; returns early, and true, when all is over."""


@dataclass(frozen=True)
class FailoverAct:
    """`hurt` is called with the cluster, the node that leads, the draws and a way to wait."""

    hurt: Callable[[Cluster, int, random.Random, Sleep], None]
    weight: int
    only_synchronous: bool = False


def switch_over(cluster: Cluster, leader: int, draws: random.Random, sleep: Sleep) -> None:
    cluster.switchover()


def crash(cluster: Cluster, leader: int, draws: random.Random, sleep: Sleep) -> None:
    cluster.crash(leader)


def kill(cluster: Cluster, leader: int, draws: random.Random, sleep: Sleep) -> None:
    cluster.kill(leader)


def freeze(cluster: Cluster, leader: int, draws: random.Random, sleep: Sleep) -> None:
    cluster.freeze(leader)


def cut(cluster: Cluster, leader: int, draws: random.Random, sleep: Sleep) -> None:
    """Patroni finds no etcd, and makes its primary read-only."""
    cluster.cut(leader)


def lag_and_kill(cluster: Cluster, leader: int, draws: random.Random, sleep: Sleep) -> None:
    """What was committed in the lag is on the leader alone, and goes with it."""
    cluster.stop_streaming()
    sleep(draws.uniform(*LAG_SECONDS))
    cluster.kill(leader)


def lag_and_switch_off_etcd(cluster: Cluster, leader: int, draws: random.Random, sleep: Sleep) -> None:
    """The leader comes back read-only on its own address, with commits that nobody else has."""
    cluster.stop_streaming()
    sleep(draws.uniform(*LAG_SECONDS))
    cluster.cut(leader)


def patroni_stands_still(cluster: Cluster, leader: int, draws: random.Random, sleep: Sleep) -> None:
    """Another one is promoted while the old primary goes on; then Patroni wakes, and shuts it down."""
    cluster.freeze_patroni(leader)
    sleep(TTL_SECONDS + 3)
    threading.Timer(draws.uniform(0, 3), cluster.thaw, [leader]).start()


def waits_are_cancelled(cluster: Cluster, leader: int, draws: random.Random, sleep: Sleep) -> None:
    """Commits hang for want of the standby; somebody cancels the waits or ends the sessions; then the machine dies."""
    cluster.stop_streaming()
    for _ in range(draws.randrange(2, 6)):
        sleep(draws.uniform(0.2, 1.0))
        cluster.cancel_waits(terminate=draws.random() < 0.4)
    cluster.kill(leader)


def crashes_without_its_standby(cluster: Cluster, leader: int, draws: random.Random, sleep: Sleep) -> None:
    """Commits hang; PostgreSQL crashes and shows them after its restart, though no standby has them; then it dies."""
    standby = cluster.synchronous()
    if standby is not None:
        cluster.freeze(standby)
    sleep(draws.uniform(1, 3))
    cluster.crash(leader)
    sleep(draws.uniform(1, 4))
    cluster.kill(leader)
    if standby is not None:
        cluster.thaw(standby)


ACTS: dict[str, FailoverAct] = {
    "switchover": FailoverAct(switch_over, 6),
    "crash of PostgreSQL": FailoverAct(crash, 4),
    "machine dies": FailoverAct(kill, 4),
    "machine vanishes": FailoverAct(freeze, 4),
    "cut from etcd": FailoverAct(cut, 2),
    "lag, then it dies": FailoverAct(lag_and_kill, 5),
    "lag, then cut": FailoverAct(lag_and_switch_off_etcd, 2),
    "Patroni stands still": FailoverAct(patroni_stands_still, 1),
    "waits cancelled, then it dies": FailoverAct(waits_are_cancelled, 4, only_synchronous=True),
    "crash without standby": FailoverAct(crashes_without_its_standby, 2, only_synchronous=True),
}


def wait_for_promotion(cluster: Cluster, before: int, enough: threading.Event) -> tuple[int, float] | None:
    """Return the new timeline and when it was seen, by the monotonic clock; None if there was none in time."""
    deadline = time.monotonic() + PROMOTION_SECONDS_MAX
    while time.monotonic() < deadline and not enough.is_set():
        now = cluster.promotion()
        if now is not None and now[0] > before:
            return now[0], time.monotonic()
        time.sleep(0.05)
    return None
