"""What goes wrong between the buyer's agreement and the page: lost messages, lost answers, reloads, impatience."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from playwright.sync_api import Route, expect

from maedal.flows.resolve_unknown import KEY_LOST, KEY_LOST_TEXT
from tests.support.world import World, world

from .people import GAVE_UP, Visit, agree, choose, enter_pin, failure, given_up, is_return, success

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-bad-luck")]


@pytest.fixture(scope="module")
def everything(all_databases: Any, tmp_path_factory: Any) -> Iterator[World]:
    """A gateway that does not wait long for what it cannot learn."""
    folder = tmp_path_factory.mktemp("world")
    with world(all_databases.url("sqlite"), folder, with_shop=True, clarify_wait_seconds=3.0) as running:
        yield running


# Scripts of other vendors do this: they swallow every message that they do not know.
SWALLOWED = "<script>window.addEventListener('message', function (e) { e.stopImmediatePropagation(); }, true)</script>"


def test_a_message_that_the_page_swallows_is_made_up_for_by_asking(desktop: Visit) -> None:
    desktop.open(head=SWALLOWED).click()
    desktop.agree_on_another_device()
    result = desktop.result()
    assert result == success(desktop.params, receipt_url=None)
    desktop.is_paid_as_reported(result)
    # Longer than the time between two questions: nothing follows.
    desktop.page.wait_for_timeout(3_000)
    assert desktop.page.evaluate("window.calls.length") == 1


def test_a_message_that_is_never_sent_is_made_up_for_by_asking(desktop: Visit) -> None:
    desktop.context.route("**/checkout/static/end.js", lambda route: route.abort())
    desktop.open(amount=9_900).click()
    desktop.agree_on_another_device()
    assert desktop.result() == success(desktop.params)


def test_a_quit_without_a_message_is_told_all_the_same(desktop: Visit) -> None:
    desktop.open(head=SWALLOWED).click()
    desktop.window.get_by_test_id("cancel").click()
    assert desktop.result() == given_up(desktop.params)


def test_a_page_that_cannot_ask_gets_the_message(desktop: Visit) -> None:
    desktop.context.route("**/sdk/payments/imp_*", lambda route: route.abort())
    desktop.open().click()
    desktop.agree_on_another_device()
    assert desktop.result() == success(desktop.params, receipt_url=None)


def test_message_and_answer_at_once_call_back_once(desktop: Visit) -> None:
    """The answer to a look at the state is held back until the message has arrived."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    desktop.context.route("**/sdk/payments/imp_*", hold)
    desktop.open().click()
    desktop.page.wait_for_timeout(2_200)
    desktop.agree_on_another_device()
    desktop.page.wait_for_function("window.calls.length > 0")
    assert held
    for route in held:
        route.continue_()
    desktop.page.wait_for_timeout(500)
    assert desktop.result()["success"] is True


def test_foreign_messages_end_nothing(desktop: Visit) -> None:
    desktop.open().click()
    expect(desktop.window.get_by_test_id("qr")).to_be_visible()
    forged = {"from": "imp-gateway", "type": "result", "result": {"success": True, "imp_uid": "imp_1"}}
    desktop.page.evaluate("told => { window.postMessage(told, '*'); frames[0].parent.postMessage(told, '*'); }", forged)
    desktop.page.frames[1].evaluate("told => window.parent.postMessage(told, '*')", forged)
    desktop.page.wait_for_timeout(200)
    assert desktop.page.evaluate("window.calls.length") == 0
    desktop.window.get_by_test_id("cancel").click()
    assert desktop.result() == given_up(desktop.params)


def test_closing_while_kakaopay_approves_tells_what_came_of_it(desktop: Visit) -> None:
    desktop.everything.fault("approve", "delay", delay_seconds=3)
    desktop.open(amount=9_900).click()
    phone = desktop.phone()
    with desktop.page.expect_request(lambda request: is_return(request.url)):
        agree(phone)
    desktop.close_layer()
    expect(desktop.layer.get_by_text("결제 결과를 확인하고 있습니다.")).to_be_visible()
    result = desktop.result()
    assert result == success(desktop.params)
    desktop.is_paid_as_reported(result)
    phone.context.close()


def test_a_payment_whose_answer_is_lost_is_looked_up_and_told_as_paid(desktop: Visit) -> None:
    desktop.everything.fault("approve", "drop_after")
    desktop.open(pg="kakaopay", amount=9_900, customer_uid=None).click()
    desktop.agree_on_another_device()
    result = desktop.result()
    # The lookup says less than the lost answer did.
    assert result == success(desktop.params, receipt_url=None)
    desktop.is_paid_as_reported(result)


def test_a_key_whose_answer_is_lost_is_told_as_failed_and_its_money_given_back(desktop: Visit) -> None:
    """No lookup gives a lost key back (docs/wire/kakaopay.md 11), so the buyer is asked to register again."""
    desktop.everything.fault("approve", "drop_after")
    desktop.open(amount=9_900).click()
    desktop.agree_on_another_device()
    assert desktop.result() == failure(desktop.params, KEY_LOST, KEY_LOST_TEXT)
    given_back = desktop.payment_once("cancelled")
    assert given_back["cancel_amount"] == 9_900
    assert len(desktop.approvals()) == 1


def test_the_waiting_page_can_be_reloaded(desktop: Visit) -> None:
    desktop.open().click()
    expect(desktop.window.get_by_test_id("qr")).to_be_visible()
    waiting = desktop.page.frames[1]
    waiting.goto(waiting.url)
    desktop.agree_on_another_device()
    assert desktop.result() == success(desktop.params, receipt_url=None)
    assert len(desktop.approvals()) == 1


def test_a_second_return_shows_the_stored_result_and_approves_nothing(desktop: Visit) -> None:
    desktop.open(amount=9_900).click()
    with desktop.page.expect_request(lambda request: is_return(request.url)) as returned:
        desktop.agree_on_another_device()
    result = desktop.result()
    again = desktop.context.new_page()
    again.goto(returned.value.url)
    expect(again.get_by_role("heading")).to_have_text("결제가 완료되었습니다.")
    again.reload()
    expect(again.get_by_role("heading")).to_have_text("결제가 완료되었습니다.")
    desktop.is_paid_as_reported(result)


def test_the_cancel_address_opened_after_the_payment_cancels_nothing(desktop: Visit) -> None:
    desktop.open(amount=9_900).click()
    with desktop.page.expect_request(lambda request: is_return(request.url)) as returned:
        desktop.agree_on_another_device()
    result = desktop.result()
    again = desktop.context.new_page()
    again.goto(returned.value.url.partition("/approve")[0] + "/cancel")
    expect(again.get_by_role("heading")).to_have_text("결제가 완료되었습니다.")
    desktop.is_paid_as_reported(result)


def test_many_returns_at_once_approve_once(desktop: Visit) -> None:
    desktop.everything.fault("approve", "delay", delay_seconds=1)
    desktop.open(amount=9_900).click()
    phone = desktop.phone()
    with desktop.page.expect_request(lambda request: is_return(request.url)) as returned:
        agree(phone)
    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(lambda _: httpx.get(returned.value.url, timeout=30), range(8)))
    assert {page.status_code for page in pages} == {200}
    result = desktop.result()
    assert result == success(desktop.params)
    desktop.is_paid_as_reported(result)
    phone.context.close()


def test_a_page_that_is_left_takes_no_money(desktop: Visit) -> None:
    desktop.open(amount=9_900).click()
    phone = desktop.phone()
    desktop.page.goto(f"{desktop.merchant.url}/elsewhere")
    choose(phone)
    enter_pin(phone)
    expect(phone.get_by_test_id("done")).to_be_visible()
    assert desktop.payment()["status"] == "ready"
    assert desktop.approvals() == []
    phone.context.close()


def test_two_windows_of_one_order_are_paid_once(visit: Callable[..., Visit]) -> None:
    """The buyer opens the shop in two tabs and agrees in both."""
    one, other = visit(), visit()
    one.open(amount=9_900).click()
    expect(one.window.get_by_test_id("qr")).to_be_visible()
    other.params = one.params
    other.page.goto(one.address)
    other.click()
    expect(other.window.get_by_test_id("qr")).to_be_visible()
    one.agree()
    paid = one.result()
    other.agree("hyundai")
    refused = other.result()
    assert (refused["error_code"], refused["error_msg"]) == ("F1002", "이미 결제가 이루어진 거래건입니다.")
    tids = [one.everything.payment(result["imp_uid"])["pg_tid"] for result in (paid, refused)]
    assert [line["tid"] for line in one.everything.log(operation="approve") if line["tid"] in tids] == tids[:1]
    assert len(one.webhooks_received()) == 1


def test_the_page_may_close_the_window_itself(desktop: Visit) -> None:
    desktop.open().click()
    expect(desktop.window.get_by_test_id("qr")).to_be_visible()
    desktop.page.evaluate("IMP.close()")
    assert desktop.result() == given_up(desktop.params)
    desktop.is_not_paid(GAVE_UP)


def test_kakaopay_that_does_not_answer_opens_no_window(desktop: Visit) -> None:
    desktop.everything.fault("ready", "error_500_before")
    desktop.open(amount=9_900).click()
    result: dict[str, Any] = desktop.result()
    assert (result["success"], result["error_code"]) == (False, "F0004")
    assert result["error_msg"].startswith("PG사 결제요청에 실패하여 중단합니다.")
