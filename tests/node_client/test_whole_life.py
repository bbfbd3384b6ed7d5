"""PortOne's own Node.js client (npm `iamport-rest-client-nodejs`): the whole life of a key, told nothing but another URL."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET
from tests.browser.browsers import issue_key
from tests.support.world import world
from tools import provide

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
SECONDS_MAX = 60
DAY = 86_400


class Shop:
    """A shop's server in Node.js: hears what it saw at each step, and lets it go on."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._reply: object = {}

    def start(self, **reply: str) -> None:
        self._reply = reply

    def saw(self, step: str) -> dict:
        """Let it go on, and return what it got at this step, which must be its next."""
        print(json.dumps(self._reply), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, self._process.stderr.read()
        self._reply = {}
        message = json.loads(line)
        assert message["step"] == step
        return message["what"]

    def tell(self, **reply: int) -> None:
        self._reply = reply

    def end(self) -> int:
        print(json.dumps({}), file=self._process.stdin, flush=True)
        return self._process.wait(SECONDS_MAX)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory) -> Path:
    """A folder with the client in it, exactly as locked."""
    provide.node()
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json", ".npmrc", "life.js"):
        shutil.copy(HERE / name, folder)
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def running(database_url, tmp_path):
    with world(database_url, tmp_path) as everything:
        yield everything


@pytest.fixture
def shop(workshop):
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [provide.node(), "life.js"], cwd=workshop, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as process:
        watchdog = threading.Timer(SECONDS_MAX, process.kill)
        watchdog.start()
        yield Shop(process)
        watchdog.cancel()
        process.kill()


def shown(seconds):
    """Return a time as the client shows it in JSON: it makes a Date of every one that is not 0."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def fields(found, *names):
    return tuple(found[name] for name in names)


def test_the_whole_life_of_a_key(running, shop):
    issue_key(running, "node")
    shop.start(baseUrl=running.gateway, apiKey=DEMO_API_KEY, apiSecret=DEMO_API_SECRET, customerUid="node")
    assert shop.saw("token")["access_token"] == running.token()
    assert shop.saw("key")["response"]["customer_uid"] == "node"
    assert [key["customer_uid"] for key in shop.saw("keys")["response"]] == ["node"]

    paid = shop.saw("paid")["response"]
    assert fields(paid, "status", "amount", "customer_uid", "name") == ("paid", 3_000, "node", "월간 이용권")
    running.fault("subscription", "decline", method_result_code="NOT_ENOUGH_BALANCE")
    declined = shop.saw("declined")
    assert (declined["code"], declined["response"]["status"]) == (0, "failed")
    assert declined["response"]["fail_reason"].startswith("[-782]")
    assert fields(shop.saw("used"), "status", "code", "response") == (200, -1, None)
    assert shop.saw("found")["response"]["imp_uid"] == paid["imp_uid"]
    assert shop.saw("found by order")["response"]["imp_uid"] == paid["imp_uid"]
    several = shop.saw("several")
    assert [p["imp_uid"] for p in several["response"]] == [paid["imp_uid"]]
    assert several["failed"] == ["imp_000000000000"]
    by_status = shop.saw("by status")["response"]
    assert fields(by_status, "total", "next") == (2, 2)
    assert [p["imp_uid"] for p in by_status["list"]] == [paid["imp_uid"]]

    assert shop.saw("plan") is None
    soon, later = int(time.time()) + 8, int(time.time()) + 30 * DAY
    shop.tell(soon=soon, later=later)
    planned = shop.saw("planned")["response"]
    assert [fields(s, "merchant_uid", "schedule_at", "schedule_status") for s in planned] == [
        ("node_run", shown(soon), "scheduled"),
        ("node_moved", shown(later), "scheduled"),
        ("node_revoked", shown(later), "scheduled"),
    ]
    wait_until_paid(running, "node_run")
    run = shop.saw("run")["response"]
    assert fields(run, "merchant_uid", "schedule_status", "payment_status") == ("node_run", "executed", "paid")
    assert [s["merchant_uid"] for s in shop.saw("revoked")["response"]] == ["node_revoked"]
    assert fields(shop.saw("planned anew")["response"], "schedule_at", "schedule_status") == (later + DAY, "scheduled")
    assert fields(shop.saw("moved")["response"], "schedule_at", "schedule_status") == (later, "scheduled")
    assert [s["schedule_status"] for s in shop.saw("revoked again")["response"]] == ["revoked"]
    assert fields(shop.saw("nothing to revoke"), "code", "message") == (1, "취소할 예약결제 기록이 존재하지 않습니다.")
    assert shop.saw("span") is None
    shop.tell(**{"from": soon - DAY, "to": later + DAY})
    statuses = {"node_run": "executed", "node_moved": "scheduled", "node_revoked": "revoked"}
    for step in ("scheduled", "scheduled by customer"):
        found = shop.saw(step)["response"]
        assert {s["merchant_uid"]: s["schedule_status"] for s in found["list"]} == statuses

    partly = shop.saw("partly cancelled")["response"]
    assert fields(partly, "status", "cancel_amount", "amount") == ("cancelled", 1_000, 3_000)
    assert fields(shop.saw("wrong checksum"), "code", "response") == (1, None)
    wholly = shop.saw("wholly cancelled")["response"]
    assert fields(wholly, "cancel_amount", "cancel_reason") == (3_000, "변심")
    assert [c["amount"] for c in wholly["cancel_history"]] == [1_000, 2_000]
    assert fields(shop.saw("nothing left"), "code", "message") == (1, "이미 전액취소된 주문입니다.")

    assert shop.saw("registered")["response"]["amount"] == 500
    assert shop.saw("registered amount")["response"]["amount"] == 500
    payments = shop.saw("payments of the key")["response"]
    assert [p["status"] for p in payments["list"]] == ["paid", "failed", "cancelled", "paid"]
    assert shop.saw("deleted")["response"]["customer_uid"] == "node"
    assert fields(shop.saw("gone"), "status", "code") == (200, 1)
    assert fields(shop.saw("too late"), "code", "message") == (1, "등록되지 않은 구매자입니다.")
    assert fields(shop.saw("missing"), "status", "code") == (404, -1)
    assert shop.end() == 0
    charges = [entry["outcome"] for entry in running.log(operation="subscription")]
    assert charges == ["approved", "declined", "approved"]
    assert [entry["amount"] for entry in running.log(operation="cancel")] == [1_000, 2_000]


def wait_until_paid(running, merchant_uid):
    deadline = time.monotonic() + 60
    status = None
    while status != "paid" and time.monotonic() < deadline:
        time.sleep(0.1)
        answer = running.call("GET", f"/subscribe/payments/schedule/{merchant_uid}")
        status = answer.json()["response"]["payment_status"]
    assert status == "paid"


def test_the_lock_file_names_no_registry():
    assert '"resolved"' not in (HERE / "package-lock.json").read_text("utf-8")
