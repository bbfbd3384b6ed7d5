"""What a torture leaves behind: a result that machines read, and the story of what it found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .__main__ import Run, result
from .chaos import Score
from .checker import Records, check
from .findings import Finding
from .testbed import ClientRecord, Reply
from .timeline import timeline_of

BEGUN, RECORDED = "2026-11-25T10:00:00+00:00", "2026-11-25T10:00:01+00:00"


def test_a_result_counts_what_was_found_on_all_databases() -> None:
    found = [(1, Finding("double", "order", "")), (2, Finding("keys", "", "")), (2, Finding("without proof", "o", ""))]
    scores = {"sqlite": Score(rounds=2, charges=5, found=found), "postgresql": Score(rounds=3, charges=7)}
    scores["sqlite"].kills_of.update(gateway=40, simulator=2)
    scores["postgresql"].kills_of.update(gateway=10, worker=3)
    written = result(Run(7, 1.0, ("sqlite", "postgresql")), scores, 63, {})
    assert (written["seed"], written["minutes"], written["databases"]) == (7, 1.1, ["sqlite", "postgresql"])
    assert (written["rounds"], written["kills"], written["charges"]) == (5, 55, 12)
    assert written["findings"] == {"double": 1, "lost": 0, "stuck": 0, "without_proof": 1, "other": 1}
    assert datetime.fromisoformat(written["finished_at"]).utcoffset() == UTC.utcoffset(None)
    assert "cluster" not in written


def test_the_story_of_a_finding_tells_only_what_concerns_it() -> None:
    records = Records(
        log=[_line("attempt-1", 900, "drop_after"), _line("attempt-2", 500, None)],
        payments=[_payment("imp_1", "order-1", "anna", 900), _payment("imp_2", "order-2", "ben", 500)],
        attempts=[_attempt("attempt-1", "imp_1"), _attempt("attempt-2", "imp_2")],
        clients=[
            ClientRecord("shop", "again", {"merchant_uid": name}, Reply(None), datetime.fromisoformat(RECORDED))
            for name in ("order-1", "order-2")
        ],
        disturbances=[
            (datetime.fromisoformat(BEGUN), "kill serve-0"),
            (datetime(2026, 11, 25, 9, tzinfo=UTC), "kill serve-1"),
        ],
    )
    (lost,) = [finding for finding in check(records) if finding.subject == "order-1" and finding.kind == "lost"]
    written = timeline_of(records, lost.subject)
    assert written.splitlines()[0] == (
        "order-1 (imp_1) of anna: failed, amount 900, given back 0, tid None, failed by NOT_SENT"
    )
    for words in ("kill serve-0", "subscription 900 is approved, fault drop_after", "was answered with nothing"):
        assert words in written
    for words in ("kill serve-1", "order-2", "attempt-2"):
        assert words not in written


def test_a_charge_after_the_deletion_was_answered_is_found_and_one_that_had_left_before_is_not() -> None:
    def kinds(recorded_at: str, **more: Any) -> set[str]:
        records = Records(
            log=[_line("attempt-1", 900, None)],
            payments=[_payment("imp_1", "order-1", "anna", 900)],
            attempts=[_attempt("attempt-1", "imp_1") | {"billing_key_id": "key-1"}],
            keys=[_key("key-1", "anna"), _key("key-2", "ben")],
            clients=[
                _deletion("anna", recorded_at),
                ClientRecord("shop", "delete", {"customer_uid": "ben"}, Reply(None), _at(BEGUN)),
            ],
            **more,
        )
        return {finding.kind for finding in check(records)}

    lost = {"imp_uid": "imp_1", "version": 1, "status": "unknown", "event": "lost", "proof": "lost"}
    assert "deleted" in kinds("2026-11-25T09:59:55+00:00")
    assert "deleted" in kinds("2026-11-25T09:59:55+00:00", events=[lost | {"happened_at": BEGUN}])
    assert "deleted" not in kinds("2026-11-25T09:59:58+00:00")
    assert "deleted" not in kinds(RECORDED)
    assert "deleted" not in kinds(
        "2026-11-25T09:59:55+00:00", events=[lost | {"happened_at": "2026-11-25T09:59:54+00:00"}]
    )


def _at(time: str) -> datetime:
    return datetime.fromisoformat(time)


def _key(key_id: str, customer_uid: str) -> dict[str, Any]:
    return {
        "id": key_id, "customer_uid": customer_uid, "inserted_at": "2026-11-25T09:00:00.7+00:00",
        "ended_at": "2026-11-25T09:59:54.5+00:00", "ended_by": "deleted",
    }  # fmt: skip


def _deletion(customer_uid: str, recorded_at: str) -> ClientRecord:
    inserted = int(_at("2026-11-25T09:00:00+00:00").timestamp())
    reply = Reply(200, {"code": 0, "response": {"inserted": inserted}})
    return ClientRecord("shop", "delete", {"customer_uid": customer_uid}, reply, _at(recorded_at))


def _line(order_id: str, amount: int, fault: str | None) -> dict[str, Any]:
    return {
        "time": "2026-11-25T19:00:00+09:00", "operation": "subscription", "outcome": "approved", "tid": f"T-{order_id}",
        "sid": None, "partner_order_id": order_id, "amount": amount, "fault": fault,
    }  # fmt: skip


def _payment(imp_uid: str, merchant_uid: str, customer_uid: str, amount: int) -> dict[str, Any]:
    return {
        "imp_uid": imp_uid, "merchant_uid": merchant_uid, "customer_uid": customer_uid, "status": "failed",
        "amount": amount, "cancelled_amount": 0, "pg_tid": None, "fail_code": "NOT_SENT", "undo_at": None,
        "key_use": "payment", "billing_key_id": None, "version": 1,
    }  # fmt: skip


def _attempt(order_id: str, imp_uid: str) -> dict[str, Any]:
    return {
        "id": order_id, "order_id": order_id, "imp_uid": imp_uid, "verb": "charge", "billing_key_id": None,
        "begun_at": BEGUN, "recorded_at": RECORDED, "outcome": "not_sent", "proof": "unsent", "code": None,
        "approved_before": None, "pg_tid": None,
    }  # fmt: skip
