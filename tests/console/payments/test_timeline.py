"""The story of a payment, where it takes more than one call to tell."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from maedal.console.payments.timeline import History, timeline
from maedal.console.router import SUBJECTS
from maedal.payments.attempt import Attempt, Outcome, Proof, Verb
from maedal.payments.moves import Event, Status
from maedal.storage.attempts.reads import PastAttempt
from maedal.storage.payments.reads import PastEvent
from tests.support.builders import MERCHANT, NOW, an_issuing_window

KOREAN = SimpleNamespace(t=lambda korean, _: korean)


def test_the_first_evidence_stays_told_when_the_pgs_file_takes_its_place():
    assert SUBJECTS, "which make their words known"
    payment = replace(an_issuing_window()[0], status=Status.PAID, paid_at=NOW)
    attempt = Attempt("at_1", MERCHANT, Verb.CHARGE, "at_1", NOW, payment.imp_uid)
    past = PastAttempt(attempt, Outcome.APPROVED, Proof.SETTLEMENT_FILE, "T1", None, None, NOW)
    found = PastEvent(Event.APPROVED, Status.PAID, Proof.KEY_STATUS, "at_1", NOW)
    entries = timeline(KOREAN, History(payment, None, [past], [found], [], [], []))
    [answer] = [entry for entry in entries if entry.kind == "answer"]
    assert ("근거", "PG사의 거래내역 파일 (처음: 조회한 빌링키 상태)") in answer.facts
