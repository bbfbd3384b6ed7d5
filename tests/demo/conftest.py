import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from maedal.demo.app import create_app
from maedal.demo.shop import DemoSettings
from tests.demo.double import PaymentServer

SHOP_URL = "http://shop.test"  # as the shop calls itself; webhooks of these tests come from the tests


class Buyer:
    """Somebody in front of the shop's page."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def orders(self, kind: str, **wanted: Any) -> dict[str, Any]:
        reply = await self.client.post("/api/orders", json={"kind": kind, **wanted})
        assert reply.status_code == 201, reply.text
        return reply.json()

    async def reports(self, order: dict[str, Any], imp_uid: str | None, **rest: Any) -> dict[str, Any]:
        body = {"merchant_uid": order["merchant_uid"], "imp_uid": imp_uid, **rest}
        reply = await self.client.post("/payments/complete", json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def registers(self, server: PaymentServer) -> str:
        order = await self.orders("register")
        assert (await self.reports(order, server.pays(order)))["status"] == "paid"
        return order["customer_uid"]

    async def is_charged(self, customer_uid: str, amount: int = 3000) -> dict[str, Any]:
        order = await self.orders("again", customer_uid=customer_uid, amount=amount)
        reply = await self.client.post(f"/api/orders/{order['merchant_uid']}/charge")
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def webhook(self, order: dict[str, Any], imp_uid: str, status: str = "paid") -> str:
        body = {"imp_uid": imp_uid, "merchant_uid": order["merchant_uid"], "status": status}
        reply = await self.client.post("/portone-webhook", json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()["result"]

    async def sees(self) -> dict[str, Any]:
        return (await self.client.get("/api/state")).json()


@pytest.fixture
async def server() -> AsyncIterator[PaymentServer]:
    async with PaymentServer() as server:
        yield server


def settings(gateway_url: str, data_file: Path | None = None, secret: str = "secret-of-the-shop") -> DemoSettings:
    return DemoSettings(gateway_url, "imp00000000", "imp_apikey", secret, SHOP_URL, "http://127.0.0.1:8081", data_file)


@asynccontextmanager
async def open_shop(settings: DemoSettings) -> AsyncIterator[Buyer]:
    """The shop behind a real HTTP server, until the block ends."""
    http = uvicorn.Server(uvicorn.Config(create_app(settings), port=0, log_level="warning", lifespan="on", ws="none"))
    serving = asyncio.create_task(http.serve())
    while not http.started:
        assert not serving.done(), "the shop did not start"
        await asyncio.sleep(0.01)
    port = http.servers[0].sockets[0].getsockname()[1]
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            yield Buyer(client)
    finally:
        http.should_exit = True
        await serving


@pytest.fixture
async def buyer(server: PaymentServer) -> AsyncIterator[Buyer]:
    async with open_shop(settings(server.url)) as buyer:
        yield buyer
