"""Why a payment failed, beside PortOne's own fields: headers of single answers, and `failure` for those who ask."""

from __future__ import annotations

import uuid

import pytest

from maedal.payments.failure_causes import FailureCause
from maedal.payments.failure_texts import EXPLANATIONS

BALANCE = EXPLANATIONS[FailureCause.BALANCE]
HEADERS = {"Maedal-Failure-Cause": "balance", "Maedal-Failure-Retry": "after_buyer"}
FAILURE = {
    "cause": "balance",
    "retry": "after_buyer",
    "buyer_message_ko": BALANCE.buyer[0],
    "buyer_message_en": BALANCE.buyer[1],
}


@pytest.fixture
def declined(running):
    """A customer whose one charge was declined for too little money; gives the world and the charge's answer."""
    uid = f"c_{uuid.uuid4().hex[:12]}"
    running.issue_key(uid)
    running.fault("subscription", "decline", method_result_code="NOT_ENOUGH_BALANCE")
    body = {"customer_uid": uid, "merchant_uid": f"m_{uid}", "amount": 900}
    return running, running.call("POST", "/subscribe/payments/again", json=body)


def headers_of(answer):
    return {name: answer.headers.get(name) for name in HEADERS}


def test_a_failed_charge_and_every_look_at_it_say_why_in_headers(declined):
    world, answer = declined
    payment = answer.json()["response"]
    assert headers_of(answer) == HEADERS
    assert payment["fail_reason"].startswith("[-782] ")
    for path in (f"/payments/{payment['imp_uid']}", f"/payments/find/{payment['merchant_uid']}"):
        looked_up = world.call("GET", path)
        assert headers_of(looked_up) == HEADERS
        assert looked_up.json()["response"] == payment


def test_what_has_not_failed_has_no_such_header(declined):
    world, answer = declined
    [_, issued] = world.call(
        "GET", f"/subscribe/customers/{answer.json()['response']['customer_uid']}/payments"
    ).json()["response"]["list"]
    assert headers_of(world.call("GET", f"/payments/{issued['imp_uid']}")) == dict.fromkeys(HEADERS)


def test_only_who_asks_gets_the_failure_with_each_payment(declined):
    world, answer = declined
    payment = answer.json()["response"]
    uid = payment["customer_uid"]
    for path in (
        f"/payments/{payment['imp_uid']}",
        f"/payments?imp_uid[]={payment['imp_uid']}",
        f"/payments/findAll/{payment['merchant_uid']}",
        "/payments/status/failed",
        f"/subscribe/customers/{uid}/payments",
    ):
        plain = objects(world.call("GET", path))
        asked = objects(world.call("GET", f"{path}{'&' if '?' in path else '?'}include_failure=true"))
        assert all("failure" not in one for one in plain)
        assert [{name: value for name, value in one.items() if name != "failure"} for one in asked] == plain
        [failed] = [one for one in asked if one["imp_uid"] == payment["imp_uid"]]
        assert failed["failure"] == FAILURE
        assert all(one["failure"] is None for one in asked if one["status"] != "failed")


def objects(answer):
    response = answer.json()["response"]
    if isinstance(response, list):
        return response
    return response.get("list", [response])
