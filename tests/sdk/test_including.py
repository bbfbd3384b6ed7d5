"""How pages get hold of the SDK, and the methods around `request_pay`."""

import pytest
from playwright.async_api import expect

from .contract import Shop, paid

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("browser-sdk"),
]


async def test_two_script_tags_keep_the_first_object_and_make_one_layer(shop: Shop) -> None:
    keep = "<script>var first = window.IMP; first.init('imp00000000')</script>"
    await shop.open(shop.tag + keep + shop.tag)
    assert await shop.page.evaluate("window.IMP === first")
    await shop.pay(init=False)
    await shop.window()
    await expect(shop.page.locator(".imp-dialog")).to_have_count(1)
    await shop.tell()
    assert (await shop.result())["success"] is True


async def test_methods_work_when_they_are_taken_out_of_the_object(shop: Shop) -> None:
    await shop.page.evaluate("""() => {
        const {init, request_pay} = window.IMP;
        init("imp00000000");
        request_pay({merchant_uid: "order_7", amount: 100}, keep);
    }""")
    await shop.tell()
    assert (await shop.result())["success"] is True


@pytest.mark.parametrize("path", ["/v1/iamport.js", "/js/iamport.payment.js", "/js/iamport.payment-1.1.8.js"])
async def test_every_address_of_the_script_leads_to_its_gateway(shop: Shop, path: str) -> None:
    await shop.open(f'<script src="{shop.gateway.url}{path}?v=3"></script>')
    await shop.pay()
    await shop.tell()
    assert await shop.result() == paid()


async def test_a_gateway_may_live_below_a_path(shop: Shop) -> None:
    await shop.open(f'<script src="{shop.gateway.url}/below/a/path/v1/iamport.js"></script>')
    async with shop.page.expect_response(f"{shop.gateway.url}/below/a/path/sdk/payments"):
        await shop.pay()


async def test_the_tag_may_name_another_gateway(shop: Shop) -> None:
    copy = f"{shop.url}/assets/pay.js"
    await shop.page.route(copy, lambda route: route.fulfill(path=None, body=_classic(), content_type="text/javascript"))
    await shop.open(f'<script src="{copy}" data-gateway="{shop.gateway.url}/"></script>')
    await shop.pay()
    await shop.tell()
    assert await shop.result() == paid()


def _classic() -> bytes:
    from maedal.checkout.sdk import script

    return script("classic")


async def test_a_loader_that_evaluates_the_script_still_finds_the_gateway(shop: Shop) -> None:
    # `currentScript` is null in a task of its own; the tag that some loader left in the page says where we are from.
    head = f"""<script type="text/lazy" src="{shop.gateway.url}/v1/iamport.js"></script>
        <script>fetch("{shop.gateway.url}/v1/iamport.js").then((r) => r.text()).then((code) => (0, eval)(code))</script>"""
    await shop.open(head)
    await shop.page.wait_for_function("window.IMP")
    await shop.pay()
    await shop.tell()
    assert await shop.result() == paid()


async def test_a_script_added_late_still_finds_the_gateway(shop: Shop) -> None:
    await shop.open("")
    await shop.page.add_script_tag(url=f"{shop.gateway.url}/v1/iamport.js")
    await shop.pay()
    await shop.tell()
    assert await shop.result() == paid()


async def test_a_script_that_cannot_know_its_gateway_says_how_to_name_it(shop: Shop) -> None:
    await shop.open("")
    await shop.page.add_script_tag(content=_classic().decode())
    await shop.pay()
    assert any("data-gateway" in alert for alert in shop.alerts)
    assert (await shop.result())["error_code"] == "SDK_ERROR"


async def test_it_can_be_imported_as_a_module(shop: Shop) -> None:
    head = f"""<script type="module">
        import IMP, {{ slots }} from "{shop.gateway.url}/v1/iamport.esm.js";
        window.IMP = IMP; window.slots = slots;</script>"""
    await shop.open(head)
    assert await shop.page.evaluate("slots") == {
        "CORE_SERVER": shop.gateway.url, "CHECKOUT_SERVER": shop.gateway.url,
    }  # fmt: skip
    await shop.pay()
    await shop.tell()
    assert await shop.result() == paid()


async def test_a_module_goes_to_the_server_it_is_given(shop: Shop) -> None:
    copy = f"{shop.url}/assets/iamport.esm.js"
    await shop.page.route(copy, lambda route: route.fulfill(body=_esm(), content_type="text/javascript"))
    head = f"""<script type="module">
        import IMP, {{ slots }} from "{copy}";
        slots.CORE_SERVER = "{shop.gateway.url}/"; window.IMP = IMP;</script>"""
    await shop.open(head)
    await shop.pay()
    await shop.tell()
    assert await shop.result() == paid()


def _esm() -> bytes:
    from maedal.checkout.sdk import script

    return script("esm")


async def test_a_page_that_never_pays_costs_one_request(shop: Shop) -> None:
    asked: list[str] = []
    shop.page.on("request", lambda request: asked.append(request.url))
    await shop.open()
    await shop.page.evaluate("IMP.init('imp00000000')")
    assert asked == [f"{shop.url}/pay", f"{shop.gateway.url}/v1/iamport.js"]
    await expect(shop.page.locator(".imp-dialog, #imp-style")).to_have_count(0)


async def test_the_script_leaves_one_name_in_the_page(shop: Shop) -> None:
    await shop.open("<script>var before = Object.keys(window)</script>" + shop.tag)
    assert await shop.page.evaluate("Object.keys(window).filter((name) => !before.includes(name) && name !== 'before')") == [
        "IMP", "results", "keep",
    ]  # fmt: skip


# The other methods.


async def test_a_certification_fails_as_an_unknown_pg(shop: Shop) -> None:
    await shop.page.evaluate("IMP.certification({merchant_uid: 'c_7'}, keep)")
    result = await shop.result()
    assert (result["success"], result["merchant_uid"], result["error_code"]) == (False, "c_7", "F1001")


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("IMP.loadUI('paypal-spb', {merchant_uid: 'u_7'}, keep)", "pg 파라미터는 필수 입력입니다."),
        ("IMP.loadUI('', {pg: 'kakaopay', merchant_uid: 'u_7'}, keep)", "UI 타입은 필수 입력입니다."),
        ("IMP.loadUI('card', {pg: 'kakaopay', merchant_uid: 'u_7'}, keep)", "지원하지 않는 UI 타입(card)입니다."),
        (
            "IMP.loadUI('paypal-spb', {pg: 'kakaopay.TC0ONETIME', merchant_uid: 'u_7'}, keep)",
            "해당 PG사(kakaopay)는 UI 로딩을 지원하지 않습니다.",
        ),
    ],
)
async def test_there_is_no_ui_to_load(shop: Shop, call: str, sentence: str) -> None:
    await shop.page.evaluate(call)
    assert await shop.result() == {"merchant_uid": "u_7", "error_code": "F500", "error_msg": sentence}


async def test_without_a_callback_a_missing_ui_is_only_logged(shop: Shop) -> None:
    await shop.page.evaluate("IMP.loadUI('paypal-spb', {pg: 'kakaopay'})")
    assert shop.console == ["해당 PG사(kakaopay)는 UI 로딩을 지원하지 않습니다."]


async def test_there_is_no_module_to_load(shop: Shop) -> None:
    error = await shop.page.evaluate(
        "IMP.loadModule('redirect', {userCode: 'imp00000000'}, {}).catch(({code, message, __portOneErrorType}) =>"
        " ({code, message, __portOneErrorType}))"
    )
    assert error == {
        "code": "BadRequest", "message": "지원하지 않는 모듈 타입(redirect) 입니다.", "__portOneErrorType": "ModuleError",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["updateLoadUIRequest", "communicate", "naver_zzim", "payport"])
async def test_what_kakaopay_has_not_warns_once_and_does_nothing(shop: Shop, name: str) -> None:
    await shop.page.evaluate(f"IMP.{name}('a', {{}}); IMP.{name}('a', {{}})")
    assert shop.console == [f"IMP.{name}: KakaoPay has no such function; nothing was done."]


async def test_closing_when_nothing_is_open_does_nothing(shop: Shop) -> None:
    await shop.page.evaluate("IMP.close(); IMP.deinit(); IMP.deinit()")
    assert shop.errors == []
