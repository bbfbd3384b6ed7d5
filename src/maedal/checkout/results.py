"""What the page's callback gets (docs/wire/portone-browser-sdk.md 2.1 to 2.3), and the same as a redirect (2.6)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote_plus

from maedal.flows.resolve_unknown import KEY_LOST, KEY_LOST_TEXT
from maedal.payments.moves import Status
from maedal.payments.payment import Payment
from maedal.rest.codes import card_company
from maedal.rest.wire import PAY_METHOD, epoch

UNKNOWN_CODE = "UNKNOWN"
UNKNOWN_TEXT = "결제 결과를 확인하고 있습니다. 주문 내역에서 결과를 확인해주세요."
RETURN_FIELDS = frozenset({"imp_uid", "merchant_uid", "imp_success", "success", "error_code", "error_msg"})
"""What a result is told by in an address (2.6)."""
# Apps decode a whole address before they take it apart, some of them three times; these would tear it (2.6).
_FULL_WIDTH = str.maketrans({"%": "％", "&": "＆", "#": "＃", "+": "＋"})


def state_of(payment: Payment, now: datetime, clarify_seconds: float) -> str:
    """Return `open`, `working` or `done` (docs/wire/sdk-endpoints.md)."""
    match payment.status:
        case Status.READY:
            return "open"
        case Status.CALLING:
            return "working"
        case Status.UNKNOWN:
            # While the request that hit the lost answer still asks the PG, the layer shows that we are at it.
            return "working" if now - payment.updated_at < timedelta(seconds=clarify_seconds) else "done"
        case _:
            return "done"


def result_of(payment: Payment) -> dict[str, Any]:
    """Return the callback's object for a payment whose window is over. Failures leave out what they do not have."""
    if payment.key_lost:
        return refused(payment.order.merchant_uid, KEY_LOST, KEY_LOST_TEXT, payment=payment)
    if payment.status in {Status.PAID, Status.CANCELLED}:
        return _success(payment)
    if payment.status is Status.FAILED:
        code = (payment.fail_code or "FAILED").partition(" ")[0]
        return refused(payment.order.merchant_uid, code, payment.fail_reason or "", payment=payment)
    return refused(payment.order.merchant_uid, UNKNOWN_CODE, UNKNOWN_TEXT, payment=payment) | {"status": "ready"}


def refused(
    merchant_uid: str | None, code: str, message: str, *, payment: Payment | None = None, imp_uid: str | None = None
) -> dict[str, Any]:
    """Return a failure; its code and message are never null (2.3)."""
    result: dict[str, Any] = {
        "success": False,
        "imp_success": False,
        "imp_uid": payment.imp_uid if payment is not None else imp_uid,
        "merchant_uid": merchant_uid,
        "error_code": code,
        "error_msg": message,
    }
    if payment is not None:
        result |= {"pay_method": "card", "pg_provider": payment.pg_provider, "pg_type": "payment", "status": "failed"}
    return result


def _success(payment: Payment) -> dict[str, Any]:
    order, buyer, card = payment.order, payment.order.buyer, payment.card
    result: dict[str, Any] = {
        "success": True,
        "imp_success": True,
        "imp_uid": payment.imp_uid,
        "pay_method": "card" if payment.method is None else PAY_METHOD[payment.method],
        "merchant_uid": order.merchant_uid,
        "name": order.name,
        "paid_amount": order.price.total.amount,
        "currency": order.price.total.currency.value,
        "pg_provider": payment.pg_provider,
        "pg_type": "payment",
        "pg_tid": payment.pg_tid,
        "apply_num": (card.approval_number if card else None) or "",
        "buyer_name": buyer.name or "",
        "buyer_email": buyer.email or "",
        "buyer_tel": buyer.tel or "",
        "buyer_addr": buyer.addr or "",
        "buyer_postcode": buyer.postcode or "",
        "custom_data": order.custom_data,
        "status": "paid",
        "paid_at": epoch(payment.paid_at),
        "receipt_url": payment.receipt_url,
        "card_name": card_company(card.issuer_name)[1] if card else None,
        "bank_name": None,
        "card_quota": card.quota_months if card else 0,
        "card_number": "",
    }
    if order.customer_uid is not None:
        result["customer_uid"] = order.customer_uid
    return result


def return_address(return_url: str, result: dict[str, Any]) -> str:
    """Return where the browser goes back to: the merchant's query and fragment stay, ours is added.

    A page may give its own address, which still carries the result of the try before: that one goes, or readers take
    the first they find.
    """
    fields = [("imp_uid", result["imp_uid"] or ""), ("merchant_uid", result["merchant_uid"] or "")]
    fields.append(("imp_success", "true" if result["success"] else "false"))
    if not result["success"]:
        fields += [("error_code", result["error_code"]), ("error_msg", result["error_msg"])]
    added = [f"{name}={quote(_untearable(name, value), safe='', errors='replace')}" for name, value in fields]
    before, hash_mark, fragment = return_url.partition("#")
    path, _, query = before.partition("?")
    kept = [piece for piece in query.split("&") if unquote_plus(piece.partition("=")[0]) not in RETURN_FIELDS]
    while kept and not kept[-1]:
        kept.pop()
    return f"{path}?{'&'.join(kept + added)}{hash_mark}{fragment}"


def _untearable(name: str, value: str) -> str:
    # The merchant's own id comes back exactly as it was sent.
    return value if name == "merchant_uid" else value.translate(_FULL_WIDTH)
