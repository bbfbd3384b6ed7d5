"""What the process that made a call knows of it settles an outcome that others counted as lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from maedal.flows.cancel import CancelRequest, cancel
from maedal.flows.charge import charge
from maedal.flows.record_lost_attempts import record_lost_attempts
from maedal.flows.resolve_unknown import clarify_due
from maedal.payments.attempt import Proof
from maedal.payments.errors import CancelRefused
from maedal.payments.moves import Event, Status
from maedal.pg.driver import NotSent
from tests.support.builders import MERCHANT, an_order
from tests.support.network import reply


class Meanwhile:
    """Stands before the network: before an answer comes back, others do what they do to a call that lies open."""

    def __init__(self, flows, path, answer=None, clarified=False):
        self._flows, self._path, self._answer, self._clarified = flows, path, answer, clarified

    async def send(self, request):
        network, flows = self._flows.network, self._flows
        if not request.url.endswith(self._path):
            return await network.send(request)
        message = await network.send(request) if self._answer is None else None
        flows.clock.add(61)
        await record_lost_attempts(flows.services)
        if self._clarified:
            await clarify_due(flows.services, 10)
        return message or self._answer()


def not_sent():
    raise NotSent("too late")


def refused():
    return reply(
        {"error_code": -780, "error_message": "no", "extras": {"method_result_code": "NOT_ENOUGH_BALANCE"}}, 400
    )


def through(flows, *how, **more):
    from dataclasses import replace

    return replace(flows.services, transport=Meanwhile(flows, *how, **more))


async def _ready(flows):
    await flows.issue_key()
    flows.clock.add(10)


async def test_a_call_that_was_never_sent_fails_at_once_and_frees_its_key(flows):
    """Before, it stayed unknown for twenty minutes, and every further charge of the key was refused."""
    await _ready(flows)
    payment = await charge(through(flows, "subscription", not_sent), MERCHANT, an_order("m_1"))
    assert payment.status is Status.FAILED
    events = [event.event for event in await flows.store.payments.events(MERCHANT, payment.imp_uid)]
    assert events == [Event.BEGIN, Event.LOST, Event.NOT_SENT]
    assert (await charge(flows.services, MERCHANT, an_order("m_2"))).status is Status.PAID


async def test_a_decline_of_a_call_that_others_counted_as_lost_is_believed(flows):
    await _ready(flows)
    payment = await charge(through(flows, "subscription", refused), MERCHANT, an_order("m_1"))
    assert (payment.status, payment.fail_code.split()[0]) == (Status.FAILED, "-780")


async def test_an_approval_of_a_call_that_others_counted_as_lost_is_paid_with_its_id(flows):
    await _ready(flows)
    payment = await charge(through(flows, "subscription"), MERCHANT, an_order("m_1"))
    assert payment.status is Status.PAID
    assert payment.pg_tid is not None


async def test_a_charge_that_others_proved_by_its_key_gets_its_id_from_the_reply(flows):
    await _ready(flows)
    payment = await charge(through(flows, "subscription", clarified=True), MERCHANT, an_order("m_1"))
    assert payment.status is Status.PAID
    assert payment.pg_tid is not None
    stored = await flows.store.payments.find(MERCHANT, payment.imp_uid)
    assert stored == payment
    last = (await flows.store.payments.events(MERCHANT, payment.imp_uid))[-1]
    assert (last.event, last.proof) == (Event.IDENTIFIED, Proof.REPLY)


async def test_a_cancel_that_was_never_sent_is_over_at_once(flows):
    await _ready(flows)
    payment = await charge(flows.services, MERCHANT, an_order("m_1"))
    with pytest.raises(CancelRefused):
        await cancel(through(flows, "cancel", not_sent), MERCHANT, CancelRequest(payment.imp_uid, None))
    flows.clock.add(timedelta(seconds=1).total_seconds())
    assert (await cancel(flows.services, MERCHANT, CancelRequest(payment.imp_uid, None))).cancelled_amount == 9_900
