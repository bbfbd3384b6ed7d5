"""A process that is frozen at a step for longer than any lease, and then goes on as if nothing had happened.

Meanwhile the others have judged, or taken over, what it left behind. What it does late must change nothing.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .checker import check, read_records
from .scenarios import SCENARIOS, SHORT
from .shop import Shop
from .test_crash_matrix import COVERED_BY_OTHER_TESTS
from .testbed import Testbed, open_testbed
from .timeline import timeline_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("frozen")]

REACHED_SECONDS_MAX = 30.0


@pytest.fixture(scope="module")
def two_gateways(all_databases: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Testbed]:
    with open_testbed(
        tmp_path_factory.mktemp("testbed"), all_databases.url("postgresql"), gateways=2, watched="serve"
    ) as built:
        yield built


@pytest.mark.parametrize("scenario", ["charge", "cancel", "pay once", "issue a key and pay"])
def test_a_gateway_frozen_at_any_step_does_no_harm_when_it_goes_on(two_gateways: Testbed, scenario: str) -> None:
    slug = "frozen-" + scenario.replace(" ", "-")
    steps = _traced(two_gateways, scenario, f"{slug}.traced")
    reached = [step for n, step in enumerate(steps) if _frozen(two_gateways, scenario, f"{slug}.{n}", step)]
    assert reached == steps
    _assert_records_agree(two_gateways)
    print(f"\nfrozen | {scenario} | {len(steps)} steps")


NEVER_CALLED = {"after BeginCharge", "before call subscription"}
"""Whoever is frozen there has begun the charge, and never calls: once that is proved, a later try makes it."""

IN_EVERY_ROUND = "before ClaimDeliveries"
"""Every round of the loops comes here, whether anything is due or not."""

NOT_CLAIMED_SECONDS = {"before ClaimSchedules": 20, IN_EVERY_ROUND: 20}


@pytest.fixture(scope="module")
def two_workers(all_databases: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Testbed]:
    with open_testbed(
        tmp_path_factory.mktemp("testbed"), all_databases.url("postgresql"), workers=2, watched="worker"
    ) as built:
        yield built


def test_a_worker_frozen_at_any_step_of_a_planned_charge_does_no_harm_when_it_goes_on(two_workers: Testbed) -> None:
    steps = _steps_of_a_plan(two_workers)
    wanted = {f"{when} {what}" for when in ("before", "after") for what in ("ClaimSchedules", "BeginCharge", "Record")}
    assert wanted | NEVER_CALLED | {"after call subscription"} <= set(steps)
    ended = {step: _plan_while_one_is_frozen(two_workers, f"plan.{n}", step) for n, step in enumerate(steps)}
    assert ended == dict.fromkeys(steps, "paid")
    _assert_records_agree(two_workers)
    log = two_workers.sim("GET", "log")
    taken = Counter(
        line["sid"] for line in log if line["outcome"] == "approved" and line["operation"] == "subscription"
    )
    assert sorted(taken.values()) == [1] * (1 + len(steps))
    print(f"\nfrozen worker | scheduled charge | {len(steps)} steps")


def _steps_of_a_plan(two_workers: Testbed) -> list[str]:
    shop = Shop(two_workers, "plan.traced")
    merchant_uid = _plan(shop)
    with two_workers.armed():
        two_workers.advance(5)
        assert shop.wait_for(merchant_uid, "paid", or_still=False)["status"] == "paid"
        two_workers.wait_until_idle()
    return _once_each(step for name in two_workers.workers for step in two_workers.steps(name))


def _plan_while_one_is_frozen(two_workers: Testbed, tag: str, step: str) -> str | None:
    """Return how a scheduled charge ended while the worker that came to `step` was frozen; None if nobody came there."""
    shop = Shop(two_workers, tag)
    merchant_uid = _plan(shop)
    with two_workers.armed(step, "freeze"):
        # Whoever stops there must not have claimed the plan by chance: it is due only once one of them stands.
        name = _frozen_one(two_workers) if step == IN_EVERY_ROUND else None
        two_workers.advance(5)
        name = name or _frozen_one(two_workers)
        if name is None:
            return None
        # What it has not claimed the other one makes at once; moving time on under its call would let that be too late.
        two_workers.wait_until_idle(NOT_CLAIMED_SECONDS.get(step, 0))
        # Its lease runs out; the other one takes over, before time is moved on any further.
        two_workers.advance(120)
        two_workers.wait_until_idle(20)
        two_workers.judge_what_is_frozen()
        if step in NEVER_CALLED:
            two_workers.advance_beyond_wait(merchant_uid)
        ended: str = shop.wait_for(merchant_uid, "paid", seconds=20, or_still=False)["status"]
        two_workers.thaw(name)
        time.sleep(SHORT)
    return ended


def _plan(shop: Shop) -> str:
    shop.issue_key(shop.tag)
    merchant_uid = shop.schedule(shop.tag, 3)
    assert merchant_uid is not None
    shop.testbed.wait_until_idle()
    return merchant_uid


def _frozen_one(two_workers: Testbed) -> str | None:
    deadline = time.monotonic() + REACHED_SECONDS_MAX
    while time.monotonic() < deadline:
        for name in two_workers.workers:
            if _stands(two_workers.pid(name)):
                return name
        time.sleep(0.02)
    return None


def _assert_records_agree(tortured: Testbed) -> None:
    records = read_records(tortured, tortured.settle())
    found = check(records)
    shown = "\n\n".join(f"{finding}\n{timeline_of(records, finding.subject)}" for finding in found[:5])
    assert not found, f"{len(found)} findings; logs in {tortured.folder}\n{shown}"


def _traced(two_gateways: Testbed, scenario: str, customer: str) -> list[str]:
    before, frozen = SCENARIOS[scenario]
    shop = Shop(two_gateways, customer)
    already = len(two_gateways.steps("serve-0"))
    before(shop, customer)
    two_gateways.token()
    with two_gateways.armed():
        frozen(shop, customer)
    return _once_each(two_gateways.steps("serve-0")[already:])


def _once_each(steps: Iterable[str]) -> list[str]:
    """Leave out what the loops write now and then: it is in one round of a scenario by chance, and not in the next."""
    beside = {f"{when} {kind.__name__}" for when in ("before", "after") for kind in COVERED_BY_OTHER_TESTS}
    return [step for step in dict.fromkeys(steps) if step not in beside]


def _frozen(two_gateways: Testbed, scenario: str, customer: str, step: str) -> bool:
    before, frozen = SCENARIOS[scenario]
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
        if _stands(pid):
            return True
        time.sleep(0.02)
    return False


def _stands(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
