"""A simulator on a real port, a shop that calls it, and a buyer, for the tests of this folder."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import uvicorn

from kakaopay_sandbox.app import create_app
from kakaopay_sandbox.settings import Settings

CURRENT = "/online/v1/payment"
LEGACY = "/v1/payment"
CURRENT_KEY = {"Authorization": "SECRET_KEY DEV0000000000000000000000000000000000000"}
LEGACY_KEY = {"Authorization": "KakaoAK 0123456789abcdef0123456789abcdef"}

SINGLE = "TC0ONETIME"
RECURRING = "TCSUBSCRIP"

# Noon in Seoul; tests that look at times stand still here and push the simulator's clock.
NOON = datetime(2026, 11, 23, 3, 0, 0, tzinfo=UTC)


def stopped_clock() -> datetime:
    return NOON


class _QuickServer(uvicorn.Server):
    """uvicorn looks ten times a second whether it should end; hundreds of tests should not wait for that."""

    async def main_loop(self) -> None:
        while not self.should_exit:
            await asyncio.sleep(0.01)


@contextmanager
def running(settings: Settings) -> Iterator[str]:
    """Serve a simulator on a free port of this machine; yields its origin."""
    server = _QuickServer(
        uvicorn.Config(
            create_app(settings),
            host="127.0.0.1",
            port=0,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        for _ in range(500):
            if server.started or not thread.is_alive():
                break
            time.sleep(0.01)
        assert server.started, "the simulator did not start"
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@dataclass
class Shop:
    """A merchant's server and a test's hands: calls the API, drives the simulator.

    Every builder fills in what the scenario does not mention.
    """

    http: httpx.Client
    base: str = CURRENT
    headers: dict[str, str] = field(default_factory=lambda: dict(CURRENT_KEY))
    cid: str = RECURRING

    def as_legacy(self) -> "Shop":
        return replace(self, base=LEGACY, headers=dict(LEGACY_KEY))

    def under(self, cid: str) -> "Shop":
        return replace(self, cid=cid)

    def call(self, path: str, fields: dict[str, Any]) -> httpx.Response:
        """One call; a field given as None is left out."""
        sent = {name: value for name, value in fields.items() if value is not None}
        if self.base == LEGACY:
            return self.http.post(self.base + path, data=sent, headers=self.headers)
        return self.http.post(self.base + path, json=sent, headers=self.headers)

    def ready(self, **changes: Any) -> httpx.Response:
        fields = {
            "cid": self.cid,
            "partner_order_id": "order-1",
            "partner_user_id": "minji",
            "item_name": "월간 구독",
            "quantity": 1,
            "total_amount": 9900,
            "tax_free_amount": 0,
            "approval_url": "http://127.0.0.1:1/ok?o=1",
            "cancel_url": "http://127.0.0.1:1/cancel?o=1",
            "fail_url": "http://127.0.0.1:1/fail?o=1",
        }
        return self.call("/ready", fields | changes)

    def ready_order(self, **changes: Any) -> dict[str, Any]:
        reply = self.ready(**changes)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def approve(self, tid: str, pg_token: str, **changes: Any) -> httpx.Response:
        fields = {
            "cid": self.cid,
            "tid": tid,
            "partner_order_id": "order-1",
            "partner_user_id": "minji",
            "pg_token": pg_token,
        }
        return self.call("/approve", fields | changes)

    def pay(self, method: str = "MONEY", **changes: Any) -> dict[str, Any]:
        """Ready, a buyer who authenticates, approve: the reply of approve."""
        tid = self.ready_order(**changes)["tid"]
        names = ("partner_order_id", "partner_user_id")
        same = {name: changes[name] for name in names if name in changes}
        reply = self.approve(tid, self.authenticate(tid, method), **same)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def charge(self, sid: str, **changes: Any) -> httpx.Response:
        fields = {
            "cid": self.cid,
            "sid": sid,
            "partner_order_id": "charge-1",
            "partner_user_id": "minji",
            "quantity": 1,
            "total_amount": 9900,
            "tax_free_amount": 0,
        }
        return self.call("/subscription", fields | changes)

    def status(self, sid: str, **changes: Any) -> httpx.Response:
        return self.call("/manage/subscription/status", {"cid": self.cid, "sid": sid} | changes)

    def deactivate(self, sid: str, **changes: Any) -> httpx.Response:
        return self.call("/manage/subscription/inactive", {"cid": self.cid, "sid": sid} | changes)

    def order(self, tid: str, **changes: Any) -> httpx.Response:
        return self.call("/order", {"cid": self.cid, "tid": tid} | changes)

    def cancel(self, tid: str, amount: int, **changes: Any) -> httpx.Response:
        fields = {"cid": self.cid, "tid": tid, "cancel_amount": amount, "cancel_tax_free_amount": 0}
        return self.call("/cancel", fields | changes)

    # The test's own hands, by the control API.

    def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        reply = self.http.request(method, f"/_sim{path}", json=body)
        assert reply.status_code < 300, reply.text
        return reply.json()

    def authenticate(self, tid: str, method: str = "MONEY") -> str:
        """Have the buyer authenticate; the `pg_token` that the browser would bring."""
        reply = self.control("POST", f"/orders/{tid}/authenticate", {"payment_method_type": method})
        return str(httpx.URL(reply["approval_url"]).params["pg_token"])

    def seed_sid(self, **changes: Any) -> str:
        body = {"cid": self.cid, "partner_user_id": "minji", "payment_method_type": "MONEY", "item_name": "월간 구독"}
        return str(self.control("POST", "/sids", body | changes)["sid"])

    def fault(self, operation: str, kind: str, **more: Any) -> None:
        self.control("POST", "/faults", {"operation": operation, "kind": kind, "times": 1} | more)

    def until_faults_are_taken(self) -> None:
        """Wait until the calls that the arranged faults wait for have come in."""
        wait_until(lambda: self.control("GET", "/faults") == [])

    def advance(self, seconds: int) -> None:
        self.control("POST", "/clock", {"advance_seconds": seconds})

    def log(self, **filters: str) -> list[dict[str, Any]]:
        reply = self.http.get("/_sim/log", params=filters)
        assert reply.status_code == 200, reply.text
        return list(reply.json())

    def balance(self) -> int:
        return int(self.control("GET", "/buyer")["balance"])


def wait_until(is_so: Callable[[], bool]) -> None:
    for _ in range(400):
        if is_so():
            return
        time.sleep(0.025)
    raise AssertionError("waited 10 seconds in vain")


def code_of(reply: httpx.Response) -> int:
    """The error code of a refusal in either generation; both refuse a payment with HTTP 400."""
    body = reply.json()
    return int(body.get("error_code", body.get("code")))
