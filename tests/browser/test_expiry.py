"""The time runs out: KakaoPay's page leaves by itself, and the shop is told why."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.support.world import World, world

from .people import CALLS_HOME, Visit, failure

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-expiry")]

SIXTEEN_MINUTES = 16 * 60
EXPIRED = "[-723] 결제 시간이 만료되었습니다."


@pytest.fixture
def everything(all_databases: Any, tmp_path: Any) -> Iterator[World]:
    """A simulator of its own for each test, because its clock will be moved."""
    with world(all_databases.url("sqlite"), tmp_path, with_shop=True) as running:
        yield running


def test_in_the_layer_the_end_of_the_time_ends_the_payment(desktop: Visit) -> None:
    desktop.open(amount=9_900).click()
    expect(desktop.window.get_by_test_id("qr")).to_be_visible()
    desktop.everything.advance_sandbox(SIXTEEN_MINUTES)
    assert desktop.result() == failure(desktop.params, "-723", EXPIRED)
    desktop.is_not_paid(EXPIRED)


def test_on_a_phone_the_end_of_the_time_leads_back_to_the_shop(
    visit: Callable[..., Visit], android: dict[str, Any]
) -> None:
    phone = visit(**android).open(onclick=CALLS_HOME, amount=9_900).tap()
    expect(phone.page.get_by_test_id("open-app")).to_be_visible()
    phone.everything.advance_sandbox(SIXTEEN_MINUTES)
    phone.returned(f"imp_success=false&error_code=-723&error_msg={quote(EXPIRED, safe='')}")
    phone.is_not_paid(EXPIRED)


def test_in_the_app_the_buyer_learns_that_it_is_too_late(visit: Callable[..., Visit], android: dict[str, Any]) -> None:
    phone = visit(**android).open(onclick=CALLS_HOME, amount=9_900).tap()
    phone.page.get_by_test_id("open-app").tap()
    phone.page.get_by_test_id("consent").check()
    phone.everything.advance_sandbox(SIXTEEN_MINUTES)
    phone.page.get_by_test_id("next").tap()
    expect(phone.page.get_by_test_id("ended")).to_contain_text("결제 시간이 지났습니다")
    phone.returned(f"imp_success=false&error_code=-723&error_msg={quote(EXPIRED, safe='')}")
