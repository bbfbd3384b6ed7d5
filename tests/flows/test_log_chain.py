"""The chain over the logs shows every row that is removed, changed, added or put in another order behind our back."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog

from maedal.flows.anchor_file import AnchorFile
from maedal.flows.anchor_logs import ANCHOR_EVERY, accept_restore, anchor_logs
from maedal.flows.chain_logs import BLOCK_ROWS_MAX, chain_logs
from maedal.flows.charge import charge
from maedal.flows.check_invariants import InvariantWatch
from maedal.flows.verify_logs import verify_logs
from maedal.flows.watch_log_chain import WAITS_AT_MOST, LogChainWatch
from maedal.log_chain.block import Log
from maedal.log_chain.problem import ProblemKind
from maedal.merchants.audit_entry import AuditAction, AuditEntry
from maedal.payments.errors import InvalidParameter
from maedal.storage.audit.writes import KeepAuditEntry
from maedal.storage.errors import Conflict, StoreError
from maedal.storage.invariants.reads import Invariant, Violation
from maedal.storage.log_chain.writes import AppendBlock
from maedal.storage.open import create_store
from maedal.vault import create_key_file, load_key_file
from tests.support.builders import MERCHANT, NOW, an_order


@pytest.fixture
async def chained(flows, tmp_path):
    """A gateway with two payments and three entries in the audit log, all covered by blocks, and anchored."""
    flows.services = replace(flows.services, anchors=AnchorFile(tmp_path / "anchors"))
    await flows.issue_key()
    for number in (1, 2):
        await charge(flows.services, MERCHANT, an_order(f"m_{number}"))
        flows.clock.add(10)
    for number in range(3):
        await flows.store.write(KeepAuditEntry(an_entry(number)))
        assert await chain_logs(flows.services)
    assert await anchor_logs(flows.services)
    assert await problems(flows) == []
    return flows


def an_entry(number):
    return AuditEntry(f"a_{number}", MERCHANT, AuditAction.CANCEL, "imp_1", "minji", "asked", "", "", NOW)


async def problems(flows):
    report = await verify_logs(flows.services)
    assert report.problem_count == len(report.problems)
    return [(problem.kind, problem.subject) for problem in report.problems]


async def kinds(flows):
    return {kind for kind, _ in await problems(flows)}


async def watched(flows):
    """Return what the watch of a new process says, of each."""
    return [violation.subject for violation in await LogChainWatch(flows.services).changed()]


GUARDS = {
    "sqlite": ("DROP TRIGGER IF EXISTS {0}_no_update", "DROP TRIGGER IF EXISTS {0}_no_delete", "DROP TRIGGER IF EXISTS {0}_to_chain"),
    "postgresql": ("ALTER TABLE {0} DISABLE TRIGGER USER",),
}  # fmt: skip


async def behind(flows, log, sql, *values):
    """Do something to a log that only who owns its table can."""
    for statement in GUARDS[flows.store.engine.name]:
        await flows.store.engine.fetch(statement.format(log))
    assert await flows.store.engine.fetch(f"{sql} RETURNING 1 AS one", *values)


async def test_whole_logs_hold_and_the_report_says_what_was_looked_at(chained):
    report = await verify_logs(chained.services)
    # The key's issue, two charges with three events in all each, three acts.
    assert (report.problem_count, report.waiting, report.walking, report.anchors) == (0, 0, False, 1)
    assert report.rows == sum([await chained.store.log_chain.count(log) for log in Log])
    assert report.blocks == 3
    assert await watched(chained) == []


CHANGES = {
    "removed": ("audit_log", "DELETE FROM audit_log WHERE id = 'a_1'", ProblemKind.ROW_REMOVED, "audit_log a_1"),
    "changed": ("audit_log", "UPDATE audit_log SET who = 'nobody' WHERE id = 'a_1'", ProblemKind.ROW_CHANGED, "audit_log a_1"),
    "moved in time": (
        "audit_log", "UPDATE audit_log SET happened_at = '2020-01-01 00:00:00+00:00' WHERE id = 'a_2'",
        ProblemKind.ROW_CHANGED, "audit_log a_2",
    ),
    "added": (
        "audit_log",
        ("INSERT INTO audit_log (merchant_id, id, kind, subject, who, reason, fact_before, fact_after, happened_at)"
        " SELECT merchant_id, 'a_9', kind, subject, who, reason, '', '', happened_at FROM audit_log WHERE id = 'a_1'"),
        ProblemKind.ROW_ADDED, "audit_log a_9",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
async def test_a_row_of_the_audit_log_that_was_tampered_with_is_named(chained, change):
    log, sql, kind, subject = CHANGES[change]
    await behind(chained, log, sql)
    assert await problems(chained) == [(kind, subject)]


async def test_events_of_a_payment_in_another_order_are_named(chained):
    for step in ("9 WHERE version = 1", "1 WHERE version = 2", "2 WHERE version = 9"):
        await behind(chained, "payment_events", f"UPDATE payment_events SET version = {step}")
    assert await kinds(chained) == {ProblemKind.ROW_CHANGED}
    assert any("row changed: payment_events" in subject for subject in await watched(chained))


async def test_an_emptied_log_is_seen_by_the_watch_and_counted_as_a_broken_invariant(chained):
    await behind(chained, "payment_events", "DELETE FROM payment_events")
    assert all("row removed: payment_events" in subject for subject in await watched(chained))
    assert await kinds(chained) == {ProblemKind.ROW_REMOVED}


async def test_a_block_made_without_the_key_file_does_not_hold(chained, tmp_path):
    create_key_file(tmp_path / "other.json")
    other = replace(chained.services, vault=load_key_file(tmp_path / "other.json"))
    # Whoever has no key file can add a block, but none that holds.
    await chained.store.write(KeepAuditEntry(an_entry(7)))
    assert await chain_logs(other)
    assert (ProblemKind.BLOCK_CHANGED, "its own hash differs") in await problems(chained)
    assert await watched(chained)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("DELETE FROM log_blocks WHERE number = 2", ProblemKind.BLOCK_REMOVED),
        ("UPDATE log_blocks SET entries = '[]' WHERE number = 2", ProblemKind.BLOCK_CHANGED),
        ("UPDATE log_blocks SET number = 7 WHERE number = 3", ProblemKind.BLOCK_REMOVED),
    ],
)
async def test_a_block_that_is_gone_or_changed_is_seen(chained, sql, kind):
    await behind(chained, "log_blocks", sql)
    assert kind in await kinds(chained)
    assert await watched(chained)


async def test_an_end_of_logs_and_chain_that_was_cut_off_together_is_seen_by_the_anchor(chained):
    await behind(chained, "audit_log", "DELETE FROM audit_log WHERE id = 'a_2'")
    await behind(chained, "log_blocks", "DELETE FROM log_blocks WHERE number = 3")
    assert await kinds(chained) == {ProblemKind.OLDER_THAN_ANCHOR}
    assert (await verify_logs(chained.services)).only_older
    assert any("older than anchor" in subject for subject in await watched(chained))
    # Without an anchor nothing would be seen.
    blind = replace(chained.services, anchors=AnchorFile())
    assert (await verify_logs(blind)).problem_count == 0


async def test_a_chain_made_anew_with_the_key_file_disagrees_with_its_anchor(chained):
    await behind(chained, "audit_log", "UPDATE audit_log SET who = 'nobody' WHERE id = 'a_2'")
    await behind(chained, "log_blocks", "DELETE FROM log_blocks WHERE number = 3")
    await chained.store.engine.fetch(
        "INSERT INTO log_rows_to_chain (log, merchant_id, row_id, version) VALUES ('audit_log', $1, 'a_2', 0) RETURNING 1", MERCHANT
    )  # fmt: skip
    assert await chain_logs(chained.services) == 1
    assert await kinds(chained) == {ProblemKind.ANCHOR_DIFFERS}
    assert any("anchor differs" in subject for subject in await watched(chained))


async def test_a_restored_copy_is_told_from_tampering_and_goes_on_once_somebody_answers_for_it(chained):
    await behind(chained, "audit_log", "DELETE FROM audit_log WHERE id = 'a_2'")
    await behind(chained, "log_blocks", "DELETE FROM log_blocks WHERE number = 3")
    chained.clock.add(ANCHOR_EVERY.total_seconds() + 1)
    with structlog.testing.capture_logs() as logs:
        # No anchor is put over the one that disagrees.
        assert await anchor_logs(chained.services) is None
    assert [line["event"] for line in logs] == ["log_chain_not_anchored"]
    with pytest.raises(InvalidParameter, match="reason"):
        await accept_restore(chained.services, "minji", "")
    assert (await accept_restore(chained.services, "minji", "the disk of db1 died")).number == 0
    assert await problems(chained) == []
    assert await watched(chained) == []
    kept = [json.loads(line) for line in chained.services.anchors.path.read_text().splitlines()]
    assert [line["kind"] for line in kept] == ["anchor", "restored", "anchor"]
    assert kept[1]["who"] == "minji"
    with pytest.raises(InvalidParameter, match="no restore to accept"):
        await accept_restore(chained.services, "minji", "once more")


async def test_an_anchor_a_day_is_kept_in_a_file_for_its_owner_alone_and_in_the_log(chained):
    assert chained.services.anchors.path.stat().st_mode & 0o777 == 0o600
    assert await anchor_logs(chained.services) is None
    chained.clock.add(ANCHOR_EVERY.total_seconds())
    with structlog.testing.capture_logs() as logs:
        anchor = await anchor_logs(chained.services)
    assert logs == [{"event": "log_chain_anchored", "block": 3, "digest": anchor.digest.hex(), "log_level": "info"}]
    chained.services.anchors.path.write_text("nonsense\n")
    assert await kinds(chained) == {ProblemKind.ANCHORS_UNREADABLE}
    assert any("unreadable" in subject for subject in await watched(chained))


async def test_rows_from_before_the_chain_are_walked_through_once_while_new_ones_come(flows):
    before = BLOCK_ROWS_MAX + 5
    for number in range(before):
        await flows.store.write(KeepAuditEntry(an_entry(number)))
    # As a migration leaves them.
    await flows.store.engine.fetch("DELETE FROM log_rows_to_chain RETURNING 1 AS one")
    await flows.store.engine.fetch("INSERT INTO logs_to_walk VALUES ('audit_log', '', '', 0) RETURNING 1 AS one")
    await flows.store.write(KeepAuditEntry(an_entry(10_000)))
    assert await chain_logs(flows.services, blocks_max=1) == BLOCK_ROWS_MAX
    assert (await verify_logs(flows.services)).walking
    # One that sorts before the place of the walk, and one behind it.
    await flows.store.write(KeepAuditEntry(replace(an_entry(0), id="a")))
    await flows.store.write(KeepAuditEntry(replace(an_entry(0), id="z")))
    assert await chain_logs(flows.services) == 5 + 3
    report = await verify_logs(flows.services)
    assert (report.problem_count, report.rows, report.walking, report.waiting) == (0, before + 3, False, 0)


async def test_of_two_workers_that_make_the_next_block_at_once_one_succeeds(chained):
    await chained.store.write(KeepAuditEntry(an_entry(3)))
    await chained.store.write(KeepAuditEntry(an_entry(4)))
    seen = await chained.store.log_chain.waiting(1)
    assert await chain_logs(chained.services) == 2
    newest = await chained.store.log_chain.newest()
    # The other has read the same block as the newest, or the same rows as not covered.
    with pytest.raises(Conflict):
        await chained.store.write(AppendBlock(newest, []))
    late = replace(newest, number=newest.number + 1, previous=newest.digest)
    with pytest.raises(Conflict):
        await chained.store.write(AppendBlock(late, [row.id for row in seen]))
    # A server that took over and lacks the newest block gets no block behind a hole.
    with pytest.raises(Conflict):
        await chained.store.write(AppendBlock(replace(newest, number=newest.number + 2), []))
    assert await problems(chained) == []


async def test_two_workers_at_once_cover_each_row_once(flows, database_url):
    other = create_store(database_url, serving=False)
    await other.open()
    try:
        both = (flows.services, replace(flows.services, store=other))
        for round_ in range(5):
            writes = [flows.store.write(KeepAuditEntry(an_entry(20 * round_ + number))) for number in range(20)]
            await asyncio.gather(*writes, *(chain_logs(services) for services in both))
            await asyncio.gather(*(chain_logs(services) for services in both))
        await chain_logs(flows.services)
    finally:
        await other.close()
    report = await verify_logs(flows.services)
    assert (report.problem_count, report.rows, report.waiting) == (0, 100, 0)


async def test_a_chain_that_stands_still_while_rows_wait_is_told(chained):
    watch = InvariantWatch(chained.services)
    assert await watch.check() == []
    await chained.store.write(KeepAuditEntry(an_entry(3)))
    assert await watch.check() == []
    chained.clock.add((WAITS_AT_MOST + timedelta(seconds=1)).total_seconds())
    assert await watch.check() == [Violation(Invariant.LOGS_CHAINED, MERCHANT, "audit_log a_3")]
    assert await chain_logs(chained.services)
    assert await watch.check() == []


@pytest.mark.parametrize("log", [*Log, "log_blocks"])
async def test_no_log_can_be_changed_or_emptied_even_by_who_owns_it_unless_a_trigger_is_taken_away(chained, log):
    await chained.store.engine.fetch(
        "INSERT INTO user_log VALUES ('u_1', 'sign_in', 'minji', 'minji', '', '', $1) RETURNING 1 AS one", NOW
    )
    with pytest.raises(StoreError):
        await chained.store.engine.fetch(f"DELETE FROM {log}")
    emptying = {"sqlite": f"DELETE FROM {log}", "postgresql": f"TRUNCATE {log} CASCADE"}[chained.store.engine.name]
    with pytest.raises(StoreError):
        await chained.store.engine.fetch(emptying)
