"""Each guard turned off by itself is missed, and the checker says so. A guard that nobody can miss is no guard."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from .checker import check, read_books
from .findings import Finding
from .guards import GUARDS, Guard
from .story import story
from .town import Town

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("guards")]


@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_that_is_off_is_missed(name: str, all_databases: Any, tmp_path: Path) -> None:
    found = _play(GUARDS[name], name, all_databases.url("postgresql"), tmp_path)
    kinds = {finding.kind for finding in found}
    assert kinds & GUARDS[name].finds, f"without {name!r} the torture found {kinds or 'nothing'}"


@pytest.mark.parametrize("name", GUARDS)
def test_the_same_scene_with_its_guard_is_fine(name: str, all_databases: Any, tmp_path: Path) -> None:
    assert _play(GUARDS[name], None, all_databases.url("postgresql"), tmp_path) == []


def _play(guard: Guard, off: str | None, database_url: str, folder: Path) -> list[Finding]:
    for sql in (guard.always, guard.sql if off is not None else None):
        if sql is not None:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(asyncio.run, _execute(database_url, sql)).result()
    town = Town(folder, database_url, gateways=2, watched="serve" if guard.watched else None)
    town.guard = off if off is not None and guard.sql is None else None
    try:
        town.open()
        guard.scene(town)
        books = read_books(town, town.settle())
        found = check(books)
        for finding in found[:3]:
            print(finding, story(books, finding.subject), sep="\n")
        return found + town.seen
    finally:
        town.close()


async def _execute(database_url: str, sql: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
