"""Tables of the wire document that the code repeats: the codes of 4.7, and of 4.8 the answers for what KakaoPay lacks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maedal.rest.codes import BANKS, CARDS
from maedal.rest.unsupported import TABLE

WIRE = (Path(__file__).parents[2] / "docs" / "wire" / "portone-v1-rest.md").read_text("utf-8")
SECTION = WIRE[WIRE.index("\n### 4.7 ") : WIRE.index("\n### 4.8 ")]
CHOSEN = {"374": "하나카드"}
"""Where the document names two, the one that is newer."""

NOT_FOUND, REFUSED, BAD, UNSUPPORTED = (404, ""), (200, ""), (400, ""), (501, "")
MISSING_PAYMENT = (404, "존재하지 않는 결제정보입니다.")
NO_SUCH_PG = (200, "지원하지 않는 PG사입니다.")
ANSWERS = {
    "GET /certifications/{imp_uid}": (404, "인증결과가 존재하지 않습니다."),
    "DELETE /certifications/{imp_uid}": (404, "인증결과가 존재하지 않습니다."),
    "POST /certifications/otp/request": BAD,
    "POST /certifications/otp/confirm/{imp_uid}": NOT_FOUND,
    "GET /escrows/logis/{imp_uid}": MISSING_PAYMENT,
    "POST /escrows/logis/{imp_uid}": MISSING_PAYMENT,
    "PUT /escrows/logis/{imp_uid}": MISSING_PAYMENT,
    "GET /receipts/{imp_uid}": NOT_FOUND,
    "POST /receipts/{imp_uid}": UNSUPPORTED,
    "DELETE /receipts/{imp_uid}": UNSUPPORTED,
    "GET /receipts/external/{merchant_uid}": NOT_FOUND,
    "POST /receipts/external/{merchant_uid}": UNSUPPORTED,
    "DELETE /receipts/external/{merchant_uid}": UNSUPPORTED,
    "POST /partners/receipts/{imp_uid}": UNSUPPORTED,
    "POST /vbanks": (200, "계약이 필요합니다."),
    "PUT /vbanks/{imp_uid}": NOT_FOUND,
    "DELETE /vbanks/{imp_uid}": NOT_FOUND,
    "GET /vbanks/holder": NOT_FOUND,
    "GET /kakao/payment/orders": NOT_FOUND,
    "GET /tiers/{tier_code}": NOT_FOUND,
    "POST /subscribe/payments/foreign": REFUSED,
    "POST /payco/orders/status/{imp_uid}": NO_SUCH_PG,
    "POST /paymentwall/delivery": NO_SUCH_PG,
    "POST /cvs": NO_SUCH_PG,
    "DELETE /cvs/{imp_uid}": NO_SUCH_PG,
    "POST /benepia/point": NO_SUCH_PG,
    "POST /benepia/payment": NO_SUCH_PG,
    **{f"{method} /kcpquick/{{rest}}": NO_SUCH_PG for method in ("GET", "POST", "PUT", "DELETE")},
    **{f"{method} /payments/{{imp_uid}}/naver/{{rest}}": MISSING_PAYMENT for method in ("GET", "POST", "PUT", "DELETE")},
    **{f"{method} /naver/product-orders/{{rest}}": MISSING_PAYMENT for method in ("GET", "POST", "PUT", "DELETE")},
    "GET /naver/reviews": MISSING_PAYMENT,
}  # fmt: skip
"""HTTP status and the words that the document fixes, read from it by hand; code -1 for all of them."""
FOR_A_PAYMENT = {
    "/escrows/logis/{imp_uid}": (400, "현재 지원되지 않는 PG사입니다."),
    "/vbanks/{imp_uid}": BAD,
    "/payments/{imp_uid}/naver/{rest}": BAD,
}
"""The answer when the merchant has a payment of this `imp_uid`."""


def codes_of(text):
    """Return code → name of a list such as `361 BC카드 · 364 광주카드`."""
    pairs = re.findall(r"(?:^|[·:.;]) *([A-Z0-9]{3,5}) ([^·.(;]+(?:\.[^·.( ]+)?(?:\(주\))?)", text.replace("\n", " "))
    return {code: name.strip() for code, name in pairs}


@pytest.mark.parametrize(
    ("table", "begin", "end"), [(CARDS, "\nCards (", "\nBanks ("), (BANKS, "\nBanks (", None)], ids=["cards", "banks"]
)
def test_every_code_of_the_document_is_known_by_its_name(table, begin, end):
    part = SECTION[SECTION.index(begin) : SECTION.index(end) if end else None]
    named = codes_of(part[part.index("):") + 1 :]) | {code: name for code, name in CHOSEN.items() if code in table}
    assert len(named) > 30
    assert table == named


def test_what_belongs_to_other_pgs_is_answered_as_the_document_says():
    plain = [(re.sub(r":[a-z]+\}", "}", entry.path), entry) for entry in TABLE]
    by_call = {f"{method.value} {path}": entry for path, entry in plain for method in entry.methods}
    assert set(by_call) == set(ANSWERS)
    for call, (status, words) in ANSWERS.items():
        assert by_call[call].status == status, call
        assert words in by_call[call].message, call
    others = {path: entry.if_payment_exists for path, entry in plain if entry.if_payment_exists}
    assert set(others) == set(FOR_A_PAYMENT)
    for path, (status, words) in FOR_A_PAYMENT.items():
        assert (others[path][0], words in others[path][1]) == (status, True)
