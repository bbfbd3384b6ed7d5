"""Chromium as the tests start it, and a buyer who needs it only once."""

from __future__ import annotations

from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.support.chromium import QUIET
from tests.support.world import World
from tools import provide

from .people import Visit, merchant_server, success

# Chromium guards this machine's addresses from pages of the internet, and from pages without an origin. Its rules stay on; in
# life the gateway is not on the buyer's machine, and where that matters a test says whose addresses are of the internet.
ON_THE_INTERNET = "--ip-address-space-overrides={addresses}"
EVERYTHING = "127.0.0.0/8=public"
SHOP_TEST = "--host-resolver-rules=MAP shop.test 127.0.0.1"
DESKTOP = {"viewport": {"width": 1280, "height": 860}}
# Generous: the machine may be busy with other things, and nobody waits for what comes in time.
PATIENCE_MILLISECONDS = 60_000


def launch(playwright: Playwright, *, on_the_internet: str = "") -> Browser:
    """Start the system's Chromium, to which these addresses are no longer of its own machine; nor is `shop.test`."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    moved = [ON_THE_INTERNET.format(addresses=on_the_internet), SHOP_TEST] if on_the_internet else []
    return playwright.chromium.launch(executable_path=provide.chromium(), args=[*QUIET, *moved])


def launch_shell(playwright: Playwright) -> Browser:
    """Start Chromium without its own layer, for pages of one origin: it asks no permissions and knows no local network."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    return playwright.chromium.launch(executable_path=provide.headless_shell(), args=list(QUIET))


def issue_key(world: World, customer_uid: str) -> None:
    """Let a buyer register a billing key on a shop's page, in a browser of their own and with their phone."""
    with sync_playwright() as playwright, merchant_server() as merchant:
        chromium = launch(playwright)
        context = chromium.new_context(**DESKTOP)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        visit = Visit(context, world, merchant)
        visit.open(customer_uid=customer_uid).click()
        visit.agree()
        assert visit.result() == success(visit.params, receipt_url=None)
        chromium.close()
