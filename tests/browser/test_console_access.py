"""Who sees what and must do what first, in a real browser: both languages, wide and narrow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from maedal.app import open_gateway
from maedal.flows.demand_second_step import demand_second_step
from maedal.flows.manage_operators import create_operator
from maedal.flows.set_up_merchant import create_merchant
from maedal.operators.actor import Actor
from maedal.operators.role import Role
from tests.console.people import in_a_thread
from tests.support.world import World

from .browsers import PATIENCE_MILLISECONDS

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-console")]
WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 360, "height": 740}
SHELL = Actor("test")


@pytest.fixture(scope="module")
def passwords(everything: World) -> dict[str, str]:
    """An owner, a newcomer whose password was drawn, a developer of whom a second step is demanded, a limited manager."""

    async def work() -> dict[str, str]:
        async with open_gateway(everything.settings, serving=False) as gateway:
            services = gateway.services
            for number, name in enumerate(("커피 구독", "꽃 한 다발", "A shop with a rather long name of its own")):
                await create_merchant(services, name, code=f"imp1000000{number}", api_key=f"100000000000000{number}")
            made = {
                "owner": await create_operator(services, "owner", Role.OWNER, SHELL, to_be_changed=False),
                "newcomer": await create_operator(services, "newcomer", Role.ADMIN, SHELL),
                "developer": await create_operator(services, "developer", Role.DEVELOPER, SHELL, to_be_changed=False),
                "manager": await create_operator(
                    services, "manager", Role.MANAGER, SHELL, merchant_codes=frozenset({"imp10000000"})
                ),
            }
            await demand_second_step(services, frozenset({Role.DEVELOPER}), SHELL)
            return {name: one.password for name, one in made.items()}

    found: dict[str, str] = in_a_thread(work())
    return found


@pytest.fixture(params=[pytest.param((WIDE, "ko"), id="wide-ko"), pytest.param((NARROW, "en"), id="narrow-en")])
def page(request: Any, shell: Browser, everything: World) -> Iterator[Page]:
    size, language = request.param
    context = shell.new_context(viewport=size, base_url=everything.gateway)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = context.new_page()
    page.goto(f"/console/look?language={language}&back=/console")
    yield page
    context.close()


def sign_in(page: Page, name: str, password: str) -> None:
    page.locator("input[name=name]").fill(name)
    page.locator("input[name=password]").fill(password)
    page.locator("form button").last.click()
    page.wait_for_url(re.compile("/console(?!/sign-in)"))


def reads_well(page: Page, picture: Path) -> None:
    violations = Axe().run(page).response["violations"]
    assert [
        (one["id"], one["nodes"][0]["html"]) for one in violations if one["impact"] in ("serious", "critical")
    ] == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.screenshot(path=picture, full_page=True)


def test_the_page_of_operators_shows_who_sees_which_merchants(
    page: Page, passwords: dict[str, str], tmp_path: Path
) -> None:
    sign_in(page, "owner", passwords["owner"])
    page.goto("/console/users")
    row = page.locator("li", has=page.get_by_text("manager", exact=True))
    row.locator("summary").click()
    expect(row.get_by_role("checkbox", name="커피 구독")).to_be_checked()
    expect(row.get_by_role("checkbox", name="꽃 한 다발")).not_to_be_checked()
    reads_well(page, tmp_path / "users.png")
    row.get_by_role("checkbox", name="꽃 한 다발").check()
    row.locator("details button").click()
    row.locator("summary").click()
    expect(row.get_by_role("checkbox", name="꽃 한 다발")).to_be_checked()
    row.get_by_role("checkbox", name="꽃 한 다발").uncheck()
    row.locator("details button").click()
    expect(page.locator("[role=status]").first).to_be_visible()


def test_what_must_be_done_first_is_the_only_page(page: Page, passwords: dict[str, str], tmp_path: Path) -> None:
    sign_in(page, "newcomer", passwords["newcomer"])
    page.goto("/console/merchants/imp10000000/payments")
    expect(page).to_have_url(re.compile("/console/account$"))
    reads_well(page, tmp_path / "password.png")


def test_a_demanded_second_step_is_the_only_page(page: Page, passwords: dict[str, str], tmp_path: Path) -> None:
    sign_in(page, "developer", passwords["developer"])
    page.goto("/console")
    expect(page).to_have_url(re.compile("/console/account/two-steps$"))
    reads_well(page, tmp_path / "second_step.png")
