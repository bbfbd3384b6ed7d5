"""After a failover: what the new server may have lost is asked of the PG before a key is charged."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from maedal.billing_keys.errors import BillingKeyChargeUnrecorded, BillingKeyStatusUnavailable
from maedal.flows.charge import charge
from maedal.flows.end_window import close_by_buyer, come_back_without_approval, end_expired
from maedal.flows.failover import WITHOUT_A_FILE, missing_approvals, note_server
from maedal.flows.resolve_unknown import UNCLEAR_AT_MOST, clarify_due
from maedal.flows.run_schedule import retry
from maedal.payments.moves import Status
from maedal.pg.driver import AnswerLost
from maedal.schedules.schedule import ScheduleStatus
from maedal.storage.database_servers.reads import YOUNG
from maedal.storage.database_servers.writes import NoteServer
from maedal.storage.payments.writes import BeginCharge, BegunCharge, Refusal
from maedal.storage.windows.writes import OpenWindow, RecordPrepared
from tests.flows.conftest import wired
from tests.flows.test_schedules import LEASE_SECONDS, declining, plan, run_due, stored
from tests.flows.test_windows import TID
from tests.support.builders import MERCHANT, NOW, an_issuing_window, an_order, approved
from tests.support.network import reply
from tests.support.servers import OTHER_SERVER, execute, move_to_another_server

STATUS = "manage/subscription/status"
A_MINUTE = 61


@pytest.fixture
async def flows(database_url, tmp_path):
    async with wired(database_url, tmp_path) as flows:
        flows.database_url = database_url
        flows.fail_over = lambda: move_to_another_server(database_url)
        yield flows


def asked(flows):
    return [path for path, _ in flows.network.asked]


def lost(_):
    raise AnswerLost("the connection broke")


async def test_on_the_server_on_which_it_was_made_nothing_is_asked(flows):
    await flows.issue_key()
    await charge(flows.services, MERCHANT, an_order("m_1"))
    assert asked(flows) == ["subscription"]
    server = await flows.store.database_servers.current()
    assert server.follows is None
    assert not server.is_young(flows.clock.now())


async def test_a_server_is_noted_once_with_the_one_that_it_follows(flows):
    await flows.issue_key()
    flows.fail_over()
    assert await flows.store.database_servers.current() is None
    first = await flows.store.write(NoteServer(flows.clock.now()))
    flows.clock.add(10)
    second = await flows.store.write(NoteServer(flows.clock.now()))
    assert (first.is_new, second.is_new) == (True, False)
    assert first.server == second.server == await flows.store.database_servers.current()
    assert first.server.follows.startswith(OTHER_SERVER)
    assert first.server.follows.endswith(first.server.id)


async def test_a_charge_asks_first_and_begins_when_the_books_agree(flows):
    await flows.issue_key()
    await charge(flows.services, MERCHANT, an_order("m_1"))
    flows.fail_over()
    flows.clock.add(10)
    payment = await charge(flows.services, MERCHANT, an_order("m_2"))
    assert payment.status is Status.PAID
    assert asked(flows) == ["subscription", STATUS, "subscription"]


async def test_a_charge_of_a_key_that_was_charged_unknown_to_us_is_refused(flows):
    """A standby was promoted without the last charge; the shop sees nothing and asks again."""
    await flows.issue_key()
    flows.clock.add(60)
    flows.network.approve_silently()
    flows.fail_over()
    flows.clock.add(10)
    for merchant_uid in ("m_1", "m_2"):
        with pytest.raises(BillingKeyChargeUnrecorded):
            await charge(flows.services, MERCHANT, an_order(merchant_uid))
    assert flows.network.count("subscription") == 0


async def test_what_is_found_missing_is_shown_until_it_is_entered(flows):
    key = await flows.issue_key()
    flows.clock.add(60)
    flows.network.approve_silently()
    flows.fail_over()
    flows.clock.add(10)
    for _ in range(2):
        with pytest.raises(BillingKeyChargeUnrecorded):
            await charge(flows.services, MERCHANT, an_order("m_1"))
    [missing] = await missing_approvals(flows.services, MERCHANT, 10)
    assert (missing.customer_uid, missing.approved_at) == ("c_1", flows.clock.now() - timedelta(seconds=10))
    execute(flows.database_url, f"UPDATE billing_keys SET last_approved_at = '{missing.approved_at.isoformat()}'")
    assert await missing_approvals(flows.services, MERCHANT, 10) == []
    assert (await charge(flows.services, MERCHANT, an_order("m_1"))).status is Status.PAID
    assert key.customer_uid == "c_1"


async def test_a_planned_charge_of_a_promoted_standby_is_not_made_again(flows):
    """It was charged on the server before within a second of its time; the promoted one still has it waiting."""
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    flows.clock.add(61)
    flows.network.approve_silently()
    flows.fail_over()
    flows.clock.add(5)
    for _ in range(50):
        await run_due(flows)
        flows.clock.add(100)
    assert flows.network.count("subscription") == 0
    waiting = await stored(flows, "m_1")
    assert (waiting.status, waiting.payment) == (ScheduleStatus.SCHEDULED, None)


async def test_a_charge_that_was_due_before_waits_for_what_may_still_come_through(flows):
    """The server before may have begun it; its bank answers minutes later, and only then does the key show it."""
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    flows.clock.add(61)
    flows.fail_over()
    flows.clock.add(5)
    await run_due(flows)
    server = await flows.store.database_servers.current()
    flows.clock.add(UNCLEAR_AT_MOST.total_seconds() - 10)
    await run_due(flows)
    assert flows.network.count("subscription") == 0
    flows.network.approve_silently()
    flows.clock.add(11)
    await run_due(flows)
    assert flows.network.count("subscription") == 0
    assert server.first_seen_at + UNCLEAR_AT_MOST <= flows.clock.now()


async def test_a_charge_that_was_due_before_is_made_when_nothing_came_through(flows):
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    flows.clock.add(61)
    flows.fail_over()
    await run_due(flows)
    flows.clock.add(UNCLEAR_AT_MOST.total_seconds() + 1)
    await run_due(flows)
    assert (await stored(flows, "m_1")).payment.status is Status.PAID


async def test_a_charge_that_falls_due_later_waits_a_minute_at_most(flows):
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    flows.fail_over()
    await note_server(flows.services)
    flows.clock.add(A_MINUTE)
    await run_due(flows)
    assert (await stored(flows, "m_1")).payment.status is Status.PAID
    assert asked(flows) == [STATUS, "subscription"]


async def test_a_planned_charge_waits_until_the_pg_tells(flows):
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=600)
    flows.fail_over()
    await note_server(flows.services)
    flows.clock.add(601)
    flows.network.next_answer[STATUS] = lost
    await run_due(flows)
    assert flows.network.count("subscription") == 0
    flows.clock.add(LEASE_SECONDS * 3)
    await run_due(flows)
    assert (await stored(flows, "m_1")).payment.status is Status.PAID


async def test_a_charge_is_refused_for_now_while_the_pg_does_not_tell(flows):
    await flows.issue_key()
    flows.fail_over()
    flows.network.next_answer[STATUS] = lambda _: reply({"error_code": -500}, 500)
    with pytest.raises(BillingKeyStatusUnavailable):
        await charge(flows.services, MERCHANT, an_order("m_1"))
    assert flows.network.count("subscription") == 0
    assert (await charge(flows.services, MERCHANT, an_order("m_1"))).status is Status.PAID


async def test_a_retry_by_hand_is_refused_as_well(flows):
    await flows.issue_key()
    await plan(flows, "m_1", in_seconds=60)
    flows.clock.add(61)
    flows.network.next_answer["subscription"] = declining
    await run_due(flows)
    assert (await stored(flows, "m_1")).payment.status is Status.FAILED
    flows.clock.add(60)
    flows.network.approve_silently()
    flows.fail_over()
    with pytest.raises(BillingKeyChargeUnrecorded):
        await retry(flows.services, MERCHANT, "m_1")
    assert flows.network.count("subscription") == 1


async def test_a_key_that_came_from_elsewhere_may_have_been_charged_there(flows):
    """Its last approval is older than everything that came over from the server before."""
    flows.network.approve_silently()
    flows.clock.add(25 * 3_600)
    await flows.issue_key(now=flows.clock.now())
    flows.fail_over()
    assert (await charge(flows.services, MERCHANT, an_order("m_1"))).status is Status.PAID


async def test_a_payment_that_was_begun_before_anybody_noted_the_server_hides_nothing(flows):
    """Windows are approved on the new server at once; what was lost before is missing all the same."""
    await flows.issue_key("c_1")
    flows.clock.add(60)
    flows.network.approve_silently()
    flows.fail_over()
    flows.clock.add(30)
    await flows.issue_key("c_2", now=flows.clock.now())
    with pytest.raises(BillingKeyChargeUnrecorded):
        await charge(flows.services, MERCHANT, an_order("m_1"))


async def test_a_key_that_agreed_is_not_asked_about_again_once_nothing_can_come_through(flows):
    await flows.issue_key()
    flows.fail_over()
    await note_server(flows.services)
    for number in range(2):
        flows.clock.add(UNCLEAR_AT_MOST.total_seconds())
        await charge(flows.services, MERCHANT, an_order(f"m_{number}"))
    assert asked(flows) == [STATUS, "subscription", "subscription"]


async def test_without_a_file_of_the_pg_it_asks_for_a_day(flows):
    await flows.issue_key()
    flows.clock.add(60)
    flows.network.approve_silently()
    flows.fail_over()
    await note_server(flows.services)
    flows.clock.add(WITHOUT_A_FILE.total_seconds())
    assert (await charge(flows.services, MERCHANT, an_order("m_1"))).status is Status.PAID
    assert flows.network.count(STATUS) == 0


async def test_no_server_is_young_for_ever(flows):
    await flows.issue_key()
    flows.fail_over()
    server = await note_server(flows.services)
    assert server.is_young(flows.clock.now())
    assert not server.is_young(flows.clock.now() + YOUNG)


async def test_what_was_asked_on_another_server_counts_for_nothing(flows):
    """There may be another failover between the question and the beginning."""
    await flows.issue_key()
    flows.fail_over()
    server = await note_server(flows.services)
    asked_on_another_server = BeginCharge(
        MERCHANT, "imps_1", "attempt_1", an_order("m_1"), flows.clock.now(), asked_on="7/2"
    )
    assert await flows.store.write(asked_on_another_server) is Refusal.ASK_FIRST
    begun = await flows.store.write(replace(asked_on_another_server, asked_on=server.id))
    assert isinstance(begun, BegunCharge)


async def test_a_promotion_is_told_once_by_a_process(flows, capsys):
    await flows.issue_key()
    flows.fail_over()
    flows.clock.add(timedelta(minutes=1).total_seconds())
    for _ in range(3):
        await note_server(flows.services)
    lines = [line for line in capsys.readouterr().out.splitlines() if "database_promoted" in line]
    assert len(lines) == 1
    assert OTHER_SERVER in lines[0]


@pytest.mark.parametrize("noticed", ["expired", "came back", "closed"])
@pytest.mark.parametrize("total", [9_900, 0])
async def test_an_approval_that_the_database_has_forgotten_is_entered(flows, noticed, total):
    """A failover lost the approval's commits; the window's survived."""
    payment, window, attempt = an_issuing_window(amount=total)
    await flows.store.write(OpenWindow(payment, window, attempt))
    await flows.store.write(RecordPrepared(MERCHANT, payment.imp_uid, attempt.id, approved(TID), "p", "m", "a", NOW))
    payment = await flows.store.payments.find(MERCHANT, payment.imp_uid)
    flows.fail_over()
    await note_server(flows.services)
    order = {
        "tid": TID, "status": "SUCCESS_PAYMENT", "partner_order_id": window.order_id, "amount": {"total": total},
        "approved_at": "2026-11-25T10:00:05",
    }  # fmt: skip
    flows.network.next_answer["order"] = lambda _: reply(order)
    if noticed == "expired":
        flows.clock.add(timedelta(minutes=15).total_seconds() + 1)
        await end_expired(flows.services)
    elif noticed == "came back":
        await come_back_without_approval(flows.services, payment, cancelled=True)
    else:
        await close_by_buyer(flows.services, payment)
    assert (await flows.store.payments.find(MERCHANT, payment.imp_uid)).status is Status.UNKNOWN
    flows.clock.add(60)
    flows.network.next_answer["order"] = lambda _: reply(order)
    assert await clarify_due(flows.services, 10) == 1
    payment = await flows.store.payments.find(MERCHANT, payment.imp_uid)
    if total:
        # The secret of the key went with the commits: what was taken for it is given back.
        assert (payment.status, payment.pg_tid) == (Status.PAID, TID)
        assert payment.undo_at is not None
    else:
        assert (payment.status, payment.fail_code) == (Status.FAILED, "KEY_LOST")
    assert flows.network.count("approve") == 0
