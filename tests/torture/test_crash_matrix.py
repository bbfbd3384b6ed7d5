"""Every flow, stopped at every step it has, on each database: killed at once, and then everything is compared.

The steps are found, not listed: each scenario runs once with its process telling every commit and every call. A kind of
write that no scenario comes to fails the build, unless it is named here with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import maedal.storage.dunning.writes
import maedal.storage.log_chain.writes
import maedal.storage.messages.writes
import maedal.storage.notes.writes
import maedal.storage.operators.writes
import maedal.storage.payment_lists.writes
import maedal.storage.plans.writes
import maedal.storage.request_counts.writes
import maedal.storage.request_log.writes
import maedal.storage.sealing.writes
import maedal.storage.units
from maedal.storage.attempts.writes import RecordAttempt
from maedal.storage.audit.writes import KeepAuditEntry
from maedal.storage.channels.writes import PutChannel
from maedal.storage.database_servers.writes import NoteRestored, NoteUnseen
from maedal.storage.durability.writes import EnterOutcome, ProvePayment
from maedal.storage.engine.steps import UNITS
from maedal.storage.figures.writes import CountHours, KeepMonth
from maedal.storage.findings.writes import AddFindings, CloseFinding
from maedal.storage.idempotency.writes import SweepRequests
from maedal.storage.maintenance.writes import AddPause, EndPause
from maedal.storage.merchants.writes import (
    AddApiKey,
    AddMerchant,
    EndApiKey,
    EndOldSecret,
    KeepChecks,
    NameApiKey,
    RenewApiSecret,
    SeeApiKey,
    SetAllowedAddresses,
    SetFieldSet,
    SetRecovery,
    SetScopes,
    SetWebhook,
    SetWebhookSecrets,
)
from maedal.storage.payments.writes import EnterPayment, FillTid, SupplyTid
from maedal.storage.personal_data.writes import EraseBuyers
from maedal.storage.reconciliation.writes import ClaimDay, FinishDay, KeepRows
from maedal.storage.schedules.writes import ChangeScheduleByHand, EndTries, PostponeSchedule
from maedal.storage.transfer.writes import DiscardImport, FinishImport, StageEntries
from maedal.storage.unknown_outcomes.writes import SettleByHand
from maedal.storage.webhooks.writes import AddWebhookAddress, PutWebhookAddress, RemoveWebhookAddress, ResendMany
from maedal.storage.windows.writes import ForgetUnfinished
from maedal.storage.write import Write
from maedal.worker.loops import DUE_POLL_SECONDS, WEBHOOK_POLL_SECONDS

from .checker import check, read_records
from .scenarios import SCENARIOS
from .shop import Shop
from .testbed import DUE, Testbed, open_testbed
from .timeline import timeline_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

BY_PEOPLE = "written by a command of a person, in one transaction with nothing before or after it"
RECONCILING = "keeps what a file of the PG says, under keys that make a second run of the same day change nothing"


def writes_of(module: ModuleType) -> list[type]:
    """Return the kinds of writes that a module declares."""
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Write)]
    return [kind for kind in kinds if kind.__module__ == module.__name__]


COVERED_BY_OTHER_TESTS = {
    AddMerchant: BY_PEOPLE,
    RenewApiSecret: BY_PEOPLE,
    SetWebhook: BY_PEOPLE,
    SetWebhookSecrets: BY_PEOPLE,
    SetFieldSet: BY_PEOPLE,
    SetRecovery: BY_PEOPLE,
    PutChannel: BY_PEOPLE,
    **dict.fromkeys(
        (SetAllowedAddresses, AddApiKey, EndApiKey, SetScopes, EndOldSecret, NameApiKey, SeeApiKey, KeepChecks),
        "settings, and when a key was last used: no money hangs on them",
    ),
    **dict.fromkeys(
        writes_of(maedal.storage.payment_lists.writes),
        "what people look through: views, files and what payments are found by",
    ),
    **dict.fromkeys(writes_of(maedal.storage.notes.writes), "what people write beside payments: no money hangs on it"),
    **dict.fromkeys(writes_of(maedal.storage.operators.writes), "users of the console: no money hangs on them"),
    **dict.fromkeys(
        writes_of(maedal.storage.sealing.writes),
        "which key seals, and values under another one: killed half way three times in tests/flows/test_rotation.py",
    ),
    **dict.fromkeys(
        writes_of(maedal.storage.request_counts.writes), "how often strangers ask: no money hangs on a count"
    ),
    **dict.fromkeys(
        writes_of(maedal.storage.plans.writes),
        "a plan with its scheduled charge, in one transaction; broken off before and after it for a year in "
        "tests/flows/test_a_year_of_plans.py",
    ),
    **dict.fromkeys(
        writes_of(maedal.storage.messages.writes),
        "what people are told; of a worker that dies with a letter: tests/flows/test_messages.py",
    ),
    **dict.fromkeys(
        writes_of(maedal.storage.dunning.writes),
        "which charges are unpaid, with their messages in one transaction; they are charged by retry and windows",
    ),
    **dict.fromkeys(
        writes_of(maedal.storage.request_log.writes),
        "which calls were made: no money hangs on a log of them",
    ),
    EraseBuyers: BY_PEOPLE,
    NoteRestored: BY_PEOPLE,
    ForgetUnfinished: "forgetting windows after a month in which nothing was paid: tests/flows/test_windows.py",
    **dict.fromkeys(
        writes_of(maedal.storage.log_chain.writes),
        "covers rows that are committed, in one transaction with the end of their waiting: tests/flows/test_log_chain.py",
    ),
    KeepMonth: "figures that are shown: counted anew from the rows, and nothing is decided by them",
    CountHours: "figures that are shown: counted anew from the rows, and nothing is decided by them",
    AddPause: BY_PEOPLE,
    EndPause: BY_PEOPLE,
    PostponeSchedule: "lengthens a lease; a crash before it leaves the lease of the claim, and no PG was called",
    NoteUnseen: "told to people alone; whether a charge may begin is asked of the PG anew each time",
    EndTries: BY_PEOPLE,
    ChangeScheduleByHand: BY_PEOPLE,
    ResendMany: BY_PEOPLE,
    AddWebhookAddress: BY_PEOPLE,
    PutWebhookAddress: BY_PEOPLE,
    RemoveWebhookAddress: BY_PEOPLE,
    KeepAuditEntry: BY_PEOPLE,
    SettleByHand: BY_PEOPLE,
    SupplyTid: BY_PEOPLE,
    KeepRows: RECONCILING,
    FillTid: RECONCILING,
    EnterPayment: RECONCILING,
    AddFindings: RECONCILING,
    ProvePayment: "changes nothing; only where commits wait for a standby: tests/flows/test_forgotten.py, and its guard",
    EnterOutcome: "only into a database that has forgotten the call: tests/flows/test_forgotten.py",
    CloseFinding: RECONCILING,
    ClaimDay: RECONCILING,
    FinishDay: RECONCILING,
    SweepRequests: "forgetting answers that are thirty days old; it deletes what nobody asks for any more",
    RecordAttempt: "the worker's note on a call that a crash cut off after its window had ended; chaos comes to it",
    StageEntries: "an import; tests/transfer stops one half way",
    FinishImport: "an import; tests/transfer stops one half way",
    DiscardImport: "an import; tests/transfer stops one half way",
}


LOOP_ROUNDS_SECONDS = 2 * max(WEBHOOK_POLL_SECONDS, DUE_POLL_SECONDS)
"""Within this long the loops that claim have looked at what is due at least once."""

PARTS = 3
"""Each database's scenarios run on so many testbeds side by side."""


def _on(engine: str, part: int, *more: str) -> Any:
    """Return a parameter: this part of a database's testbeds, and what else."""
    group = pytest.mark.xdist_group(f"crash-{engine}-{part}")
    return pytest.param((engine, part), *more, marks=group, id="-".join((engine, *more)))


@pytest.fixture(scope="module")
def matrix(
    request: pytest.FixtureRequest, all_databases: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Testbed]:
    engine, _ = request.param
    with open_testbed(tmp_path_factory.mktemp("testbed"), all_databases.url(engine), watched="serve") as built:
        yield built


@pytest.fixture(scope="session")
def traced(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder in which all workers keep the steps of scenarios: what has been found once need not be lived again."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "traced-steps"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.mark.parametrize(
    ("matrix", "scenario"),
    [_on(engine, n % PARTS, name) for engine in ("sqlite", "postgresql") for n, name in enumerate(SCENARIOS)],
    indirect=["matrix"],
)
def test_a_scenario_survives_a_kill_at_each_of_its_steps(
    matrix: Testbed, scenario: str, traced: Path, record_property: Callable[[str, object], None]
) -> None:
    # Short: a merchant_uid, which begins with it, has at most forty characters.
    slug = f"{list(SCENARIOS).index(scenario)}-{scenario.replace(' ', '-').replace(',', '')[:20]}"
    steps = _traced(matrix, scenario, f"{slug}.traced", traced)
    assert steps, scenario
    stops = _that_differ(steps)
    passed_by = [step for number, step in enumerate(stops) if not _killed(matrix, scenario, f"{slug}.{number}", step)]
    # A step that hangs on who is first may pass by; most never do, and fewer do it twice.
    never_died = [
        step for number, step in enumerate(passed_by) if not _killed(matrix, scenario, f"{slug}.r{number}", step)
    ]
    _assert_records_agree(matrix, scenario)
    record_property("crash_matrix", (f"{scenario}|{matrix.engine}", len(steps)))
    assert len(never_died) <= max(1, len(stops) // 4), never_died


@pytest.mark.parametrize("matrix", [_on("sqlite", 0), _on("postgresql", 0)], indirect=True)
def test_no_kind_of_write_is_without_a_stop(matrix: Testbed, traced: Path) -> None:
    reached: set[str] = set()
    for number, scenario in enumerate(SCENARIOS):
        kept = traced / f"{matrix.engine} {scenario}"
        reached.update(
            kept.read_text().splitlines() if kept.exists() else _traced(matrix, scenario, f"complete.{number}", traced)
        )
    # The bench has a unit of its own, which is here when a test of it ran in this process.
    kinds = {kind for kind in UNITS if kind.__module__.startswith("maedal.")} - set(COVERED_BY_OTHER_TESTS)
    wanted = {f"{when} {kind.__name__}" for kind in kinds for when in ("before", "after")}
    wanted |= {
        f"{when} call {call}"
        for call in ("ready", "approve", "subscription", "cancel", "inactive", "order", "status")
        for when in ("before", "after")
    }
    assert wanted - reached == set()


def _traced(matrix: Testbed, scenario: str, customer: str, traced: Path) -> list[str]:
    """Live once and return the steps in their order, each once."""
    before, tortured = SCENARIOS[scenario]
    shop = Shop(matrix, customer)
    already = len(matrix.steps("serve-0"))
    matrix.live_on_one_token()
    before(shop, customer)
    matrix.wait_until_idle()
    with matrix.armed():
        tortured(shop, customer)
        matrix.wait_until_idle()
    steps = list(dict.fromkeys(matrix.steps("serve-0")[already:]))
    # Written aside and moved: another worker may look for it now.
    aside = traced / f".{matrix.engine} {scenario}"
    aside.write_text("\n".join(steps))
    aside.rename(traced / f"{matrix.engine} {scenario}")
    return steps


def _that_differ(steps: list[str]) -> list[str]:
    """Return the steps without those that leave the same behind as the one before: after one write, before the next."""
    return [
        step
        for previous, step in zip(["", *steps], steps, strict=False)
        if step.startswith("after") or not previous.startswith("after")
    ]


def _killed(matrix: Testbed, scenario: str, customer: str, step: str) -> bool:
    """Live with a process that dies at `step` and is started again; return whether it died."""
    before, tortured = SCENARIOS[scenario]
    shop = Shop(matrix, customer)
    matrix.live_on_one_token()
    before(shop, customer)
    matrix.wait_until_idle(1.0, what=DUE)
    with matrix.supervised("serve-0") as supervised, matrix.armed(step):
        tortured(shop, customer)
        # What a dead process leaves behind is for the end; a living one may come to the step in its loops.
        matrix.wait_until_idle(unless=supervised.died.is_set)
        # A scenario of a few milliseconds may be over between two rounds of the loops.
        supervised.died.wait(LOOP_ROUNDS_SECONDS)
    # It may have come to the step while it was disarmed, and died when nobody watched any more.
    matrix.revive()
    matrix.sim("DELETE", "faults")
    matrix.wait_until_answers(f"{matrix.gateway(0)}/readyz")
    return supervised.died.is_set()


def _assert_records_agree(matrix: Testbed, scenario: str) -> None:
    left = matrix.settle()
    records = read_records(matrix, left)
    found = check(records)
    shown = "\n\n".join(f"{finding}\n{timeline_of(records, finding.subject)}" for finding in found[:5])
    folder: Path = matrix.folder
    assert not found, f"{scenario}: {len(found)} findings; logs in {folder}\n{shown}"
