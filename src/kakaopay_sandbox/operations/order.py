"""Order lookup, by `tid` alone and without the SID (docs/wire/kakaopay.md, 7.4)."""

from typing import Any

from kakaopay_sandbox.actions import Action
from kakaopay_sandbox.call import Call
from kakaopay_sandbox.clock import wire_time
from kakaopay_sandbox.errors import UnknownTid, WrongCid
from kakaopay_sandbox.methods import CARD, card_named
from kakaopay_sandbox.operations.payment_reply import installment_type, interest_free
from kakaopay_sandbox.orders import Order
from kakaopay_sandbox.sandbox import Sandbox
from kakaopay_sandbox.time_offsets import offset_time


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
    off = sandbox.time_offsets.seconds_of_reply("order")
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
    reply |= {"quantity": order.quantity, "amount": order.amount.on_the_wire()}
    gone, left = order.canceled.on_the_wire(), order.cancelable.on_the_wire()
    # The order of the legacy family is that of a capture, the other that of the documentation.
    if call.is_legacy:
        reply |= {"cancel_available_amount": left, "canceled_amount": gone}
    else:
        reply |= {"canceled_amount": gone, "cancel_available_amount": left}
    reply["created_at"] = wire_time(order.created_at)
    if order.approved_at is not None:
        reply["approved_at"] = offset_time(order.approved_at, off)
    if order.canceled_at is not None:
        reply["canceled_at"] = offset_time(order.canceled_at, off)
    if order.payment_method_type == CARD and order.card_id is not None:
        reply["selected_card_info"] = _selected_card(order, is_legacy=call.is_legacy)
    actions = sandbox.actions.of_order(order.tid)
    if actions:
        details = _legacy_detail if call.is_legacy else _current_detail
        reply["payment_action_details"] = [details(order, action, off) for action in actions]
    return reply


def _selected_card(order: Order, *, is_legacy: bool) -> dict[str, Any]:
    card = card_named(order.card_id)
    info: dict[str, Any] = {"card_bin": card.bin, "install_month": order.install_month}
    if not is_legacy and order.total > 0:
        info["installment_type"] = installment_type(order)
    return info | {
        "card_corp_name": card.issuer,
        "interest_free_install": interest_free(order),
    }


def _current_detail(order: Order, action: Action, seconds_off: int) -> dict[str, Any]:
    return {
        "aid": action.aid,
        "approved_at": offset_time(action.at, seconds_off),
        "amount": action.total,
        "point_amount": action.point,
        "discount_amount": action.discount,
        "green_deposit": action.green_deposit,
        "payment_action_type": action.action_type,
        "payment_method_type": order.payment_method_type,
    } | _payload(action)


def _legacy_detail(order: Order, action: Action, seconds_off: int) -> dict[str, Any]:
    """As captured: without the total, the deposit and the method."""
    del order
    return {
        "aid": action.aid,
        "approved_at": offset_time(action.at, seconds_off),
        "point_amount": action.point,
        "discount_amount": action.discount,
        "payment_action_type": action.action_type,
    } | _payload(action)


def _payload(action: Action) -> dict[str, str]:
    return {} if action.payload is None else {"payload": action.payload}
