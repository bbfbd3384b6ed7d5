"""Whatever merchants and buyers write is only text: a script is put into every field by every way in, then every page is opened."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from maedal.app import open_gateway
from maedal.operators.role import Role
from maedal.reconciliation.finding import FindingKind
from maedal.transfer.importing import Progress, import_file
from tests.console.open_items import items
from tests.console.open_items.items import MERCHANT
from tests.console.people import Person, in_a_thread, make_operator
from tests.support.receiver import receiver
from tests.support.world import World, world
from tests.transfer import files

from .browsers import PATIENCE_MILLISECONDS

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-console-hostile")]

OF = f"/console/merchants/{MERCHANT}"
# Ends an attribute and an element, makes an element that can be counted, runs a script in three ways, and is a template.
EVIL = (
    "'\"><img src=x onerror=pwn()><xss-probe autofocus onfocus=pwn() tabindex=1></xss-probe>"
    "</textarea></title></option><script>pwn()</script>{{1337*1337}}"
)
ID = '"><xss-probe>'
"""Where PortOne takes few characters."""
SHORT = '"><xss-probe></xss-probe><script>pwn()</script>'
OF_A_KIND_MAX = 2
"""So many addresses are opened that differ in nothing but what they name."""
# These leave the page, or the session, or give a file.
LEFT_OUT = ("/console/look", "/console/static", "/export", "/console/sign-out")
BUYER = {
    "buyer_name": SHORT,
    "buyer_email": f"a{SHORT}@b.c",
    "buyer_tel": SHORT,
    "buyer_addr": EVIL,
    "buyer_postcode": SHORT,
}


@pytest.fixture(scope="module")
def hostile(all_databases: Any, tmp_path_factory: Any) -> Iterator[World]:
    """A house in which everybody writes scripts."""
    folder = tmp_path_factory.mktemp("hostile")
    with (
        receiver() as shop,
        world(all_databases.url("sqlite"), folder, webhook_url=shop.answer("/hook", 500, EVIL.encode()), clarify_wait_seconds=0.5) as site,
    ):  # fmt: skip
        site.extra["password"] = make_operator(site, "owner", Role.OWNER)
        by_sdk(site)
        by_rest(site, shop.url)
        by_import(site, folder)
        by_console(site)
        see_open_items(site)
        yield site


def by_sdk(site: World) -> None:
    text = {"name": EVIL, "custom_data": {EVIL: EVIL}} | BUYER
    opened = site.open_window(f"sdk{ID}", 0, customer_uid=f"key{ID}", customer_id=ID, **text)
    assert opened["imp_uid"], opened["error_msg"]
    assert site.finish(opened)["result"]["success"], opened
    given_up = site.open_window(f"left{ID}", 5_000, **text)
    assert given_up["imp_uid"], given_up["error_msg"]


def by_rest(site: World, shop: str) -> None:
    def charge(order: str, **more: Any) -> dict[str, Any]:
        answer = site.again(f"key{ID}", order, 9_900, name=EVIL, custom_data=EVIL, **BUYER, **more)
        assert answer["code"] == 0, answer
        charged: dict[str, Any] = answer["response"]
        return charged

    paid = charge(f"rest{ID}", notice_url=f"{shop}/hook?{SHORT}")
    cancelled = site.call("POST", "/payments/cancel", json={"imp_uid": paid["imp_uid"], "amount": 900, "reason": EVIL})
    assert cancelled.json()["code"] == 0, cancelled.text
    site.fault("subscription", "decline", method_result_code="NOT_ENOUGH_BALANCE")
    assert charge(f"declined{ID}")["status"] == "failed"
    planned = {
        "merchant_uid": f"plan{ID}",
        "schedule_at": int(time.time()) + 86_400,
        "amount": 9_900,
        "name": EVIL,
        "custom_data": EVIL,
    }
    answer = site.call(
        "POST", "/subscribe/payments/schedule", json={"customer_uid": f"key{ID}", "schedules": [planned | BUYER]}
    )
    assert answer.json()["code"] == 0, answer.text
    prepared = site.call("POST", "/payments/prepare", json={"merchant_uid": f"prepared{ID}", "amount": 1})
    assert prepared.json()["code"] == 0, prepared.text


def by_import(site: World, folder: Path) -> None:
    file = files.a_file()
    file["merchants"][0]["name"] = SHORT
    text = {
        "name": EVIL,
        "card_name": SHORT,
        "apply_num": SHORT,
        "buyer_name": EVIL,
        "merchant_uid": f"imported{ID}",
    }
    file["payments"] = [files.a_payment(1, **text), files.a_cancelled(2, cancel_reason=EVIL, name=EVIL)]
    path = folder / "hostile.json"
    path.write_text(json.dumps(file))

    async def work() -> None:
        async with open_gateway(site.settings, serving=False) as gateway:
            quiet = Progress(lambda _: None, lambda _, __: None)
            await import_file(gateway.services, path, progress=quiet, who=EVIL[:80])

    in_a_thread(work())


def by_console(site: World) -> None:
    owner = Person(site)
    owner.http.headers["User-Agent"] = SHORT
    owner.sign_in("owner", site.extra["password"])
    assert owner.send(f"{OF}/channels/new", name=EVIL[:60]).status_code == 200
    assert owner.send("/console/merchants/new", name=SHORT[:60]).status_code == 200
    assert owner.send(f"{OF}/webhook", live=f"http://shop.test/{SHORT}").status_code == 200
    paid = site.again(f"key{ID}", f"console{ID}", 9_900, name=EVIL)["response"]
    page = f"{OF}/payments/{paid['imp_uid']}"
    assert owner.send(f"{page}/cancel", page=page, amount="100", reason=EVIL[:200], sure="on").status_code == 200


def see_open_items(site: World) -> None:
    payment = site.call("GET", "/payments/status/all").json()["response"]["list"][0]
    items.a_finding(site, FindingKind.CHARGED_TWICE, payment["imp_uid"], pg_tid=SHORT, order_id=EVIL)
    closed = items.a_finding(site, FindingKind.CHARGED_THERE, order_id=SHORT)
    owner = Person(site)
    owner.sign_in("owner", site.extra["password"])
    owner.send(f"{OF}/desk/findings/{closed.id}/close", page=f"{OF}/desk?tab=findings", sure="on", reason=EVIL)
    items.an_unknown_charge(site, name=EVIL, **BUYER)
    site.fault("inactive", "error_500_before", times=1_000)
    site.call("DELETE", f"/subscribe/customers/{items.a_customer(site)}")


@pytest.fixture
def page(shell: Browser, hostile: World) -> Iterator[Page]:
    context = shell.new_context(viewport={"width": 1280, "height": 860}, base_url=hostile.gateway)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    # What a script would do if one ran, and what the policy would have had to stop.
    context.add_init_script(
        """
        window.happened = [];
        window.pwn = () => window.happened.push('a script ran');
        document.addEventListener('securitypolicyviolation', (e) => window.happened.push(`${e.violatedDirective} ${e.blockedURI}`));
        """
    )
    page = context.new_page()
    page.goto("/console")
    page.get_by_label("이름").fill("owner")
    page.get_by_label("비밀번호").fill(hostile.extra["password"])
    page.get_by_role("button", name="로그인").click()
    expect(page.get_by_role("heading", name="홈")).to_be_visible()
    yield page
    context.close()


def kind(address: str) -> str:
    """Return what an address has in common with others of its page: its parts without numbers and ids."""
    parts = urlsplit(address)
    path = re.sub(r"imps?_\d+|channel-key-[0-9a-f-]+|imp\d{8}|[0-9a-z]{26}", "…", parts.path)
    return f"{path}?{sorted(name for name, _ in parse_qsl(parts.query))}"


def test_no_page_makes_more_than_text_of_what_was_written(page: Page) -> None:
    """Every link of the console is followed, from every page, also behind filters and tabs."""
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    waiting, seen = ["/console", f"{OF}/payments?days=90"], set[str]()
    found: dict[str, Any] = {}
    kinds: Counter[str] = Counter()
    while waiting:
        address = waiting.pop(0)
        if address in seen or any(part in address for part in LEFT_OUT) or kinds[kind(address)] >= OF_A_KIND_MAX:
            continue
        seen.add(address)
        kinds[kind(address)] += 1
        answer = page.goto(address)
        assert answer is not None
        if answer.status >= 500:
            found[address] = answer.status
        happened = page.evaluate("window.happened")
        made = page.evaluate("document.querySelectorAll('xss-probe, img[src=x], script:not([src])').length")
        if happened or made or complaints or "1787569" in page.content():
            found[address] = (happened, made, complaints[:3])
            complaints.clear()
        links = page.evaluate("[...document.querySelectorAll('a[href]')].map((a) => a.href)")
        for link in links:
            parts = urlsplit(link)
            if parts.path.startswith("/console"):
                waiting.append(parts.path + (f"?{parts.query}" if parts.query else ""))
        assert not [link for link in links if link.lower().startswith(("javascript:", "data:"))], address
    assert found == {}
    texts = " ".join(seen)
    for part in (
        "/payments/imp",
        "/channels/channel-key",
        "/desk",
        "/webhook-log",
        "/log",
        "/users",
        "/keys",
        "/account",
    ):
        assert part in texts, part
    assert len(seen) > 30


def test_what_was_written_is_shown_as_it_was_written(page: Page) -> None:
    for address in (f"{OF}/payments?days=90", f"{OF}/desk?tab=unknown", f"{OF}/webhook-log", f"{OF}/log"):
        page.goto(address)
        expect(page.get_by_text("<xss-probe").first).to_be_attached()
