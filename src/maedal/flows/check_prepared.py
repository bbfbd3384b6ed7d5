"""Hold a payment against what the merchant's server registered for it, once more when it is about to be approved.

A window that opened before its order was registered, or before the amount was changed, asks for what the page said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import structlog

from maedal.errors import GatewayError
from maedal.flows.services import ServicesWith
from maedal.payments.attempt import Decline, Outcome, Proof, Result
from maedal.payments.errors import AmountMismatch, CustomerUidMismatch, NotPrepared
from maedal.payments.payment import Payment
from maedal.payments.prepared import check_prepared
from maedal.storage.prepared_amounts.reads import HasPreparedAmounts

_log = structlog.get_logger()

REFUSALS: Mapping[type[GatewayError], str] = {
    NotPrepared: (
        "사전등록되지 않은 결제입니다. 쇼핑몰 서버가 결제금액(빌링키를 발급하면 customer_uid도)을 먼저 등록해야 합니다."
    ),
    AmountMismatch: "결제금액이 등록된 금액과 다릅니다.",
    CustomerUidMismatch: "customer_uid가 등록된 값과 다릅니다.",
}
"""What the buyer and the page are told. Both amounts are for the merchant alone: in the log, and in the console."""
NOT_CHECKED = "등록된 결제금액을 확인하지 못했습니다."


class CheckPreparedStore(HasPreparedAmounts, Protocol): ...


async def refuse_unprepared(services: ServicesWith[CheckPreparedStore], payment: Payment) -> Result | None:
    """Return why a payment whose approval has begun must not be approved, or None.

    Read after the approval's own commit: what was registered before that commit is seen, whoever was quicker.
    """
    order = payment.order
    try:
        channel = await services.merchant_cache.channel(payment.merchant_id, payment.channel_id)
        prepared = await services.store.prepared_amounts.find(payment.merchant_id, order.merchant_uid)
    except Exception as error:  # nothing was sent, and what cannot be looked up is not approved
        _log.exception("prepared_amount_not_read", imp_uid=payment.imp_uid, kind=type(error).__name__)
        return Result(Outcome.NOT_SENT, Proof.NO_CONNECTION, decline=Decline("NOT_SENT", NOT_CHECKED))
    try:
        check_prepared(order, prepared, prepared_only=channel.prepared_only)
    except (NotPrepared, AmountMismatch, CustomerUidMismatch) as error:
        _log.warning(
            "unprepared_approval_refused",
            imp_uid=payment.imp_uid,
            code=error.code,
            amount=order.price.total.amount,
            registered=None if prepared is None else prepared.amount,
        )
        return Result(Outcome.NOT_SENT, Proof.MERCHANT_REFUSED, decline=Decline(error.code, REFUSALS[type(error)]))
    return None
