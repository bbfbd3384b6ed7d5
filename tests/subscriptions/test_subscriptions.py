"""A subscription of three steps in four languages, each written with what the manual says and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET, DEMO_CODE
from tests.support.rows import let_keys_settle
from tests.support.world import World, free_port, world
from tools import provide

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
START_SECONDS_MAX = 90
COMMANDS = {
    "python": lambda port: [sys.executable, "subscription.py"],
    "node": lambda port: [str(provide.node()), "subscription.mjs"],
    "php": lambda port: [str(provide.php()), "-S", f"127.0.0.1:{port}", "subscription.php"],
    "java": lambda port: [str(provide.java()), "Subscription.java"],
}


@pytest.fixture
def running(all_databases, tmp_path) -> Iterator[World]:
    with world(all_databases.url("sqlite"), tmp_path, clarify_wait_seconds=1) as everything:
        yield everything


@pytest.fixture(params=COMMANDS)
def shop(request, running, tmp_path) -> Iterator[httpx.Client]:
    """A shop in one language, beside the gateway."""
    folder, port = tmp_path / "shop", free_port()
    folder.mkdir()
    for path in HERE.glob("[sSp]*.*"):
        shutil.copy(path, folder)
    environment = os.environ | {
        "MAEDAL_URL": running.gateway,
        "MAEDAL_CODE": DEMO_CODE,
        "MAEDAL_API_KEY": DEMO_API_KEY,
        "MAEDAL_API_SECRET": DEMO_API_SECRET,
        "PORT": str(port),
    }
    log = (tmp_path / "shop.log").open("w+")
    with (
        log,
        subprocess.Popen(COMMANDS[request.param](port), cwd=folder, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
                deadline = time.monotonic() + START_SECONDS_MAX
                while not answers(client):
                    assert process.poll() is None, (tmp_path / "shop.log").read_text()
                    assert time.monotonic() < deadline, (tmp_path / "shop.log").read_text()
                    time.sleep(0.2)
                yield client
        finally:
            process.terminate()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/").status_code == 200
    except httpx.TransportError:
        return False


def asked_by(page: str) -> dict[str, str]:
    """Return what the page gives to `IMP.request_pay`, as far as it is fixed."""
    return dict(re.findall(r'^ +(\w+): "([^"]*)",$', page, re.MULTILINE))


def test_a_key_is_registered_charged_and_a_refusal_is_taken_for_one(running, shop):
    # Nothing is registered yet.
    refused = shop.post("/charge", json={"merchant_uid": "too early", "amount": 9_900}).json()
    assert refused == {"result": "refused", "why": "등록되지 않은 구매자입니다."}

    # Register: the page's button, and what the gateway says of it.
    page = shop.get("/").text
    assert f'src="{running.gateway}/v1/iamport.js"' in page
    assert f'IMP.init("{DEMO_CODE}")' in page
    wanted = asked_by(page)
    assert wanted == {"pg": "kakaopay", "name": "월간 이용권", "customer_uid": "member_1"}
    opened = running.open_window("register_1", 0, **wanted)
    assert shop.post("/registered", json={"imp_uid": opened["imp_uid"]}).json()["result"] == "refused"
    running.finish(opened)
    assert shop.post("/registered", json={"imp_uid": opened["imp_uid"]}).json() == {"result": "registered"}
    assert shop.post("/registered", json={"imp_uid": "imp_000000000000"}).json()["result"] == "refused"

    # Charge, and the same order again: paid once.
    for _ in range(2):
        let_keys_settle(running.settings.database_url)
        paid = shop.post("/charge", json={"merchant_uid": "1월 이용료 / & 1", "amount": 9_900}).json()
        assert paid["result"] == "paid"
    assert len(running.log(operation="subscription")) == 1

    # Refused by the PG: nothing was taken, and why is told.
    running.fault("subscription", "decline", method_result_code="NOT_ENOUGH_BALANCE")
    let_keys_settle(running.settings.database_url)
    refused = shop.post("/charge", json={"merchant_uid": "2월", "amount": 9_900}).json()
    assert refused["result"] == "refused"
    assert refused["why"].startswith("[-782]")
    assert [entry["outcome"] for entry in running.log(operation="subscription")] == ["approved", "declined"]
