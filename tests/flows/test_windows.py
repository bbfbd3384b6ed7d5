"""Windows that end without money."""

from __future__ import annotations

from datetime import timedelta

import pytest

from maedal.flows.end_window import CANCELLED, EXPIRED, close_by_buyer, come_back_without_approval, end_expired
from maedal.flows.record_lost_attempts import record_lost_attempts
from maedal.payments.moves import Status
from maedal.payments.window import CANCELLED_BY_BUYER
from maedal.pg.driver import AnswerLost
from maedal.storage.windows.writes import OpenWindow, RecordPrepared
from tests.support.builders import MERCHANT, NOW, an_issuing_window, approved
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
