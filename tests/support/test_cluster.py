"""The cluster that tests fail over: it becomes whole, each way of hurting it does what it says, and nothing is left."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.support.cluster import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("cluster")]


@pytest.fixture(scope="module")
def strict() -> Iterator[Cluster]:
    with Cluster(synchronous=True) as cluster:
        yield cluster


async def test_one_node_leads_one_is_in_step_and_both_addresses_lead_to_the_primary(strict: Cluster) -> None:
    assert strict.leader() is not None
    assert strict.synchronous() not in (None, strict.leader())
    strict.create_database("ledger")
    for url in (strict.url("ledger"), strict.urls("ledger")):
        connection = await asyncpg.connect(url, timeout=10)
        assert not await connection.fetchval("SELECT pg_is_in_recovery()")
        await connection.close()


def test_after_a_switchover_another_node_leads(strict: Cluster) -> None:
    before = strict.leader()
    strict.switchover()
    assert strict.wait_for_leader(but=before) != before
    strict.whole()


def test_what_a_strict_cluster_acknowledged_outlives_the_machine_that_dies(strict: Cluster) -> None:
    strict.create_database("outlives")
    before = strict.wait_for_leader()
    strict._execute_on(before, "CREATE TABLE outlives AS SELECT 42 AS number")
    strict.kill(before)
    after = strict.wait_for_leader(but=before)
    assert after != before
    assert [row["number"] for row in strict._rows(after, "SELECT number FROM outlives")] == [42]
    strict.whole()


def test_nothing_is_left_when_the_test_process_is_killed() -> None:
    script = (
        "import time\n"
        "from tests.support.cluster import Cluster\n"
        "with Cluster(synchronous=False) as cluster:\n"
        "    cluster.freeze(cluster.leader())\n"
        "    print(cluster.folder, *cluster._pids(), flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        folder, *pids = process.stdout.readline().split()
        process.kill()
    limit = time.monotonic() + 60
    while Path(folder).exists() and time.monotonic() < limit:
        time.sleep(0.1)
    assert not Path(folder).exists()
    assert len(pids) > 20
    assert [pid for pid in pids if _works_in(pid, folder)] == []


def _works_in(pid: str, folder: str) -> bool:
    try:
        return str(Path(f"/proc/{pid}/cwd").readlink()).startswith(folder)
    except OSError:
        return False
