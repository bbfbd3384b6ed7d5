"""Everything that old clients do and must go on doing (docs/wire/portone-v1-rest.md 2.4): a row there, a test here."""

from __future__ import annotations

import json
import socket
import time
from itertools import count
from urllib.parse import quote, urlencode

import pytest

from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET
from tests.support import rows, shapes
from tests.support.raw import raw

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
_numbers = count(1)
KEYS = 25

ODD_IDS = [
    "plain",
    "with space",
    "a/b/c",
    "/leading",
    "trailing/",
    "50%",
    "%2F",
    "a+b",
    "a&b=c?d#e",
    "$:;,@!*'()",
    "a[0]",
    "주문-한글-1",
    "âàáaā",
    "🧾",
    "undefined",
    "all",
    "..",
    "a\\b",
]


@pytest.fixture(scope="module")
def paying(running):
    """A merchant with a billing key and one paid order."""
    # KakaoPay charges a key once a second and some twenty times a month, so there are many.
    for number in range(KEYS):
        running.issue_key(f"c_{number}")
    running.again("c_1", "paid_1")
    return running


@pytest.fixture
def key():
    return f"c_{next(_numbers) % KEYS}"


@pytest.fixture
def merchant_uid():
    return f"order_{next(_numbers)}"


def send(running, method, path, body=b"", headers=None):
    return raw(running.gateway, method, path, body, {"Authorization": running.token()} | (headers or {}))


def charge(running, body, content_type):
    return send(running, "POST", "/subscribe/payments/again", body, {"Content-Type": content_type})


def charged(answer):
    return shapes.check(shapes.answered(answer), shapes.PAYMENT)


# -- content types


@pytest.mark.parametrize("content_type", [None, JSON, f"{JSON}; charset=utf-8", FORM, "application/hal+json", "*/*"])
@pytest.mark.parametrize("body", [b"", b"null"])
def test_get_and_delete_may_name_any_content_type(paying, content_type, body):
    headers = {"Content-Type": content_type} if content_type else {}
    charged(send(paying, "GET", "/payments/find/paid_1", body, headers))
    shapes.answered(send(paying, "GET", "/subscribe/customers/c_1", body, headers))
    shapes.answered(send(paying, "GET", "/users/pg", body, headers))
    shapes.refused(send(paying, "DELETE", "/subscribe/customers/nobody", body, headers), 200, 1)


@pytest.mark.parametrize(
    "content_type",
    [JSON, f"{JSON};charset=UTF-8", f'{JSON}; charset="utf-8"', "application/hal+json", "text/plain", ""],
)
def test_a_json_body_is_read_under_every_type_that_is_no_form(paying, key, merchant_uid, content_type):
    body = {"customer_uid": key, "merchant_uid": merchant_uid, "amount": 1000}
    assert charged(charge(paying, json.dumps(body).encode(), content_type))["status"] == "paid"


@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=UTF-8", ""])
def test_a_form_body_is_read(paying, key, merchant_uid, content_type):
    body = urlencode({"customer_uid": key, "merchant_uid": merchant_uid, "amount": 1000, "name": "월 이용권"})
    payment = charged(charge(paying, body.encode(), content_type))
    assert (payment["status"], payment["amount"], payment["name"]) == ("paid", 1000, "월 이용권")


def test_a_json_post_may_be_empty(paying):
    for body in (b"", b"null", b"{}"):
        assert "customer_uid" in shapes.refused(charge(paying, body, JSON), 200, 1)


# -- kinds of values


@pytest.mark.parametrize("amount", [1000, 1000.0, 1e3, "1000", "1000.0", " 1000 ", "+1000"])
def test_an_amount_may_be_a_number_a_float_without_fraction_or_digits(paying, key, merchant_uid, amount):
    body = {"customer_uid": key, "merchant_uid": merchant_uid, "amount": amount, "tax_free": "0", "vat": 0.0}
    payment = charged(charge(paying, json.dumps(body).encode(), JSON))
    assert (payment["amount"], type(payment["amount"])) == (1000, int)


@pytest.mark.parametrize(
    "amount", ["1000.5", 1000.5, "1,000", "1000원", "1e3", "", None, True, [1000], {"total": 1000}, 0, -1]
)
def test_any_other_amount_is_refused_by_name(paying, key, merchant_uid, amount):
    body = {"customer_uid": key, "merchant_uid": merchant_uid, "amount": amount}
    assert "amount" in shapes.refused(charge(paying, json.dumps(body).encode(), JSON), 200, 1)


OPTIONAL = [
    "name", "currency", "tax_free", "vat_amount", "vat", "buyer_name", "buyer_email", "buyer_tel", "buyer_addr",
    "buyer_postcode", "card_quota", "interest_free_by_merchant", "use_card_point", "custom_data", "notice_url",
    "browser_ip", "product_type", "product_count", "cash_receipt_type", "bypass", "extra", "promotion_id",
    "channel_key", "pg", "language",
]  # fmt: skip


def test_null_means_absent_for_every_optional_parameter(paying, key, merchant_uid):
    body = {"customer_uid": key, "merchant_uid": merchant_uid, "amount": 1000} | dict.fromkeys(OPTIONAL)
    payment = charged(charge(paying, json.dumps(body).encode(), JSON))
    assert (payment["status"], payment["custom_data"], payment["buyer_name"]) == ("paid", None, None)


@pytest.mark.parametrize("content_type", [JSON, FORM])
def test_an_empty_text_means_absent_for_every_optional_parameter(paying, key, merchant_uid, content_type):
    body = {"customer_uid": key, "merchant_uid": merchant_uid, "amount": 1000} | dict.fromkeys(OPTIONAL, "")
    sent = {JSON: json.dumps(body), FORM: urlencode(body)}[content_type].encode()
    payment = charged(charge(paying, sent, content_type))
    assert (payment["status"], payment["custom_data"]) == ("paid", None)
    # A buyer's field that was sent empty comes back empty (3).
    assert (payment["buyer_name"], payment["buyer_addr"]) == ("", "")


def test_unknown_parameters_are_ignored(paying, key, merchant_uid):
    unknown = {
        "vat": 0.0,
        "escrow_confirmed": False,
        "language": "ko",
        "extra": {"naverUseCfm": "20200101"},
        "bypass": "{}",
        "nested": {"a": [{"b": None}]},
        "card_quota": "0",
        "": "empty name",
    }
    body = {"customer_uid": key, "merchant_uid": merchant_uid, "amount": 1000} | unknown
    assert charged(charge(paying, json.dumps(body).encode(), JSON))["status"] == "paid"


def test_too_long_names_are_cut_and_too_long_ids_refused(paying, key, merchant_uid):
    body = {"customer_uid": key, "merchant_uid": merchant_uid, "amount": 1000, "name": "이" * 200}
    body |= {"buyer_name": "n" * 99, "buyer_email": "e" * 99, "buyer_tel": "0" * 99, "buyer_addr": "a" * 300}
    payment = charged(charge(paying, json.dumps(body | {"buyer_postcode": "1" * 20}).encode(), JSON))
    kept = ("name", "buyer_name", "buyer_email", "buyer_tel", "buyer_addr", "buyer_postcode")
    assert [len(payment[name]) for name in kept] == [40, 16, 64, 16, 128, 8]
    for name, longest in (("merchant_uid", 40), ("customer_uid", 80)):
        message = shapes.refused(charge(paying, json.dumps(body | {name: "x" * (longest + 1)}).encode(), JSON), 200, 1)
        assert name in message


# -- the bodies of particular clients


def test_php_sends_every_property_and_a_trailing_slash(paying, key, merchant_uid):
    body = dict.fromkeys(OPTIONAL) | {"customer_uid": key, "merchant_uid": merchant_uid, "amount": 1000}
    answer = send(
        paying,
        "POST",
        "/subscribe/payments/again/",
        json.dumps(body).encode(),
        {"Content-Type": f"{JSON}; charset=utf-8"},
    )
    assert charged(answer)["status"] == "paid"


def test_woocommerce_sends_totals_as_text(paying, key, merchant_uid):
    body = {
        "merchant_uid": merchant_uid,
        "amount": "9900",
        "tax_free": "0",
        "customer_uid": key,
        "name": "정기결제",
        "buyer_name": "홍길동",
        "buyer_email": "h@example.com",
        "buyer_tel": "010-1234-5678",
        "notice_url": "",
    }
    payment = charged(
        send(paying, "POST", "/subscribe/payments/again/", json.dumps(body).encode(), {"Content-Type": JSON})
    )
    assert (payment["status"], payment["amount"], payment["buyer_name"]) == ("paid", 9900, "홍길동")


def test_go_sends_forms_that_nobody_encoded(paying, key, merchant_uid):
    body = f"customer_uid={key}& merchant_uid={merchant_uid}&  amount=1000& name=월 이용권& custom_data=a=b=c"
    payment = charged(charge(paying, body.encode(), FORM))
    assert (payment["name"], payment["custom_data"]) == ("월 이용권", "a=b=c")


def test_forms_may_nest_repeat_and_number_their_keys(paying, key, merchant_uid):
    body = f"customer_uid={key}&merchant_uid={merchant_uid}&amount=1000&extra[naverUseCfm]=x&extra%5Brequester%5D=y"
    body += "&imp_uid[]=a&imp_uid[]=b&imp_uid[0]=a&ids=1&ids=2&schedules[0][merchant_uid]=m&a[b][c][d]=1"
    assert charged(charge(paying, body.encode(), FORM))["status"] == "paid"


def test_in_a_form_plus_is_a_space_and_percent_2b_is_a_plus(paying, key, merchant_uid):
    body = f"customer_uid={key}&merchant_uid={merchant_uid}&amount=1000&name=a+b%2Bc"
    assert charged(charge(paying, body.encode(), FORM))["name"] == "a b+c"


def test_java_always_sends_a_product_count_of_0(paying, key, merchant_uid):
    body = {"customer_uid": key, "merchant_uid": merchant_uid, "amount": 1000, "product_count": 0, "card_quota": 0}
    assert charged(charge(paying, json.dumps(body).encode(), JSON))["status"] == "paid"
    [sent] = [entry for entry in paying.log(operation="subscription") if entry["amount"] == 1000][-1:]
    assert sent["outcome"] == "approved"


@pytest.mark.parametrize("fraction", [0.731952, "text"])
def test_python_sends_a_time_with_a_part_of_a_second(paying, key, merchant_uid, fraction):
    at = int(time.time()) + 30 * 86_400
    sent = f"{at}.25" if fraction == "text" else at + fraction
    entry = {"merchant_uid": merchant_uid, "schedule_at": sent, "amount": 4400}
    planned = plan(paying, key, entry)
    assert [s["schedule_at"] for s in shapes.answered(planned)] == [at]
    moved = send(
        paying, "PUT", f"/subscribe/payments/schedule/{merchant_uid}", json.dumps({"schedule_at": sent}).encode()
    )
    assert shapes.answered(moved)["schedule_at"] == at


@pytest.mark.parametrize("change", [{"schedule_at": 2_000_000_000_000}, {"schedule_at": "soon"}, {"schedule_at": True},
                                    {"schedule_at": "-1.5"}, {"schedule_at": "１７００００００００"}, {"amount": 4400.5}])  # fmt: skip
def test_a_time_that_is_none_and_a_part_of_a_won_are_refused(paying, key, merchant_uid, change):
    entry = {"merchant_uid": merchant_uid, "schedule_at": int(time.time()) + 30 * 86_400, "amount": 4400} | change
    [name] = change
    assert name in shapes.refused(plan(paying, key, entry), 200, 1)


def plan(running, customer_uid, entry):
    body = json.dumps({"customer_uid": customer_uid, "schedules": [entry]}).encode()
    return send(running, "POST", "/subscribe/payments/schedule", body, {"Content-Type": JSON})


@pytest.mark.parametrize(
    "change", [{"merchant_uid": "x" * 41}, {"amount": 0}, {"amount": None}, {"merchant_uid": ""}, {"currency": "USD"}]
)
def test_an_unknown_customer_is_told_before_anything_about_the_rest(paying, merchant_uid, change):
    body = {"customer_uid": "nobody", "merchant_uid": merchant_uid, "amount": 1000} | change
    assert shapes.refused(charge(paying, json.dumps(body).encode(), JSON), 200, 1) == "등록되지 않은 구매자입니다."
    entry = {"merchant_uid": merchant_uid, "schedule_at": 1, "amount": 1000} | change
    assert shapes.refused(plan(paying, "nobody", entry), 200, 1) == "등록된 고객정보가 없습니다."


@pytest.mark.parametrize("blank", [" ", "   ", "\t", "\u3000"])
def test_a_customer_uid_of_blanks_is_missing_wherever_it_is_sent(paying, merchant_uid, blank):
    opened = paying.open_window(f"{merchant_uid}_w", 0, customer_uid=blank)
    assert "next" not in opened
    body = {"customer_uid": blank, "merchant_uid": merchant_uid, "amount": 1000}
    missing = "customer_uid 파라메터가 누락되었습니다."
    assert shapes.refused(charge(paying, json.dumps(body).encode(), JSON), 200, 1) == missing
    entry = {"merchant_uid": merchant_uid, "schedule_at": int(time.time()) + 86_400, "amount": 1000}
    assert shapes.refused(plan(paying, blank, entry), 200, 1) == missing


def test_a_notice_url_may_be_a_list_and_end_with_blanks(paying, key, merchant_uid):
    urls = ["http://127.0.0.1:9/a ", "", None, "  http://127.0.0.1:9/b", "http://127.0.0.1:9/a"]
    body = {"customer_uid": key, "merchant_uid": merchant_uid, "amount": 1000, "notice_url": urls}
    imp_uid = charged(charge(paying, json.dumps(body).encode(), JSON))["imp_uid"]
    deliveries = rows.fetch(
        paying.settings.database_url, f"SELECT url FROM webhook_deliveries WHERE imp_uid = '{imp_uid}'"
    )
    assert sorted(row["url"] for row in deliveries) == ["http://127.0.0.1:9/a", "http://127.0.0.1:9/b"]


# -- paths


@pytest.mark.parametrize("slash", ["", "/", "//"])
def test_a_trailing_slash_changes_nothing_and_redirects_nowhere(paying, slash):
    imp_uid = charged(send(paying, "GET", "/payments/find/paid_1"))["imp_uid"]
    pair = urlencode({"imp_key": DEMO_API_KEY, "imp_secret": DEMO_API_SECRET}).encode()
    shapes.answered(send(paying, "POST", f"/users/getToken{slash}", pair, {"Content-Type": FORM}))
    shapes.answered(send(paying, "GET", f"/users/pg{slash}"))
    for path in (f"/payments/{imp_uid}{slash}", f"/payments/find/paid_1{slash}", f"/payments/find/paid_1/paid{slash}"):
        charged(send(paying, "GET", path))
    shapes.answered(send(paying, "GET", f"/subscribe/customers/c_1{slash}"))
    shapes.refused(send(paying, "DELETE", f"/subscribe/customers/nobody{slash}"), 200, 1)
    shapes.refused(send(paying, "POST", f"/subscribe/payments/again{slash}", b"{}", {"Content-Type": JSON}), 200, 1)
    shapes.refused(send(paying, "POST", f"/subscribe/payments/onetime{slash}", b"{}", {"Content-Type": JSON}), 200, -1)


def test_a_base_address_that_ends_with_a_slash_works_too(paying):
    for path in ("//payments/find/paid_1", "//payments/findAll/paid_1", "/payments//find/paid_1/paid",
                 "//subscribe/customers/c_1", "//subscribe/customers/c_1/payments"):  # fmt: skip
        shapes.answered(send(paying, "GET", path))
    shapes.refused(send(paying, "GET", "//payments/prepare/nothing"), 404, -1)
    planned = shapes.refused(send(paying, "GET", "//subscribe/payments/schedule/nothing"), 404, -1)
    assert planned == "존재하지 않는 결제예약입니다."


@pytest.mark.parametrize("status", ["/undefined", "/all", "/", "/paid", "/paid/", "/undefined/"])
def test_a_status_may_be_missing_undefined_or_all(paying, status):
    assert charged(send(paying, "GET", f"/payments/find/paid_1{status}"))["status"] == "paid"


@pytest.mark.parametrize("status", ["ready", "failed", "cancelled", "canceled"])
def test_a_status_that_no_row_has_is_404(paying, status):
    shapes.refused(send(paying, "GET", f"/payments/find/paid_1/{status}"), 404, -1)


@pytest.mark.parametrize("path", ["123", "PAID", "paid/paid", "unknown", "calling"])
def test_an_unknown_status_is_400(paying, path):
    assert (
        shapes.refused(send(paying, "GET", f"/payments/find/paid_1/{path}"), 400, -1) == "지원되지 않는 상태값입니다."
    )


@pytest.mark.parametrize("sorting", ["-started", "started", "-paid", "paid", "-updated", "updated", ""])
def test_every_documented_sorting_is_known(paying, sorting):
    charged(send(paying, "GET", f"/payments/find/paid_1?sorting={sorting}"))
    shapes.refused(send(paying, "GET", "/payments/find/paid_1?sorting=other"), 400, -1)


@pytest.mark.parametrize("merchant_uid", ODD_IDS)
def test_any_merchant_uid_is_charged_and_found_by_its_encoded_path(paying, key, merchant_uid):
    body = {"customer_uid": key, "merchant_uid": merchant_uid, "amount": 1000}
    payment = charged(charge(paying, json.dumps(body).encode(), JSON))
    assert payment["merchant_uid"] == merchant_uid
    path = quote(merchant_uid, safe="")
    assert charged(send(paying, "GET", f"/payments/find/{path}")) == payment
    assert charged(send(paying, "GET", f"/payments/find/{path}/paid/")) == payment
    assert charged(send(paying, "POST", f"/payments/find/{path}")) == payment


@pytest.mark.parametrize("customer_uid", ODD_IDS)
def test_any_customer_uid_is_found_by_its_encoded_path(paying, customer_uid):
    opened = paying.open_window(f"odd {ODD_IDS.index(customer_uid)}", customer_uid=customer_uid)
    assert paying.finish(opened)["result"]["customer_uid"] == customer_uid
    path = f"/subscribe/customers/{quote(customer_uid, safe='')}"
    assert shapes.check(shapes.answered(send(paying, "GET", path)), shapes.CUSTOMER)["customer_uid"] == customer_uid
    deleted = shapes.check(
        shapes.answered(send(paying, "DELETE", f"{path}?reason=&extra[requester]=x")), shapes.CUSTOMER
    )
    assert deleted["customer_uid"] == customer_uid
    message = shapes.refused(send(paying, "GET", path), 200, 1)
    assert message == f"요청하신 customer_uid({customer_uid})로 등록된 정보를 찾을 수 없습니다."


@pytest.mark.parametrize("end", ["", "/", "//", "?page=2"])
def test_find_all_without_an_order_number_is_400(paying, end):
    answer = send(paying, "GET", f"/payments/findAll{end}")
    assert shapes.refused(answer, 400, -1) == "merchant_uid 파라메터가 누락되었습니다."


def test_a_plus_in_a_path_is_a_plus(paying, key):
    body = {"customer_uid": key, "merchant_uid": "x+y", "amount": 1000}
    payment = charged(charge(paying, json.dumps(body).encode(), JSON))
    assert charged(send(paying, "GET", "/payments/find/x+y")) == payment
    assert charged(send(paying, "GET", "/payments/find/x%2By")) == payment
    shapes.refused(send(paying, "GET", "/payments/find/x%20y"), 404, -1)


def test_post_on_find_behaves_like_get(paying):
    for path in ("/payments/find/paid_1", "/payments/find/paid_1/paid"):
        payment = charged(send(paying, "GET", path))
        for body, content_type in ((b"", ""), (b"{}", JSON), (b"a=1", FORM)):
            assert charged(send(paying, "POST", path, body, {"Content-Type": content_type})) == payment


@pytest.mark.parametrize("asked", ["", "?include_sandbox=false", "?include_sandbox=true"])
def test_test_payments_are_shown_whatever_include_sandbox_says(paying, asked):
    imp_uid = charged(send(paying, "GET", "/payments/find/paid_1"))["imp_uid"]
    charged(send(paying, "GET", f"/payments/{imp_uid}{asked}"))


# -- connections


@pytest.mark.parametrize("pieces", [1, 2, 7, 1_000])
@pytest.mark.parametrize("offer", ["h2c", "websocket", "TLS/1.0"])
def test_an_offer_of_another_protocol_is_not_taken_and_the_request_answered(paying, pieces, offer):
    """Java's HttpClient and `curl --http2` offer HTTP/2 with their first request."""
    pair = json.dumps({"imp_key": DEMO_API_KEY, "imp_secret": DEMO_API_SECRET}).encode()
    lines = [
        "POST /users/getToken HTTP/1.1", "Host: 127.0.0.1", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk",
        f"Upgrade: {offer}", "Content-Type: application/json", f"Content-Length: {len(pair)}",
    ]  # fmt: skip
    request = "\r\n".join(lines).encode() + b"\r\n\r\n" + pair
    behind = b"GET /cards/nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: x\r\nConnection: close\r\n\r\n"
    host, _, port = paying.gateway.removeprefix("http://").partition(":")
    size = -(-len(request + behind) // pieces)
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        for start in range(0, len(request + behind), size):
            connection.sendall((request + behind)[start : start + size])
        answers = b""
        while more := connection.recv(65_536):
            answers += more
    assert answers.count(b"HTTP/1.1 200 ") == 1, answers
    assert b'"access_token"' in answers
    assert answers.count(b"HTTP/1.1 401 ") == 1, answers


def test_a_tunnel_is_refused(paying):
    host, _, port = paying.gateway.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


# -- answers


@pytest.mark.parametrize("encoding", ["gzip", "gzip, deflate, br", "*"])
def test_answers_are_never_compressed_and_say_their_length(paying, encoding):
    headers = {"Accept-Encoding": encoding}
    for method, path in (("GET", "/payments/find/paid_1"), ("GET", "/users/pg"), ("GET", "/nowhere")):
        answer = send(paying, method, path, headers=headers)
        assert "content-encoding" not in answer.headers
        assert "transfer-encoding" not in answer.headers
        assert int(answer.headers["content-length"]) == len(answer.content) > 0
        assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html", "nonsense"])
def test_answers_are_json_whatever_the_caller_accepts(paying, accept):
    charged(send(paying, "GET", "/payments/find/paid_1", headers={"Accept": accept}))
