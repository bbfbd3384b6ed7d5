"""The demo shop's own pages: subscribe, register, buy once, charge again, end, with the log that shows every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.support.world import World

from .people import GAVE_UP, Visit, agree

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-shop")]


class Customer:
    """Somebody in the demo shop, at a desk or on a phone."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.page, self.world = visit, visit.page, visit.everything
        self.page.goto(f"{self.world.shop}/?lang=ko")

    def layer(self) -> FrameLocator:
        return self.visit.window

    def buys(self, what: str, method: str = "MONEY") -> None:
        self.page.get_by_test_id(what).click()
        self.visit.agree(method)

    def sees(self, status: str) -> None:
        expect(self.page.get_by_test_id("result")).to_have_attribute("data-status", status)

    def order(self) -> str:
        return self.page.get_by_test_id("result").get_attribute("data-merchant-uid") or ""

    def subscription(self) -> Locator:
        """Return the card of the last order's subscription; other tests' customers have theirs in this shop too."""
        customer_uid = self.payment()["customer_uid"]
        return self.page.locator(f"[data-testid=subscription][data-customer-uid={customer_uid}]")

    def charges_again(self, amount: int, status: str = "paid") -> dict[str, Any]:
        card = self.subscription()
        before = self.order()
        card.get_by_test_id("again-amount").fill(str(amount))
        card.get_by_test_id("charge-again").click()
        expect(self.page.get_by_test_id("result")).not_to_have_attribute("data-merchant-uid", before)
        self.sees(status)
        return self.payment()

    def payment(self) -> dict[str, Any]:
        return self.world.call("GET", f"/payments/find/{self.order()}").json()["response"]

    def subscribed(self) -> list[str]:
        """Return the customer_uids of every subscription that the shop keeps, also of other tests' customers."""
        state = httpx.get(f"{self.world.shop}/api/state").raise_for_status().json()
        return [subscription["customer_uid"] for subscription in state["subscriptions"]]

    def log(self, kind: str) -> Locator:
        return self.page.locator(f"[data-testid=log-entry][data-kind={kind}]")


@pytest.fixture
def customer(visit: Callable[..., Visit]) -> Customer:
    return Customer(visit())


@pytest.mark.parametrize("what", ["register", "subscribe"])
@pytest.mark.parametrize(("method", "seen"), [("MONEY", "point"), ("hyundai", "card")])
def test_the_method_chosen_at_issue_pays_every_later_charge_of_any_amount(
    customer: Customer, what: str, method: str, seen: str
) -> None:
    customer.buys(what, method)
    customer.sees({"register": "registered", "subscribe": "paid"}[what])
    assert customer.payment()["pay_method"] == seen
    card = customer.subscription()
    expect(card).to_have_attribute("data-status", "active")
    expect(card.get_by_test_id("subscription-method")).to_have_attribute("data-method", seen)
    for amount in (3_000, 12_345):
        charged = customer.charges_again(amount)
        assert (charged["status"], charged["amount"], charged["pay_method"]) == ("paid", amount, seen)
        assert charged["customer_uid"] == card.get_attribute("data-customer-uid")
        assert charged["customer_uid_usage"] == "payment"
    assert customer.visit.errors == []


def test_the_log_shows_every_call_of_a_subscription(customer: Customer) -> None:
    customer.buys("subscribe")
    customer.sees("paid")
    customer.charges_again(3_000)
    for kind, at_least in {"request_pay": 1, "callback": 1, "webhook": 2, "rest": 2}.items():
        expect(customer.log(kind).nth(at_least - 1)).to_be_attached()
    entries = customer.log("webhook").first
    entries.locator("summary").click()
    expect(entries).to_contain_text('"status": "paid"')
    assert customer.page.locator("[data-testid=log-entry][data-fine=false]").count() == 0


def test_a_bag_once_leaves_no_subscription(customer: Customer) -> None:
    before = customer.subscribed()
    customer.buys("pay-once", "hyundai")
    customer.sees("paid")
    payment = customer.payment()
    assert (payment["amount"], payment["customer_uid"], payment["pay_method"]) == (12_000, None, "card")
    assert customer.subscribed() == before
    expect(customer.page.get_by_test_id("subscription")).to_have_count(len(before))


def test_a_buyer_who_stops_reads_so_and_may_try_again(customer: Customer) -> None:
    customer.page.get_by_test_id("subscribe").click()
    customer.layer().get_by_test_id("cancel").click()
    customer.sees("failed")
    expect(customer.page.get_by_test_id("result-message")).to_have_text(GAVE_UP)
    customer.buys("subscribe")
    customer.sees("paid")


def test_a_declined_charge_is_shown_with_its_reason_and_the_next_one_works(customer: Customer) -> None:
    customer.buys("register")
    customer.sees("registered")
    customer.world.fault("subscription", "decline", method_result_code="NOT_ENOUGH_BALANCE")
    declined = customer.charges_again(3_000, "failed")
    assert declined["status"] == "failed"
    expect(customer.page.get_by_test_id("result-message")).to_contain_text("NOT_ENOUGH_BALANCE")
    assert customer.charges_again(3_000)["status"] == "paid"


def test_an_ended_subscription_cannot_be_charged(customer: Customer) -> None:
    customer.buys("register")
    customer.sees("registered")
    card = customer.subscription()
    customer_uid = card.get_attribute("data-customer-uid")
    card.get_by_test_id("end-subscription").click()
    customer.page.get_by_test_id("end-dialog").get_by_test_id("end-confirm").click()
    customer.sees("ended")
    expect(card).to_have_attribute("data-status", "ended")
    expect(card.get_by_test_id("charge-again")).to_be_hidden()
    refused = customer.world.again(str(customer_uid), "after_the_end", 1_000)
    assert refused["code"] != 0 or refused["response"]["status"] == "failed"


def test_a_key_that_the_buyer_ends_at_kakaopay_is_seen_at_the_next_charge(customer: Customer) -> None:
    customer.buys("register")
    customer.sees("registered")
    (issued,) = customer.world.log(operation="approve", tid=customer.payment()["pg_tid"])
    account = customer.visit.context.new_page()
    account.goto(f"{customer.world.sandbox}/account")
    key = account.get_by_test_id(f"sid-{issued['sid']}")
    key.get_by_test_id("end").click()
    expect(key).to_contain_text("구매자가 해지")
    account.close()
    customer.charges_again(3_000, "failed")
    expect(customer.subscription()).to_have_attribute("data-status", "ended")


def test_on_a_phone_the_shop_gets_its_customer_back(
    visit: Callable[..., Visit], android: dict[str, Any], everything: World
) -> None:
    phone = Customer(visit(**android))
    phone.page.get_by_test_id("subscribe").tap()
    phone.page.get_by_test_id("open-app").tap()
    agree(phone.page, "hyundai")
    phone.sees("paid")
    assert phone.page.url.startswith(f"{everything.shop}/payments/complete?imp_uid=imp_")
    payment = phone.payment()
    assert (payment["status"], payment["pay_method"], payment["channel"]) == ("paid", "card", "mobile")
    card = phone.subscription()
    phone.page.get_by_test_id("to-shop").tap()
    expect(card.get_by_test_id("subscription-method")).to_have_attribute("data-method", "card")
    card.get_by_test_id("charge-again").tap()
    phone.sees("paid")
    assert phone.payment()["pay_method"] == "card"
    assert phone.visit.errors == []


def test_on_a_phone_the_shop_learns_that_its_customer_stopped(
    visit: Callable[..., Visit], android: dict[str, Any]
) -> None:
    phone = Customer(visit(**android))
    phone.page.get_by_test_id("pay-once").tap()
    phone.page.get_by_test_id("cancel").tap()
    phone.sees("failed")
    expect(phone.page.get_by_test_id("result-message")).to_have_text(GAVE_UP)
    phone.page.get_by_test_id("to-shop").tap()
    phone.page.get_by_test_id("pay-once").tap()
    expect(phone.page.get_by_test_id("open-app")).to_be_visible()


def test_the_shop_speaks_english_too(visit: Callable[..., Visit]) -> None:
    page: Page = visit().page
    page.goto(f"{visit().everything.shop}/?lang=en")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_test_id("subscribe")).to_contain_text("Register and pay the first month")
