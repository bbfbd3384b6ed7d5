"""Recovery: plan the next try of a scheduled charge that failed, as the merchant's rules say; see and change the rules.

The try is planned in the transaction that records the failure, and begun like the charge itself, exactly once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from maedal.flows.merchant_entry import audit_entry_of
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.audit_entry import MAEDAL, AuditAction, what_differs
from maedal.merchants.errors import MerchantNotFound
from maedal.payments.attempt import DeclineReason
from maedal.payments.errors import InvalidParameter
from maedal.payments.payment import KeyUse, Payment
from maedal.schedules.recovery import NextTry, RecoveryRules, Wait, check_waits, next_try, written
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.merchants.writes import SetRecovery
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.write import Writes

CHANGES_AT_ONCE_MAX = 5


class RecoveryStore(HasMerchants, HasSchedules, Writes, Protocol): ...


async def next_try_of(
    services: ServicesWith[RecoveryStore], payment: Payment, reason: DeclineReason | None, now: datetime
) -> NextTry | None:
    """Return when the scheduled charge of a payment that fails for `reason` is tried again, if it is."""
    if reason is None or payment.order.key_use is not KeyUse.SCHEDULED:
        return None
    schedule = await services.store.schedules.find(payment.merchant_id, payment.order.merchant_uid)
    if schedule is None or schedule.imp_uid != payment.imp_uid:
        return None
    return await plan_next_try(services, payment.merchant_id, reason, schedule.tries, now)


async def plan_next_try(
    services: ServicesWithoutStore, merchant_id: str, reason: DeclineReason | None, tries: int, now: datetime
) -> NextTry | None:
    """Return what the merchant's rules plan after a failure for `reason` and so many tries."""
    merchant = await services.merchant_cache.merchant(merchant_id)
    return next_try(merchant.recovery, reason, tries, now)


async def set_rule(
    services: ServicesWith[RecoveryStore], code: str, reason: str, waits: Sequence[Wait], *, who: str = MAEDAL
) -> RecoveryRules:
    """Set the waits before each try after failures for `reason`, none for no tries; return all of the rules.

    Tries that are planned already stay. Raises InvalidParameter or MerchantNotFound; then nothing is changed.
    """
    if reason not in set(DeclineReason):
        raise InvalidParameter("reason", f"the reason must be one of {', '.join(DeclineReason)}")
    check_waits(waits)
    for _ in range(CHANGES_AT_ONCE_MAX):
        merchant = await services.store.merchants.find(code)
        if merchant is None:
            raise MerchantNotFound(f"no merchant has the identification code {code}")
        rules = {**merchant.recovery, DeclineReason(reason): tuple(waits)}
        facts = what_differs(
            {reason: written(merchant.recovery.get(DeclineReason(reason), ()))}, {reason: written(waits)}
        )
        audit_entry = (
            audit_entry_of(services, code, AuditAction.CHANGE_RECOVERY, code, who, facts) if any(facts) else None
        )
        changed = await services.store.write(SetRecovery(code, merchant.recovery, rules, audit_entry))
        if changed is not None:
            return changed.recovery
    raise InvalidParameter("reason", "somebody else keeps changing the rules; nothing was changed")


async def set_rules(
    services: ServicesWith[RecoveryStore], code: str, rules: RecoveryRules, *, who: str = MAEDAL
) -> RecoveryRules:
    """Set the rules of all reasons at once, none for a reason that is missing; return them.

    Tries that are planned already stay. Raises InvalidParameter or MerchantNotFound; then nothing is changed.
    """
    for waits in rules.values():
        check_waits(waits)
    for _ in range(CHANGES_AT_ONCE_MAX):
        merchant = await services.store.merchants.find(code)
        if merchant is None:
            raise MerchantNotFound(f"no merchant has the identification code {code}")
        facts = what_differs(_facts(merchant.recovery), _facts(rules))
        audit_entry = (
            audit_entry_of(services, code, AuditAction.CHANGE_RECOVERY, code, who, facts) if any(facts) else None
        )
        changed = await services.store.write(SetRecovery(code, merchant.recovery, rules, audit_entry))
        if changed is not None:
            services.merchant_cache.forget_merchant(code)
            return changed.recovery
    raise InvalidParameter("reason", "somebody else keeps changing the rules; nothing was changed")


def _facts(rules: RecoveryRules) -> dict[str, str]:
    return {reason.value: written(rules.get(reason, ())) for reason in DeclineReason}
