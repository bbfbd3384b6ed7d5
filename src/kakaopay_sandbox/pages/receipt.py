"""The receipt page with its hash (docs/wire/kakaopay.md, 13)."""

import hashlib
import hmac
from typing import Any

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from kakaopay_sandbox.buyer import Buyer
from kakaopay_sandbox.hangup import AnyRequest
from kakaopay_sandbox.orders import Order
from kakaopay_sandbox.pages.page import Page
from kakaopay_sandbox.sandbox import Sandbox


def receipt_hash(order: Order, aid: str = "") -> str:
    """With an `aid` the receipt of one action, without one the receipt of the payment."""
    plain = order.cid + order.tid + order.partner_order_id + order.partner_user_id + aid
    return hashlib.sha256(plain.encode()).hexdigest()


def receipt_path(order: Order, aid: str) -> str:
    return f"/v1/confirmation/p/{aid}/{receipt_hash(order, aid)}"


def receipt_handlers(sandbox: Sandbox, buyer: Buyer) -> list[HTTPRouteHandler]:
    @get("/v1/confirmation/{screen:str}/{code:str}/{digest:str}")
    async def receipt(
        request: AnyRequest, screen: FromPath[str], code: FromPath[str], digest: FromPath[str]
    ) -> Response[Any]:
        """`code` is a tid or an aid; a wrong hash shows nothing."""
        page = Page(request)
        action = sandbox.actions.by_aid(code)
        order = buyer.order(action.tid if action else code)
        if screen not in {"p", "m"} or order is None or order.approved_at is None:
            return page.lost()
        expected = receipt_hash(order, action.aid if action else "")
        if not hmac.compare_digest(expected.encode(), digest.encode()):
            return page.lost()
        actions = [action] if action else sandbox.actions.of_order(order.tid)
        card = sandbox.wallet.card(order.card_id or "")
        return page.show("receipt.html", order=order, actions=actions, card=card)

    return [receipt]
