"""Ready: docs/wire/kakaopay.md, section 5."""

import re
from typing import Any

import pytest

from kakaopay_sandbox.settings import TEST_CIDS, Cid, CidKind
from tests.sandbox.conftest import StartShop
from tests.sandbox.support import SINGLE, Shop, code_of


def test_the_reply_has_these_fields_and_no_other(shop: Shop) -> None:
    reply = shop.ready_order()
    assert list(reply) == [
        "tid",
        "next_redirect_app_url",
        "next_redirect_mobile_url",
        "next_redirect_pc_url",
        "android_app_scheme",
        "ios_app_scheme",
        "created_at",
    ]
    assert re.fullmatch(r"T[0-9a-f]{19}", reply["tid"])
    assert reply["created_at"] == "2026-11-23T12:00:00"


@pytest.mark.parametrize(
    ("cid", "amount", "kind"),
    [
        (SINGLE, 9900, "one-time/payment"),
        ("TCSUBSCRIP", 9900, "subscription/payment-issue"),
        ("TCSUBSCRIP", 0, "subscription/issue"),
    ],
)
def test_redirect_urls_tell_what_kind_of_order_it_is(shop: Shop, cid: str, amount: int, kind: str) -> None:
    reply = shop.under(cid).ready_order(total_amount=amount)
    origin = re.escape(str(shop.http.base_url).rstrip("/"))
    for field, device in (("pc", "pc"), ("mobile", "mobile-web"), ("app", "mobile-app")):
        pattern = rf"{origin}/mockup/bridge/{device}/pg/{kind}/[0-9a-f]{{64}}"
        assert re.fullmatch(pattern, reply[f"next_redirect_{field}_url"])
    assert re.fullmatch(rf"kakaotalk://kakaopay/pg\?url={origin}/pay/mockup/[0-9a-f]{{64}}", reply["ios_app_scheme"])


def test_redirect_urls_follow_the_public_url(start_shop: StartShop) -> None:
    reply = start_shop(public_url="https://sim.example/").ready_order()
    assert reply["next_redirect_pc_url"].startswith("https://sim.example/mockup/bridge/pc/")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cid": "TCNOSUCH"}, -731),
        ({"cid": SINGLE, "total_amount": 0}, -725),
        ({"total_amount": -1}, -725),
        ({"total_amount": 1}, -725),
        ({"total_amount": 99}, -725),
        ({"tax_free_amount": 9901}, -722),
        ({"tax_free_amount": -1}, -722),
        ({"vat_amount": 9901}, -722),
        ({"vat_amount": -1}, -722),
        ({"green_deposit": 9901}, -722),
    ],
)
def test_what_ready_refuses(shop: Shop, changes: dict[str, Any], code: int) -> None:
    reply = shop.ready(**changes)
    assert (reply.status_code, code_of(reply)) == (400, code)


def test_the_one_time_limit_is_minus_797(start_shop: StartShop) -> None:
    shop = start_shop(one_time_limit=50_000)
    assert shop.ready(total_amount=50_000).status_code == 200
    assert code_of(shop.ready(total_amount=50_001)) == -797


@pytest.mark.parametrize("card", ["SUHYUP", "SHINHYUP", "JEONBUK", "JEJU", "SC", "WOORI", "WOORIONLY"])
def test_a_card_company_by_agreement_may_be_named(shop: Shop, card: str) -> None:
    assert shop.ready(available_cards=[card, "KB"]).status_code == 200
    assert shop.as_legacy().ready(available_cards=f'["{card}"]').status_code == 200


def test_a_cid_secret_is_checked_where_one_was_given(start_shop: StartShop) -> None:
    shop = start_shop(cids=(Cid("TCSECRET01", CidKind.ONE_TIME, "abc"), *TEST_CIDS)).under("TCSECRET01")
    assert code_of(shop.ready()) == -733
    assert code_of(shop.ready(cid_secret="abd")) == -733
    assert shop.ready(cid_secret="abc").status_code == 200


def test_redirect_domains_are_checked_by_setting_only(start_shop: StartShop) -> None:
    shop = start_shop(domains=("https://*.shop.example",))
    shop.headers = {"Authorization": "SECRET_KEY OTHERKEY"}
    registered = dict.fromkeys(("approval_url", "cancel_url", "fail_url"), "https://www.shop.example/x")
    assert shop.ready(**registered).status_code == 200
    assert code_of(shop.ready(**registered | {"fail_url": "http://www.shop.example/x"})) == -799
    assert code_of(shop.ready()) == -799
    shop.headers = {"Authorization": "SECRET_KEY DEVKEY"}
    assert code_of(shop.ready()) == -799


def test_a_dev_key_alone_may_register_this_machine(start_shop: StartShop) -> None:
    shop = start_shop(domains=("http://127.0.0.1:*", "http://localhost"))
    for key, status in (("DEVKEY", 200), ("OTHERKEY", 400)):
        shop.headers = {"Authorization": f"SECRET_KEY {key}"}
        assert shop.ready().status_code == status
        here = dict.fromkeys(("approval_url", "cancel_url", "fail_url"), "http://localhost/x")
        assert shop.ready(**here).status_code == status
        # Another port was not registered.
        assert code_of(shop.ready(**here | {"fail_url": "http://localhost:3000/x"})) == -799


def test_the_same_partner_order_id_makes_as_many_orders_as_calls(shop: Shop) -> None:
    assert shop.ready_order()["tid"] != shop.ready_order()["tid"]
