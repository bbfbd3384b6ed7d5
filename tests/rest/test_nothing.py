"""What clients of many languages send for a field that nobody set: a cell of docs/wire/portone-v1-rest.md 2.4.1, a test here."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from maedal.payments.errors import InvalidParameter
from maedal.payments.payment import KeyUse
from maedal.rest.decoding import Fields
from maedal.rest.payments import read_cancel
from maedal.rest.subscribe import read_order
from tests.support import shapes
from tests.support.raw import raw

WIRE = (Path(__file__).parents[2] / "docs" / "wire" / "portone-v1-rest.md").read_text("utf-8")
SECTION = WIRE[WIRE.index("\n#### 2.4.1 ") : WIRE.index("\n## 3. ")]
LEFT_OUT = object()
SENT = [LEFT_OUT, None, "", 0, [], False]
NAMES = ["left out", "null", "empty text", "0", "empty list", "false"]
MONTH = 30 * 86_400

CELLS = [
    (call, field, value, output)
    for call, fields, *cells in re.findall(
        r"^\| (.+?) \| (`.+?`) \| " + r"(.+?) \| " * 5 + r"(.+?) \|$", SECTION, re.MULTILINE
    )
    for field in fields.replace("`", "").split()
    for value, output in zip(SENT, cells, strict=True)
]
REFUSED = [cell for cell in CELLS if cell[3] == "refused"]
TAKEN = [cell for cell in CELLS if cell[3] != "refused"]


def named(cells):
    return [
        f"{call} {field} {NAMES[SENT.index(value)] if value is not False else 'false'}"
        for call, field, value, _ in cells
    ]


def same_as(value, field):
    """Return the value, and with an empty text those of blanks, which say no more; custom data is kept as it came."""
    return ["", " ", " \t ", "\u3000"] if value == "" and field != "custom_data" else [value]


def whole_body(call):
    """Return a body of this call that is right in every field."""
    entry = {"merchant_uid": "new", "schedule_at": int(time.time()) + MONTH, "amount": 1_000}
    return {
        "getToken": {"imp_key": "nobody", "imp_secret": "nothing"},
        "again": {"customer_uid": "c_1", "merchant_uid": "paid_1", "amount": 1_000},
        "schedules": entry,
        "schedule": {"customer_uid": "c_1", "schedules": [entry]},
        "unschedule": {"customer_uid": "c_1", "merchant_uid": "planned_1"},
        "PUT schedule": {"schedule_at": entry["schedule_at"]},
        "reschedule": {"schedule_at": entry["schedule_at"]},
        "cancel": {"merchant_uid": "paid_1"},
        "prepare": {"merchant_uid": "new", "amount": 1_000},
    }[call]


def with_field(body, field, value):
    return {k: v for k, v in body.items() if k != field} | ({} if value is LEFT_OUT else {field: value})


@pytest.fixture(scope="module")
def paying(running):
    running.issue_key("c_1")
    running.again("c_1", "paid_1")
    for name in ("planned_1", "revoked_1"):
        plan = {"customer_uid": "c_1", "schedules": [whole_body("schedules") | {"merchant_uid": name}]}
        shapes.answered(running.call("POST", "/subscribe/payments/schedule", json=plan))
    revoke = {"customer_uid": "c_1", "merchant_uid": "revoked_1"}
    shapes.answered(running.call("POST", "/subscribe/payments/unschedule", json=revoke))
    return running


PATHS = {
    "getToken": ("POST", "/users/getToken", 400, -1),
    "again": ("POST", "/subscribe/payments/again", 200, 1),
    "schedules": ("POST", "/subscribe/payments/schedule", 200, 1),
    "schedule": ("POST", "/subscribe/payments/schedule", 200, 1),
    "unschedule": ("POST", "/subscribe/payments/unschedule", 200, 1),
    "PUT schedule": ("PUT", "/subscribe/payments/schedule/planned_1", 400, -1),
    "reschedule": ("POST", "/subscribe/payments/schedule/revoked_1/reschedule", 400, -1),
    "cancel": ("POST", "/payments/cancel", 200, 1),
    "prepare": ("POST", "/payments/prepare", 200, 1),
}


def send(running, call, body):
    method, path, _, _ = PATHS[call]
    if call == "schedules":
        body = {"customer_uid": "c_1", "schedules": [body]}
    headers = {"Authorization": running.token(), "Content-Type": "application/json"}
    return raw(running.gateway, method, path, json.dumps(body).encode(), headers)


def test_the_table_is_read():
    assert {call for call, *_ in CELLS} == set(PATHS)
    assert len(CELLS) > 500
    assert {output for *_, output in CELLS} == {"–", "value", "refused", "off"}


@pytest.mark.parametrize(("call", "field", "value", "output"), REFUSED, ids=named(REFUSED))
def test_what_must_be_there_is_refused_by_name_and_nothing_happens(paying, call, field, value, output):
    _, _, status, code = PATHS[call]
    before = paying.payment(paying.call("GET", "/payments/find/paid_1").json()["response"]["imp_uid"])
    for one in same_as(value, field):
        message = shapes.refused(send(paying, call, with_field(whole_body(call), field, one)), status, code)
        # A list that names nothing finds nothing to revoke.
        assert field in message or message == "취소할 예약결제 기록이 존재하지 않습니다."
    assert paying.payment(before["imp_uid"]) == before
    planned = shapes.answered(paying.call("GET", "/subscribe/payments/schedule/planned_1"))
    assert planned["schedule_status"] == "scheduled"


READ = {
    "again": lambda body: read_order(Fields(body), body, body["customer_uid"], KeyUse.CHARGE, None),
    "schedules": lambda body: read_order(Fields(body), body, "c_1", KeyUse.SCHEDULED, None),
    "cancel": lambda body: read_cancel(Fields(body)),
}
READ_TAKEN = [cell for cell in TAKEN if cell[0] in READ and cell[3] != "value"]


@pytest.mark.parametrize(("call", "field", "value", "output"), READ_TAKEN, ids=named(READ_TAKEN))
def test_what_counts_as_nothing_is_read_as_if_it_were_left_out(call, field, value, output):
    read, body = READ[call], whole_body(call) | ({"imp_uid": "imp_1"} if call == "cancel" else {})
    left_out = with_field(body, field, LEFT_OUT)
    for one in same_as(value, field):
        assert read(with_field(body, field, one)) == read(left_out)


VALUES = [
    cell for cell in TAKEN if cell[0] in READ and cell[3] == "value" and cell[1] not in {"customer_uid", "merchant_uid"}
]


@pytest.mark.parametrize(("call", "field", "value", "output"), VALUES, ids=named(VALUES))
def test_what_is_a_value_is_no_nothing(call, field, value, output):
    read, body = READ[call], whole_body(call) | ({"imp_uid": "imp_1"} if call == "cancel" else {})
    assert read(with_field(body, field, value)) != read(with_field(body, field, LEFT_OUT))


@pytest.mark.parametrize("value", [None, "", " ", "\u3000", [], False])
def test_nothing_names_no_payment_to_cancel(value):
    with pytest.raises(InvalidParameter, match="지정해주셔야합니다"):
        read_cancel(Fields({"imp_uid": value, "merchant_uid": value}))


PASSING = {"again", "cancel", "schedule", "prepare", "getToken"}
OVER_HTTP = [c for c in TAKEN if c[0] in PASSING and c[:2] != ("again", "merchant_uid")]
"""With bodies that are carried out by no call: an order paid before, a pair that nobody has."""


@pytest.mark.parametrize(("call", "field", "value", "output"), OVER_HTTP, ids=named(OVER_HTTP))
def test_what_is_taken_passes_the_door(paying, call, field, value, output):
    body = with_field(whole_body(call), field, value)
    if call == "cancel":
        body = {"merchant_uid": "nobody's"} | body | ({} if field == "merchant_uid" else {"merchant_uid": "nobody's"})
    if call == "schedule":
        body |= {"schedules": [whole_body("schedules") | {"merchant_uid": "planned_1"}]}
    if call == "prepare":
        body |= {"amount": 10**12} if field != "amount" else {"currency": "USD"}
    answer = shapes.envelope(send(paying, call, body), 200, 401)
    said_of_others = {
        "again": ("이미 주문이 이루어진 건입니다.", "등록되지 않은 구매자입니다."),
        "cancel": ("취소할 결제건이 존재하지 않습니다.", "지정해주셔야합니다."),
        "schedule": ("이미 결제예약되었거나", "등록된 고객정보가 없습니다."),
        "prepare": ("amount 파라메터는", "currency 파라메터는"),
        "getToken": ("인증에 실패하였습니다.",),
    }[call]
    assert any(words in (answer["message"] or "") for words in said_of_others), answer


def planned(running, merchant_uid):
    entry = whole_body("schedules") | {"merchant_uid": merchant_uid}
    shapes.answered(running.call("POST", PATHS["schedule"][1], json={"customer_uid": "c_2", "schedules": [entry]}))


@pytest.mark.parametrize("value", [LEFT_OUT, None, ""])
def test_without_a_merchant_uid_all_of_a_customer_is_unscheduled(paying, value):
    if paying.call("GET", "/subscribe/customers/c_2").json()["code"]:
        paying.issue_key("c_2")
    for name in ("one", "two"):
        planned(paying, name)
    body = with_field({"customer_uid": "c_2"}, "merchant_uid", value)
    revoked = shapes.answered(paying.call("POST", PATHS["unschedule"][1], json=body))
    assert {s["merchant_uid"] for s in revoked} == {"one", "two"}


@pytest.mark.parametrize("value", [[], [""], [None], False, " ", {}])
def test_a_selection_that_came_out_empty_unschedules_nothing(paying, value):
    body = {"customer_uid": "c_1", "merchant_uid": value}
    shapes.refused(paying.call("POST", PATHS["unschedule"][1], json=body), 200, 1)
    kept = shapes.answered(paying.call("GET", "/subscribe/payments/schedule/planned_1"))
    assert kept["schedule_status"] == "scheduled"


@pytest.mark.parametrize("nothing", ["", "0", "%20"])
def test_a_query_that_says_nothing_is_as_if_left_out(paying, nothing):
    wanted = shapes.answered(paying.call("GET", "/payments/status/all"))
    query = "&".join(f"{name}={nothing}" for name in ("page", "limit", "from", "to"))
    assert shapes.answered(paying.call("GET", f"/payments/status/all?{query}")) == wanted
