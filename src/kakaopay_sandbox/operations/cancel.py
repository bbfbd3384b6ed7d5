"""Cancel, wholly or partly (docs/wire/kakaopay.md, 7.5)."""

from typing import Any

from kakaopay_sandbox.actions import Action
from kakaopay_sandbox.amounts import Amount, default_cancel_vat, possible_cancel_vat
from kakaopay_sandbox.call import Call
from kakaopay_sandbox.clock import wire_time
from kakaopay_sandbox.errors import (
    AboveAvailable,
    AboveOriginal,
    CancelFailed,
    NotCancelable,
    RequestedTwice,
    WrongAmounts,
)
from kakaopay_sandbox.ids import new_aid
from kakaopay_sandbox.methods import CARD, usual_cancel_decline
from kakaopay_sandbox.operations.order import order_of
from kakaopay_sandbox.orders import PAID, Order, Status
from kakaopay_sandbox.sandbox import Sandbox
from kakaopay_sandbox.time_offsets import offset_time

# After these, a cancel is possible by hand only.
CARD_CANCEL_SECONDS = 365 * 24 * 3600
MONEY_CANCEL_SECONDS = 5 * 365 * 24 * 3600


def cancel(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """Give money back; the reply tells this cancel, all cancels and what is left."""
    order = order_of(sandbox, call)
    if call.is_doubled:
        raise RequestedTwice
    if call.fields["cancel_amount"] <= 0:
        raise WrongAmounts
    if order.status in PAID and _is_too_late(order, call.now):
        raise NotCancelable
    part = checked_part(
        order,
        total=call.fields["cancel_amount"],
        tax_free=call.fields["cancel_tax_free_amount"],
        vat=call.fields["cancel_vat_amount"],
        available=call.fields["cancel_available_amount"],
    )

    method_type = order.payment_method_type
    assert method_type is not None, f"{order.tid} is paid without a method"
    declined = call.arranged_decline(usual_cancel_decline(method_type))
    if declined is not None:
        call.entry.outcome = "declined"
        raise CancelFailed(method_result_code=declined)

    order, aid = give_back(sandbox, order, part, call.fields["payload"], call.now)
    call.entry.outcome = "cancelled"
    call.entry.aid = aid
    return _reply(order, aid, part, call, sandbox.time_offsets.seconds_of_reply("cancel"))


def give_back(sandbox: Sandbox, order: Order, part: Amount, payload: str | None, now: int) -> tuple[Order, str]:
    """Carry a cancel out, whoever asked for it; the order afterwards and the `aid` of this cancel."""
    method_type = order.payment_method_type
    assert method_type is not None, f"{order.tid} is paid without a method"
    sandbox.wallet.give_back(method_type, part)
    canceled = order.canceled.plus(part)
    is_whole = canceled.total == order.total
    if not is_whole:
        detail_type = "PART_CANCELED"
    elif order.canceled_total == 0:
        detail_type = "ALL_CANCELED"
    else:
        detail_type = "ALL_PART_CANCELED"
    order = sandbox.orders.move(
        order,
        Status.CANCEL_PAYMENT if is_whole else Status.PART_CANCEL_PAYMENT,
        now,
        canceled_total=canceled.total,
        canceled_tax_free=canceled.tax_free,
        canceled_vat=canceled.vat,
        canceled_deposit=canceled.green_deposit,
        canceled_point=canceled.point,
        canceled_discount=canceled.discount,
        canceled_at=now,
    )
    aid = new_aid()
    amounts = ("CANCEL", detail_type, part.total, part.green_deposit)
    sandbox.actions.add(Action(aid, order.tid, *amounts, payload, now, part.point, part.discount))
    return order, aid


def checked_part(order: Order, *, total: int, tax_free: int, vat: int | None, available: int | None) -> Amount:
    """What a cancel takes back, the rows of the table in 7.5 checked but for its period.

    Raises WrongAmounts, NotCancelable, AboveOriginal, AboveAvailable.
    """
    left = order.cancelable
    if order.status not in PAID or left.total == 0:
        raise NotCancelable
    if total > order.total:
        raise AboveOriginal
    if available not in {None, left.total}:
        raise WrongAmounts
    if total > left.total:
        raise AboveAvailable
    if order.green_deposit > 0 and total < left.total:
        raise NotCancelable
    taxed, taxed_left = total - tax_free, left.total - left.tax_free
    if not 0 <= tax_free <= min(total, left.tax_free) or taxed > taxed_left:
        raise WrongAmounts
    if vat is None:
        vat = default_cancel_vat(total, tax_free, left)
    if not 0 <= vat <= min(left.vat, taxed):
        raise WrongAmounts
    # Nobody has said what becomes of a VAT that is stated too low; no VAT can stay of what is not there any more.
    vat = possible_cancel_vat(vat, total, tax_free, left)
    point = min(max(total - left.by_method, 0), left.point)
    return Amount(total, tax_free, vat, order.green_deposit, point, max(total - left.by_method - point, 0))


def _is_too_late(order: Order, now: int) -> bool:
    assert order.approved_at is not None
    life = CARD_CANCEL_SECONDS if order.payment_method_type == CARD else MONEY_CANCEL_SECONDS
    return now > order.approved_at + life


def _reply(order: Order, aid: str, part: Amount, call: Call, seconds_off: int) -> dict[str, Any]:
    """No field is null, in either family; where `aid` and this cancel's amount stand differs (7.5)."""
    assert order.approved_at is not None
    assert order.canceled_at is not None
    reply: dict[str, Any] = {} if not call.is_legacy else {"aid": aid}
    reply |= {
        "tid": order.tid,
        "cid": order.cid,
        "status": order.status.value,
        "partner_order_id": order.partner_order_id,
        "partner_user_id": order.partner_user_id,
        "payment_method_type": order.payment_method_type,
        "item_name": order.item_name,
    }
    if order.item_code is not None:
        reply["item_code"] = order.item_code
    if not call.is_legacy:
        reply["aid"] = aid
    reply |= {"quantity": order.quantity, "amount": order.amount.on_the_wire()}
    if call.is_legacy:
        reply["approved_cancel_amount"] = part.on_the_wire()
    reply |= {
        "canceled_amount": order.canceled.on_the_wire(),
        "cancel_available_amount": order.cancelable.on_the_wire(),
    }
    if not call.is_legacy:
        reply["approved_cancel_amount"] = part.on_the_wire()
    reply |= {
        "created_at": wire_time(order.created_at),
        "approved_at": offset_time(order.approved_at, seconds_off),
        "canceled_at": offset_time(order.canceled_at, seconds_off),
    }
    if call.fields["payload"] is not None:
        reply["payload"] = call.fields["payload"]
    return reply
