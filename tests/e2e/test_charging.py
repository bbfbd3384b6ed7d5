"""A billing key is issued and charged again: the main job, over real HTTP, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor


def test_a_key_is_issued_without_money_and_charged_by_the_documented_example(running):
    result = running.issue_key("c_1")
    assert (result["success"], result["paid_amount"], result["status"]) == (True, 0, "paid")
    body = {"customer_uid": "c_1", "merchant_uid": "order_id_8237352", "amount": 3000}
    answer = running.call("POST", "/subscribe/payments/again", json=body)
    assert answer.status_code == 200
    payment = answer.json()["response"]
    assert answer.json()["code"] == 0
    assert answer.json()["message"] is None
    assert (payment["status"], payment["amount"], payment["pay_method"]) == ("paid", 3000, "point")
    assert payment["imp_uid"].startswith("imps_")
    assert payment["customer_uid_usage"] == "payment"
    assert running.payment(payment["imp_uid"]) == payment
    assert running.call("GET", "/payments/find/order_id_8237352").json()["response"] == payment


def test_the_method_chosen_at_issue_stays_for_every_later_charge(running):
    running.issue_key("money", 9_900, "MONEY")
    running.issue_key("card", 9_900, "CARD")
    for n, amount in enumerate((1_000, 25_000)):
        assert running.again("money", f"m_{n}", amount)["response"]["pay_method"] == "point"
        charged = running.again("card", f"k_{n}", amount)["response"]
        assert (charged["pay_method"], charged["amount"], charged["status"]) == ("card", amount, "paid")
        assert charged["apply_num"]


def test_a_declined_charge_is_http_200_code_0_and_failed(running):
    running.issue_key("c_1")
    running.fault("subscription", "decline", method_result_code="NOT_ENOUGH_BALANCE")
    answer = running.call(
        "POST", "/subscribe/payments/again", json={"customer_uid": "c_1", "merchant_uid": "m_1", "amount": 3000}
    )
    body = answer.json()
    assert (answer.status_code, body["code"], body["message"]) == (200, 0, None)
    payment = body["response"]
    assert (payment["status"], payment["paid_at"], payment["pg_tid"]) == ("failed", 0, None)
    assert payment["failed_at"] > 0
    assert "-782" in payment["fail_reason"]
    assert "NOT_ENOUGH_BALANCE" in payment["fail_reason"]
    # The merchant_uid is free again.
    assert running.again("c_1", "m_1")["response"]["status"] == "paid"


def test_the_monthly_limit_is_a_declined_payment_with_kakaopays_code(database_url, tmp_path):
    from tests.support.world import world

    with world(database_url, tmp_path, monthly_limit=1) as running:
        running.issue_key("c_1")
        assert running.again("c_1", "m_1")["response"]["status"] == "paid"
        over = running.again("c_1", "m_2")
        assert over["code"] == 0
        assert over["response"]["status"] == "failed"
        assert "-752" in over["response"]["fail_reason"]


def test_an_unknown_customer_is_code_1_and_leaves_nothing(running):
    answer = running.again("nobody", "m_1")
    assert answer == {"code": 1, "message": "등록되지 않은 구매자입니다.", "response": None}
    assert running.call("GET", "/payments/find/m_1").status_code == 404
    assert running.log(operation="subscription") == []


def test_a_used_merchant_uid_is_code_minus_1_and_charges_nothing(running):
    running.issue_key("c_1")
    running.again("c_1", "m_1")
    again = running.again("c_1", "m_1", 5_000)
    assert (again["code"], again["response"]) == (-1, None)
    assert "이미 주문이 이루어진 건입니다" in again["message"]
    assert len(running.log(operation="subscription")) == 1
    # Told before the unknown customer.
    assert running.again("nobody", "m_1")["code"] == -1


def test_fifty_at_once_with_one_merchant_uid_charge_once(running):
    running.issue_key("c_1")
    running.token()
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: running.again("c_1", "same"), range(50)))
    assert sum(a["code"] == 0 and a["response"]["status"] == "paid" for a in answers) == 1
    assert sum(a["code"] == -1 for a in answers) == 49
    assert len(running.log(operation="subscription")) == 1


def test_a_deleted_key_is_deactivated_at_kakaopay_and_cannot_be_charged(running):
    running.issue_key("c_1")
    deleted = running.call("DELETE", "/subscribe/customers/c_1").json()
    assert deleted["code"] == 0
    assert deleted["response"]["customer_uid"] == "c_1"
    assert running.again("c_1", "m_1")["code"] == 1
    again = running.call("GET", "/subscribe/customers/c_1")
    assert (again.status_code, again.json()["code"]) == (200, 1)
    assert again.json()["message"] == "요청하신 customer_uid(c_1)로 등록된 정보를 찾을 수 없습니다."
    assert [e["outcome"] for e in running.log(operation="inactive")] == ["deactivated"]


def test_a_key_that_the_buyer_ended_is_a_declined_charge(running):
    running.issue_key("c_1")
    sid = running.log(operation="approve")[0]["sid"]
    running.http.post(f"{running.sandbox}/_sim/sids/{sid}/end-by-buyer").raise_for_status()
    answer = running.again("c_1", "m_1")
    assert (answer["code"], answer["response"]["status"]) == (0, "failed")
    assert "-751" in answer["response"]["fail_reason"]


def test_card_key_in_answers_that_kakaopay_cannot(running):
    for path in ("/subscribe/payments/onetime", "/subscribe/customers/c_1"):
        answer = running.call(
            "POST", path, json={"card_number": "1234-1234-1234-1234", "merchant_uid": "m", "amount": 1}
        )
        assert (answer.status_code, answer.json()["code"], answer.json()["response"]) == (200, -1, None)
        assert "카카오페이" in answer.json()["message"]
