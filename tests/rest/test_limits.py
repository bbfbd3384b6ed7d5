"""What strangers may ask for: how large it may be, and how often, answered in the shape of each address."""

from __future__ import annotations

import json
import time
from urllib.parse import quote

import pytest

from maedal.checkout.window_requests import NOTICE_URLS_MAX
from maedal.console.frame.visit import FORM_BYTES_MAX
from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET
from maedal.rest.users import TOKEN_BODY_BYTES_MAX
from tests.support.clock import HandClock
from tests.support.databases import ENGINES
from tests.support.raw import raw
from tests.support.world import world

FORM = "application/x-www-form-urlencoded"
FEW = {
    "windows_per_minute": 4,
    "merchant_windows_per_minute": 8,
    "token_requests_per_minute": 4,
    "refused_calls_per_minute": 4,
    "sign_ins_per_minute": 4,
}


@pytest.fixture(scope="module", params=ENGINES)
def limited(request, all_databases, tmp_path_factory):
    """A gateway with low limits, the test in front of it as its proxy, and a clock that the test moves."""
    clock = HandClock()
    options = {"clock": clock, "with_worker": False}
    folder = tmp_path_factory.mktemp("limited")
    with world(all_databases.url(request.param), folder, gateway_options=options, **FEW) as running:
        yield running, clock


@pytest.fixture
def gateway(limited):
    """The gateway in a minute of its own, in which nobody has asked for anything."""
    running, clock = limited
    clock.add(61)
    return running


def get_token(running, address, secret=DEMO_API_SECRET):
    pair = {"imp_key": DEMO_API_KEY, "imp_secret": secret}
    headers = {"X-Forwarded-For": address}
    return running.http.post(f"{running.gateway}/users/getToken", json=pair, headers=headers)


def read(running, address, token):
    headers = {"X-Forwarded-For": address, "Authorization": token, "Accept-Language": "en"}
    return running.http.get(f"{running.gateway}/users/pg", headers=headers)


def open_window(running, address, merchant_uid, **more):
    params = {"pg": "kakaopay", "merchant_uid": merchant_uid, "amount": 1_000, "name": "Monthly plan"} | more
    body = {
        "user_code": "imp00000000",
        "nonce": "0123456789abcdef",
        "device": "pc",
        "presentation": "frame",
        "page": {"origin": "http://shop.test", "url": "http://shop.test/pay"},
        "params": params,
    }
    return running.http.post(f"{running.gateway}/sdk/payments", json=body, headers={"X-Forwarded-For": address})


def test_windows_of_one_address_are_limited_and_the_page_hears_it(gateway):
    answers = [open_window(gateway, "203.0.113.1", f"m_{n}") for n in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    refused = answers[-1].json()
    assert (refused["success"], refused["error_code"]) == (False, "TOO_MANY_REQUESTS")
    assert "요청이 너무 많습니다" in refused["error_msg"]
    assert "too many requests" in refused["error_msg"]
    assert answers[-1].headers["access-control-allow-origin"] == "*"
    # A phone that was sent to our own page reads the same there.
    page = gateway.http.get(f"{gateway.gateway}/checkout/failure", params={"code": "TOO_MANY_REQUESTS"})
    assert "요청이 너무 많습니다" in page.text
    assert open_window(gateway, "203.0.113.2", "m_9").status_code == 200


def test_windows_of_one_merchant_are_limited_for_strangers_and_not_for_who_has_paid(gateway):
    paid = open_window(gateway, "198.51.100.3", f"paid {time.monotonic()}"[:40]).json()
    gateway.http.get(gateway.agree(paid), headers={"X-Forwarded-For": "198.51.100.3"})
    answers = [open_window(gateway, f"203.0.113.{n}", f"many_{n}").status_code for n in range(9)]
    assert answers == [200] * 7 + [429] * 2
    assert open_window(gateway, "198.51.100.3", "again_1").status_code == 200


def test_tokens_are_limited_for_strangers_and_not_for_a_known_server(gateway):
    assert get_token(gateway, "203.0.113.10").status_code == 200
    assert {get_token(gateway, "203.0.113.10").status_code for _ in range(8)} == {200}
    wrong = [get_token(gateway, "198.51.100.20", "wrong") for _ in range(6)]
    assert [answer.status_code for answer in wrong] == [401] * 4 + [429] * 2
    assert wrong[-1].json()["code"] == -1
    assert int(wrong[-1].headers["retry-after"]) >= 1
    assert get_token(gateway, "203.0.113.10").status_code == 200


def test_calls_without_a_good_token_are_limited_and_those_of_a_known_server_are_not(gateway):
    token = get_token(gateway, "203.0.113.30").json()["response"]["access_token"]
    assert read(gateway, "203.0.113.30", token).status_code == 200
    bad = [read(gateway, "198.51.100.31", f"{n:040x}") for n in range(6)]
    assert [answer.status_code for answer in bad] == [401] * 4 + [429] * 2
    assert bad[-1].json()["message"].startswith("There are too many requests. (too many requests; try again in ")
    assert read(gateway, "198.51.100.31", "f" * 40).status_code == 429
    assert [read(gateway, "203.0.113.30", f"{n:040x}").status_code for n in range(6)] == [401] * 6
    assert read(gateway, "203.0.113.30", token).status_code == 200


def test_tries_to_sign_in_are_limited_and_the_page_says_so_in_both_languages(gateway):
    def sign_in(address, language):
        headers = {
            "X-Forwarded-For": address,
            "Content-Type": FORM,
            "Origin": gateway.gateway,
            "Cookie": f"maedal_door=d; maedal_language={language}",
        }
        page = raw(gateway.gateway, "GET", "/console/sign-in", headers=headers).text
        token = page.partition('name="form_token" value="')[2].partition('"')[0]
        form = f"form_token={token}&name=nobody{time.monotonic()}&password=x".encode()
        return raw(gateway.gateway, "POST", "/console/sign-in", form, headers)

    answers = [sign_in("203.0.113.40", "en") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [422] * 4 + [429]
    assert "Too many requests" in answers[-1].text
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "요청이 너무 많습니다" in sign_in("203.0.113.40", "ko").text
    assert sign_in("203.0.113.41", "ko").status_code == 422


def test_what_a_page_may_have_kept_is_smaller_than_what_a_server_may(gateway):
    def refused(**params):
        answer = open_window(gateway, "127.0.0.1", "too_large", **params).json()
        return answer.get("error_code"), next((name for name in params if name in answer.get("error_msg", "")), None)

    address = "http://shop.test/" + "a" * 500
    assert refused(custom_data="x" * 16_001) == ("INVALID_PARAMETER", "custom_data")
    assert refused(notice_url=address[:501]) == ("INVALID_PARAMETER", "notice_url")
    assert refused(notice_url=["http://shop.test/"] * (NOTICE_URLS_MAX + 1)) == ("INVALID_PARAMETER", "notice_url")
    largest = {"custom_data": "x" * 16_000, "notice_url": [address[:500]] * NOTICE_URLS_MAX}
    assert refused(**largest) == (None, None)


ANYBODYS = {
    "a token": ("/users/getToken", b"%" * (1 << 20), FORM, 413),
    "a token in a body that just fits": ("/users/getToken", b"%" * TOKEN_BODY_BYTES_MAX, FORM, 400),
    "a token, many fields": ("/users/getToken", b"&" * TOKEN_BODY_BYTES_MAX, FORM, 400),
    "a token, deep JSON": ("/users/getToken", b'{"a":' * 3_000, "application/json", 400),
    "a window": ("/sdk/payments", b'{"a":' * 200_000, "application/json", 413),
    "the end of a window": ("/sdk/payments/imp_1/close", b"[" * (1 << 20), "application/json", 413),
    "the sign-in page": ("/console/sign-in", b"%" * (1 << 20), FORM, 413),
    "the sign-in page, just fits": ("/console/sign-in", b"%" * FORM_BYTES_MAX, FORM, 403),
}


@pytest.mark.parametrize(("path", "body", "content_type", "status"), ANYBODYS.values(), ids=ANYBODYS)
def test_a_large_body_without_credentials_costs_next_to_nothing(gateway, path, body, content_type, status):
    headers = {"Content-Type": content_type, "Origin": gateway.gateway}
    began = time.process_time()
    for _ in range(12):
        assert raw(gateway.gateway, "POST", path, body, headers).status_code == status
    # Client and server together; decoded as it came, the first of these took a second of it for every two calls.
    assert time.process_time() - began < 1.5


def test_a_merchants_own_body_may_be_as_large_as_ever_and_is_bounded_in_what_it_costs(gateway):
    token = get_token(gateway, "203.0.113.50").json()["response"]["access_token"]
    headers = {"Content-Type": FORM, "Authorization": token}
    bodies = {
        b"%" * 1_000_000: "name is too long",
        b"a=" + b"%" * 1_000_000: "customer_uid",
        b"a=" + b"%41b" * 250_000: "customer_uid",
        b"a" + b"[]" * 400_000 + b"=1": "name is too long",
        b"&" * 1_000_000: "too many fields",
    }
    for body, text in bodies.items():
        began = time.process_time()
        answer = raw(
            gateway.gateway, "POST", "/subscribe/payments/again", body, headers | {"Accept-Language": "en"}
        ).json()
        assert time.process_time() - began < 0.6
        assert text in answer["message"]
    korean = "가" * 30_000
    form = f"customer_uid=nobody&merchant_uid=m&amount=1&custom_data={quote(korean)}".encode()
    assert raw(gateway.gateway, "POST", "/subscribe/payments/again", form, headers).json()["message"] == (
        "등록되지 않은 구매자입니다."
    )
    nested = json.dumps({"customer_uid": "nobody", "a": [[] for _ in range(60_000)]}).encode()
    answer = raw(gateway.gateway, "POST", "/subscribe/payments/again", nested, {"Authorization": token}).json()
    assert "너무 많습니다" in answer["message"]
