"""The control API under `/_sim/`."""

from typing import Any

import pytest

from tests.sandbox.support import SINGLE, Shop


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://shop.example/ok", "http://shop.example/ok?pg_token=X"),
        ("http://shop.example/ok?o=1", "http://shop.example/ok?o=1&pg_token=X"),
        ("http://shop.example/ok?", "http://shop.example/ok?pg_token=X"),
        ("http://shop.example/ok?o=1&", "http://shop.example/ok?o=1&pg_token=X"),
        ("http://shop.example/ok?o=1#part?x", "http://shop.example/ok?o=1&pg_token=X#part?x"),
        ("http://shop.example/ok?o=%20+%ED%95%9C", "http://shop.example/ok?o=%20+%ED%95%9C&pg_token=X"),
    ],
)
def test_pg_token_is_added_and_nothing_else_is_touched(shop: Shop, url: str, expected: str) -> None:
    tid = shop.ready_order(approval_url=url)["tid"]
    reply = shop.control("POST", f"/orders/{tid}/authenticate", {"payment_method_type": "MONEY"})
    token = reply["approval_url"].partition("pg_token=")[2].partition("#")[0]
    assert len(token) == 20
    assert reply == {"approval_url": expected.replace("X", token)}


def test_authenticating_twice_gives_the_same_address(shop: Shop) -> None:
    tid = shop.ready_order()["tid"]
    assert shop.authenticate(tid) == shop.authenticate(tid)


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/faults", {"operation": "refund", "kind": "decline"}, "operation"),
        ("/faults", {"operation": "order", "kind": "decline"}, "operation"),
        ("/faults", {"operation": "order"}, "kind"),
        ("/faults", {"operation": "order", "kind": "delay"}, "delay_seconds"),
        ("/faults", {"operation": "order", "kind": "delay", "delay_seconds": "1"}, "delay_seconds"),
        ("/faults", {"operation": "order", "kind": "drop_after", "times": 0}, "times"),
        ("/faults", {"operation": "order", "kind": "drop_after", "tiems": 2}, "tiems"),
        ("/faults", {"operation": "order", "kind": "refuse"}, "error_code"),
        ("/clock", {"advance_seconds": -1}, "advance_seconds"),
        ("/clock", {}, "advance_seconds"),
        ("/sids", {"cid": SINGLE, "partner_user_id": "u"}, "cid"),
        ("/sids", {"cid": "TCSUBSCRIP"}, "partner_user_id"),
        ("/sids", {"cid": "TCSUBSCRIP", "partner_user_id": "u", "payment_method_type": "COIN"}, "payment_method_type"),
        ("/buyer", {"balance": "much"}, "balance"),
        ("/buyer", {"decline_code": "0002"}, "card"),
    ],
)
def test_bad_input_is_400_and_names_the_field(shop: Shop, path: str, body: dict[str, Any], named: str) -> None:
    reply = shop.http.post(f"/_sim{path}", json=body)
    assert reply.status_code == 400
    assert named in reply.json()["error"]


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_json_object_is_400(shop: Shop, content: bytes) -> None:
    assert shop.http.post("/_sim/clock", content=content).status_code == 400


def test_a_method_the_merchant_excludes_is_400(shop: Shop) -> None:
    tid = shop.ready_order(payment_method_type="CARD")["tid"]
    reply = shop.http.post(f"/_sim/orders/{tid}/authenticate", json={"payment_method_type": "MONEY"})
    assert (reply.status_code, "payment_method_type" in reply.json()["error"]) == (400, True)
    assert shop.authenticate(tid, "CARD")


def test_an_order_that_has_ended_is_409_and_an_unknown_one_404(shop: Shop) -> None:
    tid = shop.ready_order()["tid"]
    assert shop.control("POST", f"/orders/{tid}/quit") == {
        "status": "QUIT_PAYMENT",
        "cancel_url": "http://127.0.0.1:1/cancel?o=1",
    }
    statuses = [
        shop.http.post(f"/_sim/orders/{order}/{act}", json={}).status_code
        for order in (tid, "T0")
        for act in ("authenticate", "quit")
    ]
    assert statuses == [409, 409, 404, 404]


def test_the_log_holds_every_call_also_the_refused_ones(shop: Shop) -> None:
    paid = shop.pay()
    shop.charge(paid["sid"], partner_order_id="c-1")
    shop.charge(paid["sid"], partner_user_id="another")
    shop.headers = {}
    shop.order(paid["tid"])
    assert [(line["operation"], line["outcome"], line["error_code"]) for line in shop.log()] == [
        ("ready", "ready", None),
        ("authenticate", "authenticated", None),
        ("approve", "approved", None),
        ("subscription", "approved", None),
        ("subscription", "refused", -753),
        ("order", "refused", -400),
    ]
    charge = shop.log(partner_order_id="c-1", outcome="approved")[0]
    assert charge["time"] == "2026-11-23T12:00:00+09:00"
    assert charge["cid"] == "TCSUBSCRIP"
    assert charge["sid"] == paid["sid"]
    assert charge["aid"]
    assert shop.log(after=str(charge["seq"]), limit="1")[0]["seq"] == charge["seq"] + 1
    assert len(shop.log(sid=paid["sid"], operation="subscription")) == 2


@pytest.mark.parametrize("query", [{"colour": "red"}, {"after": "x"}, {"limit": "-1"}])
def test_a_log_query_that_means_nothing_is_400(shop: Shop, query: dict[str, str]) -> None:
    reply = shop.http.get("/_sim/log", params=query)
    assert reply.status_code == 400
    assert next(iter(query)) in reply.json()["error"]


def test_the_clock_tells_and_goes_forward(shop: Shop) -> None:
    assert shop.control("GET", "/clock")["wire"] == "2026-11-23T12:00:00"
    notices = shop.control("POST", "/clock", {"advance_seconds": 3600})
    assert (notices["wire"], notices["advanced_seconds"]) == ("2026-11-23T13:00:00", 3600)


def test_many_sids_are_seeded_at_once(shop: Shop) -> None:
    reply = shop.control("POST", "/sids", {"cid": "TCSUBSCRIP", "partner_user_id": "u", "count": 500})
    assert len(set(reply["sids"])) == 500
    assert reply["sid"] == reply["sids"][0]
    assert len(shop.control("GET", "/sids?partner_user_id=u")) == 500


def test_health(shop: Shop) -> None:
    assert shop.http.get("/healthz").json() == shop.http.get("/_sim/healthz").json() == {"status": "ok"}
