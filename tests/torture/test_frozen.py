"""A gateway that is frozen at a step for longer than any lease, and then goes on as if nothing had happened.

Meanwhile another gateway and the worker have judged what it left behind. What it does late must change nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .checker import check, read_books
from .lives import LIVES
from .shop import Shop
from .story import story
from .town import Town, town

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("frozen")]

REACHED_SECONDS_MAX = 30.0


@pytest.fixture(scope="module")
def two_gateways(all_databases: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("town"), all_databases.url("postgresql"), gateways=2, watched=True) as built:
        yield built


@pytest.mark.parametrize("life", ["charge", "cancel", "pay once", "issue a key and pay"])
def test_a_gateway_frozen_at_any_step_does_no_harm_when_it_goes_on(two_gateways: Town, life: str) -> None:
    slug = "frozen-" + life.replace(" ", "-")
    steps = _traced(two_gateways, life, f"{slug}.traced")
    reached = [step for n, step in enumerate(steps) if _frozen(two_gateways, life, f"{slug}.{n}", step)]
    assert reached == steps
    books = read_books(two_gateways, two_gateways.settle())
    found = check(books)
    folder: Path = two_gateways.folder
    told = "\n\n".join(f"{finding}\n{story(books, finding.subject)}" for finding in found[:5])
    assert not found, f"{len(found)} findings; logs in {folder}\n{told}"
    print(f"\nfrozen | {life} | {len(steps)} steps")


def _traced(two_gateways: Town, life: str, customer: str) -> list[str]:
    before, frozen = LIVES[life]
    shop = Shop(two_gateways, customer)
    already = len(two_gateways.steps("serve-0"))
    before(shop, customer)
    two_gateways.token()
    with two_gateways.armed():
        frozen(shop, customer)
    return list(dict.fromkeys(two_gateways.steps("serve-0")[already:]))


def _frozen(two_gateways: Town, life: str, customer: str, step: str) -> bool:
    before, frozen = LIVES[life]
    shop = Shop(two_gateways, customer)
    before(shop, customer)
    two_gateways.token()
    with two_gateways.armed(step, "freeze"):
        living = threading.Thread(target=frozen, args=(shop, customer))
        living.start()
        reached = _is_frozen(two_gateways.pid("serve-0"))
        if reached:
            two_gateways.judge_what_is_frozen()
            two_gateways.thaw("serve-0")
        living.join()
    return reached


def _is_frozen(pid: int) -> bool:
    deadline = time.monotonic() + REACHED_SECONDS_MAX
    while time.monotonic() < deadline:
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T":
            return True
        time.sleep(0.02)
    return False
