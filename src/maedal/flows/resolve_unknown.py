"""Resolve an unknown outcome: by asking the PG, never by repeating the call (docs/wire/kakaopay.md 11).

An approval is judged by the order lookup. A charge leaves no id to look up; it is judged by the time of its key's last
approval, which only our own charges move: later than the value stored with the attempt, by more than the PG's replies
differ, means charged; still the same within that, after the PG's longest unclear time, means not charged. Anything else
stays unknown.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from maedal import metrics
from maedal.billing_keys.billing_key import secret_context
from maedal.billing_keys.last_approval import TIME_TOLERANCE, is_later_one, is_same_one
from maedal.flows.call_pg import account_for, ask_pg, driver_of
from maedal.flows.record_outcome import record, record_cancel
from maedal.flows.refunds import over_within, take_over
from maedal.flows.services import ServicesWith, ServicesWithoutStore
from maedal.merchants.errors import ChannelMisconfigured, OtherMode
from maedal.payments.attempt import Approval, Decline, Fault, Outcome, Proof, Result, Verb
from maedal.payments.errors import OutcomeUnknown
from maedal.payments.moves import Status
from maedal.payments.payment import KeyUse, Payment
from maedal.pg.driver import (
    Account,
    AnswerLost,
    Driver,
    NotSent,
    OrderFacts,
    OrderState,
    Resolution,
    Unreadable,
)
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.cancellations.reads import HasCancellations
from maedal.storage.channels.reads import HasChannels
from maedal.storage.durability.writes import Prove
from maedal.storage.errors import Conflict, StoreError
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.payments.reads import HasPayments
from maedal.storage.schedules.reads import HasSchedules
from maedal.storage.unknown_outcomes.reads import HasUnknownOutcomes, OpenAttempt
from maedal.storage.unknown_outcomes.writes import ClaimLook, KeepLook
from maedal.storage.write import Writes

_log = structlog.get_logger()

SKEW = timedelta(seconds=5)
"""How far the PG's clock may be from ours."""
TIMES_APART = SKEW + TIME_TOLERANCE
"""How far a time that the PG tells may be from our own time of the same moment."""
IN_FLIGHT = timedelta(seconds=30)
"""Until then a request may still be on its way inside the PG, whose own limit is 11 s (3.2)."""
UNCLEAR_AT_MOST = timedelta(minutes=20)
"""How long an approval may still come through: the window of BANK_FIRM_UNKNOWN (8.4)."""
LOOK_MIN = timedelta(seconds=15)
LOOK_MAX_FIRST = timedelta(minutes=5)
LOOK_MAX = timedelta(hours=6)
KEY_LOST = "KEY_LOST"
NOT_TAKEN = "NOT_TAKEN"
KEY_LOST_TEXT = "카카오페이의 응답을 받지 못해 결제수단을 등록하지 못했습니다. 다시 등록해주세요."
NOT_CANCELLED_TEXT = "PG에서 취소되지 않은 것을 확인했습니다."
NOT_PROVED = "CANCEL_NOT_PROVED"
NOT_PROVED_TEXT = (
    "PG에 같은 금액의 취소가 있지만 이 요청으로 취소된 것인지 확인할 수 없습니다. 결제의 취소 내역을 확인해주세요."
)
FIRST_LOOK_SECONDS = 0.5
LOOK_SECONDS_MAX = 4.0


class ResolveUnknownStore(
    HasBillingKeys,
    HasCancellations,
    HasChannels,
    HasMerchants,
    HasPayments,
    HasSchedules,
    HasUnknownOutcomes,
    Writes,
    Protocol,
): ...


async def clarify_for_a_while(
    services: ServicesWith[ResolveUnknownStore], payment: Payment, attempt_id: str
) -> Payment:
    """Ask at growing intervals until the outcome is known or `clarify_wait_seconds` have passed.

    What it gives outlives a failover: whoever else recorded it, it is proved by a write. Raises OutcomeUnknown when the
    store does not even tell that; the call was made, or may have been.
    """
    try:
        await _clarify_for_a_while(services, payment)
        proved = await services.store.write(Prove(payment.merchant_id, attempt_id))
    except StoreError as error:
        raise OutcomeUnknown("what became of it cannot be read and is being clarified") from error
    if proved is None or proved.payment is None:
        raise OutcomeUnknown("the database has forgotten it, and it is being clarified")
    return proved.payment


async def _clarify_for_a_while(services: ServicesWith[ResolveUnknownStore], payment: Payment) -> None:
    deadline = services.clock.now() + timedelta(seconds=services.limits.clarify_wait_seconds)
    wait = FIRST_LOOK_SECONDS
    while True:
        found = await services.store.unknown_outcomes.of_payment(payment.merchant_id, payment.imp_uid)
        if found is None or found.payment is None:
            return
        payment = await clarify(services, found)
        left = (deadline - services.clock.now()).total_seconds()
        open_still = payment.status is Status.UNKNOWN or found.attempt.verb is Verb.CANCEL
        if not open_still or left <= 0:
            return
        await services.clock.sleep(min(wait, left))
        wait = min(wait * 2, LOOK_SECONDS_MAX)


async def clarify(services: ServicesWith[ResolveUnknownStore], found: OpenAttempt) -> Payment:
    """Ask the PG once about an unknown attempt; record what that proves, if anything, and return the payment."""
    return (await _look(services, found))[0]


async def _look(services: ServicesWith[ResolveUnknownStore], found: OpenAttempt) -> tuple[Payment, bool]:
    """Do what `clarify` does; return the payment, and whether the question reached the PG at all."""
    payment, reached = found.payment, True
    assert payment is not None, "only payments have unknown outcomes that are clarified here"
    if found.attempt.verb is not Verb.CANCEL and payment.status is not Status.UNKNOWN:
        return payment, reached
    channel = await services.merchant_cache.channel(payment.merchant_id, payment.channel_id)
    driver, seen = driver_of(services, channel), _Seen()
    try:
        account = account_for(services, channel, test_mode=payment.test_mode)
    except (ChannelMisconfigured, OtherMode) as error:
        await _keep_look(services, found, _Seen(error.message))
        return payment, False
    try:
        if driver.abilities.resolution[found.attempt.verb] is Resolution.ORDER_LOOKUP:
            result = await _by_order(services, driver, account, found, seen)
        else:
            result = await _by_key(services, driver, account, found, seen)
    except (NotSent, AnswerLost, Unreadable) as error:
        _log.info("clarifying_got_no_answer", imp_uid=payment.imp_uid, reason=type(error).__name__)
        seen.what, result = f"no answer: {type(error).__name__}", None
        reached = not isinstance(error, NotSent)
    if result is None:
        await _keep_look(services, found, seen)
        return seen.payment or payment, reached
    if result.decline is not None and found.code in driver.abilities.closed_codes:
        # It was not made because the PG was closed, as its own answer said.
        result = replace(result, decline=replace(result.decline, maintenance=True))
    elif result.decline is not None and result.decline.code == NOT_TAKEN and not _answered_by_method(driver, found):
        # It was not made, and nobody has declined it.
        result = replace(result, decline=replace(result.decline, fault=Fault.NOT_MADE))
    # The money was taken, but the billing key that it was taken with went with the lost reply.
    undo = (
        found.attempt.verb is Verb.APPROVE
        and result.outcome is Outcome.APPROVED
        and payment.order.key_use is KeyUse.ISSUE
    )
    if undo:
        _log.error("issued_key_lost", imp_uid=payment.imp_uid)
    payment = seen.payment or payment
    metrics.RESOLVED.labels(found.attempt.verb, result.outcome, result.proof).inc()
    _log.info("unknown_resolved", imp_uid=payment.imp_uid, outcome=result.outcome, proof=result.proof)
    if found.attempt.verb is Verb.CANCEL:
        return await record_cancel(services, payment, found.attempt.id, result), reached
    after = await record(services, payment, found.attempt.id, result, undo=undo)
    if seen.order is not None and seen.order.cancels and after.pg_tid is not None:
        # It was given back before we knew that it was taken.
        with contextlib.suppress(Conflict):
            after = (await take_over(services, after, seen.order)).payment
    return after, reached


def look_after(begun_at: datetime, now: datetime) -> timedelta:
    """Return how long to wait before the next look at an outcome that is still unknown.

    It grows with the age, but stays short until a charge is known not to have been made.
    """
    age = now - begun_at
    longest = LOOK_MAX_FIRST if age < UNCLEAR_AT_MOST + LOOK_MAX_FIRST else LOOK_MAX
    return min(max(age / 2, LOOK_MIN), longest)


async def clarify_due(services: ServicesWith[ResolveUnknownStore], count_max: int) -> int:
    """Look once at each unknown outcome that is due to be looked at; return how many there were."""
    found = await services.store.unknown_outcomes.due(services.clock.now(), count_max)
    for attempt in found:
        now = services.clock.now()
        assert attempt.look_at is not None, "an unknown outcome is looked at again"
        next_at = now + look_after(attempt.attempt.begun_at, now)
        # Taken before the PG is asked, so that one that can never be read does not keep the others waiting.
        if await services.store.write(ClaimLook(attempt.attempt, attempt.look_at, next_at)):
            _, reached = await _look(services, attempt)
            if not reached:
                # Nobody was asked, so that was no look: the next one comes as soon as the PG may be there again.
                await services.store.write(ClaimLook(attempt.attempt, next_at, services.clock.now() + LOOK_MIN))
    return len(found)


@dataclass(slots=True)
class _Seen:
    """What a look saw, for the person who may have to settle by hand."""

    what: str = "nothing to ask for"
    approved_at: datetime | None = None
    order: OrderFacts | None = None
    payment: Payment | None = None
    """As it stands after what the look saw was entered, if anything was."""


async def _keep_look(services: ServicesWith[ResolveUnknownStore], found: OpenAttempt, seen: _Seen) -> None:
    """Count a look that proved nothing. It is told to people alone, so that one that is not kept stops nothing."""
    try:
        await services.store.write(KeepLook(found.attempt, seen.what, seen.approved_at, services.clock.now()))
    except StoreError as error:
        _log.warning("look_not_kept", attempt=found.attempt.id, kind=type(error).__name__)


async def _by_order(
    services: ServicesWith[ResolveUnknownStore], driver: Driver, account: Account, found: OpenAttempt, seen: _Seen
) -> Result | None:
    payment = found.payment
    assert payment is not None, "only payments are looked up"
    if payment.pg_tid is None:
        return None
    reply = await ask_pg(services, payment.merchant_id, driver.order_request(account, payment.pg_tid))
    facts = driver.read_order(payment.pg_tid, reply)
    seen.what, seen.approved_at = f"order {facts.pg_state}, cancelled {facts.cancelled}", facts.approved_at
    seen.order = facts
    if found.attempt.verb is Verb.CANCEL:
        return await _by_cancels(services, payment, found, facts, seen)
    if facts.order_id != found.attempt.order_id:
        raise Unreadable("the lookup is about another order")
    match facts.state:
        case OrderState.APPROVED if payment.order.key_use is KeyUse.ISSUE and facts.total == 0:
            # No money was taken, and the key's secret went with the lost reply: no lookup returns it.
            _log.error("issued_key_lost", imp_uid=payment.imp_uid)
            return Result(Outcome.DECLINED, Proof.ORDER_LOOKUP, decline=Decline(KEY_LOST, KEY_LOST_TEXT))
        case OrderState.APPROVED | OrderState.CANCELLED if facts.total == payment.order.price.total.amount:
            approval = Approval(payment.pg_tid, facts.method, facts.approved_at)
            return Result(Outcome.APPROVED, Proof.ORDER_LOOKUP, approval=approval)
        case OrderState.QUIT | OrderState.FAILED:
            return _not_taken(Proof.ORDER_LOOKUP, facts.pg_state)
        case OrderState.OPEN | OrderState.AUTHENTICATED if _older(services, found, IN_FLIGHT):
            # Only our own call could approve it, and that call is over.
            return _not_taken(Proof.ORDER_LOOKUP, facts.pg_state)
        case _:
            return None


async def _by_cancels(
    services: ServicesWith[ResolveUnknownStore], payment: Payment, found: OpenAttempt, facts: OrderFacts, seen: _Seen
) -> Result | None:
    """Judge a cancel by the PG's list of cancels; those of others in it are entered first.

    It was made when the list has it under its mark, and was not when it can no longer be made and the list has nothing
    that may be it. What may be it or not is no proof that it was made: it is entered as somebody else's, which a person
    hears of, and the cancel ends as not proved.
    """
    over = _older(services, found, over_within(services))
    try:
        taken = await take_over(services, payment, facts, open_id=found.attempt.id, settles=over)
    except Conflict:
        return None
    seen.payment = taken.payment
    mine = taken.compared.ours.get(found.attempt.id)
    if mine is not None:
        approval = Approval(payment.pg_tid, facts.method, mine.at, pg_aid=mine.pg_aid)
        return Result(Outcome.APPROVED, Proof.ORDER_LOOKUP, approval=approval)
    if not over:
        return None
    if taken.compared.unclear:
        _log.error("cancel_not_proved", imp_uid=payment.imp_uid, attempt=found.attempt.id)
        decline = Decline(NOT_PROVED, NOT_PROVED_TEXT)
    else:
        decline = Decline("NOT_CANCELLED", NOT_CANCELLED_TEXT)
    return Result(Outcome.DECLINED, Proof.ORDER_LOOKUP, decline=decline)


async def _by_key(
    services: ServicesWith[ResolveUnknownStore], driver: Driver, account: Account, found: OpenAttempt, seen: _Seen
) -> Result | None:
    assert found.attempt.verb is Verb.CHARGE, found.attempt.verb
    assert found.attempt.billing_key_id is not None, "a charge names its key"
    key = await services.store.billing_keys.find_by_id(found.attempt.merchant_id, found.attempt.billing_key_id)
    assert key is not None, "a key is never deleted"
    pg_key = services.vault.open(key.sealed_pg_key, *secret_context(key))
    reply = await ask_pg(services, found.attempt.merchant_id, driver.key_request(account, pg_key))
    facts = driver.read_key(pg_key, reply)
    last = facts.last_approved_at
    seen.what, seen.approved_at = f"key {'active' if facts.active else 'ended'}", last
    if last is not None and _is_ours(last, found):
        return Result(Outcome.APPROVED, Proof.KEY_STATUS, approval=Approval(None, facts.method or key.method, last))
    if _is_unmoved(last, found) and _older(services, found, UNCLEAR_AT_MOST):
        return _not_taken(Proof.KEY_STATUS, "last_approved_at unchanged")
    return None


def _is_ours(last: datetime, found: OpenAttempt) -> bool:
    """Return whether the key's last approval can only be the attempt's: it moved, and not before we sent."""
    before, in_reply = found.approved_before, found.approved_before_in_reply
    moved = before is None or is_later_one(last, before, in_reply=in_reply)
    return moved and last >= found.attempt.begun_at - TIMES_APART


def _is_unmoved(last: datetime | None, found: OpenAttempt) -> bool:
    """Return whether the PG tells no other approval of the key than the one before the attempt."""
    before, in_reply = found.approved_before, found.approved_before_in_reply
    return last is None or (before is not None and is_same_one(last, before, in_reply=in_reply))


def _answered_by_method(driver: Driver, found: OpenAttempt) -> bool:
    """Return whether the answer that proved nothing came from the buyer's method of payment."""
    return (found.code or "").partition(" ")[2] in driver.abilities.unsure_codes


def _older(services: ServicesWithoutStore, found: OpenAttempt, age: timedelta) -> bool:
    return services.clock.now() - found.attempt.begun_at >= age


def _not_taken(proof: Proof, pg_state: str) -> Result:
    decline = Decline(NOT_TAKEN, f"PG에서 결제되지 않은 것을 확인했습니다. ({pg_state})")
    return Result(Outcome.DECLINED, proof, decline=decline)
