"""`IMP.request_pay` on a desktop page: what goes to the gateway, what comes back, and what does not disturb it."""

from typing import Any

import pytest
from playwright.async_api import expect

from .contract import IMP_UID, TOKEN, Shop, failed, paid

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("browser-sdk"),
]

UNKNOWN_PG = "등록되지 않은 PG모듈 정보입니다. 아임포트 관리자페이지에서 PG모듈 정보를 설정하신 후 다시 시도해주세요."
NOT_INITIALIZED = "판매자 코드가 설정되지 않았습니다. IMP.init()함수를 먼저 호출하세요."


# What goes to the gateway.


async def test_a_call_tells_the_gateway_who_asks_for_what(shop: Shop) -> None:
    await shop.pay(customer_uid="c_1", buyer_name="민지", custom_data={"plan": 1}, unheard_of=True)
    await shop.window()
    [asked] = shop.gateway.opened
    nonce = asked.pop("nonce")
    assert len(nonce) == 32
    assert set(nonce) <= set("0123456789abcdef")
    assert asked == {
        "user_code": "imp00000000", "tier_code": None, "device": "pc", "ios": False, "presentation": "frame",
        "has_callback": True, "page": {"origin": shop.url, "url": f"{shop.url}/pay"},
        "params": {
            "pg": "kakaopay", "merchant_uid": "order_7", "name": "월 구독", "amount": 9900, "pay_method": "card",
            "customer_uid": "c_1", "buyer_name": "민지", "custom_data": {"plan": 1}, "unheard_of": True,
        },
    }  # fmt: skip


async def test_a_sub_store_sends_its_tier(shop: Shop) -> None:
    await shop.page.evaluate("IMP.agency('imp00000000', 'A01')")
    await shop.pay(init=False)
    await shop.window()
    assert (shop.gateway.opened[0]["user_code"], shop.gateway.opened[0]["tier_code"]) == ("imp00000000", "A01")


async def test_a_second_init_replaces_the_first(shop: Shop) -> None:
    await shop.page.evaluate("IMP.agency('imp1', 'A01'); IMP.init(['imp00000002'])")
    await shop.pay(init=False)
    await shop.window()
    assert (shop.gateway.opened[0]["user_code"], shop.gateway.opened[0]["tier_code"]) == ("imp00000002", None)


@pytest.mark.parametrize("amount", [9900, "9900", "009900"])
async def test_amounts_arrive_as_numbers(shop: Shop, amount: object) -> None:
    await shop.pay(amount=amount, tax_free="100")
    await shop.window()
    assert (shop.gateway.params["amount"], shop.gateway.params["tax_free"]) == (9900, 100)


async def test_an_amount_that_is_no_whole_won_is_refused(shop: Shop) -> None:
    amounts = [
        "NaN", "-1", "-0.5", "10.5", "1e21", "Infinity", "'-1000'", "'10.5'", "'1e3'", "'1,000'", "' 1000'", "'１０００'",
        "'0x10'", "''", "'천원'", "null", "undefined", "true", "[1000]", "{}", "0", "'99999999999999999999'",
    ]  # fmt: skip
    for amount in amounts:
        await shop.page.evaluate(
            f"IMP.init('imp00000000'); IMP.request_pay({{merchant_uid: {amount!r}, amount: {amount}}}, keep)"
        )
    assert await shop.results(len(amounts)) == [
        {
            "success": False, "imp_success": False, "imp_uid": None, "merchant_uid": amount,
            "error_code": "INVALID_AMOUNT", "error_msg": "결제금액이 올바르지 않습니다.",
        }
        for amount in amounts
    ]  # fmt: skip
    assert shop.gateway.opened == []
    await shop.is_gone()


async def test_nothing_to_pay_is_fine_for_a_billing_key(shop: Shop) -> None:
    await shop.pay(amount=0, customer_uid="c_1")
    await shop.window()
    assert shop.gateway.params["amount"] == 0


async def test_a_numeric_merchant_uid_becomes_text(shop: Shop) -> None:
    await shop.pay(merchant_uid=20260101)
    await shop.window()
    assert shop.gateway.params["merchant_uid"] == "20260101"


async def test_without_a_merchant_uid_the_order_is_nobodys(shop: Shop) -> None:
    await shop.pay(merchant_uid=None)
    await shop.window()
    name, milliseconds = shop.gateway.params["merchant_uid"].split("_")
    assert name == "nobody"
    assert len(milliseconds) == 13


async def test_a_merchant_uid_that_is_no_text_is_refused(shop: Shop) -> None:
    await shop.pay(merchant_uid={"id": 7})
    assert (await shop.result())["error_code"] == "INVALID_MERCHANT_UID"


async def test_only_won_can_be_paid(shop: Shop) -> None:
    for currency in ("USD", "KRWX", 410):
        await shop.pay(currency=currency)
    assert [result["error_code"] for result in await shop.results(3)] == ["CURRENCY_NOT_SUPPORTED"] * 3


@pytest.mark.parametrize("currency", ["KRW", "krw", "", None])
async def test_won_may_be_said_or_left_out(shop: Shop, currency: object) -> None:
    await shop.pay(currency=currency)
    await shop.window()


# What comes back.


async def test_a_success_has_neither_an_error_code_nor_an_error_message(shop: Shop) -> None:
    await shop.pay()
    await shop.tell()
    assert await shop.result() == paid()
    await shop.is_gone()


async def test_a_failure_in_the_window_has_both(shop: Shop) -> None:
    await shop.pay()
    await shop.tell(result=failed("-780", "승인 실패"))
    result = await shop.result()
    assert (result["success"], result["error_code"], result["error_msg"]) == (False, "-780", "승인 실패")


async def test_the_callback_runs_once_however_often_the_end_is_told(shop: Shop) -> None:
    await shop.page.clock.install()
    await shop.pay()
    frame = await shop.window()
    shop.gateway.finish(paid())
    await frame.evaluate(
        "([said, to]) => { tell(said, to); tell(said, to); tell(said, to) }", [shop.message(), shop.url]
    )
    await shop.results()
    await shop.page.clock.fast_forward(60_000)
    assert len(await shop.results()) == 1


async def test_an_answer_that_comes_after_the_message_is_not_a_second_end(shop: Shop) -> None:
    held = []
    await shop.page.route("**/sdk/payments/imp_*", lambda route: held.append(route))  # noqa: PLW0108 -- Playwright marks it
    await shop.pay()
    await shop.window()
    async with shop.page.expect_request("**/sdk/payments/imp_*"):
        await shop.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    shop.gateway.finish(paid())
    await shop.tell()
    await shop.results()
    async with shop.page.expect_response("**/sdk/payments/imp_*"):
        await held[0].continue_()
    await shop.page.wait_for_timeout(100)
    assert len(await shop.results()) == 1


async def test_a_second_payment_needs_no_reload(shop: Shop) -> None:
    for order in ("order_7", "order_8"):
        await shop.pay(merchant_uid=order)
        await shop.tell(result=paid(merchant_uid=order))
        await shop.is_gone()
    assert [result["merchant_uid"] for result in await shop.results(2)] == ["order_7", "order_8"]
    assert shop.gateway.opened[0]["nonce"] != shop.gateway.opened[1]["nonce"]


async def test_a_callback_may_start_the_next_payment(shop: Shop) -> None:
    await shop.page.evaluate("""() => {
        IMP.init("imp00000000");
        const again = (rsp) => { keep(rsp); IMP.request_pay({merchant_uid: "order_8", amount: 100}, keep) };
        IMP.request_pay({merchant_uid: "order_7", amount: 100}, again);
    }""")
    await shop.tell()
    await shop.results()
    await shop.tell(result=paid(merchant_uid="order_8"))
    assert len(await shop.results(2)) == 2


async def test_a_callback_that_throws_stops_nothing_and_stays_the_pages_error(shop: Shop) -> None:
    await shop.page.evaluate("""() => {
        IMP.init("imp00000000");
        IMP.request_pay({merchant_uid: "order_7", amount: 100}, () => { throw new Error("shop bug") });
    }""")
    await shop.tell()
    await shop.is_gone()
    await shop.pay()
    await shop.tell()
    assert (await shop.result())["success"] is True
    assert shop.errors == ["shop bug"]


async def test_a_call_while_a_window_is_open_gives_way(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    await shop.pay(merchant_uid="order_8")
    [refused] = await shop.results()
    assert (refused["merchant_uid"], refused["error_code"]) == ("order_8", "ALREADY_OPEN")
    await expect(shop.page.locator(".imp-dialog")).to_have_count(1)
    await shop.tell()
    assert (await shop.results(2))[1]["success"] is True


async def test_a_call_returns_nothing(shop: Shop) -> None:
    output = "IMP.init('imp00000000'); IMP.request_pay({merchant_uid: 'order_7', amount: 100}, keep) === undefined"
    assert await shop.page.evaluate(output)


# The end may come by message or by asking.


async def test_a_lost_message_is_made_up_for_by_asking(shop: Shop) -> None:
    await shop.page.clock.install()
    await shop.pay()
    await shop.window()
    shop.gateway.finish(paid())
    await shop.page.clock.fast_forward(2_000)
    assert await shop.result() == paid()


async def test_asking_goes_on_when_the_gateway_is_away_for_a_while(shop: Shop) -> None:
    await shop.page.clock.install()
    await shop.pay()
    await shop.window()
    shop.gateway.broken = {"state"}
    async with shop.page.expect_response("**/sdk/payments/imp_*"):
        await shop.page.clock.fast_forward(2_000)
    shop.gateway.broken = set()
    shop.gateway.finish(paid())
    await shop.page.clock.fast_forward(5_000)
    assert (await shop.result())["success"] is True


async def test_asking_grows_rarer_but_never_rarer_than_every_ten_seconds(shop: Shop) -> None:
    await shop.page.clock.install()
    await shop.pay()
    await shop.window()
    waits = []
    for _ in range(10):
        before = shop.gateway.polls
        waited = 0
        while shop.gateway.polls == before:
            await shop.page.clock.run_for(500)
            await shop.page.wait_for_timeout(20)
            waited += 0.5
        waits.append(waited)
    assert waits[0] <= 2.5
    assert waits[-1] > waits[0]
    assert max(waits) <= 11


async def test_a_running_approval_is_shown(shop: Shop) -> None:
    await shop.page.clock.install()
    await shop.pay()
    await shop.window()
    shop.gateway.state = "working"
    await shop.page.clock.fast_forward(2_000)
    await expect(shop.page.get_by_role("status")).to_have_text("결제 결과를 확인하고 있습니다.")


async def test_a_window_that_never_ends_is_unknown_and_never_failed(shop: Shop) -> None:
    shop.gateway.expires_in = 60
    await shop.page.clock.install()
    await shop.pay()
    await shop.window()
    await shop.page.clock.fast_forward(160_000)
    result = await shop.result()
    assert (result["error_code"], result["status"], result["imp_uid"]) == ("UNKNOWN", "ready", IMP_UID)
    assert result["error_msg"] == "결제 결과를 확인하고 있습니다. 주문 내역에서 결과를 확인해주세요."


async def test_coming_back_to_the_page_asks_at_once(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    shop.gateway.finish(paid())
    await shop.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert (await shop.result())["success"] is True


# Pages are noisy: only the window's own message counts.


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "0" * 32},
        {"from": "iamport-sdk"},
        {"type": "progress"},
        {"imp_uid": "imp_000000000000"},
        {"result": None},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_a_message_with_a_wrong_field_is_ignored(shop: Shop, wrong: dict[str, Any]) -> None:
    await shop.pay()
    await shop.tell(**wrong)
    await shop.tell(result=paid(name="the right one"))
    assert (await shop.result())["name"] == "the right one"


async def test_a_message_that_is_no_result_is_ignored(shop: Shop) -> None:
    await shop.pay()
    frame = await shop.window()
    await frame.evaluate("[null, 'done', 7, {}, [], '{\"from\":\"imp-gateway\"}'].forEach((noise) => tell(noise))")
    await shop.tell()
    assert (await shop.result())["success"] is True
    assert shop.errors == []


async def test_the_page_itself_cannot_say_the_result(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    await shop.page.evaluate("(said) => window.postMessage(said, '*')", shop.message())
    await shop.tell(result=paid(name="the right one"))
    assert (await shop.result())["name"] == "the right one"


async def test_another_frame_of_the_gateway_cannot_say_the_result(shop: Shop) -> None:
    await shop.open(body=f'<iframe name="other" src="{shop.gateway.url}/checkout/other"></iframe>')
    await shop.pay()
    await shop.window()
    other = shop.page.frame(name="other")
    assert other
    await other.evaluate("(said) => tell(said)", shop.message())
    await shop.tell(result=paid(name="the right one"))
    assert (await shop.result())["name"] == "the right one"


async def test_a_stranger_in_our_frame_cannot_say_the_result(shop: Shop) -> None:
    await shop.pay()
    frame = await shop.window()
    stranger = shop.serve("/stranger", "<script>const tell = (said) => parent.postMessage(said, '*')</script>")
    await frame.goto(stranger)
    await frame.evaluate("(said) => tell(said)", shop.message())
    await frame.goto(f"{shop.gateway.url}/checkout/window")
    await shop.tell(result=paid(name="the right one"))
    assert (await shop.result())["name"] == "the right one"


# Refused before the window opens.


async def test_without_parameters_there_is_an_alert_and_false(shop: Shop) -> None:
    assert await shop.page.evaluate("IMP.request_pay(undefined, keep)") is False
    assert shop.alerts == ["결제요청 파라메터가 누락되었습니다."]
    assert await shop.page.evaluate("results") == []


async def test_without_init_there_is_an_alert_and_a_failure(shop: Shop) -> None:
    await shop.pay(init=False)
    result = await shop.result()
    assert (result["error_code"], result["error_msg"]) == ("NOT_INITIALIZED", NOT_INITIALIZED)
    assert shop.alerts == [NOT_INITIALIZED]


async def test_without_init_and_callback_there_is_one_alert(shop: Shop) -> None:
    await shop.pay(init=False, callback=False)
    assert shop.alerts == [NOT_INITIALIZED]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [("F1001", UNKNOWN_PG), ("F1002", "이미 결제가 이루어진 거래건입니다."),
     ("NOT_READY", "등록 된 PG 설정 정보를 찾을 수 없습니다.")],
)  # fmt: skip
async def test_a_refusal_of_the_gateway_passes_through(shop: Shop, code: str, sentence: str) -> None:
    shop.gateway.refusal = failed(code, sentence, imp_uid=None)
    await shop.pay(pg="html5_inicis")
    assert await shop.result() == failed(code, sentence, imp_uid=None)
    await shop.is_gone()
    assert shop.alerts == []


async def test_a_bare_refusal_is_completed(shop: Shop) -> None:
    shop.gateway.refusal = {"error_code": "F1001", "merchant_uid": None}
    await shop.pay()
    result = await shop.result()
    assert (result["success"], result["imp_success"], result["imp_uid"]) == (False, False, None)
    assert result["merchant_uid"] == "order_7"
    assert result["error_msg"]


async def test_a_gateway_that_is_down_is_a_network_error(shop: Shop) -> None:
    shop.gateway.broken = {"open"}
    await shop.pay()
    result = await shop.result()
    assert result["error_code"] == "NETWORK_ERROR"
    assert result["error_msg"] == "결제 서버에 연결하지 못했습니다. 잠시 후 다시 시도해주세요."
    await shop.is_gone()


async def test_a_gateway_that_cannot_be_reached_is_a_network_error(shop: Shop) -> None:
    await shop.page.route("**/sdk/payments", lambda route: route.abort())
    await shop.pay()
    assert (await shop.result())["error_code"] == "NETWORK_ERROR"


async def test_a_gateway_that_never_answers_is_a_network_error(shop: Shop) -> None:
    await shop.page.clock.install()
    await shop.page.route("**/sdk/payments", lambda _: None)
    await shop.pay()
    await shop.page.clock.fast_forward(31_000)
    assert (await shop.result())["error_code"] == "NETWORK_ERROR"


async def test_parameters_that_cannot_be_sent_are_an_error_of_the_sdk(shop: Shop) -> None:
    await shop.page.evaluate("""() => {
        const loop = {}; loop.loop = loop;
        IMP.init("imp00000000");
        IMP.request_pay({merchant_uid: "order_7", amount: 100, custom_data: loop}, keep);
    }""")
    assert (await shop.result())["error_code"] == "SDK_ERROR"
    [alert] = shop.alerts
    assert alert.startswith("결제모듈 구동 중에 오류가 발생하였습니다. 페이지 새로고침 후 다시 시도해주세요.\n")
    await shop.is_gone()


async def test_without_a_callback_a_failure_is_an_alert(shop: Shop) -> None:
    shop.gateway.refusal = failed("F1002", "이미 결제가 이루어진 거래건입니다.", imp_uid=None)
    async with shop.page.expect_event("dialog"):
        await shop.pay(callback=False)
    assert shop.alerts == ["이미 결제가 이루어진 거래건입니다."]


async def test_without_a_callback_a_success_is_silent(shop: Shop) -> None:
    await shop.pay(callback=False)
    await shop.tell()
    await shop.is_gone()
    assert shop.alerts == []


# Leaving.


async def test_leaving_the_page_is_noted_and_changes_nothing(shop: Shop) -> None:
    await shop.pay()
    await shop.window()
    await shop.page.goto(f"{shop.url}/elsewhere")
    for _ in range(50):
        if shop.gateway.closes:
            break
        await shop.page.wait_for_timeout(20)
    assert shop.gateway.closes == [{"token": TOKEN, "reason": "left"}]
    assert shop.gateway.close_types == ["text/plain"]
    assert shop.gateway.state == "open"


async def test_leaving_after_the_end_is_nobodys_business(shop: Shop) -> None:
    await shop.pay()
    await shop.tell()
    await shop.result()
    await shop.page.goto(f"{shop.url}/elsewhere")
    await shop.page.wait_for_timeout(100)
    assert shop.gateway.closes == []


# Pages without an origin, as mobile SDKs load them.


async def test_a_page_without_an_origin_learns_the_end_by_asking(shop: Shop) -> None:
    shop.serve("/inner", shop.html(shop.tag))
    outer = '<!doctype html><title>app</title><iframe name="app" sandbox="allow-scripts" src="/inner"></iframe>'
    await shop.page.goto(shop.serve("/outer", outer))
    app = shop.page.frame(name="app")
    assert app
    await app.wait_for_load_state()
    await app.evaluate("IMP.init('imp00000000'); IMP.request_pay({merchant_uid: 'order_7', amount: 100}, keep)")
    await app.wait_for_function("document.querySelector('iframe')")
    shop.gateway.finish(paid())
    await app.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await app.wait_for_function("results.length")
    assert await app.evaluate("results[0].success")
    assert shop.gateway.origins == ["null"]
    assert shop.gateway.opened[0]["page"]["origin"] == "null"
