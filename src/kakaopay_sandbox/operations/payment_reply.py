"""The reply of approve and of a charge, which have the same fields (docs/wire/kakaopay.md, 6 and 7.1)."""

from typing import Any

from kakaopay_sandbox.call import Call
from kakaopay_sandbox.clock import wire_time
from kakaopay_sandbox.methods import CARD, MONEY, Card, card_named
from kakaopay_sandbox.orders import Order


def payment_reply(order: Order, aid: str, call: Call) -> dict[str, Any]:
    """The current family sends every field, null where there is nothing; the legacy one leaves such fields out."""
    assert order.approved_at is not None, f"{order.tid} is not approved"
    return _legacy(order, aid, call) if call.is_legacy else _current(order, aid, call)


def _current(order: Order, aid: str, call: Call) -> dict[str, Any]:
    card = card_named(order.card_id) if order.payment_method_type == CARD else None
    return {
        "aid": aid,
        "tid": order.tid,
        "cid": order.cid,
        "sid": order.sid,
        "partner_order_id": order.partner_order_id,
        "partner_user_id": order.partner_user_id,
        "item_name": order.item_name,
        "item_code": order.item_code,
        "payload": call.fields["payload"],
        "quantity": order.quantity,
        "amount": order.amount.on_the_wire(),
        "payment_method_type": order.payment_method_type,
        "card_info": None if card is None else _current_card(order, card),
        "sequential_payment_methods": None,
    } | _times(order)


def _legacy(order: Order, aid: str, call: Call) -> dict[str, Any]:
    reply: dict[str, Any] = {"aid": aid, "tid": order.tid, "cid": order.cid}
    if order.sid is not None:
        reply["sid"] = order.sid
    reply |= {
        "partner_order_id": order.partner_order_id,
        "partner_user_id": order.partner_user_id,
        "payment_method_type": order.payment_method_type,
        "item_name": order.item_name,
    }
    if order.item_code is not None:
        reply["item_code"] = order.item_code
    elif order.payment_method_type == MONEY:
        # As captured; of a payment by card nothing is known.
        reply["item_code"] = ""
    reply |= {"quantity": order.quantity, "amount": order.amount.on_the_wire()}
    if order.payment_method_type == CARD:
        reply["card_info"] = _legacy_card(order, card_named(order.card_id))
    reply |= _times(order)
    if call.fields["payload"] is not None:
        reply["payload"] = call.fields["payload"]
    return reply


def _times(order: Order) -> dict[str, str]:
    assert order.approved_at is not None
    return {"created_at": wire_time(order.created_at), "approved_at": wire_time(order.approved_at)}


def _current_card(order: Order, card: Card) -> dict[str, Any]:
    info = _card(order, card)
    return info if order.total == 0 else info | {"installment_type": installment_type(order)}


def _legacy_card(order: Order, card: Card) -> dict[str, Any]:
    if order.total == 0:
        return _card(order, card)
    return {
        "purchase_corp": card.purchaser,
        "purchase_corp_code": card.legacy_purchaser_code,
        "issuer_corp": card.legacy_issuer,
        "issuer_corp_code": card.legacy_issuer_code,
    } | _card(order, card)


def _card(order: Order, card: Card) -> dict[str, Any]:
    """What both families tell of the card; a 0-won issue has no approval to tell of (the table in section 6)."""
    info: dict[str, Any] = {
        "kakaopay_purchase_corp": card.purchaser,
        "kakaopay_purchase_corp_code": card.purchaser_code,
        "kakaopay_issuer_corp": card.issuer,
        "kakaopay_issuer_corp_code": card.issuer_code,
        "bin": card.bin,
        "card_type": card.card_type,
        "install_month": f"{order.install_month:02d}",
    }
    if order.total == 0:
        return info
    return info | {
        "approved_id": order.card_approved_id,
        "card_mid": card.card_mid,
        "interest_free_install": interest_free(order),
        "card_item_code": card.card_item_code,
    }


def interest_free(order: Order) -> str:
    return "Y" if order.share_installment and order.install_month > 1 else "N"


def installment_type(order: Order) -> str:
    """Told of every payment by card, also of one without instalments."""
    return "SHARE_INSTALLMENT" if order.share_installment and order.install_month > 1 else "CARD_INSTALLMENT"
