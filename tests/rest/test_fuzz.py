"""Thousands of requests that began as good ones, from a seed: the envelope always, no 5xx, and nothing half written.

The same requests are made by every run; who is quicker is not. `SEED` in a failure's message and its number find the
request again: `request_of(SEED, number, ...)`.
"""

from __future__ import annotations

import http.client
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from random import Random
from urllib.parse import quote, quote_plus, unquote, urlsplit

import pytest

from maedal.rest.unsupported import TABLE
from tests.support import rows, shapes
from tests.support.databases import ENGINES
from tests.support.processes import serving
from tests.support.raw import RawAnswer

COUNT = 10_000
"""Requests on each database."""
CALLERS = 12
SEED = 20_260_901
KEYS = 24
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
TYPES = [
    JSON, JSON, JSON, FORM, FORM, FORM, f"{JSON}; charset=utf-8", f"{JSON}; charset=euc-kr", f"{FORM}; charset=utf-16",
    f"{FORM};charset=UTF-8", "", "text/plain", "multipart/form-data; boundary=x", "application/xml", "*/*", ";;;", "x" * 900,
]  # fmt: skip
JUNK = [
    None, "", " ", "0", 0, -1, 1, 1.5, 1000.0, True, False, [], {}, ["a"], [None], [[["a"]]], {"a": {"b": {"c": 1}}},
    "a\0b", "\0", "x" * 41, "x" * 81, "x" * 5_000, "가" * 3_000, "\ud800", "\u202e주문", "' OR 1=1 --", "%00", "%", "%zz",
    "../../etc/passwd", "<script>", "{{7*7}}", "${x}", "null", "undefined", "NaN", 2**31, 2**53 + 1, 2**63, -(2**63),
    10**30, 10**400, 1e15, 1e300, 1e-9, "1e5", "1,000", "٣", "１２", "999999999999999999", "1" * 400, "1000.0", "1000.",
    "true", "2026-09-01", 4_102_444_800, 99_999_999_999, "🙂" * 20, "\r\nX: y", {"0": "a", "1": "b"}, "javascript:x",
    "http://127.0.0.1:1/", "http://[::1]/", "http://a/\n",
]  # fmt: skip
PARTS = [
    "%00", "%FF", "%2F", "a%2Fb", "..", "%2e%2e", "%2e%2e%2f", "%", "%zz", "%u1234", "+", "%20", "%ED%A0%80", "x" * 50, "x" * 4_000,
    quote("주문 한글"), "undefined", "all", "null", "a;b", "a=b&c", "%0d%0a", "customers", "retry", "a%00b", "%C0%AF", "'",
]  # fmt: skip
QUERIES = [
    "page=0", "page=-1", "page=x", "limit=1", "limit=9999999", "sorting=%00", "sorting=-paid", "from=0&to=1", "from=x", "to=1e9",
    "from=1&to=99999999999", "imp_uid[]=a&imp_uid[]=b", "imp_uid[=x", "imp_uid=%FF", "customer_uid[]=k_1", "customer_uid[0]=k_2",
    "schedule_from=1&schedule_to=2", "schedule-status=%00", "schedule_status=scheduled", "&&==&", "%=%", "a" * 3_000,
    "_token=wrong", "include_sandbox=maybe", "merchant_uid[]=%ED%A0%80", "token=%00", "token=x", "page=1&page=2",
    "from=1780000000&to=1780000001",
]  # fmt: skip
METHODS = ["GET", "POST", "PUT", "DELETE"]
SDK_ANSWERS = ({"imp_uid", "token", "next"}, {"imp_uid", "state", "result"}, shapes.REFUSAL)
SDK_ENVELOPE = {"code", "message", "response"}
"""What the rest of the gateway answers where an address below /sdk is none of the SDK's."""


class Caller:
    """One connection of a merchant's server, kept open as long as the gateway keeps it."""

    def __init__(self, node):
        self._token = node.token()
        self._host = urlsplit(node.gateway).netloc
        self._connection = None

    def send(self, method, path, body, content_type):
        """Send a request once; a connection that the gateway has closed meanwhile is replaced before."""
        connection = self._connection or http.client.HTTPConnection(self._host, timeout=60)
        connection.putrequest(method, path, skip_accept_encoding=True)
        connection.putheader("Authorization", self._token)
        if content_type:
            connection.putheader("Content-Type", content_type)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        read = RawAnswer(answer.status, headers, answer.read())
        self._connection = None if answer.will_close else connection
        return read

    def close(self):
        if self._connection is not None:
            self._connection.close()


def good_requests(number, rng, known):
    """Return every endpoint as it is called well, under ids of this request's own: method, path, body."""
    key, mine = f"k_{rng.randrange(KEYS)}", f"f_{number}"
    paid, window = rng.choice(known["paid"]), rng.choice(known["windows"])
    later = int(time.time()) + 40 * 86_400
    plan = {"merchant_uid": mine, "schedule_at": later, "amount": 1_000, "name": "예약 결제"}
    charge = {"customer_uid": key, "merchant_uid": mine, "amount": 1_000, "name": "월간 이용권", "buyer_name": "홍길동"}
    order = {"pg": "kakaopay", "merchant_uid": mine, "amount": 1_000, "name": "Monthly plan", "customer_uid": key}
    opening = {
        "user_code": known["code"], "nonce": "0123456789abcdef", "device": "pc", "presentation": "frame",
        "page": {"origin": "http://shop.test", "url": "http://shop.test/pay"}, "params": order,
    }  # fmt: skip
    # Nobody listens there; what is told waits in the outbox.
    notice_url = "http://127.0.0.1:9/notice" if number % 2 else ""
    pair = {"imp_key": known["api_key"], "imp_secret": known["api_secret"]}
    plan_uid = rng.choice([f"f_{rng.randrange(number + 1)}", rng.choice(known["revoked"])])
    planned = f"/subscribe/payments/schedule/{plan_uid}"
    common = [
        ("POST", "/users/getToken", pair),
        (
            "POST",
            "/subscribe/payments/again",
            charge | {"tax_free": 0, "custom_data": {"a": 1}, "notice_url": notice_url},
        ),
        ("POST", "/payments/cancel", {"imp_uid": paid, "amount": 10, "checksum": "", "reason": "변심"}),
        ("POST", "/payments/cancel", {"merchant_uid": f"f_{rng.randrange(number + 1)}"}),
        ("POST", "/payments/prepare", {"merchant_uid": mine, "amount": 1_000, "currency": "KRW"}),
        ("PUT", "/payments/prepare", {"merchant_uid": mine, "amount": 2_000}),
        ("POST", "/subscribe/payments/schedule", {"customer_uid": key, "schedules": [plan]}),
        ("POST", "/subscribe/payments/unschedule", {"customer_uid": key, "merchant_uid": [f"f_{number - 1}"]}),
        ("PUT", planned, {"schedule_at": later + 60}),
        ("POST", f"{planned}/reschedule", {"schedule_at": later + 60}),
        ("POST", f"{planned}/retry", {}),
        ("POST", "/subscribe/payments/onetime", charge | {"card_number": "1111-1111-1111-1111"}),
        ("POST", "/sdk/payments", opening),
        ("POST", f"/sdk/payments/{window['imp_uid']}/close", {"token": window["token"], "reason": "left"}),
        ("GET", f"/sdk/payments/{window['imp_uid']}?token={window['token']}", {}),
    ]
    reads = [
        "/users/pg", f"/payments/{paid}", f"/payments?imp_uid[]={paid}", f"/payments/find/{mine}", f"/payments/{paid}/balance",
        f"/payments/findAll/{mine}", "/payments/status/all?limit=5", f"/payments/prepare/{mine}", "/cards/361", "/banks",
        f"/subscribe/customers?customer_uid[]={key}", f"/subscribe/customers/{key}", f"/subscribe/customers/{key}/payments",
        f"/subscribe/customers/{key}/schedules?from=1&to=2", planned, f"/subscribe/payments/schedule/customers/{key}?from=1&to=2",
        f"/subscribe/payments/schedule?schedule_from={later - 60}&schedule_to={later}", "/cards", "/banks/004",
    ]  # fmt: skip
    foreign = rng.choice(TABLE)
    path = foreign.path.replace("{rest:path}", "a/b").replace(":str}", "}")
    other_address = path.format(imp_uid=paid, merchant_uid=mine, tier_code="ABC")
    few = [
        ("DELETE", f"/subscribe/customers/{rng.choice([mine, f'extra_{rng.randrange(6)}'])}", {}),
        ("POST", f"/subscribe/customers/{mine}", charge),
        (rng.choice(foreign.methods).value, other_address, {"anything": 1}),
    ]
    return rng.choices([common, [("GET", read, {}) for read in reads], few], [6, 3, 1])[0]


def request_of(seed, number, known):
    """Return the request of this number: method, path, body, content type."""
    rng = Random(seed * 1_000_003 + number)
    method, path, fields = rng.choice(good_requests(number, rng, known))
    content_type = rng.choice(TYPES)
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        fields = changed(rng, fields)
    body = b"" if method == "GET" and rng.random() < 0.8 else written(rng, fields, content_type)
    if rng.random() < 0.15:
        head, question, query = path.partition("?")
        parts = head.split("/")
        parts[rng.randrange(2, max(3, len(parts))) if len(parts) > 2 else -1] = rng.choice(PARTS)
        path = "/".join(parts) + question + query
    if rng.random() < 0.15:
        path += ("&" if "?" in path else "?") + rng.choice(QUERIES)
    if rng.random() < 0.05:
        path = path.replace("?", "/?", 1) if "?" in path else path + "/"
    if rng.random() < 0.04:
        method = rng.choice(METHODS)
    return method, path, body, content_type


def changed(rng, fields):
    """Return the fields with one thing wrong, somewhere, also deep inside."""
    if not fields:
        return {rng.choice(["imp_uid", "amount", "customer_uid", "x", ""]): rng.choice(JUNK)}
    name = rng.choice(list(fields))
    value = fields[name]
    if isinstance(value, dict) and value and rng.random() < 0.7:
        return fields | {name: changed(rng, value)}
    if isinstance(value, list) and value and isinstance(value[0], dict) and rng.random() < 0.7:
        entry = changed(rng, value[0])
        return fields | {
            name: rng.choice([[entry], [*value, entry], [entry] * 3, [entry, rng.choice(JUNK)], [value] * 2])
        }
    match rng.randrange(6):
        case 0:
            return {key: item for key, item in fields.items() if key != name}
        case 1:
            return fields | {rng.choice([" " + name, name + "[]", name.upper(), name + "\0", name * 50]): value}
        case 2:
            return fields | {name: [value, value]}
        case 3:
            return fields | {name: {name: value}}
        case _:
            return fields | {name: rng.choice(JUNK)}


def written(rng, fields, content_type):
    """Return the body as bytes, mostly as its content type says, and at times damaged."""
    as_form = content_type.startswith(FORM) != (rng.random() < 0.05)
    text = form(rng, fields) if as_form else json.dumps(fields, ensure_ascii=rng.random() < 0.5)
    match rng.randrange(30):
        case 0:
            return text.encode("euc-kr", "ignore")
        case 1:
            return text.encode("utf-16", "ignore")
        case 2:
            return text.encode("utf-8", "replace")[: rng.randrange(len(text) + 1)]
        case 3:
            return b""
        case 4:
            return rng.choice(
                [b"null", b"[]", b'""', b"0", b"{}", b"\0", b"[[]]", b"{" * 3_000, b'{"a":' * 3_000, b"NaN"]
            )
        case 5:
            damaged = bytearray(text.encode("utf-8", "replace") or b"x")
            for _ in range(rng.randrange(1, 4)):
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            return bytes(damaged)
        case 6 if not as_form and len(text) > 2:
            return (text[:-1] + ", " + text[1:]).encode("utf-8", "replace")
        case 7 if as_form:
            return (text + "&" + text).encode("utf-8", "replace")
        case 8 if as_form:
            return (text + "&amount[][][]=1&a[b]=1&a=2&[]=3&%5B%5D=4&=&%00=%00").encode("utf-8", "replace")
        case _:
            return text.encode("utf-8", "replace")


def form(rng, fields):
    """Return a form as PHP would write it, or with tricks in its escapes."""
    pairs = []

    def put(name, value):
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in items:
            put(f"{name}[{key}]", item)
        if not isinstance(value, dict | list):
            text = value if isinstance(value, str) else json.dumps(value)
            escape = rng.choice([quote_plus, quote, quote_plus, str, lambda t: quote(quote(t))])
            pairs.append(f"{name}={escape(text.encode('utf-8', 'replace').decode())}")

    for name, value in fields.items():
        put(name, value)
    return "&".join(pairs)


def check(path, answer):
    """Hold an answer against what is documented for its address."""
    assert answer.status_code < 500 or (answer.status_code == 501 and "/receipts" in path), answer.status_code
    if answer.status_code == 200 and answer.headers["content-type"].startswith("text/html"):
        assert not unquote(path.partition("?")[0]).strip("/"), path  # only the root shows a page: the documentation
        return
    body = answer.json() if path.startswith("/sdk/") else shapes.envelope(answer, answer.status_code)
    kinds = SDK_ANSWERS if body.keys() != SDK_ENVELOPE else (SDK_ENVELOPE,)
    assert not path.startswith("/sdk/") or any(kind <= set(body) for kind in kinds), body


@pytest.fixture(scope="module", params=ENGINES)
def fuzzed(request, all_databases, tmp_path_factory):
    """A gateway process after all those requests: it, the kinds of answers, and its tables."""
    url = all_databases.url(request.param)
    settings = {"busy_wait_seconds": 0.1, "clarify_wait_seconds": 0.5}
    with serving(url, tmp_path_factory.mktemp("fuzz"), **settings) as one, rows.reading(url) as behind:
        node = one.worlds[0]
        for name in [*(f"k_{n}" for n in range(KEYS)), *(f"extra_{n}" for n in range(6))]:
            one.issue_key(name)
        charged = [node.again(f"k_{n}", f"paid_{n}", 100_000)["response"]["imp_uid"] for n in range(KEYS)]
        revoked = [f"revoked_{n}" for n in range(KEYS)]
        for n, merchant_uid in enumerate(revoked):
            plan = {"merchant_uid": merchant_uid, "schedule_at": int(time.time()) + 86_400, "amount": 1_000}
            body = {"customer_uid": f"k_{n}", "schedules": [plan]}
            assert node.call("POST", "/subscribe/payments/schedule", json=body).json()["code"] == 0
        assert node.call("POST", "/subscribe/payments/unschedule", json={"merchant_uid": revoked}).json()["code"] == 0
        known = {
            "revoked": revoked,
            "code": one.merchant.merchant.code,
            "api_key": one.merchant.api_key,
            "api_secret": one.merchant.api_secret,
            "paid": charged,
            "windows": [one.open_window(f"window_{n}", 1_000) for n in range(4)],
        }

        def call(first):
            caller, found = Caller(node), Counter()
            for number in range(first, COUNT, CALLERS):
                method, path, body, content_type = request_of(SEED, number, known)
                try:
                    answer = caller.send(method, path, body, content_type)
                except OSError as error:
                    raise AssertionError((SEED, number, method, path, body[:500])) from error
                try:
                    check(path, answer)
                except (AssertionError, ValueError, KeyError) as error:
                    raise AssertionError((SEED, number, method, path, body[:500], answer.text[:500])) from error
                found[answer.status_code] += 1
            caller.close()
            return found

        with ThreadPoolExecutor(CALLERS) as pool:
            statuses = sum(pool.map(call, range(CALLERS)), Counter())
        yield node, statuses, behind


def test_every_answer_was_the_documented_envelope(fuzzed):
    _, statuses, _ = fuzzed
    assert statuses.total() == COUNT
    assert {200, 400, 404, 405} <= set(statuses)
    assert statuses[200] > COUNT // 3


def test_the_way_of_every_payment_is_whole(fuzzed):
    _, _, behind = fuzzed
    broken = behind.fetch(
        """
        SELECT p.imp_uid, p.status, p.version, count(e.version) AS events, max(e.version) AS last_event
          FROM payments p LEFT JOIN payment_events e USING (merchant_id, imp_uid)
         GROUP BY p.imp_uid, p.status, p.version
        HAVING count(e.version) <> p.version OR max(e.version) <> p.version
        """
    )
    assert broken == []
    assert behind.fetch("SELECT * FROM payments p JOIN payment_events e USING (merchant_id, imp_uid, version) "
                        "WHERE p.status <> e.status") == []  # fmt: skip


def test_every_payment_has_its_attempt_and_every_window_its_payment(fuzzed):
    _, _, behind = fuzzed
    for table, of in (("attempts", "payments"), ("windows", "payments WHERE origin <> 'api'")):
        found = behind.fetch(f"SELECT imp_uid FROM {of}")
        kept = {row["imp_uid"] for row in behind.fetch(f"SELECT imp_uid FROM {table}")}
        assert len(found) > KEYS
        assert {row["imp_uid"] for row in found} <= kept
    assert behind.fetch("SELECT id FROM attempts WHERE outcome IS NULL OR outcome = 'unknown'") == []
    assert behind.fetch("SELECT imp_uid FROM payments WHERE status IN ('calling', 'unknown')") == []
    planned = behind.fetch("SELECT status, count(*) AS count FROM schedules GROUP BY status")
    assert {row["status"] for row in planned} >= {"scheduled", "revoked"}


HALVES = {
    "cancels that are not what their payment says": """
        SELECT p.imp_uid FROM payments p LEFT JOIN (
            SELECT merchant_id, imp_uid, sum(amount) AS amount FROM cancellations WHERE done_at IS NOT NULL
             GROUP BY merchant_id, imp_uid) c USING (merchant_id, imp_uid)
         WHERE p.cancelled_amount <> coalesce(c.amount, 0)
    """,
    "cancels without the attempt that says the same": """
        SELECT c.id FROM cancellations c LEFT JOIN attempts a
            ON a.merchant_id = c.merchant_id AND a.id = c.id AND a.verb = 'cancel' AND a.imp_uid = c.imp_uid
               AND a.amount = c.amount AND (a.outcome = 'approved') = (c.done_at IS NOT NULL)
         WHERE a.id IS NULL
    """,
    "paid keys that are not there": """
        SELECT p.imp_uid FROM payments p LEFT JOIN billing_keys k
            ON k.merchant_id = p.merchant_id AND k.id = p.billing_key_id AND k.customer_uid = p.customer_uid
         WHERE p.customer_uid IS NOT NULL AND p.paid_at IS NOT NULL AND k.id IS NULL
    """,
    "ended keys that nobody ends at the PG": """
        SELECT k.id FROM billing_keys k LEFT JOIN key_endings e
            ON e.merchant_id = k.merchant_id AND e.billing_key_id = k.id
          LEFT JOIN attempts a ON a.merchant_id = e.merchant_id AND a.id = e.attempt_id AND a.verb = 'deactivate'
         WHERE k.ended_at IS NOT NULL AND a.id IS NULL
    """,
    "executed plans whose payment is another's": """
        SELECT s.merchant_uid FROM schedules s LEFT JOIN payments p
            ON p.merchant_id = s.merchant_id AND p.imp_uid = s.imp_uid AND p.merchant_uid = s.merchant_uid
               AND p.amount = s.amount AND p.key_use = 'payment.scheduled'
         WHERE s.status = 'executed' AND p.imp_uid IS NULL
    """,
    "planned payments without their plan": """
        SELECT p.imp_uid FROM payments p LEFT JOIN schedules s USING (merchant_id, merchant_uid)
         WHERE p.key_use = 'payment.scheduled' AND s.merchant_uid IS NULL
    """,
    "outcomes that were to be told and are not in the outbox": """
        SELECT p.imp_uid FROM payments p LEFT JOIN webhook_deliveries d USING (merchant_id, imp_uid)
         WHERE p.notice_urls IS NOT NULL AND p.paid_at IS NOT NULL AND d.id IS NULL
    """,
}
"""Rows that would be left if what belongs together were not written together."""


@pytest.mark.parametrize("sql", HALVES.values(), ids=HALVES)
def test_no_row_is_half_written(fuzzed, sql):
    _, _, behind = fuzzed
    assert behind.fetch(sql) == []


def test_the_halves_would_be_seen(fuzzed):
    _, _, behind = fuzzed
    held = {
        "payments": "SELECT count(*) AS n FROM payments WHERE cancelled_amount > 0",
        "cancels": "SELECT count(*) AS n FROM cancellations WHERE done_at IS NOT NULL",
        "ended keys": "SELECT count(*) AS n FROM billing_keys WHERE ended_at IS NOT NULL",
        "executed plans": "SELECT count(*) AS n FROM schedules WHERE status = 'executed'",
        "told": "SELECT count(*) AS n FROM payments WHERE notice_urls IS NOT NULL AND paid_at IS NOT NULL",
    }
    assert {name for name, sql in held.items() if behind.fetch(sql)[0]["n"] == 0} == set()


@pytest.mark.parametrize(
    ("verb", "operation", "done"),
    [
        ("prepare", "ready", "ready"),
        ("charge", "subscription", "approved"),
        ("cancel", "cancel", "cancelled"),
        ("deactivate", "inactive", "deactivated"),
    ],
)
def test_attempts_and_the_simulators_log_agree(fuzzed, verb, operation, done):
    node, _, behind = fuzzed
    log = Counter(entry["outcome"] == done for entry in node.log(operation=operation))
    kept = behind.fetch(f"SELECT outcome, count(*) AS count FROM attempts WHERE verb = '{verb}' GROUP BY outcome")
    counted = {row["outcome"]: row["count"] for row in kept}
    assert counted.pop("approved") == log[True] > 0
    assert counted.get("declined", 0) == log[False]


def test_the_money_agrees_to_the_won(fuzzed):
    node, _, behind = fuzzed
    taken = {entry["tid"]: entry["amount"] for entry in node.log(operation="subscription", outcome="approved")}
    supplied = Counter()
    for entry in node.log(operation="cancel", outcome="cancelled"):
        supplied[entry["tid"]] += entry["amount"]
    stored = behind.fetch(
        "SELECT pg_tid, amount, cancelled_amount FROM payments WHERE paid_at IS NOT NULL AND amount > 0"
    )
    assert {row["pg_tid"]: row["amount"] for row in stored} == taken
    assert {row["pg_tid"]: row["cancelled_amount"] for row in stored if row["cancelled_amount"]} == supplied
