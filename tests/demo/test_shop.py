"""What the shop does with what it is told: it believes the payment server alone, and every report may come twice."""

from dataclasses import replace
from datetime import datetime

import httpx
import pytest

from maedal.demo.shop import KOREA, a_month_after
from tests.demo.conftest import SHOP_URL, Buyer, open_shop, settings
from tests.demo.double import PaymentServer


async def test_a_payment_is_accepted_when_the_payment_server_confirms_it(buyer: Buyer, server: PaymentServer):
    order = await buyer.orders("once")
    after = await buyer.reports(order, server.pays(order))
    assert (after["status"], after["amount"], after["pay_method"]) == ("paid", 12_000, "point")


async def test_the_first_month_starts_a_subscription_that_can_be_charged_again(buyer: Buyer, server: PaymentServer):
    order = await buyer.orders("first")
    await buyer.reports(order, server.pays(order, pay_method="card"))
    charged = await buyer.is_charged(order["customer_uid"], 3000)
    assert charged["status"] == "paid"
    sent = server.asked_for("POST", "/subscribe/payments/again")[0]
    assert (sent["customer_uid"], sent["amount"]) == (order["customer_uid"], 3000)
    assert sent["notice_url"] == f"{SHOP_URL}/portone-webhook"
    [subscription] = (await buyer.sees())["subscriptions"]
    assert (subscription["status"], subscription["pay_method"]) == ("active", "card")
    assert [charge["amount"] for charge in subscription["charges"]] == [3000, 9900]


async def test_registering_takes_no_money(buyer: Buyer, server: PaymentServer):
    order = await buyer.orders("register")
    assert order["amount"] == 0
    assert (await buyer.reports(order, server.pays(order)))["status"] == "paid"
    [subscription] = (await buyer.sees())["subscriptions"]
    assert subscription["method_name"] == "카카오페이머니"


@pytest.mark.parametrize("forgery", [{"amount": 100}, {"customer_uid": "someone-else"}, {"currency": "USD"}])
async def test_a_payment_that_differs_from_the_order_is_not_accepted(
    buyer: Buyer, server: PaymentServer, forgery: dict[str, object]
):
    order = await buyer.orders("first")
    imp_uid = server.pays(order, **forgery)
    assert (await buyer.reports(order, imp_uid))["status"] == "forged"
    assert server.payments[imp_uid]["status"] == "cancelled"
    assert (await buyer.sees())["subscriptions"] == []
    await buyer.webhook(order, imp_uid)
    assert len(server.asked_for("POST", "/payments/cancel")) == 1


async def test_the_payment_of_another_order_is_not_accepted(buyer: Buyer, server: PaymentServer):
    cheap, dear = await buyer.orders("once"), await buyer.orders("once")
    imp_uid = server.pays(cheap)
    body = {"merchant_uid": dear["merchant_uid"], "imp_uid": imp_uid}
    reply = await buyer.client.post("/payments/complete", json=body)
    assert (reply.status_code, reply.json()["error"]) == (409, "other_order")
    assert {order["status"] for order in (await buyer.sees())["orders"]} == {"pending"}


async def test_an_imp_uid_made_up_by_the_browser_is_not_accepted(buyer: Buyer):
    order = await buyer.orders("once")
    body = {"merchant_uid": order["merchant_uid"], "imp_uid": "imp_999999999999"}
    reply = await buyer.client.post("/payments/complete", json=body)
    assert (reply.status_code, reply.json()["error"]) == (404, "no_such_payment")


async def test_a_repeated_webhook_counts_once(buyer: Buyer, server: PaymentServer):
    order = await buyer.orders("first")
    imp_uid = server.pays(order)
    message = [await buyer.webhook(order, imp_uid) for _ in range(3)]
    after = await buyer.reports(order, imp_uid)
    assert message == ["paid", "nothing new", "nothing new"]
    assert after["status"] == "paid"
    [subscription] = (await buyer.sees())["subscriptions"]
    assert len(subscription["charges"]) == 1
    assert len(server.asked_for("GET", "/subscribe/customers/")) == 1


async def test_a_webhook_may_be_a_form(buyer: Buyer, server: PaymentServer):
    order = await buyer.orders("once")
    form = {"imp_uid": server.pays(order), "merchant_uid": order["merchant_uid"], "status": "paid"}
    reply = await buyer.client.post("/portone-webhook", data=form)
    assert (reply.status_code, reply.json()) == (200, {"result": "paid"})


async def test_a_webhook_that_lies_changes_nothing(buyer: Buyer, server: PaymentServer):
    order = await buyer.orders("once")
    imp_uid = server.pays(order, status="failed", fail_reason="[-780] 승인 실패")
    assert await buyer.webhook(order, imp_uid, status="paid") == "failed"


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '{"imp_uid":"../x","merchant_uid":"a","status":"paid"}', '{"imp_uid":1}']
)
async def test_a_webhook_that_makes_no_sense_is_refused(buyer: Buyer, body: str):
    headers = {"Content-Type": "application/json"}
    assert (await buyer.client.post("/portone-webhook", content=body, headers=headers)).status_code == 400


async def test_a_webhook_about_somebody_elses_order_is_heard_and_ignored(buyer: Buyer, server: PaymentServer):
    assert await buyer.webhook({"merchant_uid": "merchant_1234567890"}, "imp_1234567890", "ready") == "ignored"
    assert server.asked == []


async def test_a_declined_charge_shows_the_reason(buyer: Buyer, server: PaymentServer):
    uid = await buyer.registers(server)
    server.next_charge = "[-782] 계좌 잔액이 부족합니다."
    charged = await buyer.is_charged(uid)
    assert (charged["status"], charged["message"]) == ("failed", "[-782] 계좌 잔액이 부족합니다.")
    assert (await buyer.sees())["subscriptions"][0]["status"] == "active"


async def test_a_key_that_the_buyer_ended_in_kakaotalk_ends_the_subscription(buyer: Buyer, server: PaymentServer):
    uid = await buyer.registers(server)
    server.next_charge = "[-751] 비활성화된 SID입니다."
    await buyer.is_charged(uid)
    [subscription] = (await buyer.sees())["subscriptions"]
    assert (subscription["status"], subscription["ended_by"]) == ("ended", "kakaopay")


async def test_a_refused_charge_shows_the_message(buyer: Buyer, server: PaymentServer):
    uid = await buyer.registers(server)
    server.keys.clear()
    charged = await buyer.is_charged(uid)
    assert (charged["status"], charged["message"]) == ("refused", "등록되지 않은 구매자입니다.")


async def test_a_charge_with_an_unknown_outcome_waits_for_the_webhook(buyer: Buyer, server: PaymentServer):
    uid = await buyer.registers(server)
    server.next_charge = "unknown"
    charged = await buyer.is_charged(uid)
    assert charged["status"] == "checking"
    [imp_uid] = [uid for uid, payment in server.payments.items() if payment["status"] == "ready"]
    server.payments[imp_uid] |= {"status": "paid", "pay_method": "point"}
    assert await buyer.webhook(charged, imp_uid) == "paid"


@pytest.mark.parametrize(("answer", "status"), [("garbled", "paid"), ("lost", "checking"), ("other amount", "forged")])
async def test_a_charge_is_never_guessed(buyer: Buyer, server: PaymentServer, answer: str, status: str):
    uid = await buyer.registers(server)
    server.next_charge = answer
    assert (await buyer.is_charged(uid))["status"] == status


async def test_a_repeated_charge_request_charges_once(buyer: Buyer, server: PaymentServer):
    charged = await buyer.is_charged(await buyer.registers(server))
    again = await buyer.client.post(f"/api/orders/{charged['merchant_uid']}/charge")
    assert again.json() == charged
    assert len(server.asked_for("POST", "/subscribe/payments/again")) == 1


async def test_a_buyer_who_gives_up_sees_why(buyer: Buyer, server: PaymentServer):
    order = await buyer.orders("first")
    reason = "[결제포기] 사용자가 결제를 취소하셨습니다"
    imp_uid = server.pays(order, status="failed", fail_reason=reason)
    after = await buyer.reports(order, imp_uid, error_code="CANCELED_BY_USER", error_msg=reason)
    assert (after["status"], after["message"]) == ("failed", reason)


async def test_a_window_that_never_opened_is_refused_with_its_sentence(buyer: Buyer):
    order = await buyer.orders("first")
    after = await buyer.reports(
        order, None, error_code="NOT_READY", error_msg="등록 된 PG 설정 정보를 찾을 수 없습니다."
    )
    assert (after["status"], after["message"]) == ("refused", "등록 된 PG 설정 정보를 찾을 수 없습니다.")


async def test_an_unknown_outcome_of_the_window_is_checked_until_it_is_known(buyer: Buyer, server: PaymentServer):
    order = await buyer.orders("first")
    imp_uid = server.pays(order, status="ready")
    after = await buyer.reports(order, imp_uid, error_code="UNKNOWN", error_msg="결제 결과를 확인하고 있습니다.")
    assert after["status"] == "checking"
    server.payments[imp_uid]["status"] = "paid"
    checked = await buyer.client.post(f"/api/orders/{order['merchant_uid']}/check")
    assert checked.json()["status"] == "paid"


async def test_a_payment_cancelled_later_is_shown_as_cancelled(buyer: Buyer, server: PaymentServer):
    order = await buyer.orders("once")
    imp_uid = server.pays(order)
    await buyer.reports(order, imp_uid)
    server.payments[imp_uid] |= {"status": "cancelled", "cancel_reason": "관리자페이지취소"}
    assert await buyer.webhook(order, imp_uid, "cancelled") == "cancelled"


async def test_an_ended_subscription_is_not_charged(buyer: Buyer, server: PaymentServer):
    uid = await buyer.registers(server)
    ended = [(await buyer.client.delete(f"/api/subscriptions/{uid}")).json()["status"] for _ in range(2)]
    wanted = {"kind": "again", "customer_uid": uid, "amount": 3000}
    refused = await buyer.client.post("/api/orders", json=wanted)
    assert ended == ["ended", "ended"]
    assert len(server.asked_for("DELETE", "/subscribe/customers/")) == 1
    assert (refused.status_code, refused.json()["error"]) == (409, "subscription_ended")


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"kind": "gift"},
        {"kind": "once", "amount": 1},
        {"kind": "first", "customer_uid": "mine"},
        {"kind": "again", "amount": 3000},
        {"kind": "again", "customer_uid": "x", "amount": 0},
        {"kind": "again", "customer_uid": "x", "amount": 10.5},
        {"kind": "again", "customer_uid": "x", "amount": "3,000"},
        {"kind": "again", "customer_uid": "../x", "amount": 3000},
        {"kind": "once", "price": 1},
    ],
)
async def test_an_order_that_makes_no_sense_is_refused(buyer: Buyer, wanted: dict[str, object]):
    reply = await buyer.client.post("/api/orders", json=wanted)
    assert (reply.status_code, reply.json()["error"]) == (400, "bad_input")


async def test_an_expired_token_is_renewed_once(buyer: Buyer, server: PaymentServer):
    uid = await buyer.registers(server)
    server.good_token = "another"
    assert (await buyer.is_charged(uid))["status"] == "paid"
    assert len(server.asked_for("POST", "/users/getToken")) == 2


async def test_a_payment_server_that_is_away_is_told_in_words():
    async with open_shop(settings("http://127.0.0.1:9")) as buyer:
        client = buyer.client
        order = await buyer.orders("once")
        body = {"merchant_uid": order["merchant_uid"], "imp_uid": "imp_1"}
        reply = await client.post("/payments/complete", json=body)
        webhook = await client.post("/portone-webhook", json=body | {"status": "paid"})
        page = await client.get("/payments/complete", params=body)
    assert (reply.status_code, reply.json()["error"]) == (502, "gateway_down")
    assert "연결하지 못했습니다" in reply.json()["message"]
    assert webhook.status_code == 503
    assert "연결하지 못했습니다" in page.text


async def test_a_wrong_secret_is_told_in_words(server: PaymentServer):
    async with open_shop(settings(server.url, secret="wrong")) as buyer:
        order = await buyer.orders("once")
        body = {"merchant_uid": order["merchant_uid"], "imp_uid": "imp_1"}
        reply = await buyer.client.post("/payments/complete", json=body)
    assert (reply.status_code, reply.json()["error"]) == (502, "gateway_refused")
    assert "인증에 실패" in reply.json()["detail"]


async def test_orders_and_subscriptions_survive_a_restart(server: PaymentServer, tmp_path):
    file = tmp_path / "shop.db"
    async with open_shop(settings(server.url, file)) as buyer:
        uid = await buyer.registers(server)
    async with open_shop(settings(server.url, file)) as buyer:
        assert (await buyer.is_charged(uid))["status"] == "paid"


async def plans(buyer: Buyer, uid: str, amount: int = 9_900) -> httpx.Response:
    return await buyer.client.post(f"/api/subscriptions/{uid}/plan", json={"amount": amount})


async def test_a_plan_charges_the_same_day_of_each_month_and_goes_on_by_itself(buyer: Buyer, server: PaymentServer):
    uid = await buyer.registers(server)
    first = (await plans(buyer, uid)).json()["plan"]
    [sent] = server.plans.values()
    assert (sent["merchant_uid"], sent["schedule_at"], sent["amount"]) == (
        first["merchant_uid"], first["charge_at"], 9_900)  # fmt: skip
    assert (await plans(buyer, uid)).json()["plan"] == first
    imp_uid = server.pays({**sent, "customer_uid": uid})
    message = [await buyer.webhook({"merchant_uid": first["merchant_uid"]}, imp_uid) for _ in range(2)]
    assert message == ["paid", "nothing new"]
    second = (await buyer.sees())["subscriptions"][0]["plan"]
    assert 28 <= (second["charge_at"] - first["charge_at"]) / 86_400 <= 31
    assert list(server.plans) == [first["merchant_uid"], second["merchant_uid"]]


def test_a_month_after_the_31st_is_the_last_day_and_then_the_31st_again():
    january = datetime(2027, 1, 31, 9, tzinfo=KOREA)
    february = a_month_after(january, 31)
    assert (february.isoformat(), a_month_after(february, 31).isoformat()) == (
        "2027-02-28T09:00:00+09:00", "2027-03-31T09:00:00+09:00")  # fmt: skip


@pytest.mark.parametrize(("answer", "sent"), [("lost", 2), ("garbled", 1)])
async def test_a_plan_whose_answer_was_lost_is_made_once(buyer: Buyer, server: PaymentServer, answer: str, sent: int):
    uid = await buyer.registers(server)
    server.next_plan = answer
    assert (await plans(buyer, uid)).status_code == 502
    server.next_plan = "taken"
    plan = (await plans(buyer, uid)).json()["plan"]
    assert (plan["told"], list(server.plans)) == (True, [plan["merchant_uid"]])
    assert len(server.asked_for("POST", "/subscribe/payments/schedule")) == sent


async def test_a_plan_that_is_refused_or_stopped_is_no_more(buyer: Buyer, server: PaymentServer):
    uid = await buyer.registers(server)
    server.next_plan = "refused"
    assert (await plans(buyer, uid)).status_code == 502
    assert (await buyer.sees())["subscriptions"][0]["plan"] is None
    server.next_plan = "taken"
    await plans(buyer, uid)
    assert (await buyer.client.delete(f"/api/subscriptions/{uid}/plan")).json()["plan"] is None
    await plans(buyer, uid)
    ended = (await buyer.client.delete(f"/api/subscriptions/{uid}")).json()
    assert (ended["status"], ended["plan"], server.plans) == ("ended", None, {})


async def test_a_page_of_another_site_neither_reads_nor_orders_by_whatever_name_it_calls(server: PaymentServer):
    named = replace(settings(server.url), allowed_hosts=frozenset({"shop.test"}))
    async with open_shop(named) as buyer:
        for host, status in (("evil.example", 403), ("shop.test", 200), ("localhost:1", 200), ("127.0.0.1:1", 200)):
            assert (await buyer.client.get("/api/state", headers={"Host": host})).status_code == status
        foreign = {"Origin": "http://evil.example", "Content-Type": "text/plain"}
        answer = await buyer.client.post("/api/orders", headers=foreign, content='{"kind": "once"}')
        assert (answer.status_code, answer.json()["error"]) == (403, "other_origin")
        assert (await buyer.sees())["orders"] == []
