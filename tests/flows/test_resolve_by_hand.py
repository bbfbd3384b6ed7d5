"""A person says what became of a call that nobody could find out about, and answers for it."""

from __future__ import annotations

import pytest

from maedal.flows.cancel import CancelRequest, cancel
from maedal.flows.charge import charge
from maedal.flows.resolve_by_hand import ManualResolution, Verdict, resolve_by_hand, supply_tid
from maedal.merchants.audit_entry import AuditAction
from maedal.payments.errors import InvalidParameter, OutcomeUnknown, PgTidMissing
from maedal.payments.moves import Status
from maedal.pg.driver import AnswerLost
from maedal.storage.errors import StoreError
from tests.support.builders import MERCHANT, an_order
from tests.support.network import reply

REASON = "KakaoPay said so on the phone"


def lost(_):
    raise AnswerLost("the connection broke")


async def an_unknown_charge(flows, merchant_uid="m_1"):
    """A charge whose answer is lost, and whose key's status cannot be asked either."""
    flows.network._status = lost
    flows.network.next_answer["subscription"] = lost
    payment = await charge(flows.services, MERCHANT, an_order(merchant_uid))
    assert payment.status is Status.UNKNOWN
    return payment


async def settle(flows, payment, verdict, **more):
    return await resolve_by_hand(
        flows.services, MERCHANT, payment.imp_uid, ManualResolution(verdict, "Kim", REASON, **more)
    )


async def the_order_of(flows, payment):
    attempts = await flows.store.engine.fetch(
        "SELECT order_id FROM attempts WHERE imp_uid = $1 AND verb = 'charge'", payment.imp_uid
    )
    return attempts[0]["order_id"]


def shows_order(flows, order_id, total, status="SUCCESS_PAYMENT"):
    def order(body):
        return reply(
            {
                "tid": body["tid"], "cid": body["cid"], "status": status, "partner_order_id": order_id,
                "amount": {"total": total}, "canceled_amount": {"total": 0}, "payment_method_type": "MONEY",
            }
        )  # fmt: skip

    flows.network._order = order


async def test_a_charge_settled_as_not_charged_has_failed_and_its_order_is_free_again(flows):
    await flows.issue_key()
    payment = await an_unknown_charge(flows)
    settled = await settle(flows, payment, Verdict.NOT_CHARGED)
    assert (settled.by_hand, settled.payment.status) == (True, Status.FAILED)
    del flows.network._status
    flows.clock.add(5)
    assert (await charge(flows.services, MERCHANT, an_order("m_1"))).status is Status.PAID


async def test_a_charge_settled_as_charged_is_paid_without_a_tid_until_somebody_supplies_it(flows):
    await flows.issue_key()
    payment = await an_unknown_charge(flows)
    settled = await settle(flows, payment, Verdict.CHARGED)
    assert (settled.payment.status, settled.payment.pg_tid) == (Status.PAID, None)
    assert [lacking.imp_uid for lacking in await flows.store.payments.without_tid(10)] == [payment.imp_uid]
    with pytest.raises(PgTidMissing):
        await cancel(flows.services, MERCHANT, CancelRequest(payment.imp_uid, None))
    amount = payment.order.price.total.amount
    shows_order(flows, await the_order_of(flows, payment), amount)
    await supply_tid(flows.services, MERCHANT, payment.imp_uid, "T0000000000000000001", "Kim", REASON)
    assert await flows.store.payments.without_tid(10) == []
    assert (await flows.store.payments.find(MERCHANT, payment.imp_uid)).pg_tid == "T0000000000000000001"


@pytest.mark.parametrize(
    ("order_id", "more", "named"),
    [("another", 0, "another order"), (None, 1, "won under"), (None, 0, "took no money")],
)
async def test_a_tid_that_the_pg_does_not_confirm_changes_nothing(flows, order_id, more, named):
    await flows.issue_key()
    payment = await an_unknown_charge(flows)
    status = "QUIT_PAYMENT" if named == "took no money" else "SUCCESS_PAYMENT"
    amount = payment.order.price.total.amount + more
    shows_order(flows, order_id or await the_order_of(flows, payment), amount, status)
    with pytest.raises(InvalidParameter, match=named):
        await settle(flows, payment, Verdict.CHARGED, tid="T0000000000000000001")
    assert (await flows.store.payments.find(MERCHANT, payment.imp_uid)).status is Status.UNKNOWN
    assert await flows.store.audit.entries(MERCHANT, 10) == []


async def test_what_the_pg_tells_goes_before_what_a_person_says(flows):
    await flows.issue_key()
    flows.network.next_answer["subscription"] = lost
    flows.network._status, status = lost, flows.network._status
    payment = await charge(flows.services, MERCHANT, an_order("m_1"))
    flows.network._status = status
    flows.network.approve_silently()
    settled = await settle(flows, payment, Verdict.NOT_CHARGED)
    assert (settled.by_hand, settled.payment.status) == (False, Status.PAID)
    assert await flows.store.audit.entries(MERCHANT, 10) == []


async def test_an_act_is_kept_with_who_what_why_before_and_after(flows):
    await flows.issue_key()
    payment = await an_unknown_charge(flows)
    await settle(flows, payment, Verdict.NOT_CHARGED)
    (act,) = await flows.store.audit.entries(MERCHANT, 10)
    assert (act.kind, act.subject, act.who, act.reason) == (
        AuditAction.SETTLE_NOT_CHARGED, payment.imp_uid, "Kim", REASON,
    )  # fmt: skip
    assert (act.before, act.after, act.happened_at) == ("unknown", "failed", flows.clock.now())
    events = await flows.store.payments.events(MERCHANT, payment.imp_uid)
    assert (events[-1].status, events[-1].proof) == (Status.FAILED, "person")


@pytest.mark.parametrize("sql", ["UPDATE audit_log SET who = 'Lee'", "DELETE FROM audit_log"])
async def test_the_audit_log_cannot_be_changed(flows, sql):
    await flows.issue_key()
    await settle(flows, await an_unknown_charge(flows), Verdict.NOT_CHARGED)
    with pytest.raises(StoreError):
        await flows.store.engine.fetch(sql)
    assert [act.who for act in await flows.store.audit.entries(MERCHANT, 10)] == ["Kim"]


@pytest.mark.parametrize(("verdict", "given_back"), [(Verdict.CANCELLED, True), (Verdict.NOT_CANCELLED, False)])
async def test_a_cancel_is_settled_as_done_or_as_not_done(flows, verdict, given_back):
    await flows.issue_key()
    payment = await charge(flows.services, MERCHANT, an_order("m_1"))
    flows.network.next_answer["cancel"] = lost
    flows.network._order = lost
    with pytest.raises(OutcomeUnknown):
        await cancel(flows.services, MERCHANT, CancelRequest(payment.imp_uid, None))
    with pytest.raises(InvalidParameter, match="does not fit"):
        await settle(flows, payment, Verdict.CHARGED)
    settled = await settle(flows, payment, verdict)
    assert settled.by_hand
    assert (settled.payment.status is Status.CANCELLED) is given_back


async def test_what_is_not_unknown_is_not_settled(flows):
    await flows.issue_key()
    payment = await charge(flows.services, MERCHANT, an_order("m_1"))
    with pytest.raises(InvalidParameter, match="unknown outcome"):
        await settle(flows, payment, Verdict.NOT_CHARGED)
    with pytest.raises(InvalidParameter, match="lacks its tid"):
        await supply_tid(flows.services, MERCHANT, payment.imp_uid, "T1", "Kim", REASON)


@pytest.mark.parametrize(("who", "why"), [("", REASON), ("Kim", " "), ("K\nim", REASON), ("Kim", "x" * 501)])
async def test_nobody_settles_anonymously_or_without_a_reason(flows, who, why):
    await flows.issue_key()
    payment = await an_unknown_charge(flows)
    with pytest.raises(InvalidParameter):
        await resolve_by_hand(
            flows.services, MERCHANT, payment.imp_uid, ManualResolution(Verdict.NOT_CHARGED, who, why)
        )
    assert (await flows.store.payments.find(MERCHANT, payment.imp_uid)).status is Status.UNKNOWN
