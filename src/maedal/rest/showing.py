"""Payments with their cancellations, as answers show them; a list costs one more query, whatever its length."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from maedal.flows.parts import Parts
from maedal.payments.cancellation import Cancellation
from maedal.payments.payment import Payment
from maedal.rest.wire import payment_object


async def shown(parts: Parts, payment: Payment) -> dict[str, Any]:
    """Return one payment as answers show it."""
    return (await all_shown(parts, payment.merchant_id, [payment]))[0]


async def all_shown(parts: Parts, merchant_id: str, payments: Sequence[Payment]) -> list[dict[str, Any]]:
    """Return payments as answers show them, in their order."""
    of_payment: dict[str, list[Cancellation]] = defaultdict(list)
    cancelled = [p.imp_uid for p in payments if p.cancelled_amount]
    for cancellation in await parts.store.cancellations(merchant_id, cancelled) if cancelled else ():
        of_payment[cancellation.imp_uid].append(cancellation)
    return [payment_object(p, of_payment[p.imp_uid] if p.cancelled_amount else ()) for p in payments]
