"""A refusal is told in one language: the caller's, but where PortOne has words of its own (docs/wire/portone-v1-rest.md 2.2.1)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from maedal.rest.api_document.document import refusals_of
from maedal.rest.api_document.operations import OPERATIONS
from maedal.rest.errors import WIRE, on_the_wire
from maedal.rest.language import Bilingual, Language, localized
from tests.rest.test_errors import an_error
from tests.support import shapes
from tests.support.raw import raw

DOCUMENT = (Path(__file__).parents[2] / "docs" / "wire" / "portone-v1-rest.md").read_text("utf-8")
SECTION = DOCUMENT[DOCUMENT.index("\n#### 2.2.1 ") : DOCUMENT.index("\n### 2.3 ")]
FIXED = {text.replace("<uid>", "gildong_0001_1234") for text in re.findall(r"^\* `(.+)`$", SECTION, re.MULTILINE)}
REFUSALS = {
    (refusal.message, isinstance(refusal.message, Bilingual)): refusal
    for operation in OPERATIONS
    for refusal in refusals_of(operation).values()
}
HANGUL = re.compile(r"[가-힣]")
ENGLISH = "en-US,en;q=0.9"


def call(running, method, path, body=None, **headers):
    """Call with these headers, `Accept_Language` for `Accept-Language`."""
    content = b"" if body is None else json.dumps(body).encode()
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return raw(running.gateway, method, path, content, {"Authorization": running.token()} | sent)


def test_the_fixed_sentences_are_read():
    assert len(FIXED) > 15


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=lambda refusal: refusal.message[:40])
def test_a_refusal_is_portones_own_or_in_both_languages(refusal):
    english = localized(refusal.message, Language.ENGLISH)
    if isinstance(refusal.message, Bilingual):
        assert HANGUL.search(refusal.message) or set(refusal.message) <= {"…", ":", " "}
        assert not HANGUL.search(english), english
        assert refusal.message not in FIXED
    else:
        assert english in FIXED | {"…"}  # "…" stands for what the PG says


@pytest.mark.parametrize("kind", WIRE, ids=lambda kind: kind.__name__)
def test_an_error_that_rest_can_meet_is_portones_own_or_in_both_languages(kind):
    answer = on_the_wire(an_error(kind))
    assert WIRE[kind].text in FIXED | {"{message}"} or isinstance(answer.message, Bilingual)


MIXED = [
    ({"amount": 0}, "amount 파라메터는 1 이상이어야 합니다.", "amount must be 1 at least."),
    ({"amount": 10**12}, "amount 파라메터는 9999999999 이하여야 합니다.", "amount must be 9999999999 at most."),
    ({"amount": 1.5}, "amount 파라메터는 정수여야 합니다.", "amount must be a whole number."),
    ({"merchant_uid": "x" * 41}, "merchant_uid 파라메터는 40자를 넘을 수 없습니다.", "merchant_uid may have 40 characters at most."),
]  # fmt: skip


@pytest.fixture(scope="module")
def speaking(running):
    running.issue_key("c_1")
    running.again("c_1", "paid_1")
    return running


@pytest.mark.parametrize(("change", "korean", "english"), MIXED)
def test_the_reason_is_the_true_one_in_the_callers_language(speaking, change, korean, english):
    body = {"customer_uid": "c_1", "merchant_uid": "new", "amount": 1_000} | change
    path = "/subscribe/payments/again"
    assert shapes.refused(call(speaking, "POST", path, body), 200, 1) == korean
    assert shapes.refused(call(speaking, "POST", path, body, Accept_Language=ENGLISH), 200, 1) == english


PLAN = "/subscribe/payments/schedule"
FLOWS = [
    ("POST", PLAN, {"customer_uid": "c_1", "schedules": [{"merchant_uid": "a", "schedule_at": 1, "amount": 1}]}, 200, 1),
    ("POST", PLAN, {"customer_uid": "c_1", "schedules": [{"merchant_uid": "a", "schedule_at": 9e9, "amount": 1}]}, 200, 1),
    ("POST", PLAN, {"customer_uid": "c_1", "schedules": [{"merchant_uid": "b", "schedule_at": 4e9, "amount": 1}] * 2}, 200, 1),
    ("POST", PLAN, {"customer_uid": "c_1", "schedules": ["x"]}, 200, 1),
    ("POST", "/payments/cancel", {"merchant_uid": "paid_1", "checksum": 1}, 200, 1),
    ("POST", "/payments/cancel", {"merchant_uid": "paid_1", "amount": 4_000}, 200, 1),
    ("POST", "/subscribe/payments/onetime", {}, 200, -1),
    ("GET", "/payments/status/all?from=1600000000&to=1700000000", None, 400, -1),
    ("GET", "/payments/status/all?page=x", None, 400, -1),
    ("GET", "/payments/status/all?sorting=x", None, 400, -1),
    ("GET", f"{PLAN}?schedule_from=1700000000000&schedule_to=1700000000", None, 400, -1),
    ("GET", f"{PLAN}/nothing", None, 404, -1),
    ("GET", "/cards/nothing", None, 404, -1),
    ("GET", "/nowhere", None, 404, -1),
    ("DELETE", "/payments/cancel", None, 405, -1),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), FLOWS)
def test_no_refusal_mixes_two_languages(speaking, method, path, body, status, code):
    korean = shapes.refused(call(speaking, method, path, body), status, code)
    assert HANGUL.search(korean)
    # Names of fields stand in a Korean sentence too; words that follow each other are another language.
    assert not re.search(r"[a-z']+ [a-z']+ [a-z']+", korean), korean
    assert not HANGUL.search(shapes.refused(call(speaking, method, path, body, Accept_Language=ENGLISH), status, code))


def test_what_portone_says_in_its_own_words_stays_so(speaking):
    body = {"customer_uid": "nobody", "merchant_uid": "new", "amount": 1_000}
    answer = call(speaking, "POST", "/subscribe/payments/again", body, Accept_Language=ENGLISH)
    assert shapes.refused(answer, 200, 1) == "등록되지 않은 구매자입니다."


@pytest.mark.parametrize(
    ("header", "english"),
    [
        (None, False), ("", False), ("*", False), ("ko", False), ("ko-KR,ko;q=0.9,en;q=0.8", False), ("fr", False),
        ("de,*;q=0.5", False), ("en;q=0", False), ("en;q=x", False), ("ko,en", False), ("en;q=0.5,ko;q=0.6", False), (",;=,", False),
        ("en", True), ("EN-gb", True), ("en-US,en;q=0.9,ko;q=0.8", True), ("fr, en;q=0.3", True), ("ko;q=0.2, en;q=0.9", True), ("en,ko", True),
    ],
)  # fmt: skip
def test_english_is_told_to_whoever_would_rather_have_it(speaking, header, english):
    headers = {} if header is None else {"Accept_Language": header}
    message = shapes.refused(call(speaking, "GET", "/nowhere", **headers), 404, -1)
    assert message == ("There is no such API." if english else "존재하지 않는 API입니다.")


def test_a_time_in_milliseconds_is_refused_under_the_name_that_was_sent(speaking):
    for first, last in (("from", "to"), ("schedule_from", "schedule_to")):
        answer = call(speaking, "GET", f"{PLAN}?{first}=1700000000000&{last}=1700000000")
        assert shapes.refused(answer, 400, -1).startswith(f"{first} 파라메터")
        answer = call(speaking, "GET", f"{PLAN}?{first}=1700000000&{last}=1700000000000")
        assert shapes.refused(answer, 400, -1).startswith(f"{last} 파라메터")
