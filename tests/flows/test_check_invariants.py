"""What must be true at every moment is checked while everything runs; what breaks it is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
import structlog

from maedal import metrics
from maedal.flows.chain_logs import chain_logs
from maedal.flows.charge import charge
from maedal.flows.check_invariants import OPEN_TOO_LONG, UNKNOWN_AGES, InvariantWatch, measure
from maedal.merchants.audit_entry import AuditAction, AuditEntry
from maedal.payments.moves import Status
from maedal.pg.driver import AnswerLost
from maedal.reconciliation.finding import Finding, FindingKind
from maedal.reconciliation.settlement import day_of
from maedal.storage.audit.writes import KeepAuditEntry
from maedal.storage.findings.writes import AddFindings
from maedal.storage.invariants.reads import Invariant, OpenWork
from maedal.storage.payments.writes import BegunCharge
from maedal.storage.reconciliation.writes import DaySums, FinishDay
from tests.flows.test_schedules import plan
from tests.storage.test_store import a_charge
from tests.support.builders import MERCHANT, an_order


def lost(_):
    raise AnswerLost("the connection broke")


async def broken(flows):
    """Return which invariants are broken, and by what."""
    return {(v.invariant, v.merchant_id, v.subject) for v in await InvariantWatch(flows.services).check()}


async def paid(flows, merchant_uid="m_1"):
    if await flows.store.billing_keys.find(MERCHANT, "c_1") is None:
        await flows.issue_key()
    return await charge(flows.services, MERCHANT, an_order(merchant_uid))


async def change(flows, sql, *values):
    """Change a row behind the gateway's back."""
    await flows.store.engine.fetch(sql + " RETURNING 1 AS one", *values)


async def test_nothing_is_told_of_a_gateway_that_works(flows):
    await paid(flows)
    flows.network.next_answer["subscription"] = lost
    await charge(flows.services, MERCHANT, an_order("m_2"))
    assert await broken(flows) == set()


async def paid_without_evidence(flows):
    payment = await paid(flows)
    await change(flows, "UPDATE attempts SET outcome = 'declined', proof = 'reply' WHERE imp_uid = $1", payment.imp_uid)
    return payment.imp_uid


async def failed_though_unknown(flows):
    flows.network.next_answer["subscription"] = lost
    payment = await paid(flows)
    assert payment.status is Status.UNKNOWN
    await change(
        flows,
        "UPDATE payments SET status = 'failed', failed_at = updated_at, fail_reason = 'x', status_at = updated_at"
        " WHERE imp_uid = $1",
        payment.imp_uid,
    )
    return payment.imp_uid


async def moved_without_an_event(flows):
    payment = await paid(flows)
    await change(flows, "UPDATE payments SET version = version + 1 WHERE imp_uid = $1", payment.imp_uid)
    return payment.imp_uid


async def cancelled_by_nobody(flows):
    payment = await paid(flows)
    await change(
        flows,
        "UPDATE payments SET status = 'cancelled', cancelled_amount = 1000, cancelled_at = updated_at WHERE imp_uid = $1",
        payment.imp_uid,
    )
    return payment.imp_uid


async def unknown_for_too_long(flows):
    flows.network.next_answer["subscription"] = lost
    payment = await paid(flows)
    flows.clock.add((OPEN_TOO_LONG[Invariant.UNKNOWN_ENDS] + timedelta(seconds=1)).total_seconds())
    return payment.imp_uid


async def begun_and_left(flows):
    await flows.issue_key()
    begun = await flows.store.write(a_charge("m_1"))
    assert isinstance(begun, BegunCharge)
    flows.clock.add((OPEN_TOO_LONG[Invariant.ATTEMPT_HAS_OWNER] + timedelta(days=1)).total_seconds())
    return begun.payment.imp_uid


async def due_and_left(flows):
    await flows.issue_key()
    await plan(flows, "m_1")
    flows.clock.add((OPEN_TOO_LONG[Invariant.SCHEDULE_HAS_OWNER] + timedelta(minutes=2)).total_seconds())
    return "m_1"


async def contradicted_by_the_file(flows):
    payment = await paid(flows)
    day = day_of(flows.clock.now())
    [attempt] = await flows.store.engine.fetch("SELECT id FROM attempts WHERE imp_uid = $1", payment.imp_uid)
    found = Finding(
        MERCHANT, "f_1", FindingKind.CHARGED_HERE, attempt["id"], payment.channel_id, day, flows.clock.now(),
        attempt["id"], payment.imp_uid, amount_here=9_900,
    )  # fmt: skip
    await flows.store.write(AddFindings((found,)))
    sums = DaySums(taken_there=0, taken_here=9_900, cancelled_there=0, cancelled_here=0)
    await flows.store.write(FinishDay(MERCHANT, payment.channel_id, day, False, sums, flows.clock.now()))
    return f"{payment.channel_id} {day}"


async def removed_from_the_audit_log(flows):
    entry = AuditEntry("a_1", MERCHANT, AuditAction.CANCEL, "imp_1", "minji", "asked", "", "", flows.clock.now())
    await flows.store.write(KeepAuditEntry(entry))
    assert await chain_logs(flows.services) == 1
    taken_away = {
        "sqlite": "DROP TRIGGER audit_log_no_delete",
        "postgresql": "ALTER TABLE audit_log DISABLE TRIGGER USER",
    }
    await flows.store.engine.fetch(taken_away[flows.store.engine.name])
    await change(flows, "DELETE FROM audit_log WHERE id = $1", "a_1")
    return "row removed: audit_log a_1"


async def moved_to_another_customer(flows):
    await flows.issue_key("c_moved")
    await flows.store.engine.fetch("UPDATE billing_keys SET customer_uid = 'c_thief' WHERE customer_uid = 'c_moved'")
    return "billing_keys.sealed_pg_key c_thief"


PLANTED = {
    Invariant.PAID_HAS_PROOF: paid_without_evidence,
    Invariant.FAILED_HAS_PROOF: failed_though_unknown,
    Invariant.STATUS_HAS_EVENT: moved_without_an_event,
    Invariant.CANCELLED_IS_THE_SUM: cancelled_by_nobody,
    Invariant.UNKNOWN_ENDS: unknown_for_too_long,
    Invariant.ATTEMPT_HAS_OWNER: begun_and_left,
    Invariant.SCHEDULE_HAS_OWNER: due_and_left,
    Invariant.FILE_AGREES: contradicted_by_the_file,
    Invariant.LOGS_UNCHANGED: removed_from_the_audit_log,
    Invariant.SEALED_IN_PLACE: moved_to_another_customer,
}
SEEN_OVER_TIME = {Invariant.LOGS_CHAINED}
"""Those that no single look can tell (see test_log_chain.py)."""


def test_every_invariant_is_broken_once_here():
    assert set(PLANTED) | SEEN_OVER_TIME == set(Invariant)


@pytest.mark.parametrize("invariant", PLANTED)
async def test_a_planted_violation_is_found_by_name_counted_and_told_once(flows, invariant):
    subject = await PLANTED[invariant](flows)
    counted = metrics.VIOLATIONS.labels(invariant)
    before = counted._value.get()
    watch = InvariantWatch(flows.services)
    with structlog.testing.capture_logs() as log_lines:
        found = [await watch.check(), await watch.check()]
    for each in found:
        assert (invariant, MERCHANT, subject) in {(v.invariant, v.merchant_id, v.subject) for v in each}
    reported = [line for line in log_lines if line["event"] == "invariant_broken" and line["invariant"] == invariant]
    assert [line["subject"] for line in reported] == [subject]
    assert counted._value.get() == before + 1
    assert metrics.VIOLATED.labels(invariant)._value.get() == 1


async def test_open_work_is_measured_by_kind_and_age(flows):
    await flows.issue_key()
    await plan(flows, "s_1", "s_2", in_seconds=60)
    flows.network.next_answer["subscription"] = lost
    await charge(flows.services, MERCHANT, an_order("m_1"))
    flows.clock.add((timedelta(minutes=11)).total_seconds())
    await measure(flows.services)
    ages = {name: metrics.UNKNOWN_OUTCOMES.labels(name)._value.get() for name in UNKNOWN_AGES}
    assert ages == {"0s": 1, "1m": 1, "10m": 1, "1h": 0, "1d": 0}
    assert metrics.OPEN_WORK.labels(OpenWork.SCHEDULES)._value.get() == 2
    assert 590 <= metrics.OLDEST_SECONDS.labels(OpenWork.SCHEDULES)._value.get() <= 620
    assert metrics.OPEN_WORK.labels(OpenWork.UNANSWERED)._value.get() == 0
    assert metrics.OLDEST_SECONDS.labels(OpenWork.UNANSWERED)._value.get() == 0


@pytest.mark.parametrize(
    ("code", "label"),
    [
        ("-782 USER_LOCKED", "-782 USER_LOCKED"),
        ("NOT_SENT", "NOT_SENT"),
        ("-1", "-1"),
        ("x" * 41, "other"),
        ("잔액부족", "other"),
        ('a"b\n', "other"),
        ("", "other"),
    ],
)
def test_a_code_becomes_a_label_only_when_it_is_short_and_plain(code, label):
    assert metrics.code_label(code) == label
