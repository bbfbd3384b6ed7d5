"""The screens on the buyer's phone: lock screen, choice, PIN, done (docs/wire/kakaopay.md, 4.3 and 10)."""

from typing import Any

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from kakaopay_sandbox.buyer import WRONG_PINS_MAX, Buyer, Impossible
from kakaopay_sandbox.clock import zoned_time
from kakaopay_sandbox.hangup import AnyRequest
from kakaopay_sandbox.methods import CARD, MONEY
from kakaopay_sandbox.orders import Order, Status
from kakaopay_sandbox.pages.bridge import bridge_path
from kakaopay_sandbox.pages.page import Page, form_of, seconds_left
from kakaopay_sandbox.sandbox import Sandbox

PHONE = "/pay/mockup/{code:str}"
DONE = frozenset({Status.AUTH_PASSWORD, Status.SUCCESS_PAYMENT, Status.ISSUED_SID}) | {
    Status.PART_CANCEL_PAYMENT,
    Status.CANCEL_PAYMENT,
}


def phone_handlers(sandbox: Sandbox, buyer: Buyer) -> list[HTTPRouteHandler]:
    def way_home(page: Page, order: Order) -> str | None:
        """The waiting page in this same browser, if the buyer came from it."""
        device = {"frame": "pc", "mobile-web": "mobile-web", "mobile-app": "mobile-app"}.get(page.came_from)
        if device is None:
            return None
        lang = "?lang=en" if page.is_english else ""
        return bridge_path(device, order) + lang

    def screen(request: AnyRequest, order: Order, problem: str = "") -> Response[Any]:
        page = Page(request)
        common: dict[str, Any] = {
            "order": order,
            "path": f"/pay/mockup/{order.page}",
            "home": way_home(page, order),
            "state_path": f"/mockup/state/{order.page}",
            "seconds_left": seconds_left(order, sandbox.clock.now()),
            "problem": problem,
        }
        if order.status in DONE:
            return page.show("phone_done.html", **common)
        if not order.is_open:
            return page.show("phone_ended.html", **common)
        if order.status is Status.SELECT_METHOD:
            card = sandbox.wallet.card(order.card_id or "")
            return page.show(
                "phone_pin.html",
                pin_hint=sandbox.wallet.pin,
                card=card,
                tries_left=WRONG_PINS_MAX - order.wrong_pins,
                status_code=400 if problem else 200,
                **common,
            )
        return page.show(
            "phone_choose.html",
            choices=buyer.choices(order),
            balance=sandbox.wallet.balance,
            auto_top_up=sandbox.wallet.auto_top_up,
            with_points=sandbox.wallet.reduced(order.amount, use_points=True),
            status_code=400 if problem else 200,
            **common,
        )

    @get(PHONE)
    async def payment_screen(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
        order = buyer.order_by_page(code)
        if order is None:
            return Page(request).lost()
        return screen(request, buyer.open_phone(order))

    @get(PHONE + "/lock")
    async def lock_screen(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
        """A phone that has been told of the payment; looking at it changes nothing."""
        order = buyer.order_by_page(code)
        if order is None:
            return Page(request).lost()
        clock = zoned_time(sandbox.clock.now())
        return Page(request).show(
            "phone_lock.html", order=order, path=f"/pay/mockup/{code}", hour=clock[11:16], day=clock[:10]
        )

    @post(PHONE + "/{act:str}", status_code=200)
    async def act_on(request: AnyRequest, code: FromPath[str], act: FromPath[str]) -> Response[Any]:
        # The form first: nothing may come between reading the order and acting on it.
        form = await form_of(request)
        order = buyer.order_by_page(code)
        page = Page(request)
        if order is None or act not in {"method", "again", "pin", "quit"}:
            return page.lost()
        try:
            if act == "method":
                order = _choose(buyer, order, form)
            elif act == "again":
                order = buyer.choose_again(order)
            elif act == "pin":
                order = buyer.enter_pin(order, form.get("pin", ""))
            else:
                order = buyer.quit(order)
        except Impossible as impossible:
            return screen(request, buyer.order_by_page(code) or order, impossible.code)
        return page.go(f"/pay/mockup/{code}")

    return [payment_screen, lock_screen, act_on]


def _choose(buyer: Buyer, order: Order, form: dict[str, str]) -> Order:
    """`method` is `MONEY` or the id of a card."""
    method = form.get("method", "")
    months = form.get("install_month", "0")
    return buyer.choose(
        order,
        method if method in {MONEY, ""} else CARD,
        None if method == MONEY else method,
        int(months) if months.isascii() and months.isdigit() else 0,
        consents=form.get("consent") == "on",
        use_points=form.get("use_points") == "on",
    )
