"""Logs: every line an object, and nothing secret or personal in any of them."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import structlog

from maedal import logs
from maedal.settings import LogFormat
from maedal.storage.store import StoreError
from tests.support import rows
from tests.support.processes import serving
from tests.support.raw import raw
from tests.support.receiver import receiver

BUYER = {
    "buyer_name": "김매달",
    "buyer_email": "maedal.kim@example.com",
    "buyer_tel": "010-9876-5432",
    "buyer_addr": "세종시 한누리대로 2130",
    "buyer_postcode": "30151",
}
CARD_NUMBER = "9404-1234-5678-9012"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def everything_said(request, all_databases, tmp_path_factory):
    """Go the whole way, well and badly; give all lines, and everything that must not be in them."""
    url = all_databases.url(request.param)
    with receiver() as shop:
        shop.answer("/refuses", 500, b"broken")
        with serving(
            url, tmp_path_factory.mktemp("logs"), webhook_url=f"{shop.url}/refuses", clarify_wait_seconds=1
        ) as one:
            secrets = _go_the_whole_way(one, shop)
            _break(one, url)
        lines = one.processes[0].err
    return lines, secrets


def _go_the_whole_way(one, shop):
    node, secrets = one.worlds[0], {}
    opened = one.open_window("o_1", customer_uid="c_1", customer_id="member-kim", **BUYER)
    secrets["sdk token"] = opened["token"]
    secrets["window token"] = urlsplit(opened["next"]["url"]).path.rpartition("/")[2]
    returned = urlsplit(node.agree(opened))
    secrets["return token"] = returned.path.split("/")[2]
    secrets["pg_token"] = returned.query.partition("=")[2]
    node.http.get(returned.geturl())
    secrets["SID"] = node.log(operation="approve")[0]["sid"]
    # Declined, lost and clarified, lost for good, bad.
    for n, kind in enumerate(["decline", "drop_after", "garbled_after", "error_500_after"]):
        node.fault("subscription", kind)
        node.again("c_1", f"o_2_{n}", **BUYER)
    node.fault("approve", "drop_after")
    lost = one.open_window("o_3", 1_000, **BUYER)
    node.finish(lost)
    node.fault("ready", "garbled_after")
    one.open_window("o_4", 1_000, **BUYER)
    node.again("nobody", "o_5", **BUYER)
    node.call("POST", "/subscribe/payments/onetime", json={"card_number": CARD_NUMBER} | BUYER)
    node.call("POST", "/subscribe/payments/again", content=b'{"buyer_name": "' + BUYER["buyer_name"].encode())
    pair = {"imp_key": one.merchant.api_key, "imp_secret": one.merchant.api_secret + "x"}
    node.http.post(f"{node.gateway}/users/getToken", json=pair)
    raw(node.gateway, "GET", f"/checkout/{secrets['return token']}/approve?pg_token={secrets['pg_token']}")
    raw(node.gateway, "GET", f"/payments/find/{secrets['SID']}?_token={node.token()}")
    stopped = one.open_window("o_6", 1_000, confirm_url=shop.answer("/no", 400, b"{}"), **BUYER)
    node.finish(stopped)
    node.fault("inactive", "drop_before")
    node.call("DELETE", "/subscribe/customers/c_1")
    return secrets | {
        "API secret": one.merchant.api_secret,
        "access token": node.token(),
        "the simulator's key": "DEV0000000000000000000000000000000000000",
        "card number": CARD_NUMBER,
        **BUYER,
    }


def _break(one, url):
    """Let the database refuse what it is given, in words that quote the row, and then vanish."""
    node = one.worlds[0]
    one.issue_key("c_2")
    rows.fetch(url, "DROP TABLE webhook_tries")
    rows.fetch(url, "DROP TABLE webhook_deliveries")
    node.again("c_2", "o_7", **BUYER)
    opened = one.open_window("o_8", 1_000, **BUYER)
    node.finish(opened)
    rows.fetch(url, "ALTER TABLE payments RENAME TO payments_elsewhere")
    assert node.call("GET", "/payments/find/o_1").status_code == 503
    # A page of the way back asks again by itself; the script's answer says that the store is away.
    assert 'http-equiv="refresh"' in node.http.get(opened["next"]["url"]).text
    reply = node.http.get(f"{node.gateway}/sdk/payments/{opened['imp_uid']}?token={opened['token']}")
    assert reply.status_code == 503
    one.open_window("o_9", 1_000, **BUYER)


@pytest.mark.slow
def test_every_line_is_an_object_with_a_level_and_a_time(everything_said):
    lines, _ = everything_said
    assert len(lines) > 20
    for line in lines:
        entry = json.loads(line)
        assert entry["event"]
        assert entry["level"] in {"info", "warning", "error", "critical"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", entry["timestamp"])


@pytest.mark.slow
def test_what_happened_can_be_followed(everything_said):
    lines, _ = everything_said
    events = {json.loads(line)["event"] for line in lines}
    assert events >= {"pg_answer_lost", "webhook_sent", "store_failed", "worker_turn_failed"}
    assert any("exception" in json.loads(line) for line in lines)


@pytest.mark.slow
def test_no_line_holds_anything_secret_or_personal(everything_said):
    lines, secrets = everything_said
    found = {what: [line for line in lines if secret in line] for what, secret in secrets.items()}
    assert {what: held for what, held in found.items() if held} == {}
    assert not [line for line in lines if re.search(r"\bS[0-9a-f]{19}\b", line)]


# -- the second line of defence, quickly


class QuotingError(Exception):
    """A library's error that quotes what it was given."""


@contextmanager
def entry():
    """Log as `serve` does; the list that this gives is filled when the block ends. What was set up comes back."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, structlog.get_config(), sys.stderr)
    lines = []
    sys.stderr = stream = io.StringIO()
    try:
        logs.set_up(LogFormat.JSON)
        yield lines
    finally:
        root.handlers[:], level, config, sys.stderr = before
        root.setLevel(level)
        structlog.configure(**config)
    lines.extend(json.loads(line) for line in stream.getvalue().splitlines())


def test_fields_with_telling_names_are_masked():
    telling = ["api_secret", "access_token", "Authorization", "password", "sid", "pg_key", "buyer_name", "customer_tel"]
    with entry() as lines:
        structlog.get_logger("masking").info("told", **dict.fromkeys(telling, "value"), imp_uid="imp_1")
    assert {name: lines[0][name] for name in telling} == dict.fromkeys(telling, logs.MASK)
    assert lines[0]["imp_uid"] == "imp_1"


@pytest.mark.parametrize(
    "secret",
    ["S1234567890abcdef123", "0123456789abcdef0123456789abcdef01234567", "DEVABCDEFGHIJ0123456789", "pg_token=abc",
     "/checkout/AbCdEfGhIjKlMnOpQrStUvWx"],
)  # fmt: skip
def test_what_looks_like_a_secret_is_masked_wherever_it_stands(secret):
    with entry() as lines:
        structlog.get_logger("looks").warning(f"before {secret} after", text=f"<{secret}>")
        logging.getLogger("a.library").warning("before %s after", secret)
        structlog.get_logger("looks").error("broke", exc_info=OSError(f"cannot reach {secret}"))
    assert len(lines) == 3
    assert secret not in json.dumps(lines)


def _refuse_a_row(row):
    raise QuotingError(f"Failing row contains ({row})")


def _refuse_a_write(row):
    try:
        _refuse_a_row(row)
    except QuotingError as cause:
        raise StoreError("the database did not take the write") from cause


def test_an_exceptions_frames_are_kept_and_foreign_words_left_out():
    with entry() as lines:
        try:
            _refuse_a_write(BUYER["buyer_name"])
        except StoreError as error:
            structlog.get_logger("broken").error("store_failed", exc_info=error)
            logging.getLogger("a.library").exception("Exception in a library")
    assert len(lines) == 2
    for line in lines:
        assert "_refuse_a_write" in line["exception"]
        assert "maedal.storage.store.StoreError: the database did not take the write" in line["exception"]
        assert "QuotingError" in line["exception"]
        assert BUYER["buyer_name"] not in json.dumps(line, ensure_ascii=False)
