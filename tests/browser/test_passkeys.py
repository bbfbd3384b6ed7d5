"""Passkeys in a real browser, with an authenticator that the browser plays: by keyboard, wide and narrow, both languages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from maedal.operators.role import Role
from tests.console.people import make_operator
from tests.support.world import World, world

from .browsers import PATIENCE_MILLISECONDS
from .test_console_access import NARROW, WIDE, reads_well, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-console")]
_numbers = count(1)


@pytest.fixture(scope="module")
def everything(all_databases: Any, tmp_path_factory: Any) -> Iterator[World]:
    """A gateway with a name: no browser makes a passkey for a number."""
    with world(all_databases.url("sqlite"), tmp_path_factory.mktemp("world"), host="localhost") as running:
        yield running


@pytest.fixture(params=[pytest.param((WIDE, "ko"), id="wide-ko"), pytest.param((NARROW, "en"), id="narrow-en")])
def person(request: Any, chromium: Browser, everything: World) -> Iterator[tuple[Page, str, str]]:
    """A page with somebody's name and password."""
    size, language = request.param
    name = f"manager{next(_numbers)}"
    password = make_operator(everything, name, Role.MANAGER)
    context = chromium.new_context(viewport=size, base_url=everything.gateway)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = context.new_page()
    page.goto(f"/console/look?language={language}&back=/console")
    yield page, name, password
    context.close()


@pytest.fixture
def device(person: tuple[Page, str, str]) -> Callable[[bool], CDPSession]:
    """The device that the browser has: `device(False)` is one whose owner does not unlock it."""
    page = person[0]
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    made = session.send(
        "WebAuthn.addVirtualAuthenticator",
        {"options": options | {"isUserVerified": True, "automaticPresenceSimulation": True}},
    )

    def unlocked(yes: bool) -> CDPSession:
        session.send("WebAuthn.setUserVerified", {"authenticatorId": made["authenticatorId"], "isUserVerified": yes})
        return session

    return unlocked


def add(page: Page, name: str, password: str) -> None:
    """Add a passkey without a mouse."""
    page.goto("/console/account")
    page.locator("details", has=page.locator("form[data-passkey=add]")).locator("summary").press("Enter")
    page.locator("#passkey-name").fill(name)
    page.locator("#passkey-current").fill(password)
    page.locator("#passkey-current").press("Tab")
    page.keyboard.press("Enter")


def test_a_passkey_is_added_used_and_removed_by_keyboard(
    person: tuple[Page, str, str], device: Callable[[bool], CDPSession], tmp_path: Path
) -> None:
    page, name, password = person
    device(True)
    sign_in(page, name, password)
    page.goto("/console/account")
    page.locator("details", has=page.locator("form[data-passkey=add]")).locator("summary").click()
    reads_well(page, tmp_path / "none.png")
    add(page, "내 휴대폰 my phone", password)
    expect(page.locator("[data-testid=shown-once] li")).to_have_count(10)
    expect(page.get_by_text("내 휴대폰 my phone", exact=True)).to_be_visible()
    reads_well(page, tmp_path / "added.png")
    # The same device is not added twice, and the page says why.
    add(page, "again", password)
    expect(page.locator("form[data-passkey=add] [data-passkey-problem]")).to_have_text(re.compile("이미|already"))
    reads_well(page, tmp_path / "twice.png")
    page.context.clear_cookies(name=re.compile("session"))
    page.goto("/console/sign-in")
    sign_in(page, name, password)
    expect(page).to_have_url(re.compile("/console/code"))
    reads_well(page, tmp_path / "second_step.png")
    page.locator("[data-passkey-go]").press("Enter")
    page.wait_for_url(re.compile(r"^[^?]*/console(/merchants/.*)?$"))
    page.goto("/console/account")
    removing = page.locator("details", has=page.locator("form[action$='/remove']"))
    removing.locator("summary").press("Enter")
    reads_well(page, tmp_path / "removing.png")
    removing.locator("input[name=current]").fill(password)
    removing.locator("[data-passkey-go]").press("Enter")
    expect(page.get_by_text("내 휴대폰 my phone", exact=True)).to_have_count(0)
    page.context.clear_cookies(name=re.compile("session"))
    page.goto("/console/sign-in")
    sign_in(page, name, password)
    expect(page).not_to_have_url(re.compile("/console/code"))


def test_a_device_that_is_not_unlocked_opens_nothing_and_it_is_said(
    person: tuple[Page, str, str], device: Callable[[bool], CDPSession]
) -> None:
    page, name, password = person
    device(True)
    sign_in(page, name, password)
    add(page, "phone", "not the password")
    problem = page.locator("form[data-passkey] [data-passkey-problem]:visible")
    expect(problem).to_have_text(re.compile("비밀번호|password"))
    add(page, "phone", password)
    expect(page.locator("[data-testid=shown-once]")).to_be_visible()
    device(False)
    page.context.clear_cookies(name=re.compile("session"))
    page.goto("/console/sign-in")
    sign_in(page, name, password)
    page.locator("[data-passkey-go]").click()
    expect(problem).to_have_text(re.compile("다시|again"))
    expect(page).to_have_url(re.compile("/console/code"))
    device(True)
    page.locator("[data-passkey-go]").click()
    page.wait_for_url(re.compile(r"^[^?]*/console(/merchants/.*)?$"))
