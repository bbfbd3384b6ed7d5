"""One Chromium for all SDK tests; a gateway, a shop and a fresh browser context for each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from tests.support.chromium import QUIET
from tools import provide

from .contract import Gateway, Shop, listen

PATIENCE_MILLISECONDS = 30_000
"""Only a machine at its limit comes near it."""
IPHONE = {
    "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=provide.chromium(), args=list(QUIET))
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def gateway() -> AsyncIterator[Gateway]:
    gateway = Gateway()
    runner, gateway.url = await listen(gateway.app())
    yield gateway
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def shop_pages() -> AsyncIterator[tuple[str, dict[str, Any]]]:
    served: dict[str, Any] = {}

    async def serve(request: web.Request) -> web.Response:
        html, headers = served.get(request.path, ("<!doctype html><title>elsewhere</title>elsewhere", {}))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(text=html, content_type="text/html", charset="utf-8", headers=named)

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    runner, url = await listen(app)
    yield url, served
    await runner.cleanup()


async def _shop(context: BrowserContext, gateway: Gateway, shop_pages: tuple[str, dict[str, Any]]) -> Shop:
    page = await context.new_page()
    shop = Shop(page, gateway, *shop_pages)

    async def accept(dialog: Any) -> None:
        shop.alerts.append(dialog.message)
        await dialog.accept()

    page.on("dialog", accept)
    page.on("pageerror", lambda error: shop.errors.append(str(error)))
    page.on("console", lambda line: shop.console.append(line.text))
    return shop


@pytest_asyncio.fixture(loop_scope="session")
async def shop(chromium: Browser, gateway: Gateway, shop_pages: Any) -> AsyncIterator[Shop]:
    """A shop in a desktop browser, page opened."""
    context = await chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    shop = await _shop(context, gateway, shop_pages)
    await shop.open()
    yield shop
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def phone(chromium: Browser, gateway: Gateway, shop_pages: Any) -> AsyncIterator[Shop]:
    """The same shop on a phone; the gateway sends phones on by redirect."""
    gateway.next_kind = "redirect"
    context = await chromium.new_context(**IPHONE)
    context.set_default_timeout(10_000)
    shop = await _shop(context, gateway, shop_pages)
    await shop.open()
    yield shop
    await context.close()
