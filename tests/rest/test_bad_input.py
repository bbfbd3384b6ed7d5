"""Bad input on every endpoint: the documented refusal, never a 5xx, and not one row more or less, on both databases."""

from __future__ import annotations

import gzip
import json
import socket
from urllib.parse import urlsplit

import pytest

from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET, DEMO_CODE
from maedal.rest.decoding import BODY_BYTES_MAX
from maedal.rest.users import TOKEN_BODY_BYTES_MAX
from tests.support import rows, shapes
from tests.support.databases import ENGINES
from tests.support.raw import raw
from tests.support.world import world

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
TOKEN = {"imp_key": DEMO_API_KEY, "imp_secret": DEMO_API_SECRET}
CHARGE = {"customer_uid": "c_1", "merchant_uid": "new", "amount": 1000}
WINDOW = {
    "user_code": DEMO_CODE,
    "nonce": "0123456789abcdef",
    "device": "pc",
    "presentation": "frame",
    "page": {"origin": "http://shop.test", "url": "http://shop.test/pay"},
    "params": {"pg": "kakaopay", "merchant_uid": "new", "amount": 1000, "name": "Monthly plan"},
}


@pytest.fixture(scope="module", params=ENGINES)
def crowded(request, all_databases, tmp_path_factory):
    """A gateway with a key, a paid order, and an open window."""
    url = all_databases.url(request.param)
    with (
        rows.reading(url) as behind,
        world(
            url, tmp_path_factory.mktemp("world"), clarify_wait_seconds=0.5, gateway_options={"with_worker": False}
        ) as running,
    ):
        running.extra["rows"] = behind
        running.issue_key("c_1")
        running.again("c_1", "paid_1")
        running.extra["open"] = running.open_window("open_1", 1_000)
        yield running


@pytest.fixture
def unmoved(crowded):
    """The gateway, whose rows must be as many after the test as before, and whose window must still be open."""
    behind = crowded.extra["rows"]
    before = behind.counts()
    yield crowded
    assert behind.counts() == before
    assert crowded.state(crowded.extra["open"])["state"] == "open"


def send(running, method, path, body=b"", content_type=JSON):
    headers = {"Authorization": running.token(), "Content-Type": content_type}
    return raw(running.gateway, method, path, body, headers)


def of(body, **changes):
    return json.dumps(body | changes).encode()


NO_OBJECT = {
    "not JSON": (b"{", JSON),
    "cut off": (b'{"imp_key": "a', JSON),
    "a list": (b"[]", JSON),
    "a list of pairs": (b'[["customer_uid", "c_1"]]', JSON),
    "a text": (b'"customer_uid"', JSON),
    "a number": (b"1", JSON),
    "true": (b"true", JSON),
    "NaN": (b'{"amount": NaN}', JSON),
    "Infinity": (b'{"amount": -Infinity}', JSON),
    "a number beyond floats": (b'{"amount": 1e999}', JSON),
    "thousands of digits": (b'{"amount": ' + b"9" * 5_000 + b"}", JSON),
    "a comment": (b'{"a": 1 /* b */}', JSON),
    "single quotes": (b"{'amount': 1000}", JSON),
    "deep lists": (b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}", JSON),
    "deep objects": (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, JSON),
    "a lone surrogate": (b'{"merchant_uid": "\\ud800"}', JSON),
    "a surrogate as bytes": (b'{"merchant_uid": "\xed\xa0\x80"}', JSON),
    "no UTF-8": (b'{"merchant_uid": "\xff\xfe"}', JSON),
    "EUC-KR": ('{"merchant_uid": "주문"}'.encode("euc-kr"), JSON),
    "EUC-KR that says so": ('{"merchant_uid": "주문"}'.encode("euc-kr"), f"{JSON}; charset=euc-kr"),
    "UTF-16": ('{"amount": 1000}'.encode("utf-16"), JSON),
    "a byte order mark": ('\ufeff{"amount": 1000}'.encode(), JSON),
    "compressed": (gzip.compress(b'{"amount": 1000}'), JSON),
    "NUL bytes": (b"\0" * 100, JSON),
    "a control character": (b'{"merchant_uid": "a\nb"}', JSON),
    "multipart": (
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--',
        "multipart/form-data; boundary=x",
    ),
    "XML": (b"<?xml version='1.0'?><a/>", "application/xml"),
    "a form under a JSON type": (b"customer_uid=c_1&amount=1000", JSON),
}
BAD_FORMS = {
    "no UTF-8": (b"customer_uid=%FF", FORM),
    "raw EUC-KR": ("customer_uid=고객".encode("euc-kr"), FORM),
    "EUC-KR that says so": (b"customer_uid=a", f"{FORM}; charset=EUC-KR"),
    "invalid escapes": (b"customer_uid=%zz&merchant_uid=%&amount=%u1234", FORM),
    "too many keys": (b"&".join(b"k%d=1" % n for n in range(20_000)), FORM),
    "one key again and again": (b"amount=1&" * 9_000, FORM),
    "deep keys": (b"a[b][c][d][e][f][g]=1&customer_uid=x", FORM),
    "thousands of brackets": (b"a" + b"[x]" * 50_000 + b"=1", FORM),
    "broken brackets": (b"a[=1&]b=2&[c]=3&d[[e]]=4&[]=5", FORM),
    "a list for a text": (b"customer_uid[]=c_1&merchant_uid[]=m&amount=1&imp_key[]=a&imp_secret=b", FORM),
    "an object for a text": (b"customer_uid[a]=c_1&merchant_uid[a]=m&amount=1&imp_key[a]=a&imp_secret=b", FORM),
    "NUL": (b"customer_uid=%00&merchant_uid=%00&amount=1&imp_key=%00&imp_secret=%00", FORM),
    "only separators": (b"&&&===&&", FORM),
}
BAD_BODIES = {f"JSON, {name}": body for name, body in NO_OBJECT.items()}
BAD_BODIES |= {f"form, {name}": body for name, body in BAD_FORMS.items()}
BODIES = pytest.mark.parametrize(("body", "content_type"), BAD_BODIES.values(), ids=BAD_BODIES)


@BODIES
def test_a_bad_body_gets_no_token(unmoved, body, content_type):
    status = 413 if len(body) > TOKEN_BODY_BYTES_MAX else 400
    shapes.refused(send(unmoved, "POST", "/users/getToken", body, content_type), status, -1)


@BODIES
def test_a_bad_body_charges_nothing(unmoved, body, content_type):
    shapes.refused(send(unmoved, "POST", "/subscribe/payments/again", body, content_type), 200, 1)
    shapes.refused(send(unmoved, "POST", "/subscribe/payments/onetime", body, content_type), 200, -1)
    shapes.refused(send(unmoved, "POST", "/subscribe/customers/c_1", body, content_type), 200, -1)
    assert len(unmoved.log(operation="subscription")) == 1


@BODIES
def test_a_bad_body_cancels_and_prepares_nothing(unmoved, body, content_type):
    shapes.refused(send(unmoved, "POST", "/payments/cancel", body, content_type), 200, 1)
    for method in ("POST", "PUT"):
        shapes.refused(send(unmoved, method, "/payments/prepare", body, content_type), 200, 1)
    assert unmoved.log(operation="cancel") == []


@BODIES
def test_a_bad_body_opens_no_window_and_closes_none(unmoved, body, content_type):
    assert (
        shapes.sdk_refusal(send(unmoved, "POST", "/sdk/payments", body, content_type), 200, 400, 413)["imp_uid"] is None
    )
    close = f"/sdk/payments/{unmoved.extra['open']['imp_uid']}/close"
    shapes.sdk_refusal(send(unmoved, "POST", close, body, content_type), 404, 413)


@BODIES
def test_a_bad_body_of_a_read_is_not_looked_at(unmoved, body, content_type):
    shapes.answered(send(unmoved, "GET", "/payments/find/paid_1", body, content_type))
    shapes.answered(send(unmoved, "POST", "/payments/find/paid_1", body, content_type))
    shapes.answered(send(unmoved, "GET", "/subscribe/customers/c_1", body, content_type))
    shapes.refused(send(unmoved, "DELETE", "/subscribe/customers/nobody", body, content_type), 200, 1)


LONG = "x" * 3_000
HUGE_NUMBER = int("9" * 30)
WRONG_TEXTS = [["a"], {"a": "b"}, True, 1.5, "a\0b", LONG]
IN_AGAIN = [
    *((name, value) for name in ("customer_uid", "merchant_uid") for value in [None, "", "  ", *WRONG_TEXTS]),
    *(
        ("amount", value)
        for value in [None, "", 0, -1, 1.5, "x", True, [1], {}, HUGE_NUMBER, 2**63, "9" * 18, "１e3", LONG]
    ),
    *(("tax_free", value) for value in [-1, 1001, 0.5, "x", True, [0], {}, HUGE_NUMBER]),
    *(("currency", value) for value in ["USD", "krw원", 1, True, ["KRW"], {}, "a\0b"]),
    *(("product_count", value) for value in [-1, 1.5, "x", True, [1], HUGE_NUMBER]),
    *(("notice_url", value) for value in [["a"] * 11, [["a"]], [True], {}, True, "http://a/\0", "http://a/" + LONG]),
    *(("custom_data", value) for value in ["a\0b", "x" * 100_001, ["x" * 100_001]]),
    *((name, value) for name in ("name", "buyer_name", "buyer_addr") for value in [["a"], {}, True, 1.5, "a\0b"]),
]


@pytest.mark.parametrize(("name", "value"), IN_AGAIN, ids=lambda value: repr(value)[:30])
def test_one_bad_field_charges_nothing_and_is_named(unmoved, name, value):
    message = shapes.refused(send(unmoved, "POST", "/subscribe/payments/again", of(CHARGE, **{name: value})), 200, 1)
    assert name in message


@pytest.mark.parametrize("missing", CHARGE)
def test_a_missing_field_charges_nothing_and_is_named(unmoved, missing):
    body = {name: value for name, value in CHARGE.items() if name != missing}
    assert missing in shapes.refused(send(unmoved, "POST", "/subscribe/payments/again", of(body)), 200, 1)


def test_of_a_key_given_twice_the_last_counts(unmoved):
    body = b'{"customer_uid": "c_1", "merchant_uid": "new", "amount": 1000, "amount": "x"}'
    assert "amount" in shapes.refused(send(unmoved, "POST", "/subscribe/payments/again", body), 200, 1)


@pytest.mark.parametrize(
    "value", [["a"], {"a": 1}, True, 1.5, "a\0b", LONG, -1, HUGE_NUMBER], ids=lambda v: repr(v)[:20]
)
@pytest.mark.parametrize("name", ["imp_key", "imp_secret"])
def test_a_bad_pair_gets_no_token(unmoved, name, value):
    answer = send(unmoved, "POST", "/users/getToken", of(TOKEN, **{name: value}))
    assert shapes.envelope(answer, 400, 401)["code"] == -1


IN_CANCEL = [
    *(("imp_uid", value) for value in [*WRONG_TEXTS, "nobody"]),
    *(("amount", value) for value in [-1, 1.5, "x", True, [1], {}, HUGE_NUMBER, 2**63, 1_000_000]),
    *(("tax_free", value) for value in [-1, 0.5, "x", True, [0], {}, HUGE_NUMBER]),
    *(("checksum", value) for value in [0, -1, 1.5, "x", True, [1], {}, HUGE_NUMBER, 999]),
    *(("reason", value) for value in [["a"], {}, True, 1.5, "a\0b"]),
    *(("enable_webhook", value) for value in [["a"], {}, 2, 1.5, "perhaps"]),
]


@pytest.mark.parametrize(("name", "value"), IN_CANCEL, ids=lambda value: repr(value)[:30])
def test_one_bad_field_cancels_nothing(unmoved, name, value):
    paid = shapes.answered(send(unmoved, "GET", "/payments/find/paid_1"))
    body = of({"imp_uid": paid["imp_uid"]}, **{name: value})
    shapes.refused(send(unmoved, "POST", "/payments/cancel", body), 200, 1)
    assert unmoved.payment(paid["imp_uid"]) == paid


IN_PREPARE = [
    *(("merchant_uid", value) for value in [None, "", "  ", *WRONG_TEXTS]),
    *(("amount", value) for value in [None, "", -1, 1.5, "x", True, [1], {}, HUGE_NUMBER, 2**63]),
    *(("currency", value) for value in ["USD", ["KRW"], True]),
]


@pytest.mark.parametrize(("name", "value"), IN_PREPARE, ids=lambda value: repr(value)[:30])
def test_one_bad_field_prepares_nothing(unmoved, name, value):
    body = of({"merchant_uid": "prepared", "amount": 1_000}, **{name: value})
    for method in ("POST", "PUT"):
        assert name in shapes.refused(send(unmoved, method, "/payments/prepare", body), 200, 1)


BAD_QUERIES = [
    "page=-1", "page=x", "page=1.5", "page=99999999999", "page=%00", "page=2", "limit=-1", "limit=1001", "limit=x",
    "limit=" + "9" * 100, "sorting=name", "sorting=%00"
]  # fmt: skip
BAD_SPANS = [
    "from=x", "to=x", "from=-1", "to=1e9", "from=%00", "from=1&to=99999999", "from=2000000000&to=1000000000",
    "to=" + "9" * 30, "from=NaN", "to=true",
]  # fmt: skip


@pytest.mark.parametrize("query", BAD_QUERIES)
def test_a_bad_query_of_a_list_is_400(unmoved, query):
    for path in ("/payments/findAll/paid_1", "/payments/findAll/paid_1/paid", "/payments/status/all"):
        shapes.refused(send(unmoved, "GET", f"{path}?{query}"), 400, -1)


@pytest.mark.parametrize("query", BAD_SPANS)
def test_a_bad_span_is_400(unmoved, query):
    shapes.refused(send(unmoved, "GET", f"/payments/status/all?{query}"), 400, -1)


@pytest.mark.parametrize("status", ["nothing", "PAID", "%00", "%FF", "unknown", "calling", "x" * 5_000])
def test_a_bad_status_of_a_list_is_400(unmoved, status):
    shapes.refused(send(unmoved, "GET", f"/payments/status/{status}"), 400, -1)
    shapes.refused(send(unmoved, "GET", f"/payments/findAll/paid_1/{status}"), 400, -1)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "{0}=",
        "{0}[]=%00",
        "{0}[]=%FF",
        "{0}[]=%ED%A0%80",
        "{0}[0]={1}",
        "{0}[=a",
        "{0}=" + "x" * 9_000,
        "%=%&{0}[]=%zz",
    ],
)
def test_a_list_of_unknown_ids_is_404(unmoved, query):
    for path, name in (
        ("/payments", "imp_uid"),
        ("/payments", "merchant_uid"),
        ("/subscribe/customers", "customer_uid"),
    ):
        shapes.refused(send(unmoved, "GET", f"{path}?{query.format(name, 'nobody')}"), 404, -1)


def test_more_than_a_hundred_ids_are_400(unmoved):
    for path, name in (("/payments", "imp_uid"), ("/subscribe/customers", "customer_uid")):
        query = "&".join(f"{name}[]={n}" for n in range(101))
        shapes.refused(send(unmoved, "GET", f"{path}?{query}"), 400, -1)


IN_WINDOW = [
    *(("call", "user_code", value) for value in [None, "", [], {}, True, HUGE_NUMBER, "imp99999999", "a\0b", LONG]),
    *(("call", "nonce", value) for value in [None, "", "short", ["0123456789abcdef"], 1, "x" * 65, "0123456789abcde\0"]),
    *(("call", "device", value) for value in ["tv", ["pc"], {}, True, "pc\0"]),
    *(("call", "presentation", value) for value in ["layer", ["frame"], {}, True]),
    *(("call", "params", value) for value in [None, [], "x", 1, True, {}]),
    *(("call", "page", value) for value in [{"origin": ["a"]}, {"origin": "a\0"}, {"origin": LONG}, {"url": {}}]),
    *(("params", "merchant_uid", value) for value in [None, "", " ", ["a"], {}, True, 1.5, "a\0b", "x" * 41]),
    *(("params", "amount", value) for value in [None, "", 0, -1, 1.5, "1,000", "1e3", True, [1], {}, HUGE_NUMBER, "9" * 30]),
    *(("params", "customer_uid", value) for value in [["a"], {}, True, 1.5, "a\0b", "x" * 81]),
    *(("params", "tax_free", value) for value in [-1, 1001, 0.5, "x", True, [0]]),
    *(("params", "currency", value) for value in ["USD", ["KRW"], True]),
    *(("params", "pg", value) for value in ["inicis", ["kakaopay"], {}, True, "a\0b", LONG]),
    *(("params", "channelKey", value) for value in ["channel-key-x", ["a"], {}, True, LONG]),
    *(("params", "notice_url", value) for value in [{}, [["a"]], True, ["http://a"] * 11, "http://a/" + LONG, "a\0"]),
    *(("phone", "m_redirect_url", value) for value in ["javascript:alert(1)", "data:,x", "http://", ["http://a"], "http://a/" + "x" * 8_000]),
    *(("phone", "app_scheme", value) for value in ["1app", "my app://", "javascript:alert(1)", "file", ["myapp"], LONG]),
    *(("params", "confirm_url", value) for value in [["a"], {}, True, "http://a/" + LONG]),
    *(("params", "custom_data", value) for value in ["a\0b", {"x": "y" * 100_001}]),
    *(("params", "customer_id", value) for value in [["a"], {}, True, "x" * 101, "a\0"]),
    *(("params", "buyer_name", value) for value in [["a"], {}, True, "a\0"]),
]  # fmt: skip


@pytest.mark.parametrize(("where", "name", "value"), IN_WINDOW, ids=lambda value: repr(value)[:30])
def test_one_bad_field_opens_no_window(unmoved, where, name, value):
    in_params = WINDOW | {"params": WINDOW["params"] | {name: value}}
    phone = {"device": "mobile", "presentation": "redirect", "ios": True}
    supplied = {"call": WINDOW | {name: value}, "params": in_params, "phone": in_params | phone}[where]
    refusal = shapes.sdk_refusal(send(unmoved, "POST", "/sdk/payments", of(supplied)), 200)
    assert refusal["imp_uid"] is None
    assert refusal["error_code"] != "SERVER_ERROR"


WEIRD_BUT_FINE = [
    ("escrow", [1]),
    ("escrow", {"a": 1}),
    ("card", {"detail": [{"card_code": "361", "enabled": {}}, {"card_code": ["364"], "enabled": [1]}, "x", None]}),
    ("card", {"detail": {"card_code": "*"}}),
    ("card", [1]),
    ("display", {"card_quota": [[3]]}),
    ("display", {"card_quota": [HUGE_NUMBER]}),
    ("display", "x"),
    ("period", {"from": {"a": 1}, "to": HUGE_NUMBER}),
    ("period", [1, 2]),
    ("bypass", {"kakaopay": ["x"]}),
    ("bypass", {"kakaopay": {"payment_method_type": ["CARD"]}}),
    ("custom_data", {"deep": json.loads("[" * 200 + "]" * 200)}),
    ("vbank_due", {"a": ["b"]}),
]


@pytest.mark.parametrize(("name", "value"), WEIRD_BUT_FINE, ids=lambda value: repr(value)[:40])
def test_what_is_ignored_may_be_of_any_shape(crowded, name, value):
    body = WINDOW | {"params": WINDOW["params"] | {name: value}}
    opened = send(crowded, "POST", "/sdk/payments", of(body)).json()
    assert opened["next"]["kind"] == "frame", opened


def test_custom_data_nested_to_the_edge_is_kept_or_refused(unmoved):
    for depth in range(300, 1_100, 50):
        body = b'{"customer_uid": "nobody", "merchant_uid": "m", "amount": 1, "custom_data": %s}' % (
            b"[" * depth + b"]" * depth
        )
        shapes.refused(send(unmoved, "POST", "/subscribe/payments/again", body), 200, 1)


# -- size

POSTS = ["/users/getToken", "/subscribe/payments/again", "/payments/cancel", "/payments/prepare", "/sdk/payments"]


def chunks_of(size):
    piece = b"x" * 65_536
    return (piece for _ in range(size // len(piece) + 1))


@pytest.mark.parametrize("path", POSTS)
def test_more_than_a_mebibyte_is_413(unmoved, path):
    for body in (b" " * (BODY_BYTES_MAX + 1), chunks_of(BODY_BYTES_MAX), chunks_of(4 * BODY_BYTES_MAX)):
        answer = send(unmoved, "POST", path, body)
        assert answer.status_code == 413
        assert answer.json().get("code", -1) == -1
        assert answer.json().get("message") or answer.json()["error_msg"]


@pytest.mark.parametrize("path", ["/subscribe/payments/onetime", "/subscribe/customers/c_1"])
def test_more_than_a_mebibyte_is_harmless_where_no_body_is_read(unmoved, path):
    shapes.envelope(send(unmoved, "POST", path, chunks_of(4 * BODY_BYTES_MAX)), 200, 413)


def test_a_body_of_just_a_mebibyte_is_read(unmoved):
    padded = of(CHARGE, amount="x").ljust(BODY_BYTES_MAX)
    assert "amount" in shapes.refused(send(unmoved, "POST", "/subscribe/payments/again", padded), 200, 1)


# -- paths

BAD_PATHS = {
    "no UTF-8": "%FF%FE",
    "EUC-KR": "%C1%D6%B9%AE",
    "NUL": "a%00b",
    "half an escape": "%",
    "no escape": "%zz",
    "a surrogate": "%ED%A0%80",
    "long": "x" * 8_000,
    "long and encoded": "%EC%A3%BC" * 300,
    "dots": "..%2F..%2Fetc%2Fpasswd",
    "quotes": "'%20OR%20'1'='1",
    "a line end": "a%0D%0Ab",
}
PATHS = pytest.mark.parametrize("part", BAD_PATHS.values(), ids=BAD_PATHS)


@PATHS
def test_a_bad_path_finds_nothing(unmoved, part):
    for method in ("GET", "POST"):
        assert shapes.envelope(send(unmoved, method, f"/payments/find/{part}"), 400, 404)["code"] == -1
    assert shapes.envelope(send(unmoved, "GET", f"/payments/find/paid_1/{part}"), 400, 404)["code"] == -1
    for path in (
        "/payments/{}",
        "/payments/{}/balance",
        "/payments/prepare/{}",
        "/payments/findAll/{}",
        "/cards/{}",
        "/banks/{}",
        "/subscribe/customers/{}/payments",
        "/certifications/{}",
        "/receipts/{}",
        "/escrows/logis/{}",
        "/tiers/{}",
    ):
        shapes.envelope(send(unmoved, "GET", path.format(part)), 200, 400, 404)
    for method in ("GET", "DELETE"):
        assert shapes.envelope(send(unmoved, method, f"/subscribe/customers/{part}"), 200, 404)["code"] != 0
    shapes.envelope(send(unmoved, "POST", f"/subscribe/customers/{part}"), 200)


@PATHS
def test_a_bad_path_reads_and_closes_no_window(unmoved, part):
    answers = [
        send(unmoved, "GET", f"/sdk/payments/{part}?token={unmoved.extra['open']['token']}"),
        send(unmoved, "GET", f"/sdk/payments/{unmoved.extra['open']['imp_uid']}?token={part}"),
        send(unmoved, "POST", f"/sdk/payments/{part}/close", of({"token": unmoved.extra["open"]["token"]})),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert all(answer.json() for answer in answers)


@PATHS
def test_a_bad_checkout_token_shows_a_page(unmoved, part):
    for end in ("", "/approve?pg_token=x", "/cancel", "/fail"):
        answer = raw(unmoved.gateway, "GET", f"/checkout/{part}{end}")
        assert answer.status_code == 404, answer.text
    answer = raw(unmoved.gateway, "GET", f"/checkout/failure?code={part}")
    assert answer.status_code == 200
    assert "결제 창을 열지 못했습니다." in answer.text


def test_a_checkout_token_is_good_for_its_own_purpose_alone(unmoved):
    opened = unmoved.extra["open"]
    window = opened["next"]["url"].rpartition("/")[2]
    tampered = window[:-1] + {"A": "B"}.get(window[-1], "A")
    for token in (opened["token"], window, tampered, window + "=", window[:-4]):
        for end in ("/approve?pg_token=x", "/cancel", "/fail"):
            assert raw(unmoved.gateway, "GET", f"/checkout/{token}{end}").status_code == 404
    for token in (opened["token"], tampered, window + "=", window[:-4]):
        assert raw(unmoved.gateway, "GET", f"/checkout/{token}").status_code == 404
    for token in (window, tampered, "", "x" * 5_000):
        answer = unmoved.http.get(f"{unmoved.gateway}/sdk/payments/{opened['imp_uid']}", params={"token": token})
        shapes.sdk_refusal(answer, 404)


@pytest.mark.parametrize(
    "query", ["", "?pg_token=", "?pg_token=%00", "?pg_token=a%00b", f"?pg_token={'x' * 256}", "?pg_token"]
)
def test_a_return_with_a_bad_pg_token_approves_nothing(unmoved, query):
    order = unmoved.http.get(f"{unmoved.sandbox}/_sim/orders/{unmoved.tid(unmoved.extra['open'])}").json()
    return_path = urlsplit(order["approval_url"]).path
    answer = raw(unmoved.gateway, "GET", return_path + query)
    assert answer.status_code == 200
    assert "결제가 아직 끝나지 않았습니다." in answer.text


# -- methods and addresses

KNOWN = [
    "/users/getToken",
    "/users/pg",
    "/payments/imp_000000000000",
    "/payments/find/paid_1",
    "/subscribe/payments/again",
    "/subscribe/payments/onetime",
    "/subscribe/customers/c_1",
    "/cards",
    "/banks/004",
]


@pytest.mark.parametrize("path", KNOWN)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "PROPFIND", "OPTIONS"])
def test_a_wrong_method_is_405_in_the_envelope(unmoved, method, path):
    shapes.refused(send(unmoved, method, path), 405, -1)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/users/getToken"),
        ("DELETE", "/users/getToken"),
        ("POST", "/users/pg"),
        ("POST", "/payments/imp_000000000000"),
        ("DELETE", "/payments/find/paid_1"),
        ("GET", "/subscribe/payments/again"),
        ("GET", "/subscribe/payments/onetime"),
    ],
)
def test_a_method_of_another_endpoint_is_405(unmoved, method, path):
    shapes.refused(send(unmoved, method, path), 405, -1)


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/users", "/subscribe", "/subscribe/customers/",
     "/subscribe/customers/c_1/other", "/payments/find", "/payments/find/", "/payments/imp_1/balance", "/PAYMENTS/find/paid_1", "/index.php",
     "/.env", "/%2e%2e/etc/passwd", "/subscribe/customers/%2F%2F%2F", "/payments/find/%2F", "/checkout", "/sdk", "/a//b", "/openapi", "/openapi/static/x"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_address_is_refused_in_the_envelope(unmoved, method, path):
    assert shapes.envelope(send(unmoved, method, path), 400, 404, 405)["code"] == -1


@pytest.mark.parametrize("path", [b"/payments/find/\xed\x95\x9c\xea\xb8\x80", b"/payments/find/\xff", b"/%", b"/a b"])
def test_bytes_that_no_address_may_hold_are_no_5xx(unmoved, path):
    host = urlsplit(unmoved.gateway)
    with socket.create_connection((host.hostname, host.port), timeout=10) as connection:
        connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 4")
