"""What the scheduled charges that failed in the last month would have done under other rules; nothing is changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.payments.attempt import DeclineReason
from maedal.payments.failure_causes import FailureCause, cause_of
from maedal.payments.payment import Payment
from maedal.schedules.recovery import RecoveryRules, moment_after
from maedal.storage.payment_lists.reads import (
    Basis,
    HasPaymentLists,
    ListFilter,
    ListOrder,
    ListQuery,
    PaymentStanding,
    Place,
    Use,
)

SPAN = timedelta(days=30)
PAGE = 500
LOOKED_AT_MAX = 2_000
"""So many failures are looked at, the newest: a merchant with more sees as well from these what a rule does."""
NOBODY_DECLINED = frozenset(
    {FailureCause.MAINTENANCE, FailureCause.OUTAGE, FailureCause.NOT_SENT, FailureCause.NOT_TAKEN,
     FailureCause.CALL_LIMIT, FailureCause.CHANNEL, FailureCause.BUSY}
)  # fmt: skip
"""Causes that no rule is for: such charges wait by themselves."""


class PreviewRecoveryStore(HasPaymentLists, Protocol): ...


@dataclass(frozen=True, slots=True)
class PreviewedFailure:
    """A scheduled charge that failed, why, and when it would be tried again, if every try failed likewise."""

    payment: Payment
    failed_at: datetime
    reason: DeclineReason | None
    """None when nobody declined it: no rule is for it."""
    tries: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """Failures, the newest first, each order once by its first failure of the span."""

    failures: Sequence[PreviewedFailure]
    whole: bool
    """Whether all failures of the span were looked at."""

    @property
    def tried(self) -> Sequence[PreviewedFailure]:
        """Those that would be tried again at least once."""
        return [one for one in self.failures if one.tries]

    @property
    def tries(self) -> int:
        """How many tries there would be at most."""
        return sum(len(one.tries) for one in self.failures)

    @property
    def by_reason(self) -> Counter[DeclineReason]:
        return Counter(one.reason for one in self.failures if one.reason is not None)

    @property
    def amount_tried(self) -> int:
        """What would be asked for again, in won."""
        return sum(one.payment.order.price.total.amount for one in self.tried)


async def preview_recovery(
    services: ServicesWith[PreviewRecoveryStore], merchant_id: str, rules: RecoveryRules
) -> Preview:
    """Return what rules would have planned for the merchant's failures of the last 30 days; a bounded look."""
    now = services.clock.now()
    wanted = ListFilter(
        Basis.STATUS,
        since=now - SPAN,
        before=now + timedelta(seconds=1),
        standing=PaymentStanding.FAILED,
        use=Use.SCHEDULED,
    )
    first: dict[str, Payment] = {}
    place: Place | None = None
    looked_at, more = 0, True
    while more and looked_at < LOOKED_AT_MAX:
        page = await services.store.payment_lists.page(
            merchant_id, ListQuery(wanted, ListOrder.NEWEST, PAGE, place, bounded=True)
        )
        looked_at, more = looked_at + len(page.payments), page.more
        for payment in page.payments:
            # They come newest first: the earliest of an order is the one that stays.
            first[payment.order.merchant_uid] = payment
        if page.looked_until is not None:
            place = page.looked_until
        elif page.payments:
            newest = page.payments[-1]
            place = Place(newest.status_at, newest.imp_uid)
        else:
            break
    failures = [_previewed(services, payment, rules) for payment in first.values()]
    return Preview(sorted(failures, key=lambda one: one.failed_at, reverse=True), not more)


def _previewed(services: ServicesWithoutStore, payment: Payment, rules: RecoveryRules) -> PreviewedFailure:
    reason = reason_of(services, payment)
    at = payment.status_at
    tries: list[datetime] = []
    for wait in rules.get(reason, ()) if reason is not None else ():
        tries.append(moment_after(wait, tries[-1] if tries else at))
    return PreviewedFailure(payment, at, reason, tuple(tries))


def reason_of(services: ServicesWithoutStore, payment: Payment) -> DeclineReason | None:
    """Return for which reason a rule would have tried a failed payment again, as its code tells."""
    driver = services.drivers.get(payment.pg_provider)
    if driver is None or payment.put_off:
        return None
    # The code of the method of payment stands behind the PG's own, and says more.
    for part in reversed((payment.fail_code or "").split()):
        if part in driver.abilities.decline_reasons:
            return driver.abilities.decline_reasons[part]
    cause = cause_of(payment.fail_code, driver.abilities.failure_causes)
    if cause in {FailureCause.KEY_ENDED, FailureCause.METHOD_ENDED}:
        return DeclineReason.ENDED_KEY
    return None if cause in NOBODY_DECLINED else DeclineReason.OTHER
