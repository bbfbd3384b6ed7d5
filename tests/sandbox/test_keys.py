"""Who may call: docs/wire/kakaopay.md, sections 1, 3 and 14.2."""

import httpx
import pytest

from tests.sandbox.conftest import StartShop
from tests.sandbox.support import CURRENT, LEGACY, RECURRING, Shop, code_of


@pytest.mark.parametrize("scheme", ["SECRET_KEY", "DEV_SECRET_KEY"])
def test_both_schemes_open_the_current_family(shop: Shop, scheme: str) -> None:
    shop.headers = {"Authorization": f"{scheme} DEVANYKEY"}
    assert shop.ready().status_code == 200


@pytest.mark.parametrize("header", [None, "", "SECRET_KEY", "KakaoAK abc", "Bearer abc", "DEVKEY"])
def test_a_missing_or_malformed_header_is_minus_400(shop: Shop, header: str | None) -> None:
    shop.headers = {} if header is None else {"Authorization": header}
    reply = shop.ready()
    assert (reply.status_code, code_of(reply)) == (400, -400)
    assert "extras" not in reply.json()


def test_with_keys_configured_another_key_is_minus_401(start_shop: StartShop) -> None:
    shop = start_shop(secret_keys=("DEVRIGHT",))
    shop.headers = {"Authorization": "SECRET_KEY DEVWRONG"}
    reply = shop.ready()
    assert (reply.status_code, code_of(reply)) == (401, -401)
    shop.headers = {"Authorization": "SECRET_KEY DEVRIGHT"}
    assert shop.ready().status_code == 200


def test_a_key_whose_api_is_not_switched_on_is_minus_403(start_shop: StartShop) -> None:
    shop = start_shop(inactive_keys=("DEVASLEEP", "asleep"))
    shop.headers = {"Authorization": "SECRET_KEY DEVASLEEP"}
    reply = shop.ready()
    assert (reply.status_code, next(iter(reply.json())), code_of(reply)) == (403, "error_code", -403)
    legacy = shop.as_legacy()
    legacy.headers = {"Authorization": "KakaoAK asleep"}
    reply = legacy.ready()
    assert (reply.status_code, code_of(reply)) == (403, -3)


def test_legacy_names_its_missing_header(shop: Shop) -> None:
    legacy = shop.as_legacy()
    legacy.headers = {"Authorization": "SECRET_KEY DEVANYKEY"}
    reply = legacy.ready()
    assert reply.status_code == 401
    assert reply.json() == {"msg": "cannot find Authorization : KakaoAK header", "code": -401}


def test_legacy_never_repeats_a_wrong_key(start_shop: StartShop) -> None:
    legacy = start_shop(secret_keys=("right",)).as_legacy()
    legacy.headers = {"Authorization": "KakaoAK wrong"}
    reply = legacy.ready()
    assert reply.status_code == 401
    assert reply.json() == {"msg": "wrong appKey(***) format", "code": -401}


@pytest.mark.parametrize(("key", "cid"), [("PRDLIVE", RECURRING), ("DEVTEST", "C000000001")])
def test_a_test_cid_needs_a_test_key_and_a_live_one_a_live_key(start_shop: StartShop, key: str, cid: str) -> None:
    from kakaopay_sandbox.settings import TEST_CIDS, Cid, CidKind

    shop = start_shop(cids=(*TEST_CIDS, Cid("C000000001", CidKind.RECURRING))).under(cid)
    shop.headers = {"Authorization": f"SECRET_KEY {key}"}
    reply = shop.ready()
    assert reply.status_code == 400
    assert reply.json() == {"error_code": -2, "error_message": "invalid param(cid has invalid value)"}


@pytest.mark.parametrize(
    "path", ["/subscription/ready", "/subscription/approve", "/subscription/inactivate", "/payment/inactive", "/orders"]
)
@pytest.mark.parametrize("family", [CURRENT, LEGACY])
def test_invented_paths_are_404(shop: Shop, path: str, family: str) -> None:
    reply = shop.http.post(family + path, headers=shop.headers)
    assert (reply.status_code, code_of(reply)) == (404, -404)


def test_every_call_is_a_post(shop: Shop) -> None:
    assert code_of(shop.http.get(f"{CURRENT}/order", headers=shop.headers)) == -404


def test_an_address_beside_payments_answers_in_the_current_shape(shop: Shop) -> None:
    reply = shop.http.post("/online/v2/anything")
    assert (reply.status_code, code_of(reply)) == (404, -404)


def test_replies_name_their_charset(shop: Shop) -> None:
    reply: httpx.Response = shop.ready()
    assert reply.headers["content-type"] == "application/json;charset=UTF-8"
