"""Approve: the moment in which money is taken or a SID is issued (docs/wire/kakaopay.md, 4.4 and 6)."""

from typing import Any

from kakaopay_sandbox.actions import Action
from kakaopay_sandbox.amounts import Amount
from kakaopay_sandbox.call import Call
from kakaopay_sandbox.errors import (
    AlreadyApproved,
    ApprovalFailed,
    Expired,
    NotApprovable,
    NotAuthenticated,
    OtherOrderId,
    OtherUserId,
    RequestedTwice,
    UnknownTid,
    WrongAmounts,
    WrongCid,
    WrongPgToken,
)
from kakaopay_sandbox.ids import new_aid, new_card_approval, new_sid
from kakaopay_sandbox.methods import CARD, card_named, usual_decline
from kakaopay_sandbox.operations.payment_reply import payment_reply
from kakaopay_sandbox.orders import APPROVED, ENDED_BADLY, Order, Status
from kakaopay_sandbox.sandbox import Sandbox


def approve(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """Take the money of an authenticated order; under a subscription CID issue its SID as well."""
    cid = call.merchant(sandbox.settings)
    order = sandbox.orders.find(call.fields["tid"], call.now)
    if order is None:
        raise UnknownTid
    if order.cid != cid.code:
        raise WrongCid
    call.entry.amount = order.total
    call.entry.payment_method_type = order.payment_method_type
    _check_the_moment(order, call)

    method_type = order.payment_method_type
    assert method_type is not None, f"{order.tid} is authenticated without a method"
    amount = sandbox.wallet.reduced(order.amount, use_points=bool(order.uses_points))
    declined = call.arranged_decline(usual_decline(method_type)) or sandbox.wallet.take(
        method_type, order.card_id, amount
    )
    if declined is not None:
        sandbox.orders.move(order, Status.FAIL_PAYMENT, call.now)
        call.entry.outcome = "declined"
        raise ApprovalFailed(method_result_code=declined)
    return _record(sandbox, call, order, amount)


def _check_the_moment(order: Order, call: Call) -> None:
    """Every row of the table in 4.4, in one order."""
    fields = call.fields
    if call.is_doubled:
        raise RequestedTwice
    if order.status in APPROVED:
        raise AlreadyApproved
    if order.is_expired:
        raise Expired
    if order.status in ENDED_BADLY:
        raise NotApprovable
    if order.partner_order_id != fields["partner_order_id"]:
        raise OtherOrderId
    if order.partner_user_id != fields["partner_user_id"]:
        raise OtherUserId
    if fields["total_amount"] not in {None, order.total}:
        raise WrongAmounts
    if order.status is not Status.AUTH_PASSWORD:
        raise NotAuthenticated(method_result_code="9999")
    if order.pg_token != fields["pg_token"]:
        raise WrongPgToken


def approval_number(card_id: str | None) -> str:
    """Under which number a card company approves; the card of test mode always has the same."""
    return card_named(card_id).approved_id or new_card_approval()


def _record(sandbox: Sandbox, call: Call, order: Order, amount: Amount) -> dict[str, Any]:
    aid = new_aid()
    method_type = order.payment_method_type
    assert method_type is not None
    is_issue = order.total == 0
    sid = None
    if order.is_recurring:
        sid = new_sid()
        sandbox.sids.add(
            sid=sid,
            cid=order.cid,
            partner_user_id=order.partner_user_id,
            payment_method_type=method_type,
            card_id=order.card_id,
            item_name=order.item_name,
            at=call.now,
            last_approved_at=None if is_issue else call.now,
        )
    order = sandbox.orders.move(
        order,
        Status.ISSUED_SID if is_issue else Status.SUCCESS_PAYMENT,
        call.now,
        sid=sid,
        approved_at=call.now,
        card_approved_id=approval_number(order.card_id) if method_type == CARD and not is_issue else None,
        point=amount.point,
        discount=amount.discount,
    )
    if is_issue:
        detail_type = "ISSUE_SID"
    elif sid is not None:
        detail_type = "PAYMENT_ISSUE_SID"
    elif order.install_month > 1:
        detail_type = "PAYMENT_INSTALLMENT"
    else:
        detail_type = "PAYMENT_LUMP_SUM"
    sandbox.actions.add(
        Action(
            aid,
            order.tid,
            "ISSUED_SID" if is_issue else "PAYMENT",
            detail_type,
            order.total,
            order.green_deposit,
            call.fields["payload"],
            call.now,
            amount.point,
            amount.discount,
        )
    )
    call.entry.outcome = "issued" if is_issue else "approved"
    call.entry.aid = aid
    call.entry.sid = sid
    return payment_reply(order, aid, call)
