"""The layer on a desktop page: what it looks like to a buyer, to a keyboard, and to the page around it."""

import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from .contract import CANCELLED, IMP_UID, TOKEN, Shop, paid

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("browser-sdk"),
]


async def test_the_layer_has_the_class_names_that_shops_style(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    await expect(shop.page.locator("body > .imp-dialog.customizable.payment-kakaopay.pc")).to_have_count(1)
    await expect(shop.page.locator(".imp-header .imp-close")).to_be_visible()
    await expect(shop.page.locator("iframe.imp-frame.imp-frame-pc.imp-frame-kakaopay")).to_be_visible()


async def test_the_frame_is_as_large_as_kakaopays_page(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    size = await shop.page.locator(".imp-frame").evaluate("(frame) => [frame.offsetWidth, frame.offsetHeight]")
    assert size == [426, 550]


async def test_the_frame_of_the_default_channel_is_marked(shop: Shop) -> None:
    await shop.pay(pg=None)
    await shop.window()
    await expect(shop.page.locator(".imp-frame.imp-frame-default")).to_have_count(1)


async def test_a_pages_own_rules_for_plain_elements_do_not_reach_the_layer(shop: Shop) -> None:
    rude = "<style>iframe { width: 50%; height: 90px } button { width: 100%; padding: 30px; background: red } "
    rude += "div { float: left; margin: 9px; padding: 10px; min-height: 90px } h2 { margin: 50px }</style>"
    await shop.open(shop.tag + rude)
    await shop.pay()
    await shop.window()
    sizes = "(layer) => ['iframe', '.imp-header', '.imp-close'].map((name) => layer.querySelector(name).getBoundingClientRect())"
    await shop.page.wait_for_timeout(300)  # The layer has risen to its place.
    frame, header, close = await shop.page.locator(".imp-dialog").evaluate(sizes)
    assert (round(frame["width"]), round(frame["height"])) == (426, 550)
    assert (round(header["width"]), round(header["height"])) == (426, 56)
    assert (round(close["width"]), round(close["height"])) == (40, 40)


async def test_the_page_behind_is_dimmed_and_does_not_scroll(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    await expect(shop.page.locator(".imp-dialog")).to_have_css("background-color", "rgba(0, 0, 0, 0.5)")
    await shop.page.mouse.move(40, 400)
    await shop.page.mouse.wheel(0, 500)
    assert await shop.page.evaluate("scrollY") == 0


async def test_the_page_scrolls_again_and_has_its_focus_back_afterwards(shop: Shop) -> None:
    await shop.pay()
    await shop.tell()
    await shop.result()
    await shop.is_gone()
    assert await shop.page.evaluate("document.activeElement.id") == "pay"
    assert await shop.page.evaluate("getComputedStyle(document.documentElement).overflowY") == "visible"


async def test_a_screen_reader_meets_a_modal_dialog_with_a_name(shop: Shop) -> None:
    await shop.pay()
    dialog = shop.page.get_by_role("dialog", name="카카오페이 결제")
    await expect(dialog).to_have_attribute("aria-modal", "true")
    await expect(dialog).to_be_visible()


async def test_the_focus_moves_in_and_tab_does_not_lead_out(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    inside = "document.querySelector('.imp-dialog').contains(document.activeElement)"
    for key in ["Tab"] * 6 + ["Shift+Tab"] * 6:
        await shop.page.keyboard.press(key)
        assert await shop.page.evaluate(inside)


async def test_a_page_that_pulls_the_focus_away_does_not_keep_it(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    await shop.page.evaluate("document.querySelector('#pay').focus()")
    assert await shop.page.evaluate("document.querySelector('.imp-dialog').contains(document.activeElement)")


async def test_the_buyer_is_asked_to_wait_until_the_window_is_there(shop: Shop) -> None:
    await shop.page.route("**/checkout/window", lambda _: None)
    await shop.pay()
    await expect(shop.page.get_by_role("status")).to_have_text("잠시만 기다려주세요…")


async def test_closing_asks_once_and_reports_the_sentence_that_shops_compare(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    await shop.ask_to_close()
    question = shop.page.get_by_role("alertdialog", name="결제를 취소하시겠습니까?")
    await expect(question.get_by_role("button")).to_have_text(["결제 취소", "계속 결제하기"])
    await question.get_by_role("button", name="결제 취소").click()
    result = await shop.result()
    assert result["error_msg"] == CANCELLED
    assert result["error_code"] == "CANCELED_BY_USER"
    assert shop.gateway.closes == [{"token": TOKEN, "reason": "closed"}]
    assert shop.alerts == []
    await shop.is_gone()


async def test_a_buyer_may_think_better_of_closing(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    await shop.ask_to_close()
    await shop.page.get_by_role("button", name="계속 결제하기").click()
    await expect(shop.page.locator(".imp-ask")).to_have_count(0)
    await shop.tell()
    assert (await shop.result())["success"] is True
    assert shop.gateway.closes == []


async def test_escape_asks_to_close_and_escape_again_goes_on(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    await shop.page.keyboard.press("Escape")
    await expect(shop.page.get_by_role("button", name="계속 결제하기")).to_be_focused()
    await shop.page.keyboard.press("Escape")
    await expect(shop.page.locator(".imp-ask")).to_have_count(0)
    await expect(shop.page.locator(".imp-frame")).to_be_visible()


async def test_while_it_asks_nothing_else_can_be_reached(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    await shop.ask_to_close()
    reached = set()
    for _ in range(4):
        await shop.page.keyboard.press("Tab")
        reached.add(await shop.page.evaluate("document.activeElement.className"))
    assert reached == {"imp-keep", "imp-cancel"}


async def test_closing_while_the_approval_runs_brings_the_real_result(shop: Shop) -> None:
    shop.gateway.on_close = {"state": "working"}
    await shop.page.clock.install()
    await shop.pay()
    await shop.window()
    await shop.close()
    await expect(shop.page.get_by_role("status")).to_have_text("결제 결과를 확인하고 있습니다.")
    await expect(shop.page.locator(".imp-frame")).to_have_count(0)
    await expect(shop.page.locator(".imp-close")).to_be_hidden()
    shop.gateway.finish(paid())
    await shop.page.clock.fast_forward(3_000)
    assert (await shop.result())["success"] is True


async def test_closing_before_the_window_is_open_closes_it_as_soon_as_it_is(shop: Shop) -> None:
    held = []
    await shop.page.route("**/sdk/payments", lambda route: held.append(route))  # noqa: PLW0108 -- Playwright marks it
    await shop.pay()
    await shop.close()
    await expect(shop.page.get_by_role("status")).to_have_text("결제 결과를 확인하고 있습니다.")
    await held[0].continue_()
    assert (await shop.result())["error_msg"] == CANCELLED
    assert shop.gateway.closes == [{"token": TOKEN, "reason": "closed"}]


async def test_a_close_that_nobody_answers_is_unknown_and_never_failed(shop: Shop) -> None:
    shop.gateway.broken = {"close", "state"}
    await shop.page.clock.install()
    await shop.pay()
    await shop.window()
    await shop.close()
    for _ in range(40):
        await shop.page.clock.fast_forward(1_000)
        if await shop.page.evaluate("results.length"):
            break
    result = await shop.result()
    assert (result["error_code"], result["status"], result["imp_uid"]) == ("UNKNOWN", "ready", IMP_UID)


async def test_a_lost_close_is_sent_again(shop: Shop) -> None:
    shop.gateway.broken = {"close"}
    await shop.pay()
    await shop.window()
    async with shop.page.expect_response("**/close"):
        await shop.close()
    shop.gateway.broken = set()
    assert (await shop.result())["error_msg"] == CANCELLED


async def test_the_window_can_be_taken_into_a_window_of_its_own(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    async with shop.page.expect_popup() as opening:
        await shop.page.get_by_role("link", name="새 창에서 열기").click()
    popup = await opening.value
    await popup.wait_for_load_state()
    await expect(shop.page.locator(".imp-frame")).to_have_count(0)
    await expect(shop.page.get_by_role("status")).to_have_text("새 창에서 결제를 진행해주세요.")
    await popup.evaluate("([said, to]) => tell(said, to)", [shop.message(), shop.url])
    assert (await shop.result())["success"] is True
    assert popup.is_closed() or await popup.wait_for_event("close")


async def test_a_channel_may_open_its_window_apart_and_a_browser_that_refuses_shows_it_over_the_page(
    shop: Shop,
) -> None:
    shop.gateway.next_kind = "popup"
    async with shop.page.expect_popup() as opening:
        await shop.pay()
    popup = await opening.value
    await popup.wait_for_load_state()
    await expect(shop.page.locator(".imp-frame")).to_have_count(0)
    await expect(shop.page.get_by_role("status")).to_have_text("새 창에서 결제를 진행해주세요.")
    await popup.evaluate("([said, to]) => tell(said, to)", [shop.message(), shop.url])
    assert (await shop.result())["success"] is True
    await shop.page.evaluate("window.open = () => null")
    await shop.pay()
    await shop.window()
    await expect(shop.page.locator(".imp-frame")).to_be_visible()


async def test_a_blocked_popup_becomes_a_tab_and_the_end_is_asked_for(shop: Shop) -> None:
    await shop.page.clock.install()
    await shop.pay()
    await shop.window()
    await shop.page.evaluate("window.open = () => null")
    async with shop.page.expect_popup():
        await shop.page.get_by_role("link", name="새 창에서 열기").click()
    shop.gateway.finish(paid())
    await shop.page.clock.fast_forward(3_000)
    assert (await shop.result())["success"] is True


async def test_a_checker_of_accessibility_finds_nothing(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    layer = {"include": [[".imp-dialog"]]}
    opened = await Axe().run(shop.page, context=layer)
    assert opened.violations_count == 0, opened.generate_report()
    await shop.ask_to_close()
    await shop.page.wait_for_timeout(300)  # Half-faded text has half its contrast.
    asked = await Axe().run(shop.page, context=layer)
    assert asked.violations_count == 0, asked.generate_report()


async def test_the_layer_speaks_english_and_error_messages_stay_korean(shop: Shop) -> None:
    await shop.pay(language="en")
    await shop.window()
    await expect(shop.page.get_by_role("dialog", name="KakaoPay payment")).to_have_attribute("lang", "en")
    await shop.page.get_by_role("button", name="Close the payment window").click()
    await shop.page.get_by_role("alertdialog", name="Cancel this payment?").get_by_text("Cancel payment").click()
    assert (await shop.result())["error_msg"] == CANCELLED


async def test_the_layer_fits_a_very_small_screen(shop: Shop) -> None:
    await shop.page.set_viewport_size({"width": 280, "height": 320})
    await shop.pay()
    await shop.window()
    box = await shop.page.locator(".imp-frame").bounding_box()
    assert box and box["width"] <= 280 and box["y"] + box["height"] <= 320
    await expect(shop.page.locator(".imp-close")).to_be_in_viewport(ratio=1)


async def test_nothing_moves_for_those_who_asked_for_that(shop: Shop) -> None:
    await shop.page.emulate_media(reduced_motion="reduce")
    await shop.pay()
    await expect(shop.page.locator(".imp-panel")).to_have_css("animation-name", "none")
    await expect(shop.page.locator(".imp-spinner")).to_have_css("animation-name", "none")


async def test_a_page_with_a_strict_policy_needs_the_nonce_and_nothing_more(shop: Shop) -> None:
    policy = (
        f"default-src 'none'; script-src 'nonce-n0nce'; style-src 'nonce-n0nce'; "
        f"connect-src {shop.gateway.url}; frame-src {shop.gateway.url}"
    )
    tag = f'<script nonce="n0nce" src="{shop.gateway.url}/v1/iamport.js"></script>'
    html = f"""<!doctype html><meta charset="utf-8">{tag}<body><button id="pay">pay</button><script nonce="n0nce">
        IMP.init("imp00000000");
        IMP.request_pay({{merchant_uid: "order_7", amount: 100}}, (rsp) => document.title = rsp.status);
        </script>"""
    await shop.page.goto(shop.serve("/strict", html, Content_Security_Policy=policy))
    await shop.window()
    await expect(shop.page.locator(".imp-dialog")).to_have_css("position", "fixed")
    await shop.tell()
    await expect(shop.page).to_have_title("paid")
    assert [line for line in shop.console if re.search("content security", line, re.IGNORECASE)] == []


async def test_a_page_may_give_the_frame_a_place_of_its_own(shop: Shop) -> None:
    await shop.open(body='<div id="here" style="width:600px"></div>')
    await shop.page.evaluate("""() => {
        IMP.init("imp00000000", {pgIframeContainer: document.querySelector("#here")});
        IMP.request_pay({merchant_uid: "order_7", amount: 100}, keep);
    }""")
    await shop.window()
    await expect(shop.page.locator("#here > .imp-dialog iframe")).to_be_visible()
    await expect(shop.page.locator(".imp-dialog")).to_have_css("position", "relative")
    await shop.tell()
    assert (await shop.result())["success"] is True


async def test_a_place_that_is_no_element_is_only_logged(shop: Shop) -> None:
    await shop.page.evaluate("IMP.init('imp00000000', {pgIframeContainer: '#here'})")
    assert shop.console == ["포트원 컨테이너가 올바른 DOM Element 형식이 아닙니다."]
    await shop.pay(init=False)
    await shop.window()


async def test_a_page_that_redraws_itself_has_closed_the_layer(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    await shop.page.evaluate("document.body.innerHTML = '<button id=pay>pay</button>'")
    assert (await shop.result())["error_msg"] == CANCELLED
    await expect(shop.page.locator(".imp-locked")).to_have_count(0)


async def test_a_page_that_has_redrawn_itself_can_pay_again_at_once(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    await shop.page.evaluate("document.body.innerHTML = '<button id=pay>pay</button>'")
    await shop.pay(merchant_uid="order_8")
    assert (await shop.result())["error_msg"] == CANCELLED
    await expect(shop.page.locator(".imp-dialog")).to_have_count(1)
    await expect(shop.page.locator("html.imp-locked")).to_have_count(1)


async def test_the_page_itself_may_close_the_layer(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    await shop.page.evaluate("IMP.close()")
    assert (await shop.result())["error_msg"] == CANCELLED
    await shop.is_gone()


async def test_deinit_leaves_nothing_in_the_page(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    await shop.page.evaluate("IMP.deinit()")
    await shop.is_gone()
    await expect(shop.page.locator("#imp-style, .imp-locked")).to_have_count(0)
    assert (await shop.result())["error_msg"] == CANCELLED
