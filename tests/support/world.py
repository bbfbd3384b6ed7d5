"""The whole way on this machine: gateway, simulator and demo shop, each on an origin of its own, over real HTTP."""

from __future__ import annotations

import itertools
import os
import random
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import asyncpg
import httpx
import uvicorn

from kakaopay_sandbox.app import create_app as create_sandbox
from kakaopay_sandbox.clock import ahead_by, wall_clock
from kakaopay_sandbox.settings import Settings as SandboxSettings
from maedal.app import Gateway, create_app, open_gateway
from maedal.billing_keys.last_approval import TIME_TOLERANCE
from maedal.clock import TravelClock
from maedal.demo.app import create_app as create_shop
from maedal.demo.shop import DemoSettings
from maedal.flows.set_up_channel import ChannelSettings, add_channel
from maedal.flows.set_up_merchant import create_merchant
from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET, DEMO_CODE
from maedal.server.bounds import ServerBounds
from maedal.server.protocol import protocol_of
from maedal.settings import Settings
from maedal.vault import create_key_file
from maedal.worker import loops
from tests.support.document import hold_against_document
from tests.support.endpoints import noted
from tests.support.rows import let_keys_settle

START_SECONDS_MAX = 60
MADE_AND_LOST = ("drop_after", "error_500_after", "garbled_after")
WORKERS_MAX, PORTS_EACH = 8, 1_000
_turns = itertools.count(random.SystemRandom().randrange(PORTS_EACH))


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on; below the range of outgoing connections.

    Each worker of the tests has ports of its own and gives them out in turn, so that one is not given out twice before
    anybody listens on it. Where it begins is the system's draw: tests seed the other one alike.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS_MAX
    for _ in range(PORTS_EACH):
        port = 12_000 + worker * PORTS_EACH + next(_turns) % PORTS_EACH
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


@contextmanager
def served(app: Any, port: int, bounds: ServerBounds | None = None) -> Iterator[uvicorn.Server]:
    """Serve an ASGI application from a thread until the block ends."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        access_log=False,
        log_config=None,
        http=protocol_of(bounds or ServerBounds()),
        ws="none",
        proxy_headers=False,
        timeout_graceful_shutdown=2,
        timeout_keep_alive=75,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + START_SECONDS_MAX
        while not server.started and thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert server.started, "the server did not start"
        yield server
    finally:
        server.should_exit = True
        thread.join(15)
        assert not thread.is_alive(), "the server did not end"


@dataclass
class World:
    """The three origins, and hands for a merchant, a buyer and a page."""

    gateway: str
    sandbox: str
    shop: str | None
    settings: Settings
    http: httpx.Client
    app: Any = None
    _token: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    _serving_gateway: ExitStack = field(default_factory=ExitStack)

    # -- the gateway itself

    def stop_gateway(self) -> None:
        self._serving_gateway.close()

    def start_gateway(self) -> None:
        """Start the gateway anew on the address it had, on what its database says."""
        port = httpx.URL(self.gateway).port
        self.app = create_app(self.settings, demo_allowed=True)
        self._serving_gateway.enter_context(served(noted(self.app), port))

    # -- the merchant's server

    def token(self) -> str:
        if self._token is None:
            answer = self.http.post(
                f"{self.gateway}/users/getToken", json={"imp_key": DEMO_API_KEY, "imp_secret": DEMO_API_SECRET}
            )
            self._token = answer.json()["response"]["access_token"]
        return self._token

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Call the REST API with the merchant's token; `json=`, `data=`, `content=`, `headers=` as for httpx."""
        headers = {"Authorization": self.token()} | more.pop("headers", {})
        return self.http.request(method, self.gateway + path, headers=headers, **more)

    def again(
        self, customer_uid: str, merchant_uid: str, amount: int = 3_000, *, settles: bool = True, **more: Any
    ) -> dict[str, Any]:
        """Charge a key whose last approval was a while ago, whenever it was; `settles=False` leaves it as it is."""
        if settles:
            # What a database that is away keeps from settling makes the charge wait, and no more.
            with suppress(OSError, sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError):
                let_keys_settle(self.settings.database_url)
        body = {"customer_uid": customer_uid, "merchant_uid": merchant_uid, "amount": amount} | more
        return self.call("POST", "/subscribe/payments/again", json=body).json()

    def payment(self, imp_uid: str) -> dict[str, Any]:
        return self.call("GET", f"/payments/{imp_uid}", params={"include_sandbox": "true"}).json()["response"]

    # -- the shop's page

    def open_window(self, merchant_uid: str, amount: int = 0, **more: Any) -> dict[str, Any]:
        """Do what the SDK does when the page calls `request_pay`; `call=` changes the call, the rest the params.

        The browser says the same of the page's origin as the page itself, unless `headers=` say what it does say.
        """
        call = dict(more.pop("call", {}))
        page = call.pop("page", {"origin": "http://shop.test", "url": "http://shop.test/pay"})
        headers = more.pop("headers", {"Origin": page["origin"]} if "origin" in page else {})
        params = {"pg": "kakaopay", "merchant_uid": merchant_uid, "amount": amount, "name": "Monthly plan"} | more
        body = {
            "user_code": DEMO_CODE,
            "nonce": "0123456789abcdef",
            "device": "pc",
            "presentation": "frame",
            "page": page,
            "params": params,
        }
        return self.http.post(f"{self.gateway}/sdk/payments", json=body | call, headers=headers).json()

    def state(self, opened: dict[str, Any]) -> dict[str, Any]:
        address = f"{self.gateway}/sdk/payments/{opened['imp_uid']}"
        return self.http.get(address, headers={"Authorization": f"Bearer {opened['token']}"}).json()

    # -- the buyer

    def tid(self, opened: dict[str, Any]) -> str:
        return self.payment(opened["imp_uid"])["pg_tid"]

    def agree(self, opened: dict[str, Any], method: str = "MONEY") -> str:
        """Let the buyer agree on the phone; gives the address that KakaoPay sends the browser to."""
        address = f"{self.sandbox}/_sim/orders/{self.tid(opened)}/authenticate"
        return self.http.post(address, json={"payment_method_type": method}).json()["approval_url"]

    def finish(self, opened: dict[str, Any], method: str = "MONEY") -> dict[str, Any]:
        """Let the buyer agree and come back; gives the state that the page then learns."""
        self.http.get(self.agree(opened, method))
        return self.state(opened)

    def issue_key(self, customer_uid: str, amount: int = 0, method: str = "MONEY") -> dict[str, Any]:
        """Register a billing key the whole way, a while ago; gives the page's result."""
        opened = self.open_window(f"issue_{customer_uid}", amount, customer_uid=customer_uid)
        state = self.finish(opened, method)
        assert state["result"]["success"], state
        let_keys_settle(self.settings.database_url)
        return state["result"]

    # -- the simulator

    def fault(self, operation: str, kind: str, **more: Any) -> None:
        """Arm a fault. A charge whose answer will be lost is made long enough after its key's last approval to be told
        from it, by KakaoPay's seconds.
        """
        if operation == "subscription" and kind in MADE_AND_LOST:
            time.sleep(TIME_TOLERANCE.total_seconds() + 1)
        body = {"operation": operation, "kind": kind, "times": 1} | more
        self.http.post(f"{self.sandbox}/_sim/faults", json=body).raise_for_status()

    def log(self, **filters: str) -> list[dict[str, Any]]:
        return self.http.get(f"{self.sandbox}/_sim/log", params=filters).json()

    def advance_sandbox(self, seconds: float) -> None:
        self.http.post(f"{self.sandbox}/_sim/clock", json={"advance_seconds": seconds}).raise_for_status()


async def _prepare(settings: Settings, webhook_url: str | None) -> None:
    async with open_gateway(settings, serving=False) as gateway:
        await make_demo_merchant(gateway, webhook_url)


async def make_demo_merchant(gateway: Gateway, webhook_url: str | None = None) -> None:
    """Make the merchant of `maedal dev`, with its two test channels."""
    await create_merchant(
        gateway.services,
        "Demo",
        code=DEMO_CODE,
        api_key=DEMO_API_KEY,
        api_secret=DEMO_API_SECRET,
        webhook_url_test=webhook_url,
    )
    for cid in ("TC0ONETIME", "TCSUBSCRIP"):
        await add_channel(gateway.services, DEMO_CODE, ChannelSettings(cid=cid, test_mode=True))


NEVER_SECONDS = 1_000_000.0
"""Longer than any test runs."""


@contextmanager
def world(
    database_url: str,
    folder: Path,
    *,
    with_shop: bool = False,
    webhook_url: str | None = None,
    monthly_limit: int = 20,
    gateway_options: dict[str, Any] | None = None,
    travels: bool = False,
    host: str = "127.0.0.1",
    asks_by_itself: bool = True,
    **changes: Any,
) -> Iterator[World]:
    """Start everything on a fresh, migrated database; `changes` are settings of the gateway, `host` its public name.

    With `travels` the three share a clock that the console can move, as in `maedal dev`. Without `asks_by_itself` the
    gateway leaves what is unknown, and keys whose end is unconfirmed, to whoever tries that in the console: its own
    look, which may come at any moment, does not get there first.
    """
    gateway_port, sandbox_port, shop_port = free_port(), free_port(), free_port()
    key_file = folder / "keys.json"
    if not key_file.exists():
        create_key_file(key_file)
    settings = Settings(
        **{
            "database_url": database_url,
            "key_file": key_file,
            "public_url": f"http://{host}:{gateway_port}",
            "sandbox_url": f"http://127.0.0.1:{sandbox_port}",
            "allow_private_addresses": True,
        }
        | changes
    )
    _run_in_thread(_prepare(settings, webhook_url))
    clock_file = folder / "clock"
    if travels:
        gateway_options = {"clock": TravelClock(clock_file)} | (gateway_options or {})
    app = create_app(settings, demo_allowed=True, **(gateway_options or {}))
    sandbox = create_sandbox(
        SandboxSettings(
            data_file=folder / "sandbox.db",
            public_url=f"http://127.0.0.1:{sandbox_port}",
            monthly_limit=monthly_limit,
            wall=ahead_by(clock_file) if travels else wall_clock,
        )
    )
    with ExitStack() as stack:
        if not asks_by_itself:
            for pause in ("UNKNOWN_SECONDS", "KEY_ENDINGS_SECONDS"):
                stack.enter_context(patch.object(loops, pause, NEVER_SECONDS))
        stack.enter_context(served(sandbox, sandbox_port))
        serving_gateway = stack.enter_context(ExitStack())
        serving_gateway.enter_context(served(noted(app), gateway_port))
        shop_url = None
        if with_shop:
            shop_url = f"http://127.0.0.1:{shop_port}"
            demo = DemoSettings(
                gateway_url=settings.public_url,
                identification_code=DEMO_CODE,
                api_key=DEMO_API_KEY,
                api_secret=DEMO_API_SECRET,
                shop_url=shop_url,
                sandbox_url=settings.sandbox_url,
                clock_file=clock_file if travels else None,
            )
            stack.enter_context(served(create_shop(demo), shop_port))
        http = stack.enter_context(
            httpx.Client(timeout=60, event_hooks={"response": [_documented(settings.public_url)]})
        )
        yield World(
            settings.public_url,
            settings.sandbox_url or "",
            shop_url,
            settings,
            http,
            app,
            _serving_gateway=serving_gateway,
        )


def _documented(gateway: str) -> Callable[[httpx.Response], None]:
    """Hold every answer of the gateway against the API document, so that no test sees a shape that nobody wrote down."""

    def check(response: httpx.Response) -> None:
        request = response.request
        if str(request.url).startswith(gateway):
            path = request.url.raw_path.decode().partition("?")[0]
            hold_against_document(request.method, path, response.status_code, response.read())

    return check


def _run_in_thread(work: Any) -> None:
    """Run a coroutine on a loop of its own, also when the test itself runs in one."""
    import asyncio

    failed: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
