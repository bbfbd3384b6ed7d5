"""What may be sent, and how: docs/wire/kakaopay.md, sections 2, 14.3 and 14.4."""

import json
from typing import Any

import pytest

from kakaopay_sandbox.wire import fields
from kakaopay_sandbox.wire.routes import OPERATIONS
from tests.sandbox.support import CURRENT, LEGACY, RECURRING, Shop, code_of


def test_numbers_may_come_as_strings_and_go_as_numbers(shop: Shop) -> None:
    tid = shop.ready_order(quantity="1", total_amount="2200", tax_free_amount="0")["tid"]
    order = shop.order(tid).json()
    assert (order["quantity"], order["amount"]["total"], order["amount"]["vat"]) == (1, 2200, 200)


def test_unknown_fields_and_an_empty_cid_secret_are_ignored(shop: Shop) -> None:
    assert shop.ready(cid_secret="", fantasy=[1, {"x": 2}]).status_code == 200


@pytest.mark.parametrize("path", OPERATIONS)
def test_the_first_missing_field_in_table_order_is_named(shop: Shop, path: str) -> None:
    required = [field.name for field in OPERATIONS[path].known if field.is_required]
    sent: dict[str, Any] = {}
    for name in required:
        reply = shop.call(path, sent)
        assert reply.status_code == 400
        assert reply.json() == {"error_code": -2, "error_message": f"{name} can't be null."}
        sent[name] = "http://127.0.0.1/x" if name.endswith("_url") else "1"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cid", "C" * 11),
        ("cid_secret", "x" * 25),
        ("partner_order_id", "o" * 101),
        ("partner_user_id", {"a": 1}),
        ("item_name", True),
        ("item_name", "nul\x00"),
        ("quantity", "one"),
        ("quantity", -1),
        ("quantity", 0),
        ("total_amount", "9900.5"),
        ("total_amount", 99.5),
        ("total_amount", 2**31),
        ("total_amount", True),
        ("tax_free_amount", []),
        ("approval_url", "/relative"),
        ("approval_url", "javascript:alert(1)"),
        ("cancel_url", "http://shop.example/" + "x" * 250),
        ("fail_url", "shop.example/fail"),
        ("available_cards", ["NOSUCHCARD"]),
        ("available_cards", "not json"),
        ("payment_method_type", "COIN"),
        ("install_month", 13),
        ("use_share_installment", "yes"),
        ("custom_json", [1]),
    ],
)
def test_a_bad_value_is_named(shop: Shop, field: str, value: Any) -> None:
    reply = shop.ready(**{field: value})
    assert reply.status_code == 400
    assert reply.json() == {"error_code": -2, "error_message": f"invalid param({field} has invalid value)"}


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_the_current_family_takes_nothing_but_json(shop: Shop, content_type: str) -> None:
    body = json.dumps({"cid": RECURRING, "tid": "T1"})
    reply = shop.http.post(f"{CURRENT}/order", content=body, headers=shop.headers | {"content-type": content_type})
    assert (reply.status_code, code_of(reply)) == (400, -2)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe"])
def test_a_body_that_is_no_json_object_is_minus_2(shop: Shop, body: bytes) -> None:
    reply = shop.http.post(
        f"{CURRENT}/order", content=body, headers=shop.headers | {"content-type": "application/json"}
    )
    assert (reply.status_code, code_of(reply)) == (400, -2)


def test_a_charset_beside_json_is_fine(shop: Shop) -> None:
    headers = shop.headers | {"content-type": "application/json;charset=UTF-8"}
    reply = shop.http.post(f"{CURRENT}/order", content=json.dumps({"cid": RECURRING, "tid": "T1"}), headers=headers)
    assert code_of(reply) == -721


def test_legacy_takes_a_form_and_its_json_texts(shop: Shop) -> None:
    legacy = shop.as_legacy()
    reply = legacy.ready(available_cards='["HANA","BC"]', custom_json='{"return_custom_url":"shop://back"}')
    assert reply.status_code == 200
    assert reply.json()["tms_result"] is False


def test_legacy_takes_the_query_string_too(shop: Shop) -> None:
    legacy = shop.as_legacy()
    tid = legacy.ready_order()["tid"]
    reply = legacy.http.post(f"{LEGACY}/order", params={"cid": RECURRING, "tid": tid}, headers=legacy.headers)
    assert reply.json()["item_name"] == "월간 구독"


def test_legacy_says_msg_and_code_in_the_order_captured(shop: Shop) -> None:
    reply = shop.as_legacy().ready(item_name=None)
    assert reply.text == '{"msg":"item_name can\'t be null.","code":-2}'


def test_every_field_is_read_into_something(shop: Shop) -> None:
    del shop
    read = fields.read_fields(
        fields.CANCEL, {"cid": 1, "tid": "T", "cancel_amount": "5", "cancel_tax_free_amount": 0.0}
    )
    assert read["cid"] == "1"
    assert (read["cancel_amount"], read["cancel_tax_free_amount"], read["payload"]) == (5, 0, None)
