"""The part of the control API about what happens at KakaoPay without the merchant's server (wire/kakaopay.md, 14)."""

from typing import Any

from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from kakaopay_sandbox.buyer import Buyer
from kakaopay_sandbox.call_log import Entry
from kakaopay_sandbox.clock import zoned_time
from kakaopay_sandbox.control_body import BadControl, Body
from kakaopay_sandbox.errors import Refusal
from kakaopay_sandbox.hangup import AnyRequest
from kakaopay_sandbox.operations.cancel import checked_part, give_back
from kakaopay_sandbox.sandbox import Sandbox
from kakaopay_sandbox.time_offsets import PLACES, SECONDS_MAX, Offset


def kakaopay_handlers(sandbox: Sandbox, buyer: Buyer) -> list[HTTPRouteHandler]:
    @get("/_sim/time-offset")
    async def show_offset() -> dict[str, Any]:
        return sandbox.time_offsets.offset.shown()

    @post("/_sim/time-offset", status_code=200)
    async def change_offset(request: AnyRequest) -> dict[str, Any]:
        """Let later replies tell times that differ from those of approve and charge; 0 ends it."""
        body = await Body.of(request, "seconds", "spread", "of", "seed")
        offset = Offset(
            seconds=body.number("seconds", -SECONDS_MAX, SECONDS_MAX, 0),
            spread=body.number("spread", 0, SECONDS_MAX, 0),
            of=body.some_of("of", PLACES),
            seed=body.number("seed", 0, 2**53, 0),
        )
        with sandbox.database.transaction():
            sandbox.time_offsets.change(offset)
        return offset.shown()

    @post("/_sim/orders/{tid:str}/refund", status_code=200)
    async def refund(request: AnyRequest, tid: FromPath[str]) -> dict[str, Any]:
        """Give money back in the merchant centre; answers what `refund_at_the_pg` tells."""
        body = await Body.of(request, "amount", "tax_free_amount", "vat_amount")
        return refund_at_the_pg(sandbox, buyer, tid, body)

    return [show_offset, change_offset, refund]


def refund_at_the_pg(sandbox: Sandbox, buyer: Buyer, tid: str, body: Body) -> dict[str, Any]:
    """Give money back unheard by the merchant's server; without `amount` all that is left.

    The centre's staff are not bound by the period after which the API refuses. Raises BadControl.
    """
    order = buyer.order(tid)
    if order is None:
        raise BadControl(f"tid {tid} is unknown", 404)
    left = order.cancelable
    total = body.number("amount", 1, 10**12) if body.has("amount") else left.total
    tax_free = body.number("tax_free_amount", 0, total) if body.has("tax_free_amount") else min(left.tax_free, total)
    vat = body.number("vat_amount", 0, total) if body.has("vat_amount") else None
    now = sandbox.clock.now()
    try:
        part = checked_part(order, total=total, tax_free=tax_free, vat=vat, available=None)
    except Refusal as refusal:
        raise BadControl(f"amount: {refusal.text} ({refusal.code})", 409) from refusal
    with sandbox.database.transaction():
        order, aid = give_back(sandbox, order, part, None, now)
        sandbox.call_log.write(
            Entry(
                operation="refund",
                outcome="cancelled",
                cid=order.cid,
                tid=tid,
                sid=order.sid,
                aid=aid,
                partner_order_id=order.partner_order_id,
                partner_user_id=order.partner_user_id,
                amount=part.total,
                payment_method_type=order.payment_method_type,
            ),
            now,
        )
    return {
        "aid": aid,
        "tid": tid,
        "status": order.status.value,
        "amount": part.on_the_wire(),
        "canceled_amount": order.canceled.on_the_wire(),
        "cancel_available_amount": order.cancelable.on_the_wire(),
        "canceled_at": zoned_time(now),
    }
