"""What a buyer sees of the window in high contrast, in the dark and in little room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from .people import Visit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-looks")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_code_can_be_scanned_in_high_contrast(visit: Callable[..., Visit], scheme: Any) -> None:
    wide = visit(viewport={"width": 1280, "height": 860}, forced_colors="active", color_scheme=scheme)
    wide.open().click()
    assert "/pay/mockup/" in wide.scan()


@pytest.mark.parametrize("size", [(1280, 640), (900, 420), (360, 480)])
def test_a_short_window_shows_the_time_and_the_ways_out(visit: Callable[..., Visit], size: tuple[int, int]) -> None:
    wide = visit(viewport={"width": size[0], "height": size[1]})
    wide.open().click()
    for part in ("countdown", "cancel"):
        expect(wide.window.get_by_test_id(part)).to_be_in_viewport(ratio=1)
    expect(wide.page.locator(".imp-close")).to_be_in_viewport(ratio=1)
    expect(wide.page.locator(".imp-popup")).to_be_in_viewport(ratio=1)


def test_there_is_one_colour_scheme(visit: Callable[..., Visit]) -> None:
    wide = visit(viewport={"width": 1280, "height": 860}, color_scheme="dark")
    wide.open().click()
    expect(wide.window.get_by_test_id("qr")).to_be_visible()
    sheet = wide.window.locator(".waiting")
    expect(sheet).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(wide.page.locator(".imp-panel")).to_have_css("background-color", "rgb(255, 255, 255)")
