"""The calls about a SID: charge, deactivate, status (docs/wire/kakaopay.md, 7.1 to 7.3)."""

from typing import Any

from kakaopay_sandbox.actions import Action
from kakaopay_sandbox.call import Call
from kakaopay_sandbox.clock import wire_time
from kakaopay_sandbox.errors import (
    BadParameter,
    InactiveSid,
    MonthlyLimit,
    OtherSubscriber,
    SubscriptionFailed,
    UnknownSid,
    WrongAmounts,
)
from kakaopay_sandbox.ids import new_aid, new_tid
from kakaopay_sandbox.methods import CARD, usual_decline
from kakaopay_sandbox.operations.approve import approval_number
from kakaopay_sandbox.operations.payment_reply import payment_reply
from kakaopay_sandbox.operations.ready import amount_of, check_total
from kakaopay_sandbox.orders import Status
from kakaopay_sandbox.sandbox import Sandbox
from kakaopay_sandbox.sids import BY_MERCHANT, Sid
from kakaopay_sandbox.time_offsets import offset_time


def charge(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """Charge a SID. A repeated `partner_order_id` charges again: nothing here looks at it."""
    fields = call.fields
    sid = _sid_of(sandbox, call)
    call.entry.payment_method_type = sid.payment_method_type
    if not sid.is_active:
        raise InactiveSid
    if sid.partner_user_id != fields["partner_user_id"]:
        raise OtherSubscriber
    if fields["total_amount"] <= 0:
        raise WrongAmounts
    amount = amount_of(fields)
    if fields["quantity"] < 1:
        raise BadParameter.invalid("quantity")
    check_total(sandbox.settings, amount.total)
    if call.is_doubled:
        call.entry.outcome = "declined"
        raise SubscriptionFailed(method_result_code="USER_LOCKED")
    if sid.charges_in_month(call.now) >= sandbox.settings.monthly_limit:
        raise MonthlyLimit

    method_type = sid.payment_method_type
    amount = sandbox.wallet.reduced(amount, use_points=sandbox.wallet.use_points)
    declined = call.arranged_decline(usual_decline(method_type)) or sandbox.wallet.take(
        method_type, sid.card_id, amount
    )
    if declined is not None:
        call.entry.outcome = "declined"
        raise SubscriptionFailed(method_result_code=declined)

    tid, aid = new_tid(), new_aid()
    sandbox.orders.add(
        tid=tid,
        kind="charge",
        cid=sid.cid,
        sid=sid.sid,
        partner_order_id=fields["partner_order_id"],
        partner_user_id=fields["partner_user_id"],
        item_name=fields["item_name"] or sid.item_name,
        item_code=fields["item_code"],
        quantity=fields["quantity"],
        total=amount.total,
        tax_free=amount.tax_free,
        vat=amount.vat,
        green_deposit=0,
        point=amount.point,
        discount=amount.discount,
        status=Status.SUCCESS_PAYMENT,
        payment_method_type=method_type,
        card_id=sid.card_id,
        card_approved_id=approval_number(sid.card_id) if method_type == CARD else None,
        at=call.now,
        approved_at=call.now,
    )
    sandbox.sids.charged(sid, call.now)
    payload = fields["payload"]
    paid = ("PAYMENT", "PAYMENT_SUBSCRIPTION", amount.total)
    sandbox.actions.add(Action(aid, tid, *paid, 0, payload, call.now, amount.point, amount.discount))
    call.entry.outcome = "approved"
    call.entry.tid = tid
    call.entry.aid = aid
    order = sandbox.orders.find(tid, call.now)
    assert order is not None
    return payment_reply(order, aid, call)


def deactivate(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """End a SID for ever. A second call answers the same, with the first `inactivated_at`."""
    sid = sandbox.sids.end(_sid_of(sandbox, call), BY_MERCHANT, call.now)
    call.entry.outcome = "deactivated"
    call.entry.payment_method_type = sid.payment_method_type
    return {"cid": sid.cid, "sid": sid.sid, "status": sid.status} | _times(sandbox, sid)


def status(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """What a SID is; `ACTIVE` but not available when its monthly charges are used up."""
    sid = _sid_of(sandbox, call)
    call.entry.outcome = "answered"
    call.entry.payment_method_type = sid.payment_method_type
    is_within_month = sid.charges_in_month(call.now) < sandbox.settings.monthly_limit
    return {
        "available": sid.is_active and is_within_month,
        "cid": sid.cid,
        "sid": sid.sid,
        "status": sid.status,
        "payment_method_type": sid.payment_method_type,
        "item_name": sid.item_name,
    } | _times(sandbox, sid)


def _sid_of(sandbox: Sandbox, call: Call) -> Sid:
    cid = call.merchant(sandbox.settings)
    sid = sandbox.sids.find(call.fields["sid"])
    if sid is None or sid.cid != cid.code:
        raise UnknownSid
    return sid


def _times(sandbox: Sandbox, sid: Sid) -> dict[str, str]:
    times = {"created_at": wire_time(sid.created_at)}
    if sid.last_approved_at is not None:
        times["last_approved_at"] = offset_time(sid.last_approved_at, sandbox.time_offsets.seconds_of_reply("status"))
    if sid.inactivated_at is not None:
        times["inactivated_at"] = wire_time(sid.inactivated_at)
    return times
