"""Enter a payment that only the PG knows of: an older copy of the database was restored, and has forgotten it.

The file of its day tells that money was taken under an order number of ours. The PG's order lookup then gives back the
mark that was sent along with the charge (`payments.mark`): whose it was, and under which ids the merchant knows it.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Protocol

import structlog

from maedal.billing_keys.billing_key import BillingKey
from maedal.errors import GatewayError
from maedal.flows.call_pg import account_of, ask_pg, driver_of
from maedal.flows.outcome_writes import charge_record
from maedal.flows.refunds import take_over
from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import AuditAction, AuditEntry
from maedal.merchants.channel import Channel
from maedal.payments.attempt import Approval, Attempt, Outcome, Proof, Result, Verb
from maedal.payments.mark import Mark, read_mark
from maedal.payments.money import Money, Price
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse, Order, Origin, Payment
from maedal.pg.driver import AnswerLost, NotSent, OrderFacts, OrderState, Unreadable
from maedal.reconciliation.settlement import SettlementRow
from maedal.schedules.schedule import Schedule, ScheduleStatus
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.channels.reads import HasChannels
from maedal.storage.errors import Conflict
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments
from maedal.storage.payments.writes import EnterPayment
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.write import Writes

_log = structlog.get_logger()

OURSELVES = "maedal"
"""Who did it, in the audit log."""
REASON = "told by the PG's file and order lookup"
CHARGES = frozenset({KeyUse.CHARGE, KeyUse.SCHEDULED})


class EnterPaymentStore(
    HasBillingKeys, HasCancellations, HasChannels, HasMerchants, HasPayments, HasSchedules, Writes, Protocol
): ...


async def enter_payment(
    services: ServicesWith[EnterPaymentStore], channel: Channel, row: SettlementRow
) -> Payment | None:
    """Enter the payment that the PG took this money for, paid, and return it; its webhooks go out.

    Gives None, and changes nothing, when the PG does not answer, does not say that it was a payment of this
    merchant, or when its ids are taken here by another payment.
    """
    details = {"merchant": channel.merchant_id, "pg_tid": row.pg_tid}
    try:
        driver, account = driver_of(services, channel), account_of(services, channel)
        reply = await ask_pg(services, channel.merchant_id, driver.order_request(account, row.pg_tid))
        facts = driver.read_order(row.pg_tid, reply)
    except (NotSent, AnswerLost, Unreadable, GatewayError) as error:
        _log.warning("payment_not_entered", reason=f"the PG does not tell of it ({type(error).__name__})", **details)
        return None
    mark = read_mark(facts.mark)
    if mark is None or mark.merchant_id != channel.merchant_id or not _is_about(facts, row):
        _log.warning("payment_not_entered", reason="the PG does not know what it was for", **details)
        return None
    write = await _entry(services, channel, row, facts, mark)
    try:
        payment = await services.store.write(write)
    except Conflict:
        _log.warning("payment_not_entered", reason="its ids belong to another payment here", **details)
        return None
    if write.record.deliveries:
        services.webhook_waiting.set()
    with contextlib.suppress(Conflict):
        payment = (await take_over(services, payment, facts)).payment
    _log.warning("payment_entered", imp_uid=payment.imp_uid, **details)
    return payment


def _is_about(facts: OrderFacts, row: SettlementRow) -> bool:
    taken = facts.state in {OrderState.APPROVED, OrderState.CANCELLED}
    return taken and facts.order_id == row.order_id and facts.total == row.amount and facts.tax_free <= facts.total


async def _entry(
    services: ServicesWith[EnterPaymentStore], channel: Channel, row: SettlementRow, facts: OrderFacts, mark: Mark
) -> EnterPayment:
    """Return the write: the payment as it was begun, and that it was approved."""
    now = services.clock.now()
    key = None
    if mark.billing_key_id is not None:
        key = await services.store.billing_keys.find_by_id(channel.merchant_id, mark.billing_key_id)
    plan = await services.store.schedules.find(channel.merchant_id, mark.merchant_uid)
    waits = plan is not None and (plan.status is ScheduleStatus.SCHEDULED or plan.next_try is not None)
    payment = Payment(
        merchant_id=channel.merchant_id,
        imp_uid=mark.imp_uid,
        order=_order(facts, mark, key, plan if waits else None),
        status=Status.CALLING,
        origin=Origin.API if mark.key_use in CHARGES else Origin.PC,
        pg_provider=channel.pg_provider,
        pg_merchant_id=channel.pg_merchant_id,
        channel_id=channel.id,
        test_mode=channel.test_mode,
        started_at=row.happened_at,
        updated_at=now,
        billing_key_id=None if key is None else key.id,
    )
    attempt = Attempt(
        id=row.order_id,
        merchant_id=channel.merchant_id,
        verb=Verb.CHARGE if mark.key_use in CHARGES else Verb.APPROVE,
        order_id=row.order_id,
        begun_at=row.happened_at,
        imp_uid=payment.imp_uid,
        billing_key_id=payment.billing_key_id,
        price=payment.order.price,
    )
    approval = Approval(row.pg_tid, row.method or facts.method, row.happened_at)
    result = Result(Outcome.APPROVED, Proof.SETTLEMENT_FILE, approval=approval)
    record = await charge_record(services, payment, attempt.id, result)
    after = f"pg_tid={row.pg_tid}; amount={row.amount}"
    audit_entry = AuditEntry(
        services.ids.row(now),
        channel.merchant_id,
        AuditAction.ENTER_PAYMENT,
        payment.imp_uid,
        OURSELVES,
        REASON,
        "",
        after,
        now,
    )
    return EnterPayment(payment, attempt, replace(record, paid_at=row.happened_at), audit_entry)


def _order(facts: OrderFacts, mark: Mark, key: BillingKey | None, plan: Schedule | None) -> Order:
    """Return what was bought, as far as anybody still knows: the plan knows most, the PG the rest."""
    price = Price(Money(facts.total), Money(facts.tax_free))
    if plan is not None:
        return replace(plan.order, price=price)
    # A key that was issued after the copy was made is lost with its secret, and so is who it was of.
    return Order(
        merchant_uid=mark.merchant_uid,
        name=facts.name or mark.merchant_uid,
        price=price,
        customer_uid=None if key is None else key.customer_uid,
        key_use=None if key is None else mark.key_use,
        quantity=facts.quantity,
    )
