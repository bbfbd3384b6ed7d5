"""What the KakaoPay driver sends, and what it makes of replies (docs/wire/kakaopay.md)."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from maedal.payments.attempt import LOST, Decline, Fault, Method, Outcome, Verb
from maedal.payments.cancellation import CancelSplit
from maedal.payments.money import krw
from maedal.payments.window import Device
from maedal.pg.driver import (
    Account,
    ApproveParams,
    CancelParams,
    ChargeParams,
    OrderState,
    PgReply,
    Prepared,
    PrepareParams,
    Unreadable,
)
from maedal.pg.kakaopay import codes
from maedal.pg.kakaopay.driver import KakaoPay

DRIVER = KakaoPay()
KEY = "DEV0000000000000000000000000000000000000"
ACCOUNT = Account("https://open-api.kakaopay.com", "TCSUBSCRIP", test_mode=True, secret=KEY)
SID = "S5a1c0a47b7d4f3860a3"
CHARGE = ChargeParams(SID, "ord-20261001-0001", "u-8f3a", "Monthly plan", 1, krw(9900))
APPROVE = ApproveParams("T5a1c09e2b7d4f3860a1", "ord-20260901-0001", "u-8f3a", "7c1e90ab34f25d6810ef", krw(9900), True, Device.PC)  # fmt: skip

CHARGED = {
    "aid": "A5b04e1907c22d9f41b1", "tid": "T5b04e1907c22d9f41b0", "cid": "TCSUBSCRIP", "sid": SID,
    "partner_order_id": "ord-20261001-0001", "partner_user_id": "u-8f3a", "payment_method_type": "MONEY",
    "item_name": "Monthly plan", "quantity": 1,
    "amount": {"total": 9900, "tax_free": 0, "vat": 900, "point": 0, "discount": 0, "green_deposit": 0},
    "created_at": "2026-10-01T09:00:02", "approved_at": "2026-10-01T09:00:02",
}  # fmt: skip
APPROVED = CHARGED | {
    "tid": "T5a1c09e2b7d4f3860a1", "partner_order_id": "ord-20260901-0001", "payment_method_type": "CARD",
    "card_info": {
        "kakaopay_purchase_corp": "비씨카드", "kakaopay_issuer_corp": "수협은행", "kakaopay_issuer_corp_code": "212",
        "bin": "621640", "card_type": "체크", "install_month": "00", "approved_id": "12345678",
    },
}  # fmt: skip


def reply(body, status=200):
    return PgReply(status, body if isinstance(body, bytes) else json.dumps(body).encode())


def error(code, *, status=400, **extras):
    body = {"error_code": code, "error_message": "no"}
    return reply(body | ({"extras": extras} if extras else {}), status)


def test_a_charge_is_sent_as_documented():
    request = DRIVER.charge_request(ACCOUNT, CHARGE)
    assert request.url == "https://open-api.kakaopay.com/online/v1/payment/subscription"
    assert request.headers == {"Authorization": f"SECRET_KEY {KEY}", "Content-Type": "application/json"}
    assert json.loads(request.body) == {
        "cid": "TCSUBSCRIP", "sid": SID, "partner_order_id": "ord-20261001-0001", "partner_user_id": "u-8f3a",
        "item_name": "Monthly plan", "quantity": 1, "total_amount": 9900, "tax_free_amount": 0, "vat_amount": 900,
    }  # fmt: skip
    assert (request.connect_timeout_seconds, request.read_timeout_seconds) == (5, 15)


def test_the_mark_of_a_payment_goes_along_and_is_read_from_its_order():
    for request in (
        DRIVER.charge_request(ACCOUNT, replace(CHARGE, mark="m 1")),
        DRIVER.approve_request(ACCOUNT, replace(APPROVE, mark="m 1")),
    ):
        assert json.loads(request.body)["payload"] == "m 1"
    actions = [
        {"payment_action_type": "PAYMENT", "payload": "m 1"},
        {
            "payment_action_type": "CANCEL",
            "payload": "a cancel's",
            "aid": "A1234567890123456789",
            "amount": 2,
            "approved_at": "2026-11-24T10:00:00",
        },
    ]
    body = {"tid": "T1", "status": "PART_CANCEL_PAYMENT", "partner_order_id": "o", "item_name": "Monthly plan"}
    body |= {"canceled_amount": {"total": 2}}
    body |= {"quantity": 2, "amount": {"total": 5, "tax_free": 1}, "payment_action_details": actions}
    facts = DRIVER.read_order("T1", reply(body))
    assert (facts.mark, facts.name, facts.quantity, facts.tax_free) == ("m 1", "Monthly plan", 2, 1)
    for strange in (None, [], "text", [None], [{"payment_action_type": "PAYMENT", "payload": 7}]):
        paid = body | {"canceled_amount": {"total": 0}, "payment_action_details": strange}
        assert DRIVER.read_order("T1", reply(paid)).mark is None


def test_a_window_is_prepared_with_vat_tax_free_and_the_wanted_method():
    ask = PrepareParams("o", "u", "n", 1, krw(2200, 1100), "https://g/a", "https://g/c", "https://g/f",
                     method=Method.CARD, card_codes=("361", "090", "999"), quota_months=3, return_scheme="myapp://")  # fmt: skip
    body = json.loads(DRIVER.prepare_request(ACCOUNT, ask).body)
    assert (body["total_amount"], body["tax_free_amount"], body["vat_amount"]) == (2200, 1100, 100)
    assert (body["payment_method_type"], body["available_cards"], body["install_month"]) == (
        "CARD",
        ["BC", "KAKAOBANK"],
        3,
    )
    assert body["custom_json"] == {"return_custom_url": "myapp://"}


def test_an_approved_charge_is_read():
    result = DRIVER.read_charge(ACCOUNT, CHARGE, reply(CHARGED))
    assert result.outcome is Outcome.APPROVED
    approval = result.approval
    assert (approval.pg_tid, approval.method, approval.pg_key) == ("T5b04e1907c22d9f41b0", Method.MONEY, None)
    # KST without an offset becomes aware, here.
    assert approval.approved_at == datetime(2026, 10, 1, 0, 0, 2, tzinfo=UTC)


NULLS = {"item_code": None, "payload": None, "sequential_payment_methods": None}


@pytest.mark.parametrize("card_info", [{"card_info": None}, {}], ids=["null", "absent"])
@pytest.mark.parametrize("empty", [NULLS, {}, {"item_code": ""}], ids=["nulls", "left out", "legacy"])
def test_an_approval_is_read_whether_fields_without_a_value_are_null_empty_or_absent(empty, card_info):
    """Approve sends nulls today; the legacy generation left such fields out, or sent an empty item code."""
    charged = DRIVER.read_charge(ACCOUNT, CHARGE, reply(CHARGED | empty | card_info))
    assert (charged.outcome, charged.approval.method, charged.approval.card) == (Outcome.APPROVED, Method.MONEY, None)
    approved = DRIVER.read_approve(ACCOUNT, APPROVE, reply(APPROVED | empty))
    assert (approved.approval.pg_key, approved.approval.card.issuer_name) == (SID, "수협은행")
    single = replace(APPROVE, issues_key=False)
    without_key = APPROVED | empty | {"sid": None} if empty else {k: v for k, v in APPROVED.items() if k != "sid"}
    assert DRIVER.read_approve(ACCOUNT, single, reply(without_key)).approval.pg_key is None


def test_points_and_a_discount_do_not_change_what_was_paid():
    amount = CHARGED["amount"] | {"point": 2000, "discount": 500}
    assert DRIVER.read_charge(ACCOUNT, CHARGE, reply(CHARGED | {"amount": amount})).outcome is Outcome.APPROVED


def test_an_order_is_read_whether_its_actions_tell_method_and_amount_or_not():
    body = {"tid": "T1", "status": "SUCCESS_PAYMENT", "partner_order_id": "o", "payment_method_type": "MONEY"}
    body |= {"amount": {"total": 5}, "canceled_amount": {"total": 0}, "approved_at": "2026-11-24T10:00:00"}
    at = {"aid": "A1234567890123456789", "approved_at": "2026-11-24T10:00:00", "payment_action_type": "PAYMENT"}
    current = {"amount": 5, "point_amount": 0, "green_deposit": 0, "payment_method_type": "MONEY", "payload": "m"}
    for action in (at | current, at | {"point_amount": 0, "payload": "m"}):
        facts = DRIVER.read_order("T1", reply(body | {"payment_action_details": [action]}))
        assert (facts.total, facts.method, facts.mark, facts.cancels) == (5, Method.MONEY, "m", ())


def test_an_approval_by_card_is_read_with_its_key():
    approval = DRIVER.read_approve(ACCOUNT, APPROVE, reply(APPROVED)).approval
    assert (approval.pg_key, approval.method) == (SID, Method.CARD)
    assert (approval.card.issuer_name, approval.card.approval_number, approval.card.check_card) == (
        "수협은행",
        "12345678",
        True,
    )
    assert approval.receipt_url.startswith("https://mockup-pg-web.kakao.com/v1/confirmation/p/T5a1c09e2b7d4f3860a1/")


@pytest.mark.parametrize("code", [-752, -751, -750, -753, -721, -723, -2, -797])
def test_codes_that_prove_no_charge_are_declined(code):
    result = DRIVER.read_charge(ACCOUNT, CHARGE, error(code))
    assert (result.outcome, result.decline.code) == (Outcome.DECLINED, str(code))


@pytest.mark.parametrize("code", [-702, -785, -500, -503, -1, -784, -999])
def test_codes_that_prove_nothing_are_unknown(code):
    assert DRIVER.read_charge(ACCOUNT, CHARGE, error(code)).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("method_code", codes.METHOD_UNSURE)
@pytest.mark.parametrize("code", codes.METHOD_ANSWERED)
def test_a_method_that_is_not_sure_leaves_the_outcome_unknown(code, method_code):
    answer = error(code, method_result_code=method_code, method_result_message="?")
    assert DRIVER.read_charge(ACCOUNT, CHARGE, answer).outcome is Outcome.UNKNOWN


NO_ANSWER_OF_THE_METHOD = [
    {}, {"extras": None}, {"extras": {}}, {"extras": []}, {"extras": "USER_LOCKED"},
    {"extras": {"method_result_message": "?"}}, {"extras": {"method_result_code": None}},
    {"extras": {"method_result_code": ""}}, {"extras": {"method_result_code": " "}},
    {"extras": {"method_result_code": 10}},
]  # fmt: skip


@pytest.mark.parametrize("extras", NO_ANSWER_OF_THE_METHOD)
@pytest.mark.parametrize("code", codes.METHOD_ANSWERED)
def test_a_decline_that_does_not_say_what_the_method_answered_is_unknown(code, extras):
    """KakaoPay gives extras as needed: what they would have said may be USER_LOCKED. On b4fe9d1 it is declined."""
    answer = reply({"error_code": code, "error_message": "failed"} | extras, 400)
    assert DRIVER.read_charge(ACCOUNT, CHARGE, answer).outcome is Outcome.UNKNOWN
    assert DRIVER.read_approve(ACCOUNT, APPROVE, answer).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("extras", NO_ANSWER_OF_THE_METHOD)
def test_a_cancel_that_failed_without_saying_why_is_unknown(extras):
    """On b4fe9d1 it is taken for not cancelled."""
    answer = reply({"error_code": -781, "error_message": "cancel failure!"} | extras, 400)
    ask = CancelParams(pg_tid="T1", split=CancelSplit(500, 0, 45), available=500)
    assert DRIVER.read_cancel(ask, answer).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("notices", ["user_locked", " USER_LOCKED", "0290 "])
def test_an_unsure_method_is_known_however_its_code_is_written(notices):
    assert DRIVER.read_charge(ACCOUNT, CHARGE, error(-782, method_result_code=notices)).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("method_code", ["NOT_ENOUGH_BALANCE", "0002", "8326", "9x9x"])
@pytest.mark.parametrize("status", [400, 500])
def test_an_ordinary_decline_of_the_method_is_declined(method_code, status):
    answer = error(-782, status=status, method_result_code=method_code, method_result_message="잔액 부족")
    result = DRIVER.read_charge(ACCOUNT, CHARGE, answer)
    assert result.outcome is Outcome.DECLINED
    assert method_code in result.decline.message
    assert "잔액 부족" in result.decline.message


@pytest.mark.parametrize(
    ("extras", "notices"),
    [
        (
            {"method_result_code": "LACK_BALANCE", "method_result_message": "잔액 부족"},
            "잔액 부족 (LACK_BALANCE, approval failure!)",
        ),
        ({"method_result_message": "잔액 부족"}, "잔액 부족 (approval failure!)"),
        ({"method_result_code": "0002"}, "approval failure! (0002)"),
        ({}, "approval failure!"),
    ],
)
def test_a_decline_begins_with_what_its_card_company_says_in_korean(extras, notices):
    body = {"error_code": -780, "error_message": "approval failure!", "extras": extras}
    assert DRIVER.read_approve(ACCOUNT, APPROVE, reply(body, status=400)).decline.message == notices


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("body", [b"", b"<html>", b"null", b'{"error_code":-2}', b'{"error_code":-750}'])
def test_a_5xx_proves_nothing_whatever_it_says(status, body):
    assert DRIVER.read_charge(ACCOUNT, CHARGE, reply(body, status)).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_being_turned_away_at_the_door_proves_that_nothing_was_taken_even_without_a_body(status):
    assert DRIVER.read_charge(ACCOUNT, CHARGE, reply(b"", status)).outcome is Outcome.DECLINED


@pytest.mark.parametrize("status", [400, 409, 301, 204])
def test_any_other_status_without_a_readable_body_is_unknown(status):
    assert DRIVER.read_charge(ACCOUNT, CHARGE, reply(b"", status)).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "change",
    [
        {"tid": None}, {"aid": ""}, {"sid": "S0000000000000000000"}, {"partner_order_id": "another"}, {"cid": "CX"},
        {"amount": {"total": 9901}}, {"amount": {"total": "9900"}}, {"amount": None}, {"approved_at": "yesterday"},
        {"approved_at": "2026-13-01T09:00:02"}, {"payment_method_type": "COIN"}, {"tid": "T\0"},
    ],
)  # fmt: skip
def test_a_200_that_contradicts_what_we_asked_proves_nothing(change):
    with pytest.raises(Unreadable):
        DRIVER.read_charge(ACCOUNT, CHARGE, reply(CHARGED | change))


def test_a_first_approval_without_the_key_proves_nothing():
    with pytest.raises(Unreadable):
        DRIVER.read_approve(ACCOUNT, APPROVE, reply({k: v for k, v in APPROVED.items() if k != "sid"}))


def test_a_refused_window_is_a_decline_and_an_open_one_has_its_addresses():
    assert DRIVER.read_prepare(error(-731)) == Decline("-731", "no", fault=Fault.REFUSED)
    tid = "T5a1c09e2b7d4f3860a1"
    urls = {f"next_redirect_{kind}_url": f"https://k/{kind}" for kind in ("pc", "mobile", "app")}
    assert DRIVER.read_prepare(reply({"tid": tid} | urls)) == Prepared(
        tid, "https://k/pc", "https://k/mobile", "https://k/app"
    )


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "intent://x#Intent;end", "/pc", "k"])
@pytest.mark.parametrize("kind", ["pc", "mobile", "app"])
def test_an_address_that_is_no_page_opens_no_window(kind, address):
    urls = {f"next_redirect_{one}_url": f"https://k/{one}" for one in ("pc", "mobile", "app")}
    with pytest.raises(Unreadable):
        DRIVER.read_prepare(reply({"tid": "T5a1c09e2b7d4f3860a1"} | urls | {f"next_redirect_{kind}_url": address}))


@pytest.mark.parametrize(
    ("status", "state"),
    [("READY", OrderState.OPEN), ("AUTH_PASSWORD", OrderState.AUTHENTICATED), ("ISSUED_SID", OrderState.APPROVED),
     ("QUIT_PAYMENT", OrderState.QUIT), ("FAIL_AUTH_PASSWORD", OrderState.FAILED), ("PART_CANCEL_PAYMENT", OrderState.CANCELLED)],
)  # fmt: skip
def test_order_states_are_read(status, state):
    body = {"tid": "T1", "cid": "TCSUBSCRIP", "status": status, "partner_order_id": "o", "amount": {"total": 5}}
    assert DRIVER.read_order("T1", reply(body)).state is state


def test_a_key_without_any_approval_yet_has_no_last_time():
    body = {"sid": SID, "status": "ACTIVE", "available": True}
    facts = DRIVER.read_key(SID, reply(body))
    assert (facts.active, facts.chargeable, facts.last_approved_at) == (True, True, None)


def test_ending_a_key_that_has_ended_is_fine():
    for code in (-750, -751):
        assert DRIVER.read_deactivate(SID, error(code)).outcome is Outcome.APPROVED


def test_every_code_stands_in_one_table_with_its_reason():
    tables = (codes.NOTHING_TAKEN, codes.METHOD_ANSWERED, codes.PROVES_NOTHING)
    assert sum(map(len, tables)) == len(set().union(*tables))
    assert all(reason for table in tables for reason in table.values())


def test_every_verb_says_what_resolves_a_lost_answer():
    assert set(DRIVER.abilities.resolution) == set(Verb)


def test_secrets_do_not_show_in_anything_printed():
    shown = repr((ACCOUNT, CHARGE, APPROVE, DRIVER.charge_request(ACCOUNT, CHARGE), reply(CHARGED)))
    assert KEY not in shown
    assert SID not in shown
    assert "7c1e90ab34f25d6810ef" not in shown


def mutations(seed: int) -> bytes:
    """Return a reply of a charge with something torn, swapped, retyped or replaced."""
    rng = random.Random(seed)
    text = json.dumps(CHARGED).encode()
    body = json.loads(text)
    kind = rng.randrange(6)
    field = rng.choice(["tid", "aid", "cid", "sid", "partner_order_id", "payment_method_type", "amount", "approved_at"])
    junk = [None, 0, 1.5, True, [], {}, "", "x", "T" * 2000, {"total": 9901}, {"total": "9900"}, {"total": True}, -1]
    if kind == 0:
        return text[: rng.randrange(len(text))]
    if kind == 1:
        return b"<html><body>200 OK</body></html>"
    if kind == 2:
        del body[field]
    elif kind == 3:
        body[field] = rng.choice(junk)
    elif kind == 4:
        body["amount"]["total"] = rng.choice([0, 9899, 99000, -9900])
    else:
        body[rng.choice(["sid", "partner_order_id", "cid"])] = "another"
    return json.dumps(body).encode()


def test_a_thousand_torn_replies_never_prove_anything():
    for seed in range(1000):
        try:
            result = DRIVER.read_charge(ACCOUNT, CHARGE, reply(mutations(seed)))
        except Unreadable:
            result = LOST
        assert result.outcome is Outcome.UNKNOWN, seed
