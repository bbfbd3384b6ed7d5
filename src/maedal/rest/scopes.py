"""Which scope each call of the REST API needs: one table, which a test holds against the routes.

`None` stands for calls that any key may make: they tell nothing that is a merchant's. A route that is missing here is
refused to every key that has a list of scopes.
"""

from __future__ import annotations

from collections.abc import Mapping

from maedal.merchants.errors import ScopeMissing
from maedal.merchants.scope import Scope
from maedal.payments.errors import InvalidParameter
from maedal.rest.decoding import segments

NEEDED: dict[tuple[str, str], Scope | None] = {
    ("POST", "/users/getToken"): None,
    ("GET", "/users/pg"): Scope.CHANNELS_READ,
    ("GET", "/payments"): Scope.PAYMENTS_READ,
    ("GET", "/payments/{imp_uid}"): Scope.PAYMENTS_READ,
    ("GET", "/payments/find/{rest}"): Scope.PAYMENTS_READ,
    ("POST", "/payments/find/{rest}"): Scope.PAYMENTS_READ,
    ("GET", "/payments/findAll"): Scope.PAYMENTS_READ,
    ("GET", "/payments/findAll/{rest}"): Scope.PAYMENTS_READ,
    ("GET", "/payments/status/{payment_status}"): Scope.PAYMENTS_READ,
    ("GET", "/payments/{imp_uid}/balance"): Scope.PAYMENTS_READ,
    ("POST", "/payments/cancel"): Scope.PAYMENTS_CANCEL,
    ("POST", "/payments/prepare"): Scope.PAYMENTS_PREPARE,
    ("PUT", "/payments/prepare"): Scope.PAYMENTS_PREPARE,
    ("GET", "/payments/prepare/{rest}"): Scope.PAYMENTS_READ,
    ("POST", "/subscribe/payments/again"): Scope.PAYMENTS_CHARGE,
    ("POST", "/subscribe/payments/onetime"): Scope.PAYMENTS_CHARGE,
    ("GET", "/subscribe/customers"): Scope.KEYS_READ,
    ("GET", "/subscribe/customers/{rest}"): Scope.KEYS_READ,
    ("POST", "/subscribe/customers/{rest}"): Scope.PAYMENTS_CHARGE,
    ("DELETE", "/subscribe/customers/{rest}"): Scope.KEYS_END,
    ("GET", "/subscribe/customers/{customer_uid}/payments"): Scope.PAYMENTS_READ,
    ("GET", "/subscribe/customers/{customer_uid}/schedules"): Scope.SCHEDULES_READ,
    ("GET", "/subscribe/payments/schedule"): Scope.SCHEDULES_READ,
    ("POST", "/subscribe/payments/schedule"): Scope.SCHEDULES_WRITE,
    ("POST", "/subscribe/payments/unschedule"): Scope.SCHEDULES_WRITE,
    ("GET", "/subscribe/payments/schedule/{rest}"): Scope.SCHEDULES_READ,
    ("POST", "/subscribe/payments/schedule/{rest}"): Scope.SCHEDULES_WRITE,
    ("PUT", "/subscribe/payments/schedule/{rest}"): Scope.SCHEDULES_WRITE,
    ("POST", "/subscribe/payments/schedule/{merchant_uid}/reschedule"): Scope.SCHEDULES_WRITE,
    # It charges at once, whatever was scheduled.
    ("POST", "/subscribe/payments/schedule/{merchant_uid}/retry"): Scope.PAYMENTS_CHARGE,
    ("POST", "/maedal/v1/plans"): Scope.PLANS_WRITE,
    ("GET", "/maedal/v1/plans"): Scope.PLANS_READ,
    ("GET", "/maedal/v1/plans/{plan_uid}"): Scope.PLANS_READ,
    ("POST", "/maedal/v1/plans/{plan_uid}"): Scope.PLANS_WRITE,
    ("POST", "/maedal/v1/plans/{plan_uid}/pause"): Scope.PLANS_WRITE,
    ("POST", "/maedal/v1/plans/{plan_uid}/resume"): Scope.PLANS_WRITE,
    ("POST", "/maedal/v1/plans/{plan_uid}/skip"): Scope.PLANS_WRITE,
    ("POST", "/maedal/v1/plans/{plan_uid}/amount"): Scope.PLANS_WRITE,
    ("POST", "/maedal/v1/plans/{plan_uid}/consents"): Scope.PLANS_WRITE,
    ("GET", "/maedal/v1/plans/{plan_uid}/consents"): Scope.PLANS_READ,
    ("POST", "/maedal/v1/plans/{plan_uid}/end"): Scope.PLANS_WRITE,
    ("GET", "/maedal/v1/plans/{plan_uid}/occurrences"): Scope.PLANS_READ,
    ("GET", "/maedal/v1/plans/{plan_uid}/ahead"): Scope.PLANS_READ,
    ("GET", "/maedal/v1/plan-notices"): Scope.PLANS_READ,
    ("GET", "/maedal/v1/keys-without-charge"): Scope.PLANS_READ,
    ("GET", "/maedal/v1/holidays"): Scope.PLANS_READ,
    ("POST", "/maedal/v1/holidays"): Scope.PLANS_WRITE,
    ("DELETE", "/maedal/v1/holidays/{on}"): Scope.PLANS_WRITE,
    ("GET", "/cards"): None,
    ("GET", "/cards/{code}"): None,
    ("GET", "/banks"): None,
    ("GET", "/banks/{code}"): None,
}
"""Method and pattern of an address → scope. What other PGs have and KakaoPay has not adds its rows by itself."""
PARTS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("GET", "payments"): ("/subscribe/customers/", "{customer_uid}"),
    ("GET", "schedules"): ("/subscribe/customers/", "{customer_uid}"),
    ("POST", "reschedule"): ("/subscribe/payments/schedule/", "{merchant_uid}"),
    ("POST", "retry"): ("/subscribe/payments/schedule/", "{merchant_uid}"),
}
"""Last parts of addresses that share a route with others: its prefix, and what stands between."""


def pattern_of(method: str, route: str, raw_path: bytes) -> str:
    """Return the pattern of a called address, told apart where one route answers several."""
    if not route.endswith("/{rest}"):
        return route
    prefix = route.removesuffix("{rest}")
    try:
        parts = segments(raw_path, prefix)
    except InvalidParameter:  # no text at all, which the call itself is refused for
        return route
    found = PARTS.get((method, parts[-1])) if len(parts) == 2 else None
    return route if found is None or found[0] != prefix else f"{prefix}{found[1]}/{parts[1]}"


def check_scope(method: str, pattern: str, scopes: frozenset[Scope] | None) -> None:
    """Raise ScopeMissing unless a key with these scopes may make the call; `pattern` is as `pattern_of` gives it."""
    if scopes is None:
        return
    if (method, pattern) not in NEEDED:
        raise ScopeMissing(f"{method} {pattern}")
    needed = NEEDED[method, pattern]
    if needed is not None and needed not in scopes:
        raise ScopeMissing(needed.value)
