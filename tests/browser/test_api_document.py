"""The page at the gateway's root: read the API, get a token, and call it, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-api-document")]
DESKTOP = {"viewport": {"width": 1280, "height": 860}}


@pytest.fixture(params=["desktop", "phone"])
def reading(request, shell, android):
    """A browser with the page's console under watch."""
    context = shell.new_context(**(DESKTOP if request.param == "desktop" else android))
    context.set_default_timeout(30_000)
    page = context.new_page()
    complaints = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    asked = []
    page.on("request", lambda sent: asked.append(sent.url))
    yield page, complaints, asked
    context.close()


def call_of(page, method, path):
    """Return the block of one call, opened."""
    summary = page.locator(f".opblock-{method}", has=page.locator(f"[data-path='{path}']"))
    summary.locator(".opblock-summary-control").click()
    expect(summary.locator(".opblock-body")).to_be_visible()
    return summary


def tried(block):
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    live = block.locator(".live-responses-table")
    expect(live.locator(".response-col_status").last).to_contain_text("200")
    return live.locator(".response-col_description pre, .response-col_description .highlight-code").first


def test_a_developer_gets_a_token_and_calls_the_api(reading, everything):
    page, complaints, asked = reading
    page.goto(everything.gateway)
    expect(page.get_by_text("액세스 토큰 받기")).to_be_visible()
    tried(call_of(page, "post", "/users/getToken"))
    expect(page.get_by_test_id("signed-in")).to_be_visible()
    expect(tried(call_of(page, "get", "/users/pg"))).to_contain_text("TCSUBSCRIP")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []
    assert all(url.startswith((everything.gateway, "data:")) for url in asked), asked


def test_the_language_can_be_changed(reading, everything):
    page, complaints, _ = reading
    page.goto(everything.gateway)
    page.get_by_role("link", name="English").click()
    expect(page.get_by_text("Get an access token")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_role("link", name="한국어").click()
    expect(page.get_by_text("액세스 토큰 받기")).to_be_visible()
    assert complaints == []
