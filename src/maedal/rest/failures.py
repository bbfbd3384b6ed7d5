"""Why payments failed, beside PortOne's own fields: in headers of single answers, and in lists for those who ask.

`fail_reason` stays the PG's own text, as PortOne gives it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maedal.flows.explain_failures import failure_cause
from maedal.flows.services import Services
from maedal.payments.failure_texts import EXPLANATIONS
from maedal.payments.payment import Payment
from maedal.rest.context import AnyRequest

CAUSE_HEADER, RETRY_HEADER = "Maedal-Failure-Cause", "Maedal-Failure-Retry"
ASKED = "include_failure"


def failure_headers(services: Services, payment: Payment | None) -> Mapping[str, str]:
    """Return the headers that go with one payment: none unless it failed."""
    cause = None if payment is None else failure_cause(services, payment)
    return {} if cause is None else {CAUSE_HEADER: cause, RETRY_HEADER: EXPLANATIONS[cause].retry}


def asks_for_failures(request: AnyRequest) -> bool:
    """Return whether `failure` is wanted, by `include_failure=true`."""
    return request.query_params.get(ASKED, "").lower() in {"true", "1"}


def with_failures(
    asked: bool, services: Services, payments: Sequence[Payment | None], rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return objects as they are, or for those who asked each with its `failure`; `payments` are theirs."""
    if not asked:
        return rows
    return [row | {"failure": _failure(services, payment)} for payment, row in zip(payments, rows, strict=True)]


def _failure(services: Services, payment: Payment | None) -> dict[str, str] | None:
    cause = None if payment is None else failure_cause(services, payment)
    if cause is None:
        return None
    one = EXPLANATIONS[cause]
    return {"cause": cause, "retry": one.retry, "buyer_message_ko": one.buyer[0], "buyer_message_en": one.buyer[1]}
