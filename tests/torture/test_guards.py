"""Each guard turned off by itself is missed, and the checker says so. A guard that nobody can miss is no guard."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.support.standby import StandbyPair

from .checker import check, check_after_losses, read_records
from .findings import Finding
from .guards import GUARDS, Guard, Scene
from .testbed import Testbed
from .timeline import timeline_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.xdist_group("guards-off")
@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_that_is_off_is_missed(name: str, all_databases: Any, tmp_path: Path) -> None:
    found = _play(GUARDS[name], name, all_databases.url("postgresql"), tmp_path)
    kinds = {finding.kind for finding in found}
    assert kinds & GUARDS[name].finds, f"without {name!r} the torture found {kinds or 'nothing'}"


@pytest.mark.xdist_group("guards-on")
@pytest.mark.parametrize("name", GUARDS)
def test_the_same_scene_with_its_guard_is_fine(name: str, all_databases: Any, tmp_path: Path) -> None:
    assert _play(GUARDS[name], None, all_databases.url("postgresql"), tmp_path) == []


def _play(guard: Guard, off: str | None, database_url: str, folder: Path) -> list[Finding]:
    if guard.failover is None:
        return _played(guard, off, database_url, folder, guard.scene)
    failover = guard.failover
    with StandbyPair() as pair:
        return _played(guard, off, pair.url, folder, lambda testbed: failover(testbed, pair))


def _played(guard: Guard, off: str | None, database_url: str, folder: Path, scene: Scene) -> list[Finding]:
    for sql in (guard.always, guard.sql if off is not None else None):
        if sql is not None:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(asyncio.run, _execute(database_url, sql)).result()
    testbed = Testbed(
        folder, database_url, gateways=2, watched="serve" if guard.watched else None, files=guard.failover is not None
    )
    testbed.guard = off if off is not None and guard.sql is None else None
    try:
        testbed.open()
        scene(testbed)
        records = read_records(testbed, testbed.settle())
        found = check(records) if guard.failover is None or guard.keeps_all else check_after_losses(records)
        for finding in found[:3]:
            print(finding, timeline_of(records, finding.subject), sep="\n")
        return found + testbed.seen
    finally:
        testbed.close()


async def _execute(database_url: str, sql: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
