"""The reply of approve and of a charge, which have the same fields (docs/wire/kakaopay.md, 6 and 7.1)."""

from typing import Any

from kakaopay_sandbox.call import Call
from kakaopay_sandbox.clock import wire_time
from kakaopay_sandbox.methods import CARD, CARD_ITEM_CODE, CARD_MID, WALLET_CARDS, Card
from kakaopay_sandbox.orders import Order


def card_named(card_id: str | None) -> Card:
    return next(card for card in WALLET_CARDS if card.id == card_id)


def payment_reply(order: Order, aid: str, call: Call) -> dict[str, Any]:
    """Fields without a value are left out, as KakaoPay does."""
    assert order.approved_at is not None, f"{order.tid} is not approved"
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
    reply |= {"quantity": order.quantity, "amount": order.amount.on_the_wire()}
    if order.payment_method_type == CARD:
        reply["card_info"] = _card_info(order, card_named(order.card_id), is_legacy=call.is_legacy)
    reply |= {"created_at": wire_time(order.created_at), "approved_at": wire_time(order.approved_at)}
    if call.fields["payload"] is not None:
        reply["payload"] = call.fields["payload"]
    return reply


def _card_info(order: Order, card: Card, *, is_legacy: bool) -> dict[str, Any]:
    """What is told of the card; a 0-won issue has no approval to tell of (the table in section 6)."""
    is_issue = order.total == 0
    info: dict[str, Any] = {}
    if is_legacy and not is_issue:
        info |= {
            "purchase_corp": card.purchaser,
            "purchase_corp_code": card.legacy_purchaser_code,
            "issuer_corp": card.legacy_issuer,
            "issuer_corp_code": card.legacy_issuer_code,
        }
    info |= {
        "kakaopay_purchase_corp": card.purchaser,
        "kakaopay_purchase_corp_code": card.purchaser_code,
        "kakaopay_issuer_corp": card.issuer,
        "kakaopay_issuer_corp_code": card.issuer_code,
        "bin": card.bin,
        "card_type": card.card_type,
        "install_month": f"{order.install_month:02d}",
    }
    if is_issue:
        return info
    info |= {
        "approved_id": order.card_approved_id,
        "card_mid": CARD_MID,
        "interest_free_install": "Y" if order.share_installment and order.install_month > 1 else "N",
    }
    if order.install_month > 1 and not is_legacy:
        info["installment_type"] = installment_type(order)
    return info | {"card_item_code": CARD_ITEM_CODE}


def installment_type(order: Order) -> str:
    return "SHARE_INSTALLMENT" if order.share_installment else "CARD_INSTALLMENT"
