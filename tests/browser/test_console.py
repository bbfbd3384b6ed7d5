"""The console in a real browser: every page in both languages, wide and narrow, light and dark; by keyboard; without JavaScript."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from maedal.operators.role import Role
from tests.console.people import make_operator
from tests.support.world import World

from .browsers import PATIENCE_MILLISECONDS

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-console")]

GRAVE = ("serious", "critical")
OF = "/console/merchants/imp00000000"
PAGES = {
    "home": "/console",
    "home, live": "/console?mode=live",
    "home of a merchant": OF,
    "a new merchant": "/console/merchants/new",
    "payments": f"{OF}/payments",
    "billing keys": f"{OF}/billing-keys",
    "customers": f"{OF}/customers",
    "a customer": f"{OF}/customers/one?uid=console",
    "search": f"{OF}/find?q=con",
    "nothing found": f"{OF}/find?q=zzzz",
    "shortcuts": "/console/shortcuts",
    "payments by tag": f"{OF}/payments?tag=vip&columns=status,order,tags,notes,refund",
    "desk: refunds": f"{OF}/desk?tab=refunds",
    "payments by all filters": f"{OF}/payments?word=con&method=money&min=1&span=own&since=2026-01-01&columns=status,tel,tid,net",
    "payments that are not there": f"{OF}/payments?word=nothing&span=today",
    "payments to export": f"{OF}/payments/export?word=con&status=partly",
    "coming up": f"{OF}/upcoming?span=own&until=2099-12-31",
    "scheduled charges": f"{OF}/schedules",
    "a scheduled charge": f"{OF}/schedules/one?uid=console_planned",
    "a preview": f"{OF}/schedules/preview?change=hold&all=1",
    "calendar": f"{OF}/schedules/calendar",
    "a day": f"{OF}/schedules/calendar?day=2026-11-25",
    "desk": f"{OF}/desk",
    "desk: without a tid": f"{OF}/desk?tab=tid",
    "desk: findings": f"{OF}/desk?tab=findings",
    "desk: keys to end": f"{OF}/desk?tab=keys",
    "desk: webhooks": f"{OF}/desk?tab=webhooks",
    "webhook log": f"{OF}/webhook-log",
    "webhooks again": f"{OF}/webhook-log/resend?all=on",
    "figures": f"{OF}/figures",
    "monthly sums": f"{OF}/figures/months?mode=test",
    "cohorts": f"{OF}/figures/cohorts?mode=test",
    "a list to export": f"{OF}/exports/schedules?tab=all",
    "channels": f"{OF}/channels",
    "a new channel": f"{OF}/channels/new",
    "keys": f"{OF}/keys",
    "the pair of channels": f"{OF}/channels/pair",
    "going live": f"{OF}/go-live",
    "allowed addresses": f"{OF}/allowed-addresses",
    "webhooks": f"{OF}/webhook",
    "retries": f"{OF}/recovery",
    "audit log": f"{OF}/log",
    "account": "/console/account",
    "second step": "/console/account/two-steps",
    "users": "/console/users",
    "log of users": "/console/users/log",
}
WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def password(everything: World) -> str:
    return make_operator(everything, "owner", Role.OWNER)


@pytest.fixture(scope="module")
def paid(everything: World) -> str:
    """A payment with a story: charged, and cancelled in part."""
    everything.issue_key("console")
    imp_uid: str = everything.again("console", "console_1", name="Plan", buyer_name="Minji")["response"]["imp_uid"]
    everything.call("POST", "/payments/cancel", json={"imp_uid": imp_uid, "amount": 1_000, "reason": "asked for"})
    planned = {
        "merchant_uid": "console_planned",
        "schedule_at": int(time.time()) + 90_000,
        "amount": 9_900,
        "name": "Plan",
    }
    everything.call("POST", "/subscribe/payments/schedule", json={"customer_uid": "console", "schedules": [planned]})
    return imp_uid


@pytest.fixture
def browse(shell: Browser, everything: World, password: str) -> Iterator[Callable[..., Page]]:
    """Open a browser on the console, signed in; whatever its console has to complain about fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def begin(*, signed_in: bool = True, **options: Any) -> Page:
        context = shell.new_context(**({"viewport": WIDE, "base_url": everything.gateway} | options))
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/console")
        if signed_in:
            page.get_by_label("이름").fill("owner")
            page.get_by_label("비밀번호").fill(password)
            page.get_by_role("button", name="로그인").click()
            expect(page.get_by_role("heading", name="홈")).to_be_visible()
        return page

    yield begin
    for context in contexts:
        context.close()
    assert [text for text in complaints if not re.search("status of (422|403)", text)] == []


# Each size, language and theme meets each of the other two's: what goes wrong hangs on two of them together at most.
@pytest.mark.parametrize(
    ("size", "language", "theme"),
    [
        pytest.param(WIDE, "ko", "light", id="wide-ko-light"),
        pytest.param(WIDE, "en", "dark", id="wide-en-dark"),
        pytest.param(NARROW, "en", "light", id="narrow-en-light"),
        pytest.param(NARROW, "ko", "dark", id="narrow-ko-dark"),
    ],
)
def test_every_page_reads_well(browse: Callable[..., Page], paid: str, size: Any, language: str, theme: str) -> None:
    page = browse(viewport=size, reduced_motion="reduce")
    page.goto(f"/console/look?language={language}&back=/console")
    page.goto(f"/console/look?theme={theme}&back=/console")
    page.goto(f"{OF}/channels")
    channel = page.locator("a[href*='/channels/channel-key']").first.get_attribute("href")
    found: dict[str, Any] = {}
    for name, address in {**PAGES, "a channel": channel, "a payment": f"{OF}/payments/{paid}"}.items():
        page.goto(address)
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        assert page.evaluate("document.documentElement.lang") == language
        violations = Axe().run(page).response["violations"]
        grave = [(one["id"], one["nodes"][0]["html"]) for one in violations if one["impact"] in GRAVE]
        sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        hangul = re.findall(r"[가-힣]+", page.locator("main").inner_text()) if language == "en" else []
        if grave or sideways > 0 or hangul:
            found[name] = (grave, sideways, hangul)
    assert found == {}


def test_everything_is_searched_by_keyboard_alone(browse: Callable[..., Page], paid: str) -> None:
    page = browse()
    page.goto(f"{OF}/channels")
    page.keyboard.press("/")
    field = page.get_by_label("결제, 고객, 예약, 웹훅, 화면 검색")
    expect(field).to_be_focused()
    page.keyboard.type("console")
    hits = page.locator("#found-now a")
    expect(hits.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(hits.first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(hits).to_have_count(0)
    page.keyboard.type("_1")
    expect(page.locator("#found-now").get_by_role("link", name="Plan")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/payments/{paid}$"))
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="단축키")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="단축키")).to_be_hidden()


def test_the_first_channel_by_keyboard_alone(browse: Callable[..., Page]) -> None:
    page = browse()
    page.goto(f"{OF}/channels/new")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="본문으로")).to_be_focused()
    page.get_by_label("카카오페이", exact=True).focus()
    page.keyboard.press("Tab")
    expect(page.get_by_label("ON", exact=True)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("OFF", exact=True)).to_be_checked()
    expect(page.get_by_role("group", name="계약 종류")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("group", name="계약 종류")).to_be_hidden()
    page.keyboard.press("Tab")
    expect(page.get_by_label("가맹점코드 (CID)")).to_be_focused()
    expect(page.get_by_label("가맹점코드 (CID)")).to_have_value("TCSUBSCRIP")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("note")).to_have_text("채널을 추가했습니다.")


def test_a_check_comes_into_the_page_without_loading_it_anew(browse: Callable[..., Page]) -> None:
    page = browse()
    page.goto(f"{OF}/channels")
    page.get_by_role("link", name=re.compile("TCSUBSCRIP")).first.click()
    page.get_by_label("채널 이름").fill("being typed")
    page.evaluate("window.stayed = true")
    page.get_by_test_id("check").click()
    expect(page.locator("#check").get_by_test_id("note")).to_contain_text("정기결제(빌링키 발급)를 할 수 있습니다")
    assert page.evaluate("window.stayed")
    expect(page.get_by_label("채널 이름")).to_have_value("being typed")
    # And again: what came into the page works as what was there before.
    page.get_by_test_id("check").click()
    expect(page.locator("#check").get_by_test_id("note")).to_be_visible()


def test_everything_works_without_javascript(browse: Callable[..., Page]) -> None:
    page = browse(java_script_enabled=False)
    page.get_by_role("link", name="채널", exact=True).click()
    page.get_by_role("link", name="채널 추가").click()
    page.get_by_label("채널 이름").fill("Without scripts")
    page.get_by_test_id("save").click()
    expect(page.get_by_role("heading", name="Without scripts")).to_be_visible()
    page.get_by_test_id("check").click()
    expect(page.locator("#check").get_by_test_id("note")).to_contain_text("정기결제")
    page.get_by_label("OFF", exact=True).check()
    page.get_by_test_id("save").click()  # refused with 422, which Chromium counts among its complaints
    expect(page.get_by_test_id("problem")).to_contain_text("TCSUBSCRIP은(는) 테스트용 CID입니다.")
    page.get_by_label("결제, 고객, 예약, 웹훅, 화면 검색").fill("웹훅 기록")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main").get_by_role("link", name="웹훅 기록")).to_be_visible()
    page.get_by_role("button", name="테스트", exact=True).click()
    expect(page.get_by_role("button", name="테스트", exact=True)).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="로그아웃").click()
    expect(page.get_by_role("heading", name="로그인")).to_be_visible()


def test_the_menu_of_a_phone_opens_and_leads_on(browse: Callable[..., Page]) -> None:
    page = browse(viewport=NARROW, has_touch=True, is_mobile=True)
    link = page.get_by_role("link", name="웹훅", exact=True)
    expect(link).to_be_hidden()
    page.locator("summary").first.tap()
    link.tap()
    expect(page.get_by_role("heading", name="웹훅", exact=True)).to_be_visible()


def test_a_hostile_name_runs_nowhere(browse: Callable[..., Page]) -> None:
    page = browse()
    page.goto(f"{OF}/channels/new")
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    page.get_by_label("채널 이름").fill(hostile)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.get_by_test_id("save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(hostile)
    for address in (f"{OF}/channels", f"{OF}/log"):
        page.goto(address)
        expect(page.get_by_text(hostile).first).to_be_visible()


def test_no_other_site_can_frame_it(browse: Callable[..., Page], everything: World) -> None:
    page = browse(signed_in=False)
    other = page.context.new_page()
    other.route("http://evil.example/", lambda route: route.fulfill(
        content_type="text/html", body=f"<iframe src='{everything.gateway}/console/sign-in'></iframe>"))  # fmt: skip
    other.goto("http://evil.example/")
    other.wait_for_timeout(500)
    assert all("로그인" not in frame.content() for frame in other.frames[1:])


def test_the_dev_bar_leads_to_the_buyers_phone(browse: Callable[..., Page], everything: World) -> None:
    page = browse()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="구매자 휴대폰 열기").click()
    assert opened.value.url.startswith(everything.sandbox)


def test_payments_are_looked_for_without_loading_the_page_anew(browse: Callable[..., Page], paid: str) -> None:
    page = browse()
    page.goto(f"{OF}/payments")
    page.evaluate("window.stayed = true")
    page.get_by_label("찾기").fill(paid)
    page.get_by_role("button", name="조회").click()
    expect(page.get_by_role("status")).to_contain_text("1건")
    assert page.evaluate("window.stayed")
    assert f"word={paid}" in page.url
    page.get_by_role("link", name="Plan").click()
    expect(page.locator("header").get_by_text("부분취소")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("status")).to_contain_text("1건")


def test_a_list_is_filtered_kept_and_written_as_a_file(browse: Callable[..., Page], paid: str) -> None:
    page = browse()
    page.goto(f"{OF}/payments")
    page.evaluate("window.stayed = true")
    page.get_by_role("link", name="부분취소").click()
    expect(page.get_by_role("link", name="부분취소")).to_have_attribute("aria-current", "true")
    page.get_by_label("기간", exact=True).select_option("직접 입력")
    page.get_by_label("시작일").fill("2020-01-01")
    page.get_by_text("자세한 조건").click()
    page.get_by_label("결제수단").select_option("카카오페이머니")
    page.get_by_role("button", name="조회", exact=True).click()
    expect(page.get_by_text("자세한 조건 1")).to_be_visible()
    expect(page.get_by_role("link", name="Plan")).to_be_visible()
    assert page.evaluate("window.stayed")
    assert "status=partly" in page.url
    page.get_by_text("이 조건 저장").click()
    page.get_by_label("저장한 조건의 이름").fill("부분취소한 머니 결제")
    page.get_by_role("button", name="저장", exact=True).click()
    expect(page.get_by_role("link", name="부분취소한 머니 결제")).to_have_attribute("aria-current", "true")
    page.get_by_text("열 고르기").click()
    page.get_by_label("PG 거래번호").check()
    page.get_by_role("button", name="이 열만 보기").click()
    expect(page.get_by_role("columnheader", name="PG 거래번호")).to_be_visible()
    page.get_by_role("link", name="내려받기").click()
    page.get_by_text("CSV").click()
    with page.expect_download() as loaded:
        page.get_by_test_id("export").click()
    assert paid in Path(loaded.value.path()).read_text(encoding="utf-8-sig")
    expect(page.get_by_text("1건 파일을 만들었습니다.")).to_be_visible()


@pytest.mark.parametrize("list_page", ["payments", "schedules", "billing-keys"])
def test_a_wide_list_scrolls_by_itself_and_never_the_page(
    browse: Callable[..., Page], paid: str, list_page: str
) -> None:
    page = browse()
    for width in (620, 900, 1190):
        page.set_viewport_size({"width": width, "height": 768})
        page.goto(f"{OF}/{list_page}")
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_all_of_a_page_are_ticked_by_one_key_and_the_bar_for_many_stays_in_sight(
    browse: Callable[..., Page], paid: str
) -> None:
    page = browse(viewport={"width": 1366, "height": 768})
    page.goto(f"{OF}/schedules")
    row = page.locator("tbody tr").first.bounding_box()
    assert row is not None
    assert 40 <= row["height"] <= 48
    page.get_by_role("checkbox", name="이 쪽 모두 선택").first.focus()
    page.keyboard.press("Space")
    expect(page.locator("input[name=uid]").first).to_be_checked()
    expect(page.get_by_text("1건 선택")).to_be_in_viewport()
    page.keyboard.press("Space")
    expect(page.locator("input[name=uid]").first).not_to_be_checked()


def test_who_was_signed_out_meanwhile_comes_to_the_sign_in_page(browse: Callable[..., Page]) -> None:
    page = browse()
    page.goto(f"{OF}/channels")
    page.get_by_role("link", name=re.compile("TCSUBSCRIP")).first.click()
    page.context.clear_cookies()
    page.get_by_test_id("check").click()
    expect(page.get_by_role("heading", name="로그인")).to_be_visible()


def test_what_goes_wrong_with_a_part_is_told_in_the_page(browse: Callable[..., Page]) -> None:
    page = browse()
    page.goto(f"{OF}/channels")
    page.get_by_role("link", name=re.compile("TCSUBSCRIP")).first.click()
    page.locator("#check [name=form_token]").evaluate("field => field.value = '00'")
    page.get_by_test_id("check").click()
    expect(page.get_by_role("alert")).to_contain_text("다시 시도해 주세요")
    expect(page.get_by_role("link", name="채널", exact=True)).to_be_visible()
