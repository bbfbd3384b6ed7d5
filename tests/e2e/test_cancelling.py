"""Money given back, wholly or partly (docs/wire/portone-v1-rest.md 4.3)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.world import world

# Lost answers, settling keys and workers are waited for in real time.
pytestmark = pytest.mark.slow


@pytest.fixture
def running(database_url, tmp_path):
    with world(database_url, tmp_path, clarify_wait_seconds=1.5) as everything:
        yield everything


def cancel(running, **body):
    answer = running.call("POST", "/payments/cancel", json=body)
    assert answer.status_code == 200
    return answer.json()


def paid(running, merchant_uid="m_1", amount=9_900, **more):
    running.issue_key("c_1")
    return running.again("c_1", merchant_uid, amount, **more)["response"]


def test_a_whole_cancel_gives_everything_back(running):
    payment = paid(running)
    answer = cancel(running, imp_uid=payment["imp_uid"], reason="잘못된 결제")
    assert (answer["code"], answer["message"]) == (0, None)
    after = answer["response"]
    assert (after["status"], after["amount"], after["cancel_amount"]) == ("cancelled", 9_900, 9_900)
    assert after["cancel_reason"] == "잘못된 결제"
    [entry] = after["cancel_history"]
    assert (entry["amount"], entry["reason"], entry["pg_tid"]) == (9_900, "잘못된 결제", payment["pg_tid"])
    assert after["cancel_receipt_urls"] == [payment["receipt_url"]]
    assert running.payment(payment["imp_uid"]) == after
    assert [e["amount"] for e in running.log(operation="cancel", outcome="cancelled")] == [9_900]


def test_parts_are_given_back_until_nothing_is_left(running):
    payment = paid(running, amount=10_000)
    for amount, total in ((3_000, 3_000), (3_333, 6_333), (0, 10_000)):
        after = cancel(running, merchant_uid="m_1", amount=amount)["response"]
        # A partial cancel is "cancelled" too; the amounts tell.
        assert (after["status"], after["amount"], after["cancel_amount"]) == ("cancelled", 10_000, total)
    assert [h["amount"] for h in after["cancel_history"]] == [3_000, 3_333, 3_667]
    again = cancel(running, imp_uid=payment["imp_uid"])
    assert again == {"code": 1, "message": "이미 전액취소된 주문입니다.", "response": None}


def test_a_tax_free_part_goes_along(running):
    payment = paid(running, amount=3_000, tax_free=800)
    cancel(running, imp_uid=payment["imp_uid"], amount=500, tax_free=500)
    answer = cancel(running, imp_uid=payment["imp_uid"])
    assert answer["response"]["cancel_amount"] == 3_000


def test_a_checksum_is_compared_before_anything_is_sent(running):
    payment = paid(running)
    wrong = cancel(running, imp_uid=payment["imp_uid"], amount=100, checksum=0)
    assert (wrong["code"], wrong["response"]) == (1, None)
    assert running.log(operation="cancel") == []
    assert cancel(running, imp_uid=payment["imp_uid"], amount=100, checksum="9900")["code"] == 0


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "지정해주셔야합니다."),
        ({"imp_uid": "imp_000000000000"}, "취소할 결제건이 존재하지 않습니다."),
        ({"merchant_uid": "nothing"}, "취소할 결제건이 존재하지 않습니다."),
        ({"imp_uid": "imp_000000000000", "merchant_uid": "m_1"}, "취소할 결제건이 존재하지 않습니다."),
    ],
)
def test_what_cannot_be_found_is_told_in_the_known_words(running, body, text):
    paid(running)
    answer = cancel(running, **body)
    assert (answer["code"], answer["response"]) == (1, None)
    assert text in answer["message"]


def test_a_failed_payment_and_a_free_registration_have_nothing_to_cancel(running):
    registration = running.issue_key("c_1")
    assert cancel(running, imp_uid=registration["imp_uid"])["message"] == "이미 전액취소된 주문입니다."
    running.fault("subscription", "decline", method_result_code="NOT_ENOUGH_BALANCE")
    failed = running.again("c_1", "m_1")["response"]
    assert cancel(running, imp_uid=failed["imp_uid"])["message"] == "취소할 결제건이 존재하지 않습니다."


def test_more_than_is_left_is_refused_before_kakaopay_is_asked(running):
    payment = paid(running)
    answer = cancel(running, imp_uid=payment["imp_uid"], amount=9_901)
    assert (answer["code"], answer["response"]) == (1, None)
    assert running.log(operation="cancel") == []


def test_a_cancel_that_kakaopay_refuses_changes_nothing(running):
    payment = paid(running)
    running.fault("cancel", "decline", method_result_code="INVALID_CANCEL_STATUS")
    answer = cancel(running, imp_uid=payment["imp_uid"])
    assert (answer["code"], answer["response"]) == (-1, None)
    assert "-781" in answer["message"]
    assert running.payment(payment["imp_uid"])["cancel_amount"] == 0
    assert cancel(running, imp_uid=payment["imp_uid"])["code"] == 0


@pytest.mark.parametrize("kind", ["drop_after", "error_500_after", "garbled_after"])
def test_a_cancel_whose_answer_is_lost_is_looked_up_and_not_repeated(running, kind):
    payment = paid(running)
    running.fault("cancel", kind)
    answer = cancel(running, imp_uid=payment["imp_uid"], amount=1_100)
    assert (answer["code"], answer["response"]["cancel_amount"]) == (0, 1_100)
    assert len(running.log(operation="cancel", outcome="cancelled")) == 1


def test_a_cancel_that_may_not_have_happened_blocks_the_next_one(running):
    payment = paid(running)
    running.fault("cancel", "drop_before")
    assert cancel(running, imp_uid=payment["imp_uid"], amount=1_100)["code"] == -1
    blocked = cancel(running, imp_uid=payment["imp_uid"], amount=1_100)
    assert (blocked["code"], blocked["response"]) == (-1, None)
    assert running.payment(payment["imp_uid"])["status"] == "paid"
    assert running.log(operation="cancel", outcome="cancelled") == []


def test_ten_cancels_at_once_never_give_back_more_than_was_paid(running):
    payment = paid(running, amount=10_000)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: cancel(running, imp_uid=payment["imp_uid"], amount=3_000), range(10)))
    assert sum(a["code"] == 0 for a in answers) == 3
    assert running.payment(payment["imp_uid"])["cancel_amount"] == 9_000
    assert sum(e["amount"] for e in running.log(operation="cancel", outcome="cancelled")) == 9_000
