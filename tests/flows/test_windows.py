"""Windows that end without money."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from maedal.flows.end_window import (
    BATCH_MAX,
    CANCELLED,
    EXPIRED,
    close_by_buyer,
    come_back_without_approval,
    end_expired,
    end_window,
    forget_unfinished,
)
from maedal.flows.index_payment_texts import index_payment_texts
from maedal.flows.record_lost_attempts import record_lost_attempts
from maedal.flows.record_outcome import record
from maedal.payments.attempt import LOST, Attempt, Verb
from maedal.payments.moves import Status
from maedal.payments.payment import Buyer
from maedal.payments.window import CANCELLED_BY_BUYER
from maedal.pg.driver import AnswerLost
from maedal.storage.windows.writes import BeginApproval, OpenWindow, RecordPrepared
from tests.support.builders import MERCHANT, NOW, an_issuing_window, approved, declined
from tests.support.network import reply

TID = "T0123456789abcdef012"


async def an_open_window(flows, *, prepared=True):
    payment, window, attempt = an_issuing_window()
    await flows.store.write(OpenWindow(payment, window, attempt))
    if prepared:
        await flows.store.write(
            RecordPrepared(MERCHANT, payment.imp_uid, attempt.id, approved(TID), "p", "m", "a", NOW)
        )
    return await flows.store.payments.find(MERCHANT, payment.imp_uid)


def the_order_is(flows, payment, status):
    body = {"tid": TID, "status": status, "partner_order_id": "o", "amount": {"total": 0}}
    flows.network.next_answer["order"] = lambda _: reply(body)


async def test_a_buyer_who_closes_gets_exactly_the_known_sentence(flows):
    ended = await close_by_buyer(flows.services, await an_open_window(flows))
    assert (ended.status, ended.fail_code, ended.fail_reason) == (Status.FAILED, CANCELLED, CANCELLED_BY_BUYER)


@pytest.mark.parametrize(
    ("status", "cancelled", "code"),
    [
        ("QUIT_PAYMENT", True, CANCELLED),
        ("QUIT_PAYMENT", False, CANCELLED),
        ("FAIL_AUTH_PASSWORD", False, "FAIL_AUTH_PASSWORD"),
        ("FAIL_PAYMENT", False, EXPIRED),
        ("READY", True, CANCELLED),
        ("READY", False, "PG_FAILED"),
    ],
)
async def test_coming_back_without_a_token_ends_the_window_for_the_reason_that_the_lookup_gives(
    flows, status, cancelled, code
):
    payment = await an_open_window(flows)
    the_order_is(flows, payment, status)
    ended = await come_back_without_approval(flows.services, payment, cancelled=cancelled)
    assert (ended.status, ended.fail_code) == (Status.FAILED, code)


async def test_an_expired_window_is_ended_only_once_the_pg_confirms_that_nothing_was_paid(flows):
    payment = await an_open_window(flows)

    def lost(_):
        raise AnswerLost("dropped")

    flows.clock.add(timedelta(minutes=15).total_seconds() + 1)
    flows.network.next_answer["order"] = lost
    await end_expired(flows.services)
    assert (await flows.store.payments.find(MERCHANT, payment.imp_uid)).status is Status.READY
    the_order_is(flows, payment, "SUCCESS_PAYMENT")
    await end_expired(flows.services)
    assert (await flows.store.payments.find(MERCHANT, payment.imp_uid)).status is Status.READY
    the_order_is(flows, payment, "FAIL_PAYMENT")
    await end_expired(flows.services)
    ended = await flows.store.payments.find(MERCHANT, payment.imp_uid)
    assert (ended.status, ended.fail_code) == (Status.FAILED, EXPIRED)


async def test_a_window_that_is_still_open_is_not_touched(flows):
    payment = await an_open_window(flows)
    assert await end_expired(flows.services) == 0
    assert (await flows.store.payments.find(MERCHANT, payment.imp_uid)).status is Status.READY


async def test_a_window_whose_process_died_while_preparing_is_ended_once(flows):
    payment = await an_open_window(flows, prepared=False)
    flows.clock.add(61)
    assert await record_lost_attempts(flows.services) == 1
    ended = await flows.store.payments.find(MERCHANT, payment.imp_uid)
    assert (ended.status, ended.fail_code) == (Status.FAILED, "F0004")
    assert await record_lost_attempts(flows.services) == 0


# -- windows that nothing came of, long afterwards

KEPT = timedelta(days=30)
BUYER = Buyer("Hong Gildong", "gildong@example.com", "010-1234-5678", "Seoul", "04524")


async def a_window_of_a_person(flows):
    payment, window, attempt = an_issuing_window()
    order = replace(
        payment.order, buyer=BUYER, custom_data="their cart", notice_urls=("http://a.test/",), user_agent="theirs"
    )
    payment = replace(payment, order=order)
    await flows.store.write(OpenWindow(payment, window, attempt))
    await flows.store.write(RecordPrepared(MERCHANT, payment.imp_uid, attempt.id, approved(TID), "p", "m", "a", NOW))
    return await flows.store.payments.find(MERCHANT, payment.imp_uid), attempt


async def found_by(flows, text):
    rows = await flows.store.engine.fetch("SELECT imp_uid FROM payment_texts WHERE text LIKE $1", f"%{text}%")
    return [row["imp_uid"] for row in rows]


async def test_a_window_in_which_nothing_was_paid_is_forgotten_after_a_while_with_its_buyer(flows):
    payment, attempt = await a_window_of_a_person(flows)
    ended = await close_by_buyer(flows.services, payment)
    await index_payment_texts(flows.services)
    assert await found_by(flows, "gildong") == [payment.imp_uid]
    flows.clock.add(KEPT.total_seconds() - 60)
    assert await forget_unfinished(flows.services) == 0
    flows.clock.add(120)
    assert await forget_unfinished(flows.services) == 1
    assert await forget_unfinished(flows.services) == 0
    await index_payment_texts(flows.services)
    assert await found_by(flows, "gildong") == []
    assert await found_by(flows, payment.imp_uid) == [payment.imp_uid]
    assert await flows.store.windows.find(MERCHANT, payment.imp_uid) is None
    kept = await flows.store.payments.find(MERCHANT, payment.imp_uid)
    bare = replace(ended.order, buyer=Buyer(), custom_data=None, notice_urls=(), user_agent=None)
    assert kept == replace(ended, order=bare)
    assert len(await flows.store.payments.events(MERCHANT, payment.imp_uid)) == 2
    assert (await flows.store.payments.find_by_attempt(MERCHANT, attempt.id)).imp_uid == payment.imp_uid


async def test_a_window_with_a_call_for_money_is_never_forgotten(flows):
    """Neither while nobody knows what became of it, nor after it came to nothing."""
    for number, results in enumerate(((), (LOST,), (declined(),))):
        payment, attempt = await a_window_of_a_person(flows)
        approval = Attempt(f"{attempt.id}a", MERCHANT, Verb.APPROVE, attempt.id, NOW, payment.imp_uid)
        begun = await flows.store.write(BeginApproval(payment, approval, b"token"))
        for result in results:
            await record(flows.services, begun, approval.id, result)
        # However it came to be marked.
        await flows.store.engine.fetch(
            "UPDATE windows SET given_up_at = $1 WHERE imp_uid = $2 RETURNING imp_uid", NOW, payment.imp_uid
        )
        flows.clock.add(KEPT.total_seconds() * (number + 2))
        assert await forget_unfinished(flows.services) == 0
        assert await flows.store.windows.find(MERCHANT, payment.imp_uid) is not None
        assert (await flows.store.payments.find(MERCHANT, payment.imp_uid)).order.buyer == BUYER


async def test_a_window_that_the_pg_does_not_speak_of_stays_and_keeps_none_from_being_ended(flows):
    for number in range(BATCH_MAX):
        payment, window, attempt = an_issuing_window()
        # No PG id is known, so nobody can be asked about it.
        await flows.store.write(
            OpenWindow(replace(payment, started_at=NOW - timedelta(seconds=number + 1)), window, attempt)
        )
    payment, _ = await a_window_of_a_person(flows)
    flows.clock.add(timedelta(minutes=16).total_seconds())
    the_order_is(flows, payment, "FAIL_PAYMENT")
    assert await end_expired(flows.services) == BATCH_MAX + 1
    assert (await flows.store.payments.find(MERCHANT, payment.imp_uid)).fail_code == EXPIRED
    flows.clock.add(KEPT.total_seconds() + 60)
    assert await forget_unfinished(flows.services) == 1


async def test_a_window_that_the_pg_would_not_open_is_forgotten_too(flows):
    payment, window, attempt = an_issuing_window()
    await flows.store.write(OpenWindow(payment, window, attempt))
    await end_window(flows.services, payment, "F0004", "x", attempt_id=attempt.id, result=LOST)
    flows.clock.add(KEPT.total_seconds() + 60)
    assert await forget_unfinished(flows.services) == 1
