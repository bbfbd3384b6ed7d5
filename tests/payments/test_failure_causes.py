"""Why payments fail: every code has one cause, every cause its words, and both agree with what codes prove."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maedal.app import DRIVERS
from maedal.errors import GatewayError
from maedal.flows import approve, end_window, resolve_unknown
from maedal.payments.failure_causes import OWN_CODES, FailureCause, Retry, cause_of, codes_of
from maedal.payments.failure_texts import EXPLANATIONS
from maedal.pg.kakaopay import codes
from maedal.pg.kakaopay.failure_causes import CAUSES

HANGUL = re.compile(r"[가-힣]")
WIRE = Path(__file__).parents[2] / "docs" / "wire" / "kakaopay.md"


@pytest.mark.parametrize("cause", FailureCause)
def test_every_cause_is_explained_in_both_languages(cause):
    one = EXPLANATIONS[cause]
    for korean, english in (one.name, one.when, one.buyer, one.to_do):
        assert HANGUL.search(korean)
        assert english
        assert not HANGUL.search(english)
    # Sentences that a shop can send as they are: a code or the PG's own word for something is no buyer's language.
    assert not re.search(r"[A-Z]{3,}|customer_uid|빌링키|카카오", " ".join(one.buyer))


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
def test_each_cause_but_the_unexplained_has_a_code_and_each_code_one_cause(driver):
    of_pg = driver.abilities.failure_causes
    behind = [(code, cause) for cause in FailureCause for code in codes_of(cause, of_pg)]
    assert len({code for code, _ in behind}) == len(behind)
    assert {cause for _, cause in behind} == set(FailureCause) - {FailureCause.UNEXPLAINED}
    assert all(cause_of(code, of_pg) is cause for code, cause in behind)
    assert not set(OWN_CODES) & set(of_pg)


@pytest.mark.parametrize("code", [None, "", "-999", "-782 4711", "KAKAO"])
def test_a_code_that_nobody_knows_is_told_as_the_pg_told_it(code):
    assert cause_of(code, CAUSES) is FailureCause.UNEXPLAINED
    assert EXPLANATIONS[FailureCause.UNEXPLAINED].retry is Retry.UNKNOWN


def test_every_code_that_fails_a_payment_is_explained():
    certain = {str(code) for code in (*codes.NOTHING_TAKEN, *codes.METHOD_ANSWERED)}
    refused = {f"HTTP {status}" for status in codes.REFUSED_AT_THE_DOOR}
    assert certain | refused <= set(CAUSES)
    assert {"NOT_SENT", "NOT_TAKEN"} <= set(OWN_CODES)
    assert {approve.CONFIRM_REJECTED, approve.ALREADY_PAID, end_window.CANCELLED, resolve_unknown.KEY_LOST} <= set(
        OWN_CODES
    )
    known = {error.code for error in subclasses(GatewayError)}
    assert {"BILLING_KEY_NOT_FOUND", "NOT_PREPARED", "AMOUNT_MISMATCH", "CUSTOMER_UID_MISMATCH"} <= known & set(
        OWN_CODES
    )


def subclasses(kind):
    return [kind, *(deeper for one in kind.__subclasses__() for deeper in subclasses(one))]


def test_every_code_of_the_wire_page_that_has_a_meaning_of_its_own_is_explained():
    page = WIRE.read_text()
    numbers = set(re.findall(r"^\| (-\d+) \|", page.partition("### 8.2")[2].partition("### 8.3")[0], re.MULTILINE))
    of_cancels = {"-710", "-711", "-781", "-784"}
    assert len(numbers) > 30
    assert numbers - of_cancels <= set(CAUSES)
    cards = re.findall(
        r"^\| (`\d{4}`(?:, `\d{4}`)*) \|", page.partition("### 8.5")[2].partition("### 8.6")[0], re.MULTILINE
    )
    named = {f"-782 {code}" for row in cards for code in re.findall(r"\d{4}", row)}
    # An approval that is cancelled already, or is none, is told to cancels alone, and 9999 may mean anything.
    assert named - set(CAUSES) == {"-782 0025", "-782 6666", "-782 9999"}


def test_causes_agree_with_what_a_later_try_may_do():
    """One cause has one reason for a later try, or none; a PG that is closed and a call refused at the door are told so."""
    for cause in FailureCause:
        methods = {code.rpartition(" ")[2] for code in codes_of(cause, CAUSES) if code in CAUSES}
        reasons = {codes.REASONS.get(method) for method in methods}
        assert len(reasons) <= 1, (cause, reasons)
        if reasons - {None}:
            assert EXPLANATIONS[cause].retry in {Retry.LATER, Retry.AFTER_BUYER, Retry.AFTER_REGISTERING}
    maintenance = {code.rpartition(" ")[2] for code, cause in CAUSES.items() if cause is FailureCause.MAINTENANCE}
    assert maintenance == codes.MAINTENANCE
    at_the_door = {code for code, cause in CAUSES.items() if cause in {FailureCause.CHANNEL, FailureCause.CALL_LIMIT}}
    assert at_the_door - {"-402"} == set(codes.FAULTS) - {"-402"}
    unsure = {
        code.rpartition(" ")[2] for code, cause in CAUSES.items() if cause in {FailureCause.BUSY, FailureCause.OUTAGE}
    }
    assert set(codes.METHOD_UNSURE) <= unsure
