"""Every call of the REST API, in the order in which people read about them; a test holds it against the router."""

from __future__ import annotations

from maedal.rest.api_document.billing_key_operations import OF_BILLING_KEYS
from maedal.rest.api_document.code_operations import OF_CODES
from maedal.rest.api_document.operation import Operation
from maedal.rest.api_document.other_pg_operations import OF_OTHER_PGS
from maedal.rest.api_document.payment_operations import OF_PAYMENTS
from maedal.rest.api_document.plan_operations import OF_PLANS
from maedal.rest.api_document.schedule_operations import OF_SCHEDULES
from maedal.rest.api_document.token_operations import OF_TOKENS

OPERATIONS: tuple[Operation, ...] = (
    *OF_TOKENS,
    *OF_PAYMENTS,
    *OF_BILLING_KEYS,
    *OF_SCHEDULES,
    *OF_PLANS,
    *OF_CODES,
    *OF_OTHER_PGS,
)
