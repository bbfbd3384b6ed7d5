"""Order lookup, by `tid` alone and without the SID (docs/wire/kakaopay.md, 7.4)."""

from typing import Any

from kakaopay_sandbox.actions import Action
from kakaopay_sandbox.call import Call
from kakaopay_sandbox.clock import wire_time
from kakaopay_sandbox.errors import UnknownTid, WrongCid
from kakaopay_sandbox.methods import CARD
from kakaopay_sandbox.operations.payment_reply import card_named, installment_type
from kakaopay_sandbox.orders import Order
from kakaopay_sandbox.sandbox import Sandbox
from kakaopay_sandbox.told_times import told


def order_of(sandbox: Sandbox, call: Call) -> Order:
    """The order a call names. Raises UnknownTid, WrongCid."""
    cid = call.merchant(sandbox.settings)
    order = sandbox.orders.find(call.fields["tid"], call.now)
    if order is None:
        raise UnknownTid
    if order.cid != cid.code:
        raise WrongCid
    call.entry.partner_order_id = order.partner_order_id
    call.entry.partner_user_id = order.partner_user_id
    call.entry.sid = order.sid
    call.entry.payment_method_type = order.payment_method_type
    return order


def look_up(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    order = order_of(sandbox, call)
    off = sandbox.told_times.seconds_of_reply("order")
    call.entry.outcome = "answered"
    call.entry.amount = order.total
    reply: dict[str, Any] = {
        "tid": order.tid,
        "cid": order.cid,
        "status": order.status.value,
        "partner_order_id": order.partner_order_id,
        "partner_user_id": order.partner_user_id,
    }
    if order.payment_method_type is not None:
        reply["payment_method_type"] = order.payment_method_type
    reply["item_name"] = order.item_name
    if order.item_code is not None:
        reply["item_code"] = order.item_code
    reply |= {
        "quantity": order.quantity,
        "amount": order.amount.on_the_wire(),
        "canceled_amount": order.canceled.on_the_wire(),
        "cancel_available_amount": order.cancelable.on_the_wire(),
        "created_at": wire_time(order.created_at),
    }
    if order.approved_at is not None:
        reply["approved_at"] = told(order.approved_at, off)
    if order.canceled_at is not None:
        reply["canceled_at"] = told(order.canceled_at, off)
    if order.payment_method_type == CARD and order.card_id is not None:
        reply["selected_card_info"] = _selected_card(order, is_legacy=call.is_legacy)
    actions = sandbox.actions.of_order(order.tid)
    if actions:
        reply["payment_action_details"] = [_action_detail(action, off) for action in actions]
    return reply


def _selected_card(order: Order, *, is_legacy: bool) -> dict[str, Any]:
    card = card_named(order.card_id)
    info: dict[str, Any] = {"card_bin": card.bin, "install_month": order.install_month}
    if order.install_month > 1 and not is_legacy:
        info["installment_type"] = installment_type(order)
    return info | {
        "card_corp_name": card.issuer,
        "interest_free_install": "Y" if order.share_installment and order.install_month > 1 else "N",
    }


def _action_detail(action: Action, seconds_off: int) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "aid": action.aid,
        "approved_at": told(action.at, seconds_off),
        "amount": action.total,
        "point_amount": 0,
        "discount_amount": 0,
        "green_deposit": action.green_deposit,
        "payment_action_type": action.action_type,
    }
    if action.payload is not None:
        detail["payload"] = action.payload
    return detail
