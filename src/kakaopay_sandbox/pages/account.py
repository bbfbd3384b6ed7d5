"""The buyer's own account: Money, cards, automatic payments, history (docs/wire/kakaopay.md, 10)."""

from typing import Any

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from kakaopay_sandbox.buyer import Buyer
from kakaopay_sandbox.hangup import AnyRequest
from kakaopay_sandbox.methods import WALLET_CARDS
from kakaopay_sandbox.pages.page import Page, form_of
from kakaopay_sandbox.pages.receipt import receipt_path
from kakaopay_sandbox.results import CARD_RESULTS, result_text
from kakaopay_sandbox.sandbox import Sandbox

ACCOUNT = "/account"
BALANCE_MAX = 1_000_000_000_000
DECLINE_CODES = ("0002", "0196", "5012", "0026", "0121", "0126")
HISTORY_LENGTH = 50


def account_handlers(sandbox: Sandbox, buyer: Buyer) -> list[HTTPRouteHandler]:
    def card_names() -> dict[str, str]:
        return {card.id: card.name for card in WALLET_CARDS}

    def history() -> list[dict[str, Any]]:
        now = sandbox.clock.now()
        rows = []
        for action in sandbox.actions.latest(HISTORY_LENGTH):
            order = sandbox.orders.find(action.tid, now)
            assert order is not None
            rows.append({"action": action, "order": order, "receipt": receipt_path(order, action.aid)})
        return rows

    @get(ACCOUNT)
    async def account(request: AnyRequest) -> Response[Any]:
        now = sandbox.clock.now()
        return Page(request).show(
            "account.html",
            wallet=sandbox.wallet,
            cards=sandbox.wallet.cards(),
            card_names=card_names(),
            sids=[(sid, sid.charges_in_month(now)) for sid in sandbox.sids.latest(HISTORY_LENGTH)],
            monthly_limit=sandbox.settings.monthly_limit,
            history=history(),
            decline_codes=[(code, CARD_RESULTS[code]) for code in DECLINE_CODES],
            result_text=result_text,
        )

    @post(ACCOUNT + "/balance", status_code=200)
    async def change_balance(request: AnyRequest) -> Response[Any]:
        """`set` a balance or `add` to it; anything unreadable changes nothing."""
        page = Page(request)
        form = await form_of(request)
        is_set = "set" in form
        won = won_of(form.get("set" if is_set else "add", ""))
        if won is not None:
            with sandbox.database.transaction():
                base = 0 if is_set else sandbox.wallet.balance
                sandbox.wallet.set_balance(min(base + won, BALANCE_MAX))
        return page.go(ACCOUNT)

    @post(ACCOUNT + "/points", status_code=200)
    async def change_points(request: AnyRequest) -> Response[Any]:
        """Set points, discount and whether automatic payments use points; anything unreadable changes nothing."""
        page = Page(request)
        set_points(sandbox, await form_of(request))
        return page.go(ACCOUNT)

    @post(ACCOUNT + "/auto-top-up", status_code=200)
    async def change_top_up(request: AnyRequest) -> Response[Any]:
        page = Page(request)
        form = await form_of(request)
        with sandbox.database.transaction():
            sandbox.wallet.set_auto_top_up(form.get("on") == "yes")
        return page.go(ACCOUNT)

    @post(ACCOUNT + "/cards/{card_id:str}", status_code=200)
    async def change_card(request: AnyRequest, card_id: FromPath[str]) -> Response[Any]:
        page = Page(request)
        if card_id not in card_names():
            return page.lost()
        code = (await form_of(request)).get("decline_code", "")
        with sandbox.database.transaction():
            sandbox.wallet.set_decline_code(card_id, code if code in CARD_RESULTS else None)
        return page.go(ACCOUNT)

    @post(ACCOUNT + "/sids/{sid:str}/end", status_code=200)
    async def end_sid(request: AnyRequest, sid: FromPath[str]) -> Response[Any]:
        page = Page(request)
        known = sandbox.sids.find(sid)
        if known is None:
            return page.lost()
        buyer.end_automatic_payment(known)
        return page.go(ACCOUNT)

    return [account, change_balance, change_points, change_top_up, change_card, end_sid]


def set_points(sandbox: Sandbox, form: dict[str, str]) -> bool:
    """Take points, discount and the use of points from a form; False when an amount cannot be read."""
    points, discount = won_of(form.get("points", "")), won_of(form.get("discount", ""))
    if points is None or discount is None:
        return False
    with sandbox.database.transaction():
        sandbox.wallet.set_points(points)
        sandbox.wallet.set_discount(discount)
        sandbox.wallet.set_use_points(form.get("use_points") == "on")
    return True


def won_of(text: str) -> int | None:
    """Won as people write them, `5,000`; None for what is none."""
    digits = text.replace(",", "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 13 else None
