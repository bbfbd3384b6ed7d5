"""The gateway goes away while a window is open, and the buyer still finishes."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, expect

from tests.support.databases import ENGINES
from tests.support.world import World, free_port, world

from .people import CALLS_HOME, Visit, agree, success

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-restart")]


@pytest.fixture(params=ENGINES)
def everything(request: Any, all_databases: Any, tmp_path: Any) -> Iterator[World]:
    """On either database, so each of these tests runs twice."""
    # In a thread, because Playwright keeps an event loop running in this one.
    with ThreadPoolExecutor(1) as aside:
        database_url = aside.submit(all_databases.url, request.param).result()
    with world(database_url, tmp_path, with_shop=True) as running:
        yield running


def test_a_window_in_the_layer_outlives_a_restart(desktop: Visit) -> None:
    desktop.open(amount=9_900).click()
    expect(desktop.window.get_by_test_id("qr")).to_be_visible()
    desktop.everything.stop_gateway()
    # Long enough for the page to ask a gateway that is not there.
    desktop.page.wait_for_timeout(2_500)
    desktop.everything.start_gateway()
    desktop.agree()
    result = desktop.result()
    assert result == success(desktop.params)
    desktop.is_paid_as_reported(result)
    assert desktop.everything.again(desktop.params["customer_uid"], "after", 500)["response"]["status"] == "paid"


def test_a_phone_that_comes_back_to_a_gateway_that_is_away_only_has_to_reload(
    visit: Callable[..., Visit], android: dict[str, Any]
) -> None:
    phone = visit(**android).open(onclick=CALLS_HOME, amount=9_900).tap()
    expect(phone.page.get_by_test_id("open-app")).to_be_visible()
    phone.everything.stop_gateway()
    with phone.page.expect_event("requestfailed", lambda request: "REFUSED" in (request.failure or "")) as failed:
        phone.agree_on_the_phone("hyundai")
    # The browser's own page about it comes after the event; until it has come there is nothing that could be reloaded.
    # Asked again and again, because a wait for a navigation ends with an error when the navigation it sees has failed.
    while not phone.page.url.startswith("chrome-error:"):
        phone.page.wait_for_timeout(50)
    phone.everything.start_gateway()
    # What a reload of that page asks for. Chromium may ask by itself as well, once the gateway answers again.
    with contextlib.suppress(Error):
        phone.page.goto(failed.value.url)
    phone.returned("imp_success=true")
    assert phone.is_paid("mobile")["pay_method"] == "card"


# -- the same with the real command, killed like by a power failure


@contextlib.contextmanager
def maedal_dev(port: int, folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [str(Path(sys.executable).with_name("maedal")), "dev", "--port", str(port), "--data-dir", str(folder)]
    # A file, because nobody reads a pipe while the test goes on.
    with (folder.parent / "output.txt").open("a+") as output:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=output, text=True)
        try:
            ready = any(line.startswith("maedal ready") for line in process.stdout)
            assert ready, (folder.parent / "output.txt").read_text()
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def children_of(process: subprocess.Popen[str]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


@pytest.mark.slow
def test_after_a_power_failure_of_everything_the_buyer_finishes_in_the_same_layer(
    chromium: Browser, tmp_path: Path
) -> None:
    port = free_port()
    page = chromium.new_context(viewport={"width": 1280, "height": 860}).new_page()
    layer = page.frame_locator("iframe.imp-frame")
    with maedal_dev(port, tmp_path / "data") as running:
        page.goto(f"http://127.0.0.1:{port + 2}/?lang=ko")
        page.get_by_test_id("subscribe").click()
        expect(layer.get_by_test_id("qr")).to_be_visible()
        path = layer.get_by_test_id("phone-open").get_attribute("href")
        for pid in [*children_of(running), running.pid]:
            os.kill(pid, signal.SIGKILL)
        running.wait()
    with maedal_dev(port, tmp_path / "data"):
        phone = chromium.new_context(viewport={"width": 390, "height": 844}).new_page()
        phone.goto(f"http://127.0.0.1:{port + 1}{path}")
        agree(phone, "hyundai")
        expect(page.get_by_test_id("result")).to_have_attribute("data-status", "paid")
        expect(page.get_by_test_id("subscription-method")).to_have_attribute("data-method", "card")
        page.get_by_test_id("charge-again").click()
        expect(page.get_by_test_id("subscription-total")).to_contain_text("2")
        page.context.close()
        phone.context.close()
