"""A month that failed: its buyer is told by cause, and pays it by the link, once."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import httpx
import pytest
from litestar import Litestar
from litestar.datastructures import State

from maedal.checkout import pay_pages
from maedal.checkout.context import Addresses, Checkout
from maedal.flows.deactivate_key import deactivate_key
from maedal.flows.dunning import dun, recovered_this_month, set_dunning
from maedal.flows.recovery import set_rule
from maedal.flows.run_schedule import retry
from maedal.flows.set_webhook import set_webhook
from maedal.flows.sign_webhook import new_secret
from maedal.messages.message import MessageState
from maedal.payments.attempt import DeclineReason
from maedal.payments.errors import InvalidParameter
from maedal.payments.moves import Status
from maedal.payments.payment import Buyer, KeyUse
from maedal.storage.messages.reads import MessageFilter
from maedal.storage.payments.reads import Sorting
from tests.flows.test_messages import mail, send_due  # noqa: F401 - a fixture
from tests.flows.test_recovery import declining
from tests.flows.test_schedules import plan, run_due, stored
from tests.support.builders import MERCHANT
from tests.support.endpoints import noted
from tests.support.mail import text_of
from tests.support.network import reply

DAY = timedelta(days=1)
BUYER = "buyer@home.test"
LINK = re.compile(r"https://pay\.shop\.test(/pay/[A-Za-z0-9_-]{43})")


async def fail(flows, *waits, reason=DeclineReason.BALANCE, answer=None):
    """Let the month m_1 of a buyer with a mail address fail, after its merchant has set a rule."""
    if waits:
        await set_rule(flows.services, MERCHANT, reason, waits)
    flows.clock.add(3)
    await flows.issue_key(now=flows.clock.now())
    await plan(flows, "m_1", buyer=Buyer(email=BUYER))
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = answer or declining("LACK_BALANCE")
    assert await run_due(flows) == 1
    return await stored(flows, "m_1")


@pytest.fixture
async def mailbox(flows, mail):  # noqa: F811 - pytest's way
    """Have buyers told by mail and by the shop, and give the mail server."""
    await set_webhook(flows.services, MERCHANT, live=None, test="https://shop.test/hook", body=None)
    await new_secret(flows.services, MERCHANT)
    await set_dunning(flows.services, MERCHANT, by_mail=True, by_shop=True, link_days=7, language="ko")
    flows.clock.add(10)
    return mail


@pytest.fixture
async def browser(flows, mailbox):
    """A buyer's browser, on the gateway's own pages."""
    checkout = Checkout(flows.services, Addresses(flows.services.vault, flows.services.public_url))
    app = Litestar(route_handlers=[pay_pages.router], state=State({"checkout": checkout}), openapi_config=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(noted(app)), base_url="https://pay.shop.test") as client:
        yield client


async def the_link(flows, mailbox):
    await dun(flows.services)
    await send_due(flows)
    return LINK.search(text_of(mailbox.letters[-1]))[1]


def events(flows):
    return [json.loads(body) for url, _, body in flows.services.merchant_calls.taken if url == "https://shop.test/hook"]


async def press(browser, link, button="charge"):
    page = await browser.get(link)
    seen = re.search(r'name="seen" value="([^"]*)"', page.text)
    return await browser.post(f"{link}/{button}", data={"seen": seen[1] if seen else ""})


async def test_the_buyer_is_told_by_mail_and_the_shop_by_an_event_once(flows, mailbox):
    failed = await fail(flows)
    for _ in range(3):
        await dun(flows.services)
        await send_due(flows)
    [letter] = mailbox.letters
    assert letter["To"] == BUYER
    assert "잔액이 부족해" in text_of(letter)
    assert "테스트" in letter["Subject"]
    [event] = events(flows)
    link = LINK.search(text_of(letter))[0]
    assert event["type"] == "payment.unpaid"
    assert event["data"]["merchant_uid"] == "m_1"
    assert event["data"]["imp_uid"] == failed.imp_uid
    assert (event["data"]["failure_cause"], event["data"]["pay_url"]) == ("balance", link)
    # Neither the token nor the buyer's address is kept with a message.
    rows = [
        dict(row)
        for table in ("messages", "unpaid")
        for row in await flows.store.engine.fetch(f"SELECT * FROM {table}")
    ]
    assert link.rpartition("/")[2] not in str(rows)
    assert BUYER not in str(rows)


async def test_what_comes_right_by_itself_is_told_only_when_the_retries_are_over(flows, mailbox):
    # The daily limit, which starts anew by itself.
    await fail(flows, DAY, reason=DeclineReason.LIMIT, answer=declining("LIMIT_USE_PER_DAY"))
    await dun(flows.services)
    assert await send_due(flows) == 0
    flows.clock.add(86_400)
    flows.network.next_answer["subscription"] = declining("LIMIT_USE_PER_DAY")
    assert await run_due(flows) == 1
    await dun(flows.services)
    assert await send_due(flows) == 2
    assert len(mailbox.letters) == 1


async def test_another_cause_is_told_anew_under_the_same_link(flows, mailbox):
    await fail(flows, DAY)
    link = await the_link(flows, mailbox)
    flows.clock.add(86_400)
    flows.network.next_answer["subscription"] = declining("BANK_ACCOUNT_BLOCKED")
    assert await run_due(flows) == 1
    assert await the_link(flows, mailbox) == link
    causes = {event["data"]["failure_cause"] for event in events(flows)}
    assert len(mailbox.letters) == len(causes) == 2


async def test_the_button_pays_the_month_with_its_own_merchant_uid(flows, mailbox, browser):
    await fail(flows, DAY)
    link = await the_link(flows, mailbox)
    flows.clock.add(61)
    page = await browser.get(link, headers={"Accept-Language": "en-US,en;q=0.9"})
    assert page.status_code == 200
    assert "Pay with the registered method" in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "c_1" not in page.text
    pressed = await press(browser, link)
    assert (pressed.status_code, pressed.headers["location"]) == (303, link)
    assert "결제가 완료되었습니다" in (await browser.get(link)).text
    schedule = await stored(flows, "m_1")
    assert (schedule.payment.status, schedule.next_try) == (Status.PAID, None)
    await press(browser, link)
    flows.clock.add(2 * 86_400)
    assert await run_due(flows) == 0
    recovered = await recovered_this_month(flows.services, MERCHANT, test_mode=True)
    assert (recovered.count, recovered.amount) == (1, schedule.order.price.total.amount)


async def test_a_second_press_and_a_page_that_is_old_charge_nothing(flows, mailbox, browser):
    await fail(flows, DAY)
    link = await the_link(flows, mailbox)
    flows.clock.add(61)
    asked = len(flows.network.asked)
    flows.network.next_answer["subscription"] = declining("LACK_BALANCE")
    old = re.search(r'name="seen" value="([^"]*)"', (await browser.get(link)).text)[1]
    await press(browser, link)
    assert len(flows.network.asked) == asked + 1
    # At once: too soon. Later, from the old page: about a payment that is not the last any more.
    assert (await press(browser, link)).status_code == 409
    flows.clock.add(61)
    assert (await browser.post(f"{link}/charge", data={"seen": old})).status_code == 303
    assert len(flows.network.asked) == asked + 1


async def test_a_key_that_has_ended_offers_another_method_alone(flows, mailbox, browser):
    await fail(flows)
    link = await the_link(flows, mailbox)
    await deactivate_key(flows.services, MERCHANT, "c_1")
    page = (await browser.get(link)).text
    assert "다른 결제수단 등록하고 결제" in page
    assert "/charge" not in page


async def test_another_method_is_registered_in_a_window_for_the_same_month(flows, mailbox, browser):
    await fail(flows)
    link = await the_link(flows, mailbox)
    pages = {f"next_redirect_{name}_url": f"https://kakaopay.test/{name}" for name in ("pc", "mobile", "app")}
    flows.network.next_answer["ready"] = lambda _: reply({"tid": f"T{0:019x}", **pages})
    pressed = await press(browser, link, "register")
    assert pressed.status_code == 303
    assert pressed.headers["location"].startswith("https://pay.shop.test/checkout/")
    payment = await flows.store.payments.find_by_merchant_uid(MERCHANT, "m_1", (Status.READY,), Sorting.STARTED_NEWEST)
    assert (payment.order.customer_uid, payment.order.key_use) == ("c_1", KeyUse.ISSUE)
    assert payment.order.price.total.amount == (await stored(flows, "m_1")).order.price.total.amount
    window = await flows.store.windows.find(MERCHANT, payment.imp_uid)
    assert link not in str(window)


async def test_an_unknown_link_an_old_one_and_one_that_is_over_show_nothing(flows, mailbox, browser):
    await fail(flows)
    link = await the_link(flows, mailbox)
    assert (await browser.get("/pay/" + "x" * 43)).status_code == 404
    assert (await browser.get("/pay/%00")).status_code == 404
    flows.clock.add(8 * 86_400)
    page = await browser.get(link)
    assert page.status_code == 410
    assert "Monthly" not in page.text
    asked = len(flows.network.asked)
    await browser.post(f"{link}/charge", data={"seen": ""})
    assert (await browser.post(f"{link}/register")).status_code == 410
    assert len(flows.network.asked) == asked
    await dun(flows.services)
    [row] = await flows.store.engine.fetch("SELECT state, sealed_token FROM unpaid")
    assert (row["state"], row["sealed_token"]) == ("expired", None)


async def test_what_was_paid_before_its_message_left_is_not_told(flows, mailbox):
    await fail(flows)
    await dun(flows.services)
    flows.clock.add(60)
    assert (await retry(flows.services, MERCHANT, "m_1")).status is Status.PAID
    await dun(flows.services)
    await send_due(flows)
    assert mailbox.letters == []
    page = await flows.store.messages.page(MERCHANT, MessageFilter(10))
    assert {one.state for one in page.rows} == {MessageState.FAILED}


async def test_what_failed_before_it_was_switched_on_is_told_nobody(flows, mail):  # noqa: F811
    await fail(flows)
    flows.clock.add(60)
    await set_dunning(flows.services, MERCHANT, by_mail=True, by_shop=False, link_days=7, language="ko")
    assert await dun(flows.services) == 0
    assert mail.letters == []


async def test_mail_needs_a_server(flows):
    with pytest.raises(InvalidParameter):
        await set_dunning(flows.services, MERCHANT, by_mail=True, by_shop=False, link_days=7, language="ko")
