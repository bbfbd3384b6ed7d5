"""Approve: the buyer has agreed at the PG; take the money, or the key, once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from maedal.billing_keys.billing_key import BillingKey, secret_context
from maedal.flows.call_pg import account_for, call_pg, driver_of, not_built
from maedal.flows.check_prepared import refuse_unprepared
from maedal.flows.end_window import attempt_to_approve, end_window
from maedal.flows.intents import WITHDRAWN, Intent, begin
from maedal.flows.maintenance import note_availability
from maedal.flows.record_outcome import record
from maedal.flows.resolve_unknown import clarify_for_a_while
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.flows.unrecorded_outcomes import OwnCall
from maedal.payments.attempt import Decline, Outcome, Proof, Result
from maedal.payments.errors import OutcomeUnknown
from maedal.payments.mark import write_mark
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse, Payment
from maedal.payments.window import Window, token_context
from maedal.pg.driver import ApproveParams, CallKind
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.channels.reads import HasChannels
from maedal.storage.database_servers.reads import HasDatabaseServers
from maedal.storage.durability.writes import Proved
from maedal.storage.errors import Conflict, StoreError
from maedal.storage.maintenance.reads import HasMaintenance
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments
from maedal.storage.prepared_amounts.reads import HasPreparedAmounts
from maedal.storage.reconciliation.reads import HasReconciliation
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.unknown_outcomes.reads import HasUnknownOutcomes
from maedal.storage.windows.reads import HasWindows
from maedal.storage.windows.writes import BeginApproval
from maedal.storage.write import Writes

_log = structlog.get_logger()

CONFIRM_TIMEOUT = timedelta(seconds=10)
FIRST_END_POLL_SECONDS = 0.2
CONFIRM_REJECTED = "CONFIRM_REJECTED"
ALREADY_PAID = "F1002"
ALREADY_PAID_TEXT = "이미 결제가 이루어진 거래건입니다."


class ApproveStore(
    HasBillingKeys,
    HasCancellations,
    HasChannels,
    HasDatabaseServers,
    HasMaintenance,
    HasMerchants,
    HasPayments,
    HasPreparedAmounts,
    HasReconciliation,
    HasSchedules,
    HasUnknownOutcomes,
    HasWindows,
    Writes,
    Protocol,
): ...


async def approve(services: ServicesWith[ApproveStore], payment: Payment, window: Window, pg_token: str) -> Payment:
    """Approve a window's payment and return it: paid, failed, or unknown.

    A second return of the browser changes nothing: the guarded move lets one caller through. While the first is still
    being answered, as when the buyer reloads, the second waits for its end.
    """
    if payment.status is Status.CALLING:
        return await _end_of_first(services, payment)
    if payment.status is not Status.READY or payment.pg_tid is None:
        return payment
    return await services.background.finish(_approve(services, payment, window, pg_token))


async def _approve(services: ServicesWith[ApproveStore], payment: Payment, window: Window, pg_token: str) -> Payment:
    services.key_standing.check_sealing()
    attempt = attempt_to_approve(services, payment, window)
    sealed = services.vault.seal(pg_token, *token_context(payment.merchant_id, payment.imp_uid))

    async def intent() -> Payment:
        return await services.store.write(BeginApproval(payment, attempt, sealed))

    def found(proved: Proved) -> Payment:
        assert proved.payment is not None, "an approval has its payment"
        return proved.payment

    async def withdraw(begun: Payment) -> None:
        await record(services, begun, attempt.id, WITHDRAWN)

    try:
        begun = await begin(
            services, Intent(payment.merchant_id, attempt.id, attempt.begun_at, intent, found, withdraw)
        )
    except Conflict:
        stored = await services.store.payments.find(payment.merchant_id, payment.imp_uid)
        assert stored is not None, "a payment is never deleted"
        if stored.status is Status.CALLING:
            return await _end_of_first(services, stored)
        # Still open: then the order itself was paid through another window.
        return await end_window(services, stored, ALREADY_PAID, ALREADY_PAID_TEXT)
    result = (
        await refuse_unprepared(services, begun)
        or await _ask_merchant(services, begun, window)
        or await _call(services, begun, window, pg_token, attempt.begun_at)
    )
    key = _issued_key(services, begun, window, result)
    reason = result.decline.message if result.proof is Proof.MERCHANT_REFUSED and result.decline else None
    try:
        own_call = OwnCall(attempt, window=window, sealed_pg_token=sealed)
        after = await record(services, begun, attempt.id, result, issued_key=key, reason=reason, own_call=own_call)
    except StoreError:
        return begun  # still being called, as far as anybody can read; the worker clarifies it
    await note_availability(services, after, result)
    if after.status is Status.UNKNOWN:
        try:
            after = await clarify_for_a_while(services, after, attempt.id)
        except OutcomeUnknown:
            return after
    return after


async def _end_of_first(services: ServicesWith[ApproveStore], payment: Payment) -> Payment:
    """Return the payment once the approval that is under way has ended, or as it stands after a bounded wait."""
    deadline = services.clock.now() + timedelta(seconds=services.limits.clarify_wait_seconds)
    while payment.status in {Status.CALLING, Status.UNKNOWN} and services.clock.now() < deadline:
        await services.clock.sleep(FIRST_END_POLL_SECONDS)
        payment = await services.store.payments.find(payment.merchant_id, payment.imp_uid) or payment
    return payment


async def _ask_merchant(services: ServicesWithoutStore, payment: Payment, window: Window) -> Result | None:
    """Ask `confirm_url`, if there is one; gives an outcome only when it does not answer 200.

    Source: docs/wire/portone-v1-rest.md 5.6.
    """
    if window.confirm_url is None:
        return None
    fields = {
        "imp_uid": payment.imp_uid,
        "merchant_uid": payment.order.merchant_uid,
        "amount": payment.order.price.total.amount,
    }
    answer = await services.merchant_calls.post(
        window.confirm_url,
        "application/json",
        json.dumps(fields, ensure_ascii=False),
        # Ten seconds are for all of it: what connecting takes is not given to the answer again.
        connect_timeout=CONFIRM_TIMEOUT,
        read_timeout=timedelta(0),
    )
    if answer.status == 200:
        return None
    detail = "알 수 없음"
    try:
        reason = json.loads(answer.text).get("reason") if answer.status is not None else None
    except (ValueError, AttributeError, RecursionError):
        reason = None
    if isinstance(reason, str) and reason.strip():
        detail = reason.strip().replace("\0", "")[:200]
    text = f"고객사 요청에 의해 결제를 중단합니다. (상세사유 : {detail})"
    return Result(Outcome.NOT_SENT, Proof.MERCHANT_REFUSED, decline=Decline(CONFIRM_REJECTED, text))


async def _call(
    services: ServicesWithoutStore, payment: Payment, window: Window, pg_token: str, begun_at: datetime
) -> Result:
    assert payment.pg_tid is not None, "an approval has a prepared window"
    try:
        channel = await services.merchant_cache.channel(payment.merchant_id, payment.channel_id)
        driver, account = driver_of(services, channel), account_for(services, channel, test_mode=payment.test_mode)
        params = ApproveParams(
            pg_tid=payment.pg_tid,
            order_id=window.order_id,
            user_id=window.pg_user_id,
            pg_token=pg_token,
            price=payment.order.price,
            issues_key=payment.order.key_use is KeyUse.ISSUE,
            device=window.device,
            mark=write_mark(payment),
        )
        request = driver.approve_request(account, params)
    except Exception as error:  # whatever keeps the request from being built, it was certainly not sent
        _log.exception("approval_could_not_be_built", imp_uid=payment.imp_uid, kind=type(error).__name__)
        return not_built(error)
    return await call_pg(
        services,
        CallKind.APPROVE,
        payment.merchant_id,
        request,
        lambda reply: driver.read_approve(account, params, reply),
        begun_at=begun_at,
    )


def _issued_key(services: ServicesWithoutStore, payment: Payment, window: Window, result: Result) -> BillingKey | None:
    """Return the billing key that the approval issued, its secret sealed at once."""
    approval = result.approval
    if approval is None or approval.pg_key is None or payment.order.customer_uid is None:
        return None
    now = services.clock.now()
    key_id = services.ids.row(now)
    key = BillingKey(
        merchant_id=payment.merchant_id,
        id=key_id,
        customer_uid=payment.order.customer_uid,
        channel_id=payment.channel_id,
        pg_provider=payment.pg_provider,
        pg_merchant_id=payment.pg_merchant_id,
        test_mode=payment.test_mode,
        sealed_pg_key=b"",
        pg_user_id=window.pg_user_id,
        inserted_at=now,
        updated_at=now,
        method=approval.method,
        card=approval.card,
        customer_id=window.customer_id,
        customer=payment.order.buyer,
        # The PG may show the time of a free issue as the key's last approval, or nothing: neither is a charge of ours.
        last_approved_at=approval.approved_at,
        last_approval_seen_at=now,
        last_approval_in_reply=result.proof is Proof.REPLY,
    )
    return replace(key, sealed_pg_key=services.vault.seal(approval.pg_key, *secret_context(key)))
