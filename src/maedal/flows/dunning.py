"""Dunning: notice which scheduled charges are unpaid, tell their buyers, and see which were paid after all.

An unpaid charge and the messages that tell it are one transaction. What is noticed is a failure that stands in the
database, and how far was looked is kept, so that a worker that dies or is late leaves nothing out.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import structlog

from maedal.dunning.unpaid import (
    DAYS_MAX,
    DunningRules,
    Unpaid,
    concerns_buyer,
    digest_of,
    draw_token,
    token_context,
)
from maedal.flows.count_months import month_of
from maedal.flows.explain_failures import failure_cause
from maedal.flows.merchant_entry import audit_entry_of
from maedal.flows.overview import a_day_in_seoul
from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import MAEDAL, AuditAction, what_differs
from maedal.messages.message import Message, MessageKind, Way
from maedal.payments.errors import InvalidParameter
from maedal.schedules.schedule import ScheduleStatus
from maedal.storage.dunning.reads import FailedRenewal, HasDunning, Recovered
from maedal.storage.dunning.writes import AddUnpaid, EndUnpaid, LookedUntil, PutDunningRules
from maedal.storage.messages.reads import HasMessages
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.write import Writes

_log = structlog.get_logger()

AT_ONCE = 200
LATE_RECORDS = timedelta(hours=1)
"""A failure may be recorded so long after its time: what is younger is looked at again."""
USUAL_DAYS = 14


class DunningStore(HasDunning, HasMessages, HasSchedules, Writes, Protocol): ...


async def set_dunning(
    services: ServicesWith[DunningStore],
    merchant_id: str,
    *,
    by_mail: bool,
    by_shop: bool,
    link_days: int,
    language: str,
    who: str = MAEDAL,
) -> DunningRules:
    """Set what buyers are told of charges that fail from now on. Raises InvalidParameter; then nothing is changed."""
    if not 1 <= link_days <= DAYS_MAX:
        raise InvalidParameter("link_days", f"link_days must be a whole number from 1 to {DAYS_MAX}")
    if by_mail and await services.store.messages.mail_server(merchant_id) is None:
        raise InvalidParameter("by_mail", "set a mail server first")
    before = await services.store.dunning.rules(merchant_id)
    rules = DunningRules(merchant_id, by_mail, by_shop, link_days, language, services.clock.now())
    facts = what_differs({} if before is None else _facts(before), _facts(rules))
    entry = audit_entry_of(services, merchant_id, AuditAction.CHANGE_DUNNING, merchant_id, who, facts)
    await services.store.write(PutDunningRules(rules, entry))
    return rules


async def dun(services: ServicesWith[DunningStore]) -> int:
    """Notice what is unpaid, and end what was paid or is over, of every merchant that wants it; gives how many."""
    noticed, after = 0, ""
    while found := await services.store.dunning.every_rules(after, AT_ONCE):
        after = found[-1].merchant_id
        for rules in found:
            if rules.on:
                noticed += await _notice(services, rules)
            await end_paid(services, rules.merchant_id)
            for unpaid in await services.store.dunning.over(rules.merchant_id, services.clock.now(), AT_ONCE):
                await services.store.write(EndUnpaid(unpaid))
    if noticed:
        services.message_waiting.set()
    return noticed


async def end_paid(services: ServicesWith[DunningStore], merchant_id: str) -> None:
    """Note which unpaid charges of a merchant have a payment by now, however it came about."""
    for paid in await services.store.dunning.paid_after_all(merchant_id, AT_ONCE):
        if await services.store.write(EndUnpaid(paid.unpaid, paid.imp_uid, paid.paid_at)):
            _log.info("unpaid_was_paid", merchant_uid=paid.unpaid.merchant_uid, imp_uid=paid.imp_uid)


async def _notice(services: ServicesWith[DunningStore], rules: DunningRules) -> int:
    now, noticed = services.clock.now(), 0
    failed = await services.store.dunning.failed_since(rules.merchant_id, rules.looked_until, AT_ONCE)
    for one in failed:
        noticed += await _tell(services, rules, one, now)
    until = failed[-1].failed_at if len(failed) == AT_ONCE else now - LATE_RECORDS
    await services.store.write(LookedUntil(rules.merchant_id, until))
    return noticed


async def _tell(
    services: ServicesWith[DunningStore], rules: DunningRules, failed: FailedRenewal, now: datetime
) -> bool:
    schedule = await services.store.schedules.find(rules.merchant_id, failed.merchant_uid)
    payment = None if schedule is None else schedule.payment
    if schedule is None or payment is None or schedule.status is not ScheduleStatus.EXECUTED:
        # It was planned anew, or taken back.
        return False
    cause = failure_cause(services, payment)
    if payment.imp_uid != failed.imp_uid or cause is None or payment.put_off or schedule.hold is not None:
        return False
    if not concerns_buyer(cause, tried_again=schedule.next_try is not None):
        return False
    token = draw_token()
    sealed = services.vault.seal(token, *token_context(failed.merchant_uid, rules.merchant_id))
    unpaid = Unpaid(
        merchant_id=rules.merchant_id,
        merchant_uid=failed.merchant_uid,
        imp_uid=failed.imp_uid,
        cause=cause,
        amount=payment.order.price.total.amount,
        test_mode=payment.test_mode,
        token_digest=digest_of(token),
        sealed_token=sealed,
        noticed_at=now,
        expires_at=now + timedelta(days=rules.link_days),
    )
    ways = [Way.SHOP] if rules.by_shop else []
    if rules.by_mail and payment.order.buyer.email:
        ways.append(Way.MAIL)
    messages = tuple(_message(services, unpaid, way, now) for way in ways)
    if not await services.store.write(AddUnpaid(unpaid, messages)):
        return False
    _log.info("unpaid", merchant_uid=failed.merchant_uid, imp_uid=failed.imp_uid, cause=cause)
    return True


async def recovered_this_month(services: ServicesWith[DunningStore], merchant_id: str, *, test_mode: bool) -> Recovered:
    """Return what was unpaid and came in after all in this month of Korea, by the link or in any other way."""
    month = month_of(a_day_in_seoul(services.clock.now()))
    return await services.store.dunning.recovered(merchant_id, test_mode, month.since, month.until)


def _message(services: ServicesWith[DunningStore], unpaid: Unpaid, way: Way, now: datetime) -> Message:
    # What the address is, is read when it is sent: it is a person's, and may be erased before.
    return Message(
        unpaid.merchant_id,
        services.ids.row(now),
        f"unpaid:{unpaid.merchant_uid}:{unpaid.cause}:{way}",
        MessageKind.UNPAID,
        way,
        "",
        unpaid.merchant_uid,
        now,
        now,
    )


def _facts(rules: DunningRules) -> dict[str, str]:
    return {
        "by_mail": "yes" if rules.by_mail else "no",
        "by_shop": "yes" if rules.by_shop else "no",
        "link_days": str(rules.link_days),
        "language": rules.language,
    }
