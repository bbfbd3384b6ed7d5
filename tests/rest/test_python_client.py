"""PortOne's own Python client (PyPI `iamport-rest-client`), told nothing but another URL."""

from __future__ import annotations

import time

import pytest
from iamport import Iamport

from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET
from tests.browser.browsers import issue_key
from tests.support import shapes

DAY = 86_400
# The client keeps a session open for as long as it lives, and never closes it.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def client(running):
    client = Iamport(imp_key=DEMO_API_KEY, imp_secret=DEMO_API_SECRET, imp_url=f"{running.gateway}/")
    yield client
    client.requests_session.close()


def test_it_gets_a_token(client, running):
    assert client.get_headers() == {"Authorization": running.token()}


def test_a_wrong_secret_is_an_http_error(running):
    with pytest.raises(Iamport.HttpError) as refused:
        Iamport(imp_key=DEMO_API_KEY, imp_secret="wrong", imp_url=f"{running.gateway}/").get_headers()
    assert refused.value.code == 401


def test_it_charges_a_key_finds_the_payment_and_ends_the_key(client, running):
    running.issue_key("python client")
    payment = client.pay_again(customer_uid="python client", merchant_uid="주문 1/2", amount=3_000)
    shapes.check(payment, shapes.PAYMENT)
    assert payment["status"] == "paid"
    assert client.is_paid(3_000, response=payment)
    assert client.is_paid(3_000, imp_uid=payment["imp_uid"])
    assert client.find(imp_uid=payment["imp_uid"]) == payment
    # It puts the id into the path as it is, and `requests` leaves the slash alone: that order cannot be found so.
    with pytest.raises(Iamport.HttpError):
        client.find(merchant_uid="주문 1/2")
    assert client.customer_get("python client")["customer_uid"] == "python client"
    assert client.customer_delete("python client")["customer_uid"] == "python client"
    with pytest.raises(Iamport.ResponseError) as gone:
        client.customer_get("python client")
    assert gone.value.code == 1


def test_it_finds_by_merchant_uid_in_any_script(client, running):
    running.issue_key("python client 2")
    payment = client.pay_again(customer_uid="python client 2", merchant_uid="주문 $:âā", amount="3000")
    assert client.find(merchant_uid="주문 $:âā") == payment
    assert client.is_paid(3_000, merchant_uid="주문 $:âā")


def test_it_cancels_and_registers_amounts(client, running):
    running.issue_key("python client 4")
    payment = client.pay_again(customer_uid="python client 4", merchant_uid="to cancel", amount=3_000)
    assert client.cancel("wrong size", merchant_uid="to cancel", amount=1_000)["cancel_amount"] == 1_000
    assert client.cancel("all of it", imp_uid=payment["imp_uid"])["cancel_amount"] == 3_000
    with pytest.raises(Iamport.ResponseError) as over:
        client.cancel("once more", imp_uid=payment["imp_uid"])
    assert (over.value.code, over.value.message) == (1, "이미 전액취소된 주문입니다.")
    with pytest.raises(Iamport.ResponseError) as missing:
        client.cancel("nothing", merchant_uid="no such order")
    assert (missing.value.code, missing.value.message) == (1, "취소할 결제건이 존재하지 않습니다.")
    assert client.prepare("registered", 1_000)["amount"] == 1_000
    assert client.prepare_validate("registered", 1_000)


def test_its_own_suites_refusals(client, running):
    running.issue_key("python client 3")
    client.pay_again(customer_uid="python client 3", merchant_uid="1234qwer", amount=1_000)
    refusals = []
    for customer_uid, merchant_uid in (("00000000", "1234qwer"), ("00000000", "fresh")):
        with pytest.raises(Iamport.ResponseError) as refused:
            client.pay_again(customer_uid=customer_uid, merchant_uid=merchant_uid, amount=100)
        refusals.append((refused.value.code, refused.value.message))
    assert [code for code, _ in refusals] == [-1, 1]
    assert refusals[1][1] == "등록되지 않은 구매자입니다."
    with pytest.raises(Iamport.HttpError) as missing:
        client.find(imp_uid="test")
    assert missing.value.code == 404
    with pytest.raises(Iamport.ResponseError) as key_in:
        client.pay_onetime(
            merchant_uid="m",
            amount=100,
            card_number="1111-1111-1111-1111",
            expiry="2030-01",
            birth="000101",
            pwd_2digit="00",
        )
    assert key_in.value.code == -1
    with pytest.raises(Iamport.ResponseError) as key_issue:
        client.customer_create(customer_uid="c", card_number="1111-1111-1111-1111", expiry="2030-01", birth="000101")
    assert key_issue.value.code == -1


@pytest.mark.slow
def test_the_whole_life_of_a_key(client, running):
    issue_key(running, "python life")
    charge = {"customer_uid": "python life", "amount": 3_000, "name": "월간 이용권"}
    paid = client.pay_again(merchant_uid="python_paid", **charge)
    running.fault("subscription", "decline", method_result_code="NOT_ENOUGH_BALANCE")
    declined = client.pay_again(merchant_uid="python_declined", **charge)
    assert (paid["status"], declined["status"]) == ("paid", "failed")
    assert not client.is_paid(3_000, response=declined)
    assert client.find(merchant_uid="python_declined") == declined

    soon, later = int(time.time()) + 6, int(time.time()) + 30 * DAY
    times = {"python_run": soon, "python_moved": later, "python_revoked": later}
    entries = [{"merchant_uid": uid, "schedule_at": at, "amount": 1_000} for uid, at in times.items()]
    planned = client.pay_schedule(customer_uid="python life", schedules=entries)
    assert {s["merchant_uid"]: s["schedule_at"] for s in planned} == times
    revoked = client.pay_unschedule(customer_uid="python life", merchant_uid="python_revoked")
    assert [(s["merchant_uid"], s["schedule_status"]) for s in revoked] == [("python_revoked", "revoked")]
    # It has no method for this; its own connection and token have.
    address = f"{running.gateway}/subscribe/payments/schedule/python_revoked/reschedule"
    assert client._post(address, {"schedule_at": later})["schedule_status"] == "scheduled"
    run = executed(client, "python_run")
    assert (run["payment_status"], client.find(imp_uid=run["imp_uid"])["amount"]) == ("paid", 1_000)
    listed = client.pay_schedule_get_between(schedule_from=soon - DAY, schedule_to=later + DAY)
    statuses = {s["merchant_uid"]: s["schedule_status"] for s in listed["list"]}
    assert statuses == {"python_run": "executed", "python_moved": "scheduled", "python_revoked": "scheduled"}
    assert len(client.pay_unschedule(customer_uid="python life")) == 2
    with pytest.raises(Iamport.ResponseError) as nothing:
        client.pay_unschedule(customer_uid="python life")
    assert (nothing.value.code, nothing.value.message) == (1, "취소할 예약결제 기록이 존재하지 않습니다.")

    partly = client.cancel("변심", imp_uid=paid["imp_uid"], amount=1_000, checksum=3_000)
    assert (partly["status"], partly["cancel_amount"]) == ("cancelled", 1_000)
    wholly = client.cancel("변심", imp_uid=paid["imp_uid"])
    assert [c["amount"] for c in wholly["cancel_history"]] == [1_000, 2_000]
    assert client.customer_get("python life")["customer_uid"] == "python life"
    assert client.customer_delete("python life")["customer_uid"] == "python life"
    with pytest.raises(Iamport.ResponseError) as too_late:
        client.pay_schedule(customer_uid="python life", schedules=entries)
    assert (too_late.value.code, too_late.value.message) == (1, "등록된 고객정보가 없습니다.")


def executed(client, merchant_uid):
    deadline = time.monotonic() + 60
    schedule = client.pay_schedule_get(merchant_uid)
    while schedule["payment_status"] is None and time.monotonic() < deadline:
        time.sleep(0.1)
        schedule = client.pay_schedule_get(merchant_uid)
    return schedule
