"""Say why a payment failed, and by which codes the payments of a cause are found."""

from __future__ import annotations

from maedal.flows.services import ServicesWithoutStore
from maedal.payments.failure_causes import FailedWith, FailureCause, cause_of, codes_of, pg_code
from maedal.payments.moves import Status
from maedal.payments.payment import Payment


def failure_cause(services: ServicesWithoutStore, payment: Payment) -> FailureCause | None:
    """Return why a payment failed; None for one that has not."""
    if payment.status is not Status.FAILED:
        return None
    driver = services.drivers.get(payment.pg_provider)
    return FailureCause.UNEXPLAINED if driver is None else cause_of(payment.fail_code, driver.abilities.failure_causes)


def failed_with(services: ServicesWithoutStore, cause: FailureCause) -> FailedWith:
    """Return by which codes the payments of a cause are found; those of `UNEXPLAINED` have none that is known."""
    explained = [one for one in FailureCause if one is not FailureCause.UNEXPLAINED]
    others = cause is FailureCause.UNEXPLAINED
    return FailedWith(
        tuple(
            pg_code(provider, code)
            for provider, driver in services.drivers.items()
            for one in (explained if others else [cause])
            for code in codes_of(one, driver.abilities.failure_causes)
        ),
        others,
    )
