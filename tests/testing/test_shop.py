"""What a shop's test can say with the pytest plugin's fixture, each sentence once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from standardwebhooks import Webhook as Signed

from maedal.testing.http import Answer, ask
from maedal.testing.receiver import Inbox, receiving
from maedal.testing.shop import Broken, Refused


def test_a_key_is_issued_and_charged_without_waiting(shop):
    customer = shop.issue_key("gildong")
    payment = shop.charge(customer, 9_900, "order_1")
    assert (payment["status"], payment["amount"], payment["customer_uid"]) == ("paid", 9_900, "gildong")
    assert shop.customer(customer)["customer_uid"] == "gildong"
    assert shop.payment("order_1")["imp_uid"] == payment["imp_uid"]


def test_a_first_payment_issues_the_key_too(shop):
    customer = shop.issue_key(amount=5_000, method="CARD", merchant_uid="first")
    assert shop.payment("first")["status"] == "paid"
    assert shop.charge(customer)["status"] == "paid"


def test_each_test_has_a_merchant_of_its_own(server):
    with server.new_shop() as one, server.new_shop() as other:
        one.issue_key("gildong")
        with pytest.raises(Refused):
            other.charge("gildong")
        assert one.identification_code != other.identification_code
        assert len(other.webhooks) == 0


def test_the_next_charge_is_declined_as_asked_and_the_one_after_is_paid(shop):
    customer = shop.issue_key(method="CARD")
    shop.fail_next(code="0002")
    failed = shop.charge(customer)
    assert failed["status"] == "failed"
    assert "0002" in failed["fail_reason"]
    assert shop.charge(customer)["status"] == "paid"


def test_the_next_charge_of_one_customer_alone_is_declined(shop):
    one, other = shop.issue_key(), shop.issue_key()
    shop.fail_next(customer_uid=one)
    assert [shop.charge(customer)["status"] for customer in (other, one)] == ["paid", "failed"]


def test_an_answer_that_is_lost_is_found_out_and_nothing_is_charged_twice(shop):
    customer = shop.issue_key()
    shop.fail_next("lost")
    assert shop.charge(customer, 700, "once")["status"] == "paid"
    charged = [entry for entry in shop.simulate("GET", "/log?operation=subscription") if entry["amount"] == 700]
    assert len(charged) == 1


def test_faults_and_an_empty_account_do_not_outlive_their_test(server):
    with server.new_shop() as before:
        before.fail_next(times=9)
        before.simulate("POST", "/buyer", {"balance": 0})
        card = before.simulate("GET", "/buyer")["cards"][0]["card"]
        before.simulate("POST", "/buyer", {"card": card, "decline_code": "0002"})
    with server.new_shop() as shop:
        assert shop.charge(shop.issue_key())["status"] == "paid"
        assert all(card["decline_code"] is None for card in shop.simulate("GET", "/buyer")["cards"])


def test_a_planned_charge_happens_at_its_time_and_is_told(shop):
    customer = shop.issue_key()
    began = shop.now
    planned = shop.schedule(customer, 9_900, "month_1", after=timedelta(days=30))
    assert planned["schedule_status"] == "scheduled"
    arrived = shop.travel(days=31)
    assert timedelta(days=31) <= arrived - began < timedelta(days=31, minutes=1)
    assert shop.planned("month_1")["payment_status"] == "paid"
    assert shop.webhooks.wait(merchant_uid="month_1").status == "paid"
    assert shop.payment("month_1")["paid_at"] - planned["schedule_at"] < 60


def test_what_was_planned_in_a_test_does_not_happen_in_the_next(server):
    with server.new_shop() as before:
        before.schedule(before.issue_key(), merchant_uid="left_behind")
    with server.new_shop() as shop:
        shop.travel(days=31)
    assert before.planned("left_behind")["schedule_status"] == "revoked"


def test_planned_charges_are_taken_back(shop):
    customer = shop.issue_key()
    for order in ("a", "b"):
        shop.schedule(customer, merchant_uid=order)
    assert [plan["merchant_uid"] for plan in shop.unschedule(customer, "a")] == ["a"]
    assert [plan["merchant_uid"] for plan in shop.unschedule(customer)] == ["b"]


def test_a_payment_in_the_window_is_paid_cancelled_and_told(shop):
    assert shop.pay(1_000, "order")["status"] == "paid"
    assert shop.cancel("order", 400, enable_webhook=True)["cancel_amount"] == 400
    assert shop.webhooks.wait(merchant_uid="order", status="cancelled").fields["cancellation_id"]
    assert shop.cancel("order")["cancel_amount"] == 1_000


def test_a_buyer_who_leaves_the_window_fails_the_payment(shop):
    assert shop.buyer_leaves(shop.open_window(1_000))["status"] == "failed"


def test_a_window_that_the_shops_own_page_opened_is_paid_by_its_imp_uid(shop):
    assert shop.buyer_pays(shop.open_window(1_000).imp_uid, "CARD")["pg_provider"] == "kakaopay"


def test_a_key_that_its_buyer_has_ended_cannot_be_charged(shop):
    customer = shop.issue_key()
    shop.buyer_ends_key(customer)
    assert shop.charge(customer)["status"] == "failed"


def test_a_deleted_key_is_gone(shop):
    customer = shop.issue_key()
    shop.delete_key(customer)
    with pytest.raises(Refused, match="code 1"):
        shop.charge(customer)


def test_a_refusal_carries_what_v1_says_of_it(shop):
    with pytest.raises(Refused) as refused:
        shop.payment(imp_uid="imp_000000000000")
    assert (refused.value.status, refused.value.code) == (404, -1)
    assert "존재하지 않는 결제정보" in refused.value.message
    with pytest.raises(Refused, match="INVALID_AMOUNT"):
        shop.open_window(-1)


def test_what_the_simulator_does_not_know_is_told_in_its_words(shop):
    with pytest.raises(Broken, match="kind"):
        shop.fail_next("earthquake")


def test_a_token_is_fetched_anew_after_time_travel(shop):
    first = shop.token()
    shop.travel(hours=1)
    assert shop.token() != first
    assert shop.call("GET", "/users/pg")


def test_webhooks_are_signed_by_the_merchants_own_secret(shop):
    shop.pay(1_000, "order")
    webhook = shop.webhooks.wait(merchant_uid="order")
    assert Signed(shop.webhook_secret).verify(webhook.body, dict(webhook.headers))["status"] == "paid"
    assert webhook.id


def test_webhooks_come_as_a_form_when_the_shop_wants_them_so(shop):
    shop.set_webhook(type="form")
    shop.pay(1_000, "order & more")
    webhook = shop.webhooks.wait(merchant_uid="order & more")
    assert webhook.headers["content-type"] == "application/x-www-form-urlencoded"
    assert webhook.body.startswith(b"imp_uid=")


def test_webhooks_are_passed_on_as_they_came_and_the_gateway_hears_the_answer(shop):
    own = Inbox()
    with receiving(own.take) as origin:
        shop.webhooks.forward_to = f"{origin}/hook?a=1"
        shop.pay(1_000, "order")
        passed, kept = own.wait(merchant_uid="order"), shop.webhooks.wait(merchant_uid="order")
    assert (passed.path, passed.body) == ("/hook?a=1", kept.body)
    for name in ("content-type", "user-agent", "webhook-id", "webhook-signature", "webhook-timestamp"):
        assert passed.headers[name] == kept.headers[name]


def test_what_has_arrived_is_answered_before_a_receiver_ends():
    arrived, released = threading.Event(), threading.Event()

    def take(webhook):
        arrived.set()
        released.wait(10)
        return Answer(200, {}, b"OK")

    with ThreadPoolExecutor(1) as pool:
        with receiving(take) as origin:
            asked = pool.submit(ask, "POST", origin, body={})
            assert arrived.wait(10)
            threading.Timer(0.2, released.set).start()
        assert asked.result().status == 200


def test_a_receiver_that_fails_is_tried_again_in_time(shop):
    shop.set_webhook(retry="few")
    shop.webhooks.answer = 503
    shop.pay(1_000, "order")
    shop.webhooks.wait(merchant_uid="order")
    shop.webhooks.answer = 200
    shop.travel(minutes=2)
    assert len(shop.webhooks.find(merchant_uid="order")) == 2


def test_a_webhook_that_does_not_come_is_told_with_those_that_did(shop):
    shop.pay(1_000, "order")
    shop.webhooks.wait(status="paid")
    with pytest.raises(AssertionError, match=r"'other'.*\('order', 'paid'\)"):
        shop.webhooks.wait(seconds=0.1, merchant_uid="other")
    shop.webhooks.clear()
    assert list(shop.webhooks) == []


def test_the_demo_merchant_can_be_used_as_well(dev):
    assert dev.demo_shop.pay(1_000)["status"] == "paid"
