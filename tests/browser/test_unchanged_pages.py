"""Pages written for the real service, without a changed letter: its hosts lead to our gateway, as a name server would.

Every request to `cdn.iamport.kr` and `service.iamport.kr` is answered by our gateway, whatever its path. The script then
takes the host of its own address for the gateway, asks there, and is told the window's address, which is the gateway's
`public_url`. A merchant who cannot edit a page does the same with a name of their own and a certificate for it.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, Route, expect

from .browsers import EVERYTHING, launch
from .conftest import device
from .people import Visit, given_up, success

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-unchanged")]

REAL_HOSTS = re.compile(r"https://(cdn|service)\.iamport\.kr/")
# What these pages use of jQuery, in place of its 90 kB.
JQUERY = "window.$ = (name) => ({ click: (act) => document.querySelector(name).addEventListener('click', act) });"

TODAY = """
<script src="https://cdn.iamport.kr/v1/iamport.js"></script>
<script>
  const { IMP } = window;
  IMP.init("imp00000000");
  function requestPay() {
    IMP.request_pay(ORDER, async (rsp) => {
      window.calls.push(rsp);
      if (rsp.error_code != null) {
        return alert(`결제에 실패하였습니다. 에러 내용: ${rsp.error_msg}`);
      }
      document.title = "빌링키 발급 성공";
    });
  }
</script>
<button id="pay" onclick="requestPay()">구독하기</button>"""
OF_2016 = """
<script type="text/javascript" src="https://code.jquery.com/jquery-1.12.4.min.js"></script>
<script type="text/javascript" src="https://service.iamport.kr/js/iamport.payment-1.1.5.js"></script>
<button id="pay" type="button">결제하기</button>
<script>
  $("#pay").click(function () {
    var IMP = window.IMP; // 생략가능
    IMP.init('imp00000000');
    IMP.request_pay(ORDER, function (rsp) {
      window.calls.push(rsp);
      if (rsp.success) {
        document.title = "빌링키 발급 성공";
      } else {
        alert("결제에 실패하였습니다. 에러 내용: " + rsp.error_msg);
      }
    });
  });
</script>"""
OF_2021 = OF_2016.replace(
    "service.iamport.kr/js/iamport.payment-1.1.5.js", "cdn.iamport.kr/js/iamport.payment-1.2.0.js"
)
AS_A_MODULE = """
<button id="pay">구독하기</button>
<script type="module">
  import IMP from "https://cdn.iamport.kr/v1/iamport.esm.js";
  IMP.init("imp00000000");
  document.querySelector("#pay").addEventListener("click", () => {
    IMP.request_pay(ORDER, (rsp) => {
      window.calls.push(rsp);
      document.title = rsp.success ? "빌링키 발급 성공" : rsp.error_msg;
    });
  });
</script>"""
PAGES = {"today": TODAY, "of 2016": OF_2016, "of 2021": OF_2021, "as a module": AS_A_MODULE}


def lead_real_hosts_to(context: BrowserContext, gateway: str) -> list[str]:
    """Answer the real service's hosts from `gateway`; give what was asked of them."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        address = urlsplit(route.request.url)
        asked.append(f"{route.request.method} {address.netloc}{address.path}")
        query = f"?{address.query}" * bool(address.query)
        route.fulfill(response=route.fetch(url=f"{gateway}{address.path}{query}"))

    context.route(REAL_HOSTS, answer)
    context.route(
        "https://code.jquery.com/**", lambda route: route.fulfill(body=JQUERY, content_type="text/javascript")
    )
    return asked


def open_unchanged(visit: Visit, page: str, **order: Any) -> list[str]:
    asked = lead_real_hosts_to(visit.context, visit.everything.gateway)
    visit.params = visit.merchant.order(**order)
    reply = json.dumps(visit.params, ensure_ascii=False)
    head = f"<script>window.calls = []; var ORDER = {reply};</script>"
    visit.merchant.pages["/unchanged"] = (
        f'<!doctype html><html lang="ko"><meta charset="utf-8"><title>상점</title>{head}{page}'
    )
    visit.page.goto(f"{visit.merchant.url}/unchanged")
    return asked


@pytest.mark.parametrize("page", PAGES)
def test_at_a_desk_it_gets_its_callback(desktop: Visit, page: str) -> None:
    asked = open_unchanged(desktop, PAGES[page], amount=9_900)
    desktop.click()
    desktop.agree_on_another_device()
    result = desktop.result()
    assert result == success(desktop.params)
    desktop.is_paid_as_reported(result)
    expect(desktop.page).to_have_title("빌링키 발급 성공")
    hosts = {line.split()[1].partition("/")[0] for line in asked}
    assert len(hosts) == 1
    assert f"POST {hosts.pop()}/sdk/payments" in asked


@pytest.mark.parametrize("page", PAGES)
def test_at_a_desk_it_is_told_that_the_buyer_stopped(desktop: Visit, page: str) -> None:
    desktop.page.on("dialog", lambda dialog: dialog.accept())
    open_unchanged(desktop, PAGES[page])
    desktop.click()
    desktop.window.get_by_test_id("cancel").click()
    assert desktop.result() == given_up(desktop.params)


@pytest.mark.parametrize("page", PAGES)
def test_on_a_phone_it_gets_its_redirect(visit: Callable[..., Visit], android: dict[str, Any], page: str) -> None:
    phone = visit(**android)
    open_unchanged(phone, PAGES[page])
    phone.tap()
    phone.agree_on_the_phone()
    phone.returned("imp_success=true")
    phone.is_paid("mobile")


# -- pages that have no origin, as apps and sandboxed frames show them; the gateway is not on the buyer's machine


@pytest.fixture(scope="module")
def in_life(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright, on_the_internet=EVERYTHING)
    yield browser
    browser.close()


def test_a_page_without_an_origin_gets_its_callback(visit: Callable[..., Visit], in_life: Browser) -> None:
    desktop = visit(browser=in_life)
    desktop.open(amount=9_900)
    html = desktop.merchant.pages[urlsplit(desktop.address).path]
    desktop.page.goto("data:text/html;charset=utf-8," + quote(html))
    assert desktop.page.evaluate("window.origin") == "null"
    desktop.click()
    desktop.agree_on_another_device()
    result = desktop.result()
    assert result == success(desktop.params)
    desktop.is_paid_as_reported(result)


def test_a_sandboxed_frame_gets_its_callback_from_a_window_of_its_own(
    visit: Callable[..., Visit], in_life: Browser
) -> None:
    """The sandbox holds for KakaoPay's page inside it too, which then cannot ask its own server; a new window can."""
    desktop = visit(browser=in_life)
    desktop.open()
    desktop.merchant.pages["/around"] = (
        '<!doctype html><title>둘레</title><iframe id="shop" width="900" height="800" '
        f'sandbox="allow-scripts allow-popups allow-popups-to-escape-sandbox" src="{desktop.address}"></iframe>'
    )
    desktop.page.goto(f"{desktop.merchant.url}/around")
    shop = desktop.page.frame_locator("#shop")
    shop.locator("#pay").click()
    with desktop.context.expect_page() as opened:
        shop.get_by_role("link", name="새 창에서 열기").click()
    opened.value.get_by_test_id("cancel").click()
    frame = desktop.page.frames[1]
    frame.wait_for_function("window.calls.length > 0")
    assert frame.evaluate("window.origin") == "null"
    assert frame.evaluate("window.calls") == [given_up(desktop.params)]


@pytest.mark.parametrize("kind", ["iPhone 13", "Pixel 5"])
def test_an_app_that_loads_its_page_as_text_gets_its_redirect(
    visit: Callable[..., Visit], playwright: Playwright, in_life: Browser, kind: str
) -> None:
    """React Native, Flutter and others: no origin, no referrer, and a return address of a host that does not exist."""
    phone = visit(browser=in_life, **device(playwright, kind))
    phone.open(amount="9900", m_redirect_url=f"{phone.merchant.url}/done")
    html = phone.merchant.pages[urlsplit(phone.address).path]
    phone.params["amount"] = 9_900
    phone.page.goto("data:text/html;charset=utf-8," + quote(html))
    phone.tap()
    phone.agree_on_the_phone()
    phone.returned("imp_success=true", before="/done?", after="")
    phone.is_paid("mobile")
