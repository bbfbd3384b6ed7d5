"""What KakaoPay says of a payment: an approval, its card and receipt, an order and its cancels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from maedal.payments.attempt import Approval, CardDetails, Method, Outcome, Proof, Result
from maedal.payments.cancellation import CancelAtPg
from maedal.payments.window import Device
from maedal.pg.driver import Account, OrderState, Unreadable
from maedal.pg.kakaopay import fields
from maedal.pg.kakaopay.requests import LIVE_URL

STATES = {
    "READY": OrderState.OPEN,
    "SEND_TMS": OrderState.OPEN,
    "OPEN_PAYMENT": OrderState.OPEN,
    "SELECT_METHOD": OrderState.OPEN,
    "ARS_WAITING": OrderState.OPEN,
    "AUTH_PASSWORD": OrderState.AUTHENTICATED,
    "ISSUED_SID": OrderState.APPROVED,
    "SUCCESS_PAYMENT": OrderState.APPROVED,
    "PART_CANCEL_PAYMENT": OrderState.CANCELLED,
    "CANCEL_PAYMENT": OrderState.CANCELLED,
    "FAIL_AUTH_PASSWORD": OrderState.FAILED,
    "QUIT_PAYMENT": OrderState.QUIT,
    "FAIL_PAYMENT": OrderState.FAILED,
}


def payload_of(body: Mapping[str, Any]) -> str | None:
    """Read what was sent along with the action that took the money; whatever is no such text was not ours."""
    actions = body.get("payment_action_details")
    for action in actions if isinstance(actions, list) else []:
        if isinstance(action, dict) and action.get("payment_action_type") == "PAYMENT":
            payload = action.get("payload")
            return payload if isinstance(payload, str) else None
    return None


def cancels_of(body: Mapping[str, Any], cancelled: int) -> tuple[CancelAtPg, ...]:
    """Read each cancel of an order (7.4), all of them or nothing: a list that is not their sum proves nothing."""
    actions = body.get("payment_action_details")
    entries = [a for a in actions if isinstance(a, dict)] if isinstance(actions, list) else []
    cancels = []
    for action in entries:
        if action.get("payment_action_type") == "CANCEL":
            payload = action.get("payload")
            mark = payload if isinstance(payload, str) else None
            cancels.append(
                CancelAtPg(
                    fields.pg_id(action, "aid"),
                    fields.moment(action.get("approved_at")),
                    fields.whole(action, "amount"),
                    mark,
                )
            )
    if any(c.amount <= 0 for c in cancels) or sum(c.amount for c in cancels) != cancelled:
        raise Unreadable("the cancels are not what was cancelled")
    if len({c.pg_aid for c in cancels}) != len(cancels):
        raise Unreadable("the reply has an aid twice")
    return tuple(sorted(cancels, key=lambda c: c.at))


NO_MONEY = Approval(pg_tid=None, method=None, approved_at=None)


def approved(
    account: Account,
    body: Mapping[str, Any],
    order_id: str,
    user_id: str,
    total: int,
    pg_key: str | None,
    device: Device,
) -> Result:
    """Read what approve and subscription share. Any contradiction to what we asked for proves nothing."""
    if fields.text(body, "partner_order_id") != order_id or fields.text(body, "cid") != account.pg_merchant_id:
        raise Unreadable("the reply is about another order")
    if fields.whole(fields.part(body, "amount"), "total") != total:
        raise Unreadable("the reply is about another amount")
    tid = fields.pg_id(body, "tid")
    fields.pg_id(body, "aid")
    method = fields.METHODS.get(fields.text(body, "payment_method_type"))
    if method is None:
        raise Unreadable("the reply has a payment method that is not in the documentation")
    card = body.get("card_info")
    return Result(
        Outcome.APPROVED,
        Proof.REPLY,
        approval=Approval(
            pg_tid=tid,
            method=method,
            approved_at=fields.moment(body.get("approved_at")),
            card=_card(card) if method is Method.CARD and isinstance(card, dict) else None,
            pg_key=pg_key,
            receipt_url=_receipt_url(account, tid, order_id, user_id, device) if total else None,
        ),
    )


def _receipt_url(account: Account, tid: str, order_id: str, user_id: str, device: Device) -> str:
    """Return the address of the receipt of a payment (13)."""
    if account.base_url != LIVE_URL:
        host = account.base_url
    else:
        host = "https://mockup-pg-web.kakao.com" if account.test_mode else "https://pg-web.kakao.com"
    proof = hashlib.sha256((account.pg_merchant_id + tid + order_id + user_id).encode()).hexdigest()
    return f"{host}/v1/confirmation/{'m' if device is Device.MOBILE else 'p'}/{tid}/{proof}"


def _card(info: Mapping[str, Any]) -> CardDetails:
    """Read card_info, any of whose fields may be missing (6)."""
    months = str(info.get("install_month") or "0")
    return CardDetails(
        issuer_name=fields.optional(info, "kakaopay_issuer_corp") or fields.optional(info, "issuer_corp"),
        issuer_code=fields.optional(info, "kakaopay_issuer_corp_code") or fields.optional(info, "issuer_corp_code"),
        approval_number=fields.optional(info, "approved_id"),
        quota_months=int(months) if months.isdecimal() and len(months) <= 2 else 0,
        check_card={"신용": False, "체크": True}.get(str(info.get("card_type"))),
    )
