"""The layer in pages that are in its way: their styles, policies, dialogs, isolation, and loaders of their own."""

import re

import pytest
from playwright.async_api import expect

from maedal.checkout.sdk import Kind, script

from .contract import Shop, paid

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

IN_ANOTHER_WINDOW = "새 창에서 결제를 진행해주세요."
BLOCKED = "이 화면에는 결제창을 표시할 수 없습니다. 새 창에서 열어주세요."
ISOLATED = {"Cross_Origin_Opener_Policy": "same-origin", "Cross_Origin_Embedder_Policy": "require-corp"}
CHAT = (
    '<div style="position:fixed;inset:0;z-index:2147483647;background:#f00" onclick="results.push(\'chat\')">chat</div>'
)


# -- the top layer


@pytest.mark.parametrize(
    "style",
    [
        "transform:translateZ(0)",
        "filter:grayscale(1)",
        "perspective:10px",
        "contain:strict;height:40px",
        "opacity:.2",
        "zoom:.5",
    ],
)
async def test_no_style_of_the_body_makes_the_layer_smaller(shop: Shop, style: str) -> None:
    await shop.open(shop.tag + f"<style>body{{{style}}}</style>")
    await shop.pay()
    await shop.window()
    await shop.page.wait_for_timeout(300)  # The layer has risen to its place.
    box = await shop.page.locator(".imp-frame").bounding_box()
    assert box
    assert box["height"] >= 550 * (0.5 if "zoom" in style else 1)
    await expect(shop.page.locator(".imp-close")).to_be_in_viewport(ratio=1)
    await shop.close()
    assert (await shop.result())["error_code"] == "CANCELED_BY_USER"


async def test_a_dialog_of_the_shop_does_not_lock_the_buyer_out(shop: Shop) -> None:
    await shop.open(body="<dialog id='order'><button>주문서</button></dialog>")
    await shop.page.evaluate("document.querySelector('#order').showModal()")
    await shop.pay()
    await shop.window()
    await shop.close()
    assert (await shop.result())["error_code"] == "CANCELED_BY_USER"
    assert await shop.page.evaluate("document.querySelector('#order').open")


async def test_no_widget_of_the_shop_is_above_the_layer(shop: Shop) -> None:
    await shop.open(body=CHAT)
    await shop.pay()
    await shop.window()
    await shop.close()
    assert (await shop.result())["error_code"] == "CANCELED_BY_USER"


async def test_rules_of_the_shop_for_its_own_dialogs_do_not_reach_the_layer(shop: Shop) -> None:
    rude = "dialog{width:200px;padding:40px;border:9px solid red;border-radius:40px} dialog[open]{max-width:300px;height:100px;margin:90px}"
    await shop.open(shop.tag + f"<style>{rude}</style>")
    await shop.pay()
    await shop.window()
    box = await shop.page.locator(".imp-dialog").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 1280, "height": 800}


async def test_a_browser_that_closes_dialogs_by_itself_asks_once_more(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    await shop.page.evaluate("document.querySelector('.imp-dialog').close()")
    await expect(shop.page.get_by_role("alertdialog", name="결제를 취소하시겠습니까?")).to_be_visible()
    assert await shop.page.evaluate("document.querySelector('.imp-dialog').matches(':modal')")


async def test_a_browser_without_dialogs_shows_it_as_before(shop: Shop) -> None:
    await shop.page.add_init_script("delete window.HTMLDialogElement; delete Document.prototype.adoptedStyleSheets")
    await shop.open()
    await shop.pay()
    await shop.window()
    await expect(shop.page.locator("body > div.imp-dialog")).to_have_css("z-index", "99999")
    await expect(shop.page.locator("#imp-style")).to_have_count(1)
    await shop.close()
    assert (await shop.result())["error_code"] == "CANCELED_BY_USER"


# -- policies


@pytest.mark.parametrize("policy", ["style-src 'self'", "style-src 'none'", "style-src 'nonce-another'"])
async def test_no_policy_for_styles_leaves_the_layer_bare(shop: Shop, policy: str) -> None:
    await shop.page.goto(shop.serve("/strict", shop.html(shop.tag), Content_Security_Policy=policy))
    await shop.pay()
    await shop.window()
    await expect(shop.page.locator(".imp-dialog")).to_have_css("background-color", "rgba(0, 0, 0, 0.5)")
    size = await shop.page.locator(".imp-frame").evaluate("(frame) => [frame.offsetWidth, frame.offsetHeight]")
    assert size == [426, 550]
    assert [line for line in shop.console if re.search("imp-|iamport", line)] == []
    await shop.page.evaluate("IMP.deinit()")
    assert await shop.page.evaluate("document.adoptedStyleSheets.length") == 0


async def test_a_frame_that_stays_empty_says_so_and_offers_a_window_of_its_own(shop: Shop) -> None:
    await shop.page.goto(shop.serve("/strict", shop.html(shop.tag), Content_Security_Policy="frame-src 'none'"))
    await shop.pay()
    await expect(shop.page.get_by_role("status")).to_have_text(BLOCKED)
    async with shop.page.expect_popup() as opening:
        await shop.page.get_by_role("button", name="새 창에서 열기").click()
    popup = await opening.value
    await popup.wait_for_load_state()
    await expect(shop.page.get_by_role("status")).to_have_text(IN_ANOTHER_WINDOW)
    await popup.evaluate("([said, to]) => tell(said, to)", [shop.message(), shop.url])
    assert (await shop.result())["success"] is True


# -- isolated pages


async def test_an_isolated_page_shows_the_frame_without_its_cookies(shop: Shop) -> None:
    await shop.page.goto(shop.serve("/isolated", shop.html(shop.tag), **ISOLATED))
    assert await shop.page.evaluate("crossOriginIsolated")
    await shop.pay()
    await shop.tell()
    assert (await shop.result())["success"] is True


async def test_an_isolated_page_in_a_browser_that_cannot_do_that_begins_in_a_window(shop: Shop) -> None:
    await shop.page.add_init_script("delete HTMLIFrameElement.prototype.credentialless")
    await shop.page.goto(shop.serve("/isolated", shop.html(shop.tag), **ISOLATED))
    async with shop.page.expect_popup():
        await shop.pay()
    await expect(shop.page.get_by_role("status")).to_have_text(
        re.compile(f"{IN_ANOTHER_WINDOW}|새 창을 닫으셨다면 다시 열어주세요.")
    )
    shop.gateway.finish(paid())
    assert (await shop.result())["success"] is True


async def test_an_ordinary_page_keeps_the_frames_cookies(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    assert not await shop.page.locator(".imp-frame").evaluate("(frame) => frame.credentialless")


# -- a window of its own


async def test_a_buyer_who_closed_the_new_window_can_open_it_again(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    async with shop.page.expect_popup() as opening:
        await shop.page.get_by_role("link", name="새 창에서 열기").click()
    await (await opening.value).close()
    await expect(shop.page.get_by_role("status")).to_have_text("새 창을 닫으셨다면 다시 열어주세요.")
    async with shop.page.expect_popup() as opening:
        await shop.page.get_by_role("button", name="새 창 다시 열기").click()
    popup = await opening.value
    await popup.wait_for_load_state()
    await expect(shop.page.get_by_role("status")).to_have_text(IN_ANOTHER_WINDOW)
    await popup.evaluate("([said, to]) => tell(said, to)", [shop.message(), shop.url])
    assert (await shop.result())["success"] is True


# -- local work


async def test_a_local_gateways_frame_may_come_back_from_the_internet(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    allowed = await shop.page.locator(".imp-frame").get_attribute("allow")
    assert allowed == "local-network-access *; loopback-network *; local-network *"


# -- loaders


async def test_a_script_that_is_imported_knows_who_served_it(shop: Shop) -> None:
    await shop.open(f"<script type='module'>await import('{shop.gateway.url}/v1/iamport.js')</script>")
    await shop.page.wait_for_function("window.IMP")
    await shop.pay()
    await shop.tell()
    assert await shop.result() == paid()


async def test_a_script_that_is_fetched_knows_who_served_it(shop: Shop) -> None:
    await shop.open(
        f"<script>fetch('{shop.gateway.url}/v1/iamport.js').then((r) => r.text()).then((code) => (0, eval)(code))</script>"
    )
    await shop.page.wait_for_function("window.IMP")
    await shop.pay()
    await shop.tell()
    assert await shop.result() == paid()
    assert shop.alerts == []


async def test_a_page_may_pay_before_it_has_a_body(shop: Shop) -> None:
    pay = "IMP.init('imp00000000'); IMP.request_pay({merchant_uid: 'order_7', amount: 100}, (rsp) => results.push(rsp))"
    await shop.page.goto(
        shop.serve(
            "/head",
            f"<!doctype html><head><meta charset='utf-8'>{shop.tag}<script>var results = []; {pay}</script></head><body>shop",
        )
    )
    await shop.tell()
    assert await shop.result() == paid()
    assert shop.alerts == []


V2 = {
    "v2": "<script src='/v2.js'></script>",
    "v2.esm": "<script type='module'>import PortOne, {requestPayment} from '/v2.js'; window.PortOne = PortOne;"
    "window.same = requestPayment === PortOne.requestPayment</script>",
}


@pytest.mark.parametrize("kind", V2)
async def test_a_page_of_v2_is_told_in_its_own_way(shop: Shop, kind: Kind) -> None:
    body = script(kind)
    await shop.page.route("**/v2.js", lambda route: route.fulfill(body=body, content_type="text/javascript"))
    await shop.open(V2[kind])
    await shop.page.wait_for_function("window.PortOne")
    reply = await shop.page.evaluate("""() => Promise.all(Object.values(PortOne).map((method) =>
        method({storeId: "store-1"}).catch(({code, message, __portOneErrorType}) => [code, message, __portOneErrorType])))""")
    assert len(reply) == 8
    assert {code for code, _, _ in reply} == {"Unimplemented"}
    assert all("/v1/iamport.js" in message for _, message, _ in reply)
    assert reply[0][2] == "PaymentError"


# -- words, and one click heard twice


async def test_a_key_without_a_payment_is_called_that(shop: Shop) -> None:
    await shop.pay(amount=0, customer_uid="c_1")
    await shop.window()
    await expect(shop.page.get_by_role("dialog", name="카카오페이 정기결제 등록")).to_be_visible()
    await expect(shop.page.locator(".imp-title")).to_have_text("카카오페이 정기결제 등록")
    await shop.ask_to_close()
    question = shop.page.get_by_role("alertdialog", name="정기결제 등록을 취소하시겠습니까?")
    await expect(question.get_by_role("button")).to_have_text(["등록 취소", "계속 등록하기"])


async def test_one_click_that_two_handlers_heard_is_one_payment(shop: Shop) -> None:
    await shop.page.evaluate("""() => {
        IMP.init("imp00000000");
        const pay = () => IMP.request_pay({merchant_uid: "order_7", amount: 9900}, keep);
        pay(), pay();
    }""")
    await shop.tell()
    assert await shop.result() == paid()
    assert len(shop.gateway.opened) == 1
    await shop.pay()
    await shop.tell()
    assert len(await shop.results(2)) == 2


@pytest.mark.parametrize("nothing", [False, None, " ", ""])
async def test_what_a_page_did_not_mean_to_give_is_nothing(shop: Shop, nothing: object) -> None:
    await shop.pay(currency=nothing, tax_free=nothing, pay_method=nothing, customer_uid=nothing, amount=100)
    await shop.window()
    assert shop.gateway.params["pay_method"] == "card"
    assert "tax_free" not in shop.gateway.params
    await shop.pay(customer_uid=nothing, amount=0)
    assert (await shop.results())[0]["error_code"] in {"INVALID_AMOUNT", "ALREADY_OPEN"}
