"""Amounts registered before the window opens (docs/wire/portone-v1-rest.md 4.4)."""

from __future__ import annotations


def test_an_amount_is_registered_changed_and_read(running):
    answer = running.call("POST", "/payments/prepare", json={"merchant_uid": "m/1 한글", "amount": 12_000})
    assert answer.json() == {
        "code": 0,
        "message": None,
        "response": {"merchant_uid": "m/1 한글", "amount": 12_000, "currency": None},
    }
    again = running.call("POST", "/payments/prepare", data={"merchant_uid": "m/1 한글", "amount": "5"})
    assert (again.status_code, again.json()["code"]) == (200, 1)
    assert again.json()["message"] == "결제정보 사전등록에 실패하였습니다(이미 등록된 merchant_uid입니다)."
    changed = running.call(
        "PUT", "/payments/prepare", json={"merchant_uid": "m/1 한글", "amount": 9_900, "currency": "KRW"}
    )
    assert changed.json()["response"]["amount"] == 9_900
    read = running.call("GET", "/payments/prepare/m%2F1%20%ED%95%9C%EA%B8%80")
    assert read.json()["response"] == {"merchant_uid": "m/1 한글", "amount": 9_900, "currency": "KRW"}


def test_what_was_never_registered_is_404(running):
    for answer in (
        running.call("GET", "/payments/prepare/nothing"),
        running.call("PUT", "/payments/prepare", json={"merchant_uid": "nothing", "amount": 1}),
    ):
        assert answer.status_code == 404
        assert answer.json() == {"code": -1, "message": "사전등록된 결제정보가 존재하지 않습니다.", "response": None}


def test_a_window_with_another_amount_does_not_open(running):
    running.call("POST", "/payments/prepare", json={"merchant_uid": "m_1", "amount": 9_900})
    refused = running.open_window("m_1", 100)
    assert (refused["success"], refused["imp_uid"], refused["error_code"]) == (False, None, "AMOUNT_MISMATCH")
    assert refused["error_msg"] == "결제금액이 등록된 금액과 다릅니다."
    assert running.log(operation="ready") == []
    assert running.open_window("m_1", 9_900)["imp_uid"]


def test_bad_registrations_name_the_field(running):
    for body, field in (({}, "merchant_uid"), ({"merchant_uid": "m"}, "amount"), ({"merchant_uid": "m", "amount": -1}, "amount"),
                        ({"merchant_uid": "m", "amount": 1, "currency": "USD"}, "currency")):  # fmt: skip
        answer = running.call("POST", "/payments/prepare", json=body).json()
        assert (answer["code"], answer["response"]) == (1, None)
        assert field in answer["message"]
