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
    desk = visit(viewport={"width": 1280, "height": 860}, forced_colors="active", color_scheme=scheme)
    desk.open().click()
    assert "/pay/mockup/" in desk.scan()


@pytest.mark.parametrize("size", [(1280, 640), (900, 420), (360, 480)])
def test_a_short_window_shows_the_time_and_the_ways_out(visit: Callable[..., Visit], size: tuple[int, int]) -> None:
    desk = visit(viewport={"width": size[0], "height": size[1]})
    desk.open().click()
    for part in ("countdown", "cancel"):
        expect(desk.window.get_by_test_id(part)).to_be_in_viewport(ratio=1)
    expect(desk.page.locator(".imp-close")).to_be_in_viewport(ratio=1)
    expect(desk.page.locator(".imp-popup")).to_be_in_viewport(ratio=1)


def test_there_is_one_colour_scheme(visit: Callable[..., Visit]) -> None:
    desk = visit(viewport={"width": 1280, "height": 860}, color_scheme="dark")
    desk.open().click()
    expect(desk.window.get_by_test_id("qr")).to_be_visible()
    sheet = desk.window.locator(".waiting")
    expect(sheet).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(desk.page.locator(".imp-panel")).to_have_css("background-color", "rgb(255, 255, 255)")
