"""One Chromium for the folder, everything else running beside it for each module, a fresh browser profile for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.support.world import World, world

from .browsers import DESKTOP, PATIENCE_MILLISECONDS, launch, launch_shell
from .people import Merchant, Visit, merchant_server


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def shell(playwright: Playwright) -> Iterator[Browser]:
    """Chromium without its own layer, for tests in which only pages of one site are shown."""
    browser = launch_shell(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def everything(all_databases: Any, tmp_path_factory: Any) -> Iterator[World]:
    """Gateway, simulator and demo shop, on SQLite."""
    with world(all_databases.url("sqlite"), tmp_path_factory.mktemp("world"), with_shop=True) as running:
        yield running


@pytest.fixture(scope="module")
def merchant() -> Iterator[Merchant]:
    with merchant_server() as running:
        yield running


@pytest.fixture
def visit(chromium: Browser, everything: World, merchant: Merchant) -> Iterator[Callable[..., Visit]]:
    """Let a buyer visit the merchant: `visit()` at a desk, `visit(**playwright.devices["iPhone 13"])` on a phone."""
    visits: list[Visit] = []

    def begin(world: World = everything, browser: Browser = chromium, **device: Any) -> Visit:
        context = browser.new_context(**(device or DESKTOP))
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        visits.append(Visit(context, world, merchant))
        return visits[-1]

    yield begin
    for one in visits:
        one.context.close()


@pytest.fixture(params=["iPhone 13", "Pixel 5"])
def phone(request: Any, playwright: Playwright, visit: Callable[..., Visit]) -> Visit:
    """A buyer on the merchant's page, on a phone; every test that asks for it runs on both kinds."""
    return visit(**device(playwright, request.param))


@pytest.fixture
def iphone(playwright: Playwright, visit: Callable[..., Visit]) -> Visit:
    """The same on one kind, where the kind makes no difference."""
    return visit(**device(playwright, "iPhone 13"))


@pytest.fixture
def android(playwright: Playwright) -> dict[str, Any]:
    """What `visit` needs to know of a phone, for tests that need only one, or two."""
    return device(playwright, "Pixel 5")


@pytest.fixture
def desktop(visit: Callable[..., Visit]) -> Visit:
    return visit()


def device(playwright: Playwright, name: str) -> dict[str, Any]:
    known = playwright.devices[name]
    return {key: value for key, value in known.items() if key != "default_browser_type"}
