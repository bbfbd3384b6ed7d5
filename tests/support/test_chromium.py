"""What the tests turn off in Chromium is off, and what Playwright turns off by itself stays so."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.browsers import launch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-start")]


def test_a_page_brings_no_pages_of_the_browsers_own_and_nothing_that_playwright_turned_off_is_on():
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        page = chromium.new_page()
        page.goto("about:blank")
        session = chromium.new_browser_cdp_session()
        targets = session.send("Target.getTargets", {"filter": [{}]})["targetInfos"]
        started = session.send("SystemInfo.getInfo")["commandLine"]
        chromium.close()
    assert not [target["url"] for target in targets if target["url"].startswith("chrome://")]
    playwrights, ours = (set(names.split(",")) for names in re.findall(r"--disable-features=(\S+)", started))
    assert playwrights < ours
