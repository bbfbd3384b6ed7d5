"""The console when the network breaks: what was sent and not answered is done once, and the page says what it knows."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from maedal.merchants.audit_entry import AuditAction
from maedal.operators.role import Role
from maedal.storage.webhooks.reads import DeliveryFilter
from tests.console.open_items import items
from tests.console.open_items.items import MERCHANT
from tests.console.people import asked, make_operator
from tests.support.receiver import Receiver, receiver
from tests.support.world import World, world

from .browsers import PATIENCE_MILLISECONDS

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-console-bad-luck")]

OF = f"/console/merchants/{MERCHANT}"


@pytest.fixture(scope="module")
def shop() -> Iterator[Receiver]:
    with receiver() as reply:
        yield reply


@pytest.fixture(scope="module")
def site(all_databases: Any, tmp_path_factory: Any, shop: Receiver) -> Iterator[World]:
    url = shop.answer("/hook", 500, b"out of order")
    folder = tmp_path_factory.mktemp("bad-luck")
    with world(
        all_databases.url("sqlite"), folder, webhook_url=url, clarify_wait_seconds=0.5, asks_by_itself=False
    ) as running:
        yield running


@pytest.fixture(scope="module")
def password(site: World) -> str:
    return make_operator(site, "owner", Role.OWNER)


@pytest.fixture
def page(shell: Browser, site: World, password: str) -> Iterator[Page]:
    context = shell.new_context(viewport={"width": 1280, "height": 860}, base_url=site.gateway)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = context.new_page()
    page.goto("/console")
    page.get_by_label("이름").fill("owner")
    page.get_by_label("비밀번호").fill(password)
    page.get_by_role("button", name="로그인").click()
    expect(page.get_by_role("heading", name="홈")).to_be_visible()
    yield page
    context.close()


def before(route: Route) -> None:
    """Break the connection before the gateway hears anything."""
    route.abort("connectionreset")


def after(route: Route) -> None:
    """Let the gateway do it, and break the connection before the answer."""
    answer = route.fetch(max_redirects=0)
    assert answer.status == 303, answer.text()
    route.abort("connectionreset")


Breaks = Callable[[Route], None]
both = pytest.mark.parametrize("breaks", [before, after], ids=["before", "after"])


def press_twice(page: Page, button: Any, breaks: Breaks) -> None:
    """Press a button whose first answer never comes, read what the page says, and press the same button again."""
    page.evaluate("window.stayed = true")
    broken: list[str] = []

    def once(route: Route) -> None:
        if route.request.method == "POST" and not broken:
            broken.append(route.request.url)
            breaks(route)
        else:
            route.continue_()

    page.route("**/*", once)
    button.click()
    expect(page.locator("#lost")).to_contain_text("다시 눌러도 두 번 처리되지 않습니다")
    assert page.evaluate("window.stayed")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        button.click()
    expect(page.locator("#lost")).to_be_hidden()
    expect(page.get_by_test_id("note").or_(page.get_by_test_id("problem"))).to_be_visible()
    page.unroute("**/*")
    assert len(broken) == 1


@both
def test_a_cancel_whose_answer_is_cut_off_gives_back_once(page: Page, site: World, breaks: Breaks) -> None:
    uid = items.a_customer(site)
    paid = site.again(uid, f"order_{uid}", 10_000)["response"]
    page.goto(f"{OF}/payments/{paid['imp_uid']}")
    page.locator("#cancel summary").click()
    page.get_by_label("취소할 금액 (원)").fill("3000")
    page.locator("#cancel [name=sure]").check()
    press_twice(page, page.get_by_test_id("cancel"), breaks)
    assert site.payment(paid["imp_uid"])["cancel_amount"] == 3_000
    assert len([line for line in site.log(operation="cancel") if line["tid"] == paid["pg_tid"]]) == 1


@both
def test_a_settlement_whose_answer_is_cut_off_settles_once(page: Page, site: World, breaks: Breaks) -> None:
    payment = items.an_unknown_charge(site)
    page.goto(f"{OF}/desk?tab=unknown")
    page.get_by_text("직접 확정하기").first.click()
    page.get_by_label("결제되지 않음").first.check()
    page.get_by_label("사유").first.fill("파트너 어드민에서 확인")
    page.locator("details[open] [name=sure]").check()
    press_twice(page, page.get_by_test_id("settle").first, breaks)
    items.answering_again(site)
    assert site.payment(payment["imp_uid"])["status"] == "failed"
    acts = asked(site, lambda store: store.audit.entries(MERCHANT, 50))
    [act] = [one for one in acts if one.subject == payment["imp_uid"]]
    assert act.kind is AuditAction.SETTLE_NOT_CHARGED


@both
def test_webhooks_whose_sending_again_is_cut_off_go_out_once(
    page: Page, site: World, shop: Receiver, breaks: Breaks
) -> None:
    uid = items.a_customer(site)
    paid = site.again(uid, f"order_{uid}", 10_000)["response"]
    reply = _delivery_log(site, paid, tries=1)
    page.goto(f"{OF}/webhook-log/resend?tick={reply.delivery.id}")
    page.locator("[name=sure]").check()
    press_twice(page, page.get_by_test_id("resend"), breaks)
    assert re.search(r"다시 보냈?", page.get_by_test_id("note").inner_text())
    assert len(_delivery_log(site, paid, tries=2).tries) == 2
    time.sleep(1)
    bodies = [one.body for one in shop.at("/hook") if paid["imp_uid"] in one.body]
    assert len(bodies) == 2


def _delivery_log(site: World, payment: Any, tries: int) -> Any:
    deadline = time.monotonic() + 60
    while True:
        [reply] = asked(
            site, lambda store: store.webhooks.deliveries(MERCHANT, DeliveryFilter(1, imp_uid=payment["imp_uid"]))
        )
        if (len(reply.tries) == tries and reply.state != "waiting") or time.monotonic() > deadline:
            return reply
        time.sleep(0.1)
