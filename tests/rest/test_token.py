"""Access tokens (docs/wire/portone-v1-rest.md 1)."""

from __future__ import annotations

import pytest

from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET
from tests.support import shapes

PAIR = {"imp_key": DEMO_API_KEY, "imp_secret": DEMO_API_SECRET}
UNAUTHORIZED = {"code": -1, "message": "Unauthorized", "response": None}
WRONG_PAIR = {"code": -1, "message": "인증에 실패하였습니다. API키와 secret을 확인하세요.", "response": None}
MISSING = {"code": -1, "message": "imp_key, imp_secret 파라메터가 누락되었습니다.", "response": None}


def get_token(running, **more):
    sent = more or {"json": PAIR}
    return running.http.post(f"{running.gateway}/users/getToken", **sent)


def supplied(running):
    return shapes.check(shapes.answered(get_token(running)), shapes.TOKEN)


def list_pgs(running, **more):
    return running.http.get(f"{running.gateway}/users/pg", **more)


def use(running, token):
    return list_pgs(running, headers={"Authorization": token}).status_code


def renew(running, clock):
    """Let whatever token there is expire, and get a new one."""
    clock.add(4_000)
    return supplied(running)


def test_a_new_token_lives_thirty_minutes_and_is_forty_lowercase_hex(in_hand, clock):
    token = renew(in_hand, clock)
    assert token["expired_at"] - token["now"] == 1_800
    assert token["now"] == int(clock.now().timestamp())
    assert len(token["access_token"]) == 40
    assert set(token["access_token"]) <= set("0123456789abcdef")


def test_until_the_last_minute_the_same_token_with_the_same_end_is_given(in_hand, clock):
    first = renew(in_hand, clock)
    clock.add(1_739)
    later = supplied(in_hand)
    assert (later["access_token"], later["expired_at"]) == (first["access_token"], first["expired_at"])
    assert later["now"] == first["now"] + 1_739
    clock.add(1)  # a minute is left: not yet less than one
    assert supplied(in_hand)["expired_at"] == first["expired_at"]


@pytest.mark.parametrize("left", [59, 30, 1])
def test_in_the_last_minute_the_same_token_is_extended_by_five_minutes(in_hand, clock, left):
    first = renew(in_hand, clock)
    clock.add(1_800 - left)
    extended = supplied(in_hand)
    assert extended["access_token"] == first["access_token"]
    assert extended["expired_at"] == first["expired_at"] + 300
    # Once extended it is simply the token, until its own last minute.
    clock.add(120)
    assert supplied(in_hand) == {**extended, "now": extended["now"] + 120}
    assert use(in_hand, extended["access_token"]) == 200
    clock.add(left + 300 - 120 - 30)
    again = supplied(in_hand)
    assert (again["access_token"], again["expired_at"]) == (first["access_token"], first["expired_at"] + 600)


def test_after_its_end_a_token_is_unauthorized_and_a_new_one_is_issued(in_hand, clock):
    first = renew(in_hand, clock)
    clock.add(1_799)
    assert use(in_hand, first["access_token"]) == 200
    # The gateway remembers a token for a moment; its end counts all the same.
    clock.add(1)
    assert use(in_hand, first["access_token"]) == 401
    second = supplied(in_hand)
    assert second["access_token"] != first["access_token"]
    assert second["expired_at"] - second["now"] == 1_800
    assert use(in_hand, second["access_token"]) == 200
    assert use(in_hand, first["access_token"]) == 401


def test_the_key_is_found_in_any_case_and_the_secret_only_as_it_is(running):
    shapes.answered(get_token(running, json={"imp_key": "imp_apiKey", "imp_secret": DEMO_API_SECRET}))
    shapes.answered(get_token(running, json={"imp_key": "IMP_APIKEY", "imp_secret": DEMO_API_SECRET}))
    for secret in (DEMO_API_SECRET.lower(), DEMO_API_SECRET[:-1], f" {DEMO_API_SECRET}", f"{DEMO_API_SECRET} "):
        answer = get_token(running, json={"imp_key": DEMO_API_KEY, "imp_secret": secret})
        assert (answer.status_code, answer.json()) == (401, WRONG_PAIR)


@pytest.mark.parametrize("pair", [{"imp_key": "nobody"}, {"imp_secret": "wrong"}, {"imp_key": "키"}])
def test_a_wrong_pair_is_401(running, pair):
    answer = get_token(running, json=PAIR | pair)
    assert (answer.status_code, answer.json()) == (401, WRONG_PAIR)


@pytest.mark.parametrize("field", ["imp_key", "imp_secret"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_key_or_secret_is_400(running, field, value):
    answer = get_token(running, json=PAIR | {field: value})
    assert (answer.status_code, answer.json()) == (400, MISSING)
    without = {name: text for name, text in PAIR.items() if name != field}
    for sent in ({"json": without}, {"data": without}, {"data": PAIR | {field: ""}}):
        answer = get_token(running, **sent)
        assert (answer.status_code, answer.json()) == (400, MISSING)


def test_an_empty_body_and_a_null_body_are_400(running):
    for content in (b"", b"null", b"{}", b"  "):
        answer = get_token(running, content=content, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()) == (400, MISSING)


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    "body",
    [
        f"imp_key={DEMO_API_KEY}&imp_secret={DEMO_API_SECRET}",
        f"imp_key={DEMO_API_KEY}& imp_secret={DEMO_API_SECRET}",  # go-iamport: a space may follow the comma
        f" imp_secret={DEMO_API_SECRET}&  imp_key={DEMO_API_KEY}",
        f"+imp_key={DEMO_API_KEY}&imp_secret={DEMO_API_SECRET}&",
        f"imp_key={DEMO_API_KEY}&imp_secret={DEMO_API_SECRET}&a=b=c&=&x[]=1&x[]=2&y[a][b]=1",
    ],
)
def test_the_pair_may_be_a_form(running, body):
    shapes.answered(get_token(running, content=body, headers=FORM))


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong"])
def test_get_token_takes_no_notice_of_an_authorization_header(running, authorization):
    answer = get_token(running, json=PAIR, headers={"Authorization": authorization})
    shapes.answered(answer)


def test_the_token_is_taken_in_all_four_ways(running):
    token = running.token()
    for scheme in ("Bearer", "bearer", "BEARER", "bEaReR"):
        shapes.answered(list_pgs(running, headers={"Authorization": f"{scheme} {token}"}))
    shapes.answered(list_pgs(running, headers={"Authorization": token}))
    shapes.answered(list_pgs(running, headers={"X-ImpTokenHeader": token}))
    shapes.answered(list_pgs(running, headers={"x-imptokenheader": token, "Authorization": ""}))
    shapes.answered(list_pgs(running, params={"_token": token}))


def test_the_query_token_works_for_every_method(running):
    token = {"_token": running.token()}
    body = {"customer_uid": "nobody", "merchant_uid": "m", "amount": 1}
    charged = running.http.post(f"{running.gateway}/subscribe/payments/again", params=token, json=body)
    shapes.refused(charged, 200, 1)
    deleted = running.http.delete(f"{running.gateway}/subscribe/customers/nobody", params=token)
    shapes.refused(deleted, 200, 1)


def test_the_first_way_that_is_there_counts(running):
    token = running.token()
    wrong = {"Authorization": "wrong", "X-ImpTokenHeader": token}
    assert list_pgs(running, headers=wrong, params={"_token": token}).json() == UNAUTHORIZED
    shapes.answered(list_pgs(running, headers={"Authorization": token, "X-ImpTokenHeader": "wrong"}))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic aW1wX2FwaWtleTp4"},
        {"Authorization": "0" * 40},
        {"Authorization": "x" * 5_000},
        {"Authorization": "토큰".encode()},
        {"X-ImpTokenHeader": ""},
    ],
)
def test_no_token_or_an_unknown_one_is_401(running, headers):
    answer = list_pgs(running, headers=headers)
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/users/pg", b""),
        ("GET", "/payments/imp_000000000000", b""),
        ("GET", "/payments/find/nothing/123?sorting=x", b""),
        ("GET", "/payments/find/%FF", b""),
        ("POST", "/payments/find/nothing", b"{"),
        ("POST", "/subscribe/payments/again", b"{}"),
        ("POST", "/subscribe/payments/again", b"\xff\xfe"),
        ("POST", "/subscribe/payments/onetime", b"{}"),
        ("GET", "/subscribe/customers/undefined", b""),
        ("GET", "/subscribe/customers/%00", b""),
        ("POST", "/subscribe/customers/undefined", b"["),
        ("DELETE", "/subscribe/customers/" + "x" * 500, b"null"),
    ],
)
def test_the_token_is_looked_at_before_anything_else(running, method, path, body):
    headers = {"Authorization": "wrong", "Content-Type": "application/json"}
    answer = running.http.request(method, running.gateway + path, content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)
