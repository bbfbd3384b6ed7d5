"""A failover at each write of each flow that moves money: what was written is on the old primary alone, and it dies.

On a synchronous pair the commit hangs for want of the standby, the old primary comes back read-only with the commit in
view, and then the standby is promoted, which never had it. On an asynchronous pair the commit is acknowledged, and then
forgotten by the promotion. The process lives through it and goes on, and then all records are compared.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.standby import StandbyPair

from .checker import check, check_after_losses, read_records
from .scenarios import SCENARIOS
from .shop import Shop
from .test_frozen import _is_frozen
from .testbed import DUE, Testbed, open_testbed
from .timeline import timeline_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

MOVES_MONEY = (
    "charge",
    "charge declined",
    "charge lost",
    "scheduled charge",
    "cancel",
    "cancel lost",
    "pay once",
    "approval lost",
    "issue a key and pay",
)
BESIDE_THE_MONEY = frozenset(
    {
        "ClaimDeliveries",
        "FinishDelivery",
        "SetToken",
        "NoteServer",
        "SeeHolder",
        "KeepRows",
        "ClaimDay",
        "FinishDay",
        "ClaimKeyEnding",
    }
)
"""Writes that come whenever they like, or that nothing of a payment hangs on."""
IN_EVERY_ROUND = "ClaimSchedules"
"""Comes every second, too; it belongs to a scenario only where something is planned."""
READ_ONLY_SECONDS = 1.0
HANGING_SECONDS = 0.5
SCENARIO_SECONDS_MAX = 120
MAY_PASS_BY = {"ClaimLook", "KeepLook"}
"""Whoever looks first claims; with a worker in the same process nobody may be left to come to it."""
TRIES_OF_A_WRITE = 3
"""A worker beside the gateway may do a step first, a look above all; then the gateway never comes to it in that life."""


@pytest.mark.parametrize(
    "synchronous",
    [
        pytest.param(how == "synchronous", id=how, marks=pytest.mark.xdist_group(f"failover-matrix-{how}"))
        for how in ("synchronous", "asynchronous")
    ],
)
@pytest.mark.parametrize("scenario", MOVES_MONEY)
def test_a_failover_at_any_write_neither_doubles_nor_loses_money(
    scenario: str, synchronous: bool, tmp_path: Path
) -> None:
    with _on_a_pair(tmp_path, "traced") as (tortured, _):
        writes = _writes_of(tortured, scenario)
    assert len(writes) > 1, (scenario, writes)
    reached = []
    for number, write in enumerate(writes):
        for attempt in range(TRIES_OF_A_WRITE):
            with _on_a_pair(tmp_path, f"{number}-{attempt}") as (tortured, pair):
                came = _fail_over_at(write, tortured, pair, scenario, synchronous=synchronous)
                _assert_records_agree(tortured, f"{scenario}, {write}", synchronous=synchronous)
            if came:
                reached.append(write)
                break
    assert [write for write in writes if write not in reached and write not in MAY_PASS_BY] == []
    print(f"\nfailover | {scenario} | {'synchronous' if synchronous else 'asynchronous'} | {', '.join(writes)}")


@contextmanager
def _on_a_pair(folder: Path, name: str) -> Iterator[tuple[Testbed, StandbyPair]]:
    place = folder / name
    place.mkdir()
    with StandbyPair() as pair, open_testbed(place, pair.url, watched="serve", files=True) as built:
        yield built, pair


def _writes_of(tortured: Testbed, scenario: str) -> list[str]:
    """Live once, with nothing going wrong, and return the writes in their order, each once."""
    before, tortured_part = SCENARIOS[scenario]
    shop = Shop(tortured, "c")
    before(shop, "c")
    tortured.wait_until_idle(1.0, what=DUE)
    with tortured.armed():
        tortured_part(shop, "c")
    named = [step.removeprefix("before ") for step in tortured.steps("serve-0") if step.startswith("before ")]
    beside = BESIDE_THE_MONEY if scenario == "scheduled charge" else BESIDE_THE_MONEY | {IN_EVERY_ROUND}
    return [name for name in dict.fromkeys(named) if not name.startswith("call ") and name not in beside]


def _fail_over_at(write: str, tortured: Testbed, pair: StandbyPair, scenario: str, *, synchronous: bool) -> bool:
    """Live with a failover that comes when this write is on the old primary alone; return whether it came to that."""
    before, tortured_part = SCENARIOS[scenario]
    shop = Shop(tortured, "c")
    before(shop, "c")
    tortured.wait_until_idle(1.0, what=DUE)
    if synchronous:
        pair.demand_standby()
    living = threading.Thread(target=tortured_part, args=(shop, "c"))
    with tortured.armed(f"before {write}", "freeze"):
        living.start()
        reached = _is_frozen(tortured.pid("serve-0"))
    if reached:
        pair.standby.stop("fast")
        if synchronous:
            tortured.thaw("serve-0")
            pair.wait_for_hanging()
            time.sleep(HANGING_SECONDS)
            pair.return_read_only()
            time.sleep(READ_ONLY_SECONDS)
            pair.fail_over()
        else:
            with tortured.armed(f"after {write}", "freeze"):
                tortured.thaw("serve-0")
                reached = _is_frozen(tortured.pid("serve-0"))
            pair.fail_over()
            tortured.thaw("serve-0")
    living.join(SCENARIO_SECONDS_MAX)
    assert not living.is_alive(), f"{scenario}, {write}: the shop waits for ever\n{tortured.last_words()}"
    return reached


def _assert_records_agree(tortured: Testbed, what: str, *, synchronous: bool) -> None:
    left = tortured.settle()
    if not synchronous:
        read = tortured.reconcile()
        left = tortured.settle() | ({} if read else {"files of a day": 1})
    records = read_records(tortured, left)
    found = check(records) if synchronous else check_after_losses(records)
    shown = "\n\n".join(f"{finding}\n{timeline_of(records, finding.subject)}" for finding in found[:5])
    assert not found, f"{what}: {len(found)} findings; logs in {tortured.folder}\n{shown}"
