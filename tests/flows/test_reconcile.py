"""The PG's file of a day against what is here: what it proves is recorded, every other difference is a finding."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from maedal.flows.cancel import CancelRequest, cancel
from maedal.flows.charge import charge
from maedal.flows.check_invariants import InvariantWatch
from maedal.flows.close_findings import close_findings
from maedal.flows.compare_file import Reconciled
from maedal.flows.reconcile import reconcile, reconcile_due
from maedal.flows.run_schedule import claim_due
from maedal.merchants.audit_entry import AuditAction
from maedal.merchants.channel import file_key_context
from maedal.payments.attempt import Proof, Verb
from maedal.payments.errors import InvalidParameter, MerchantUidUsed, OutcomeUnknown, PgTidMissing
from maedal.payments.mark import write_mark
from maedal.payments.moves import Event, Start, Status
from maedal.payments.payment import KeyUse
from maedal.pg.driver import AnswerLost, Unreadable
from maedal.reconciliation.finding import FindingKind
from maedal.reconciliation.settlement import NotYet
from maedal.schedules.schedule import ScheduleStatus
from maedal.storage.channels.writes import PutChannel
from maedal.storage.findings.reads import FindingFilter
from maedal.storage.invariants.reads import Invariant
from maedal.storage.merchants.writes import AddMerchant
from maedal.storage.schedules.writes import AddSchedules
from tests.support.builders import (
    MERCHANT,
    a_channel,
    a_merchant,
    a_schedule,
    an_api_key,
    an_issuing_window,
    an_order,
)
from tests.support.network import reply
from tests.support.settlement import BUCKET, FILE_KEY, KST, a_file, a_row

DAY = date(2026, 9, 1)
"""The day in Korea on which the clock of these tests begins, at ten in the morning."""
KEY = f"{DAY:%Y%m%d}"
FORGOTTEN = "imps_000000000007"
"""The payment that a restored copy does not know."""


def lost(_):
    raise AnswerLost("the connection broke")


class Books:
    """A merchant that charges, and the file that KakaoPay will write of it."""

    def __init__(self, flows, channel, key):
        self.flows, self.services, self.store, self.network, self.clock = (
            flows, flows.services, flows.store, flows.network, flows.clock,
        )  # fmt: skip
        self.channel, self.key = channel, key
        self.file_rows = []

    async def charge(self, merchant_uid="m_1", amount=9_900, in_file=True):
        """Charge the key, a minute after what was before; KakaoPay's file will tell of it."""
        self.clock.add(60)
        payment = await charge(self.services, MERCHANT, an_order(merchant_uid, amount))
        if in_file:
            self.tell(payment, amount)
        return payment

    def order_id(self):
        """Return the order number that KakaoPay was last given."""
        return [body["partner_order_id"] for path, body in self.network.asked if path == "subscription"][-1]

    def tell(self, payment, amount, tid=None, **changes):
        tid = tid or payment.pg_tid or "T5b04e1907c22d9f41b0"
        row = a_row(self.order_id(), tid, amount, self.clock.now(), **changes)
        self.file_rows.append(row)
        return row

    async def cancel(self, payment, amount=0):
        """Give money back; the scripted KakaoPay does as asked."""
        left = payment.order.price.total.amount - payment.cancelled_amount
        self.network.next_answer["cancel"] = lambda body: reply(
            {"tid": body["tid"], "aid": f"A{len(self.network.asked):019x}", "canceled_at": "2026-09-01T10:05:00"}
            | {"approved_cancel_amount": {"total": body["cancel_amount"]}}
        )
        return await cancel(self.services, MERCHANT, CancelRequest(payment.imp_uid, None, amount or left))

    def forgotten(self, merchant_uid, amount, **facts):
        """Return the row of a charge that was made and is not here; the scripted KakaoPay tells of its order."""
        at = self.clock.now()
        row = a_row("an-order-of-nobody", "T5b04e1907c22d9f41bf", amount, at)
        mark = {"key_use": KeyUse.CHARGE, "billing_key_id": self.key.id, "merchant_id": MERCHANT} | facts
        payment = replace(
            an_issuing_window()[0],
            imp_uid=FORGOTTEN,
            merchant_id=mark["merchant_id"],
            order=an_order(merchant_uid, amount, key_use=mark["key_use"]),
            billing_key_id=mark["billing_key_id"],
        )
        action = {"payment_action_type": "PAYMENT", "payload": facts.get("payload", write_mark(payment))}
        order = {
            "tid": row["tid"],
            "status": facts.get("status", "SUCCESS_PAYMENT"),
            "partner_order_id": facts.get("order_id", row["partner_order_id"]),
            "item_name": "Monthly plan",
            "amount": {"total": facts.get("total", amount), "tax_free": 400},
            "payment_action_details": [action],
        }
        self.network.next_answer["order"] = lambda _: reply(order)
        return row

    async def reconcile(self, day=DAY, *rows):
        self.network.files[f"{day:%Y%m%d}"] = a_file(day, *(rows or self.file_rows))
        found = await reconcile(self.services, self.channel, day)
        assert isinstance(found, Reconciled)
        return found

    async def findings(self, **wanted):
        return await self.store.findings.search(MERCHANT, FindingFilter(100, **wanted))

    async def proof(self, payment):
        rows = await self.store.engine.fetch("SELECT proof FROM attempts WHERE imp_uid = $1", payment.imp_uid)
        return rows[0]["proof"]

    async def at(self, day, hour):
        """Move the clock to a full hour of a day in Korea."""
        start = self.clock.now().astimezone(KST).replace(tzinfo=None)
        target = start.replace(year=day.year, month=day.month, day=day.day, hour=hour, minute=0, second=0)
        self.clock.add((target - start).total_seconds())


@pytest.fixture
async def books(flows):
    sealed = flows.services.vault.seal(FILE_KEY, *file_key_context(a_channel()))
    channel = a_channel(sealed_file_key=sealed, file_bucket=BUCKET)
    await flows.store.write(PutChannel(channel))
    return Books(flows, channel, await flows.issue_key())


async def test_a_day_that_agrees_leaves_nothing_to_do(books):
    for n in range(3):
        await books.charge(f"m_{n}")
    found = await books.reconcile()
    assert (found.rows, found.matched, found.new_findings) == (3, 3, [])
    assert found.sums.agree
    assert found.sums.taken_there == 29_700
    assert await books.findings() == []


async def test_a_payment_found_by_its_key_alone_gets_its_tid_and_can_then_be_cancelled(books):
    def approve_and_drop(_):
        books.network.approve_silently()
        raise AnswerLost("dropped")

    books.network.next_answer["subscription"] = approve_and_drop
    payment = await books.charge()
    assert (payment.status, payment.pg_tid) == (Status.PAID, None)
    with pytest.raises(PgTidMissing):
        await books.cancel(payment)

    found = await books.reconcile()

    assert (found.filled, found.matched, found.new_findings) == (1, 1, [])
    filled = await books.store.payments.find(MERCHANT, payment.imp_uid)
    assert (filled.status, filled.pg_tid) == (Status.PAID, "T5b04e1907c22d9f41b0")
    assert await books.proof(payment) == Proof.SETTLEMENT_FILE
    last = (await books.store.payments.events(MERCHANT, payment.imp_uid))[-1]
    assert (last.event, last.status, last.proof) == (Event.IDENTIFIED, Status.PAID, Proof.SETTLEMENT_FILE)
    assert await books.store.payments.without_tid(10) == []
    assert (await books.cancel(filled)).status is Status.CANCELLED
    assert await InvariantWatch(books.services).check() == []


async def test_an_unknown_charge_that_the_file_tells_of_is_paid(books):
    books.network.next_answer["subscription"] = lost
    payment = await books.charge()
    assert payment.status is Status.UNKNOWN
    found = await books.reconcile()
    assert (found.resolved_paid, found.new_findings) == (1, [])
    paid = await books.store.payments.find(MERCHANT, payment.imp_uid)
    assert (paid.status, paid.pg_tid) == (Status.PAID, "T5b04e1907c22d9f41b0")
    assert await books.proof(payment) == Proof.SETTLEMENT_FILE
    # What the file told is what the next charge of the key is judged against, and the key is free again.
    assert (await books.store.billing_keys.find(MERCHANT, "c_1")).last_approved_at == books.clock.now()
    assert (await books.charge("m_2")).status is Status.PAID
    assert books.network.count("subscription") == 2


async def test_a_call_whose_process_died_is_judged_by_the_file_too(books):
    from maedal.storage.payments.writes import BeginCharge

    now = books.clock.now()
    write = BeginCharge(MERCHANT, "imps_000000000001", books.services.ids.row(now), an_order("m_1"), now)
    begun = await books.store.write(write)
    books.file_rows.append(a_row(begun.attempt.id, "T5b04e1907c22d9f41b0", 9_900, now))
    books.clock.add(3_600)
    found = await books.reconcile()
    assert (found.resolved_paid, found.new_findings) == (1, [])


async def test_an_unknown_charge_that_a_whole_file_does_not_tell_of_has_failed(books):
    await books.charge("m_1")
    books.network.next_answer["subscription"] = lost
    payment = await books.charge("m_2", in_file=False)
    found = await books.reconcile()
    assert (found.resolved_failed, found.matched, found.new_findings) == (1, 1, [])
    failed = await books.store.payments.find(MERCHANT, payment.imp_uid)
    assert failed.status is Status.FAILED
    assert await books.proof(payment) == Proof.SETTLEMENT_FILE


@pytest.mark.parametrize(
    "created_at", ["2026-09-01T23:59:59", "", "soon"], ids=["before the day was over", "not told", "no time"]
)
async def test_a_file_that_may_have_been_written_too_early_proves_nothing_by_silence(books, created_at):
    await books.charge("m_1")
    books.network.next_answer["subscription"] = lost
    payment = await books.charge("m_2", in_file=False)
    books.network.files[KEY] = a_file(DAY, *books.file_rows, file_created_at=created_at)
    found = await reconcile(books.services, books.channel, DAY)
    assert (found.resolved_failed, found.matched) == (0, 1)
    assert (await books.store.payments.find(MERCHANT, payment.imp_uid)).status is Status.UNKNOWN


async def test_a_file_that_knows_nothing_of_us_proves_nothing_by_silence(books):
    """It may be the file of another contract."""
    books.network.next_answer["subscription"] = lost
    payment = await books.charge(in_file=False)
    books.network.files[KEY] = a_file(DAY, a_row("theirs", "T0123456789abcdef012", 500, books.clock.now(), cid="C1"))
    found = await reconcile(books.services, books.channel, DAY)
    assert (found.rows, found.strange, found.resolved_failed) == (0, 1, 0)
    assert (await books.store.payments.find(MERCHANT, payment.imp_uid)).status is Status.UNKNOWN


async def test_a_charge_around_midnight_is_judged_only_when_both_days_are_told(books):
    await books.charge("m_0")
    await books.at(DAY, 24 - 1)
    books.clock.add(50 * 60)
    books.network.next_answer["subscription"] = lost
    payment = await books.charge("m_1", in_file=False)
    found = await books.reconcile()
    assert (found.resolved_failed, found.new_findings) == (0, [])
    next_day = DAY + timedelta(days=1)
    books.file_rows = []
    await books.at(next_day, 12)
    await books.flows.issue_key("c_2")
    other = await charge(books.services, MERCHANT, an_order("m_2", customer_uid="c_2"))
    books.tell(other, 9_900)
    found = await books.reconcile(next_day)
    assert (found.resolved_failed, found.new_findings) == (1, [])
    assert (await books.store.payments.find(MERCHANT, payment.imp_uid)).status is Status.FAILED


async def test_money_that_was_taken_there_and_is_unknown_here_is_found_with_all_that_the_file_tells(books):
    """As after a restore of an older database."""
    at = books.clock.now()
    row = a_row("an-order-of-nobody", "T5b04e1907c22d9f41b0", 4_400, at)
    found = await books.reconcile(DAY, row)
    [finding] = found.new_findings
    assert finding.kind is FindingKind.CHARGED_THERE
    assert (finding.order_id, finding.pg_tid, finding.pg_aid) == ("an-order-of-nobody", row["tid"], row["aid"])
    assert (finding.amount_there, finding.amount_here, finding.imp_uid) == (4_400, None, None)
    assert finding.happened_at == at
    assert await books.findings() == [finding]
    assert books.network.count("subscription") == 0


async def test_a_charge_that_a_restored_copy_has_forgotten_is_entered_as_it_was_made(books):
    made = books.forgotten("m_7", 4_400)
    found = await books.reconcile(DAY, made)
    assert (found.entered, found.matched, found.new_findings) == (1, 1, [])
    assert found.sums.agree
    entered = await books.store.payments.find(MERCHANT, FORGOTTEN)
    order, at = entered.order, books.clock.now().replace(microsecond=0)
    assert (entered.status, entered.pg_tid, entered.paid_at, entered.started_at) == (Status.PAID, made["tid"], at, at)
    assert (order.merchant_uid, order.customer_uid, order.key_use) == ("m_7", "c_1", KeyUse.CHARGE)
    assert (order.name, order.price.total.amount, order.price.tax_free.amount) == ("Monthly plan", 4_400, 400)
    assert [event.event for event in await books.store.payments.events(MERCHANT, FORGOTTEN)] == [
        Start.ENTER,
        Event.APPROVED,
    ]
    assert await books.proof(entered) == Proof.SETTLEMENT_FILE
    [act] = await books.store.audit.entries(MERCHANT, 1)
    assert (act.kind, act.subject, act.who) == (AuditAction.ENTER_PAYMENT, FORGOTTEN, "maedal")
    # Nobody can charge it again, and the next charge of the key knows of this one.
    with pytest.raises(MerchantUidUsed):
        await books.charge("m_7")
    key = await books.store.billing_keys.find(MERCHANT, "c_1")
    assert key.last_approved_at == at
    # Reading the day again adds nothing, and the payment can be given back.
    again = await books.reconcile(DAY, made)
    assert (again.entered, again.matched, again.new_findings) == (0, 1, [])
    assert (await books.cancel(entered)).status is Status.CANCELLED
    assert await InvariantWatch(books.services).check() == []
    assert books.network.count("subscription") == 0


async def test_an_entered_charge_executes_the_plan_that_a_restored_copy_believes_to_wait(books):
    due_at, notice_urls = books.clock.now() + timedelta(hours=1), ("http://merchant.test/hook",)
    planned = a_schedule("m_7", due_at, channel_id=books.channel.id, order={"notice_urls": notice_urls})
    assert await books.store.write(AddSchedules((planned,))) == []
    await books.reconcile(DAY, books.forgotten("m_7", 4_400, key_use=KeyUse.SCHEDULED))
    after = await books.store.schedules.find(MERCHANT, "m_7")
    assert (after.status, after.imp_uid) == (ScheduleStatus.EXECUTED, FORGOTTEN)
    entered = await books.store.payments.find(MERCHANT, FORGOTTEN)
    assert (entered.status, entered.order.key_use) == (Status.PAID, KeyUse.SCHEDULED)
    [in_file] = await books.store.engine.fetch("SELECT url, body FROM webhook_deliveries WHERE imp_uid = $1", FORGOTTEN)
    assert (in_file["url"], "paid" in in_file["body"]) == (notice_urls[0], True)
    books.clock.add(7_200)
    assert await claim_due(books.services, 10) == []


async def test_an_older_charge_that_is_entered_says_nothing_of_a_key_that_was_charged_since(books):
    made = books.forgotten("m_7", 4_400)
    later = await books.charge("m_8")
    assert later.status is Status.PAID
    before = await books.store.billing_keys.find(MERCHANT, "c_1")
    assert (await books.reconcile(DAY, made, *books.file_rows)).entered == 1
    assert (await books.store.billing_keys.find(MERCHANT, "c_1")).last_approved_at == before.last_approved_at


async def test_a_first_payment_whose_key_is_lost_with_the_copy_is_entered_without_it(books):
    made = books.forgotten("m_7", 4_400, key_use=KeyUse.ISSUE, billing_key_id=None)
    await books.reconcile(DAY, made)
    entered = await books.store.payments.find(MERCHANT, FORGOTTEN)
    assert (entered.status, entered.order.customer_uid, entered.order.key_use) == (Status.PAID, None, None)
    [attempt] = await books.store.engine.fetch("SELECT verb FROM attempts WHERE imp_uid = $1", FORGOTTEN)
    assert attempt["verb"] == Verb.APPROVE


@pytest.mark.parametrize(
    "strange",
    [{"merchant_id": "imp99999999"}, {"total": 4_000}, {"order_id": "another"}, {"status": "FAIL_PAYMENT"}, {"payload": "x"}],
    ids=["another merchant's", "another amount", "another order", "not taken", "no mark"],
)  # fmt: skip
async def test_what_the_pg_does_not_clearly_tell_is_not_entered_but_found(books, strange):
    found = await books.reconcile(DAY, books.forgotten("m_7", 4_400, **strange))
    assert (found.entered, [f.kind for f in found.new_findings]) == (0, [FindingKind.CHARGED_THERE])
    assert await books.store.payments.find(MERCHANT, FORGOTTEN) is None


async def test_a_charge_of_an_order_that_is_paid_here_is_not_entered_but_found(books):
    assert (await books.charge("m_7")).status is Status.PAID
    found = await books.reconcile(DAY, books.forgotten("m_7", 9_900), *books.file_rows)
    assert (found.entered, [f.kind for f in found.new_findings]) == (0, [FindingKind.CHARGED_THERE])
    assert await books.store.payments.find(MERCHANT, FORGOTTEN) is None


async def test_what_could_not_be_asked_about_is_entered_by_a_later_run_and_its_finding_closed(books):
    made = books.forgotten("m_7", 4_400)
    books.network.next_answer["order"], tell = lost, books.network.next_answer["order"]
    [finding] = (await books.reconcile(DAY, made)).new_findings
    books.network.next_answer["order"] = tell
    assert (await books.reconcile(DAY, made)).entered == 1
    [closed] = await books.findings(finding_id=finding.id, open_only=False)
    assert (closed.closed_by, closed.close_reason) == ("maedal", f"entered as {FORGOTTEN}")
    assert (await books.store.payments.find(MERCHANT, FORGOTTEN)).status is Status.PAID


async def test_money_that_was_taken_for_a_payment_that_failed_here_is_found(books):
    books.network.next_answer["subscription"] = lambda _: reply({"error_code": -751, "error_message": "x"}, 400)
    payment = await books.charge()
    assert payment.status is Status.FAILED
    found = await books.reconcile()
    [finding] = found.new_findings
    assert (finding.kind, finding.imp_uid) == (FindingKind.CHARGED_THERE, payment.imp_uid)
    assert (await books.store.payments.find(MERCHANT, payment.imp_uid)).status is Status.FAILED


async def test_a_charge_that_was_made_twice_is_found_and_nothing_is_given_back(books):
    payment = await books.charge()
    second = books.tell(payment, 9_900, tid="T000000000000000feed")
    found = await books.reconcile()
    [finding] = found.new_findings
    assert (finding.kind, finding.pg_tid) == (FindingKind.CHARGED_TWICE, second["tid"])
    assert (finding.imp_uid, finding.amount_there) == (payment.imp_uid, 9_900)
    assert found.matched == 1
    assert books.network.count("cancel") == 0
    # Given back in KakaoPay's own console: the next file tells it, and that is no new finding.
    back = a_row(second["partner_order_id"], second["tid"], 9_900, books.clock.now() + timedelta(days=1), "CANCEL")
    found = await books.reconcile(DAY + timedelta(days=1), back)
    assert found.new_findings == []


async def test_a_failed_try_that_did_take_money_beside_the_one_that_paid_is_a_double_charge(books):
    books.network.next_answer["subscription"] = lambda _: reply({"error_code": -751, "error_message": "x"}, 400)
    first = await books.charge("m_1", in_file=False)
    books.tell(first, 9_900, tid="T000000000000000feed")
    assert (await books.charge("m_1")).status is Status.PAID
    found = await books.reconcile()
    [finding] = found.new_findings
    assert (finding.kind, finding.imp_uid) == (FindingKind.CHARGED_TWICE, first.imp_uid)


async def test_of_two_charges_under_one_lost_order_the_first_is_ours(books):
    books.network.next_answer["subscription"] = lost
    payment = await books.charge()
    books.clock.add(5)
    books.tell(payment, 9_900, tid="T000000000000000feed")
    found = await books.reconcile()
    assert (found.resolved_paid, [f.kind for f in found.new_findings]) == (1, [FindingKind.CHARGED_TWICE])
    assert (await books.store.payments.find(MERCHANT, payment.imp_uid)).pg_tid == "T5b04e1907c22d9f41b0"


async def test_what_is_paid_here_and_not_told_there_is_found(books):
    payment = await books.charge(in_file=False)
    found = await books.reconcile()
    [finding] = found.new_findings
    assert (finding.kind, finding.imp_uid) == (FindingKind.CHARGED_HERE, payment.imp_uid)
    assert (finding.amount_here, finding.amount_there) == (9_900, None)
    assert not found.sums.agree
    assert (found.sums.taken_there, found.sums.taken_here) == (0, 9_900)


async def test_another_amount_is_found_and_proves_nothing_of_an_unknown_charge(books):
    payment = await books.charge("m_1", in_file=False)
    books.tell(payment, 990)
    books.network.next_answer["subscription"] = lost
    unclear = await books.charge("m_2", in_file=False)
    books.tell(unclear, 10)
    found = await books.reconcile()
    assert [(f.kind, f.imp_uid, f.amount_there, f.amount_here) for f in found.new_findings] == [
        (FindingKind.AMOUNT_DIFFERS, payment.imp_uid, 990, 9_900),
        (FindingKind.AMOUNT_DIFFERS, unclear.imp_uid, 10, 9_900),
    ]
    assert (await books.store.payments.find(MERCHANT, unclear.imp_uid)).status is Status.UNKNOWN


async def test_cancels_that_agree_are_matched_one_by_one(books):
    payment = await books.charge()
    for _ in range(2):
        payment = await books.cancel(payment, 1_000)
        books.tell(payment, 1_000, action="CANCEL")
    found = await books.reconcile()
    assert (found.matched, found.new_findings) == (3, [])
    assert (found.sums.cancelled_there, found.sums.cancelled_here) == (2_000, 2_000)


async def test_what_was_given_back_there_and_not_here_is_found(books):
    payment = await books.charge()
    payment = await books.cancel(payment, 1_000)
    books.tell(payment, 1_000, action="CANCEL")
    more = books.tell(payment, 1_000, action="CANCEL")
    found = await books.reconcile()
    [finding] = found.new_findings
    assert (finding.kind, finding.imp_uid) == (FindingKind.CANCELLED_THERE, payment.imp_uid)
    assert (finding.pg_aid, finding.amount_there) == (more["aid"], 1_000)
    assert (await books.store.payments.find(MERCHANT, payment.imp_uid)).cancelled_amount == 1_000


async def test_what_was_given_back_here_and_not_there_is_found(books):
    payment = await books.charge()
    payment = await books.cancel(payment, 1_000)
    found = await books.reconcile()
    [finding] = found.new_findings
    assert (finding.kind, finding.imp_uid, finding.amount_here) == (
        FindingKind.CANCELLED_HERE, payment.imp_uid, 1_000,
    )  # fmt: skip


async def test_an_unknown_cancel_that_the_file_tells_of_is_done(books, monkeypatch):
    payment = await books.charge()
    books.network.next_answer["cancel"] = lost
    monkeypatch.setattr(books.network, "_order", lambda _: reply({"error_code": -500}, 500), raising=False)
    with pytest.raises(OutcomeUnknown):
        await cancel(books.services, MERCHANT, CancelRequest(payment.imp_uid, None, 1_000))
    row = books.tell(payment, 1_000, action="CANCEL")
    # A file tells no mark, so that an equal refund at the PG would look the same: the order lookup says whose it is.
    [mark] = [body["payload"] for path, body in books.network.asked if path == "cancel"]
    action = {"payment_action_type": "CANCEL", "aid": row["aid"], "approved_at": row["approved_at"], "amount": 1_000}
    order = {
        "tid": payment.pg_tid,
        "status": "PART_CANCEL_PAYMENT",
        "partner_order_id": row["partner_order_id"],
        "amount": {"total": 9_900},
        "canceled_amount": {"total": 1_000},
        "payment_action_details": [action | {"payload": mark}],
    }
    monkeypatch.setattr(books.network, "_order", lambda _: reply(order), raising=False)
    found = await books.reconcile()
    assert (found.resolved_cancels, found.new_findings) == (1, [])
    after = await books.store.payments.find(MERCHANT, payment.imp_uid)
    assert (after.status, after.cancelled_amount) == (Status.CANCELLED, 1_000)


async def test_a_payment_wholly_given_back_on_its_day_may_be_missing_with_its_cancel(books):
    payment = await books.charge(in_file=False)
    await books.cancel(payment)
    assert (await books.reconcile()).new_findings == []


async def test_reading_a_day_again_adds_nothing_even_after_its_findings_are_closed(books):
    await books.charge("m_1", in_file=False)
    await books.charge("m_2")
    first = await books.reconcile()
    assert len(first.new_findings) == 1
    again = await books.reconcile()
    assert again.new_findings == []
    assert again.sums == first.sums
    [finding] = await books.findings()
    assert await close_findings(books.services, MERCHANT, [finding.id], "minji", "KakaoPay corrected its file") == 1
    assert await close_findings(books.services, MERCHANT, [finding.id], "minji", "again") == 0
    assert (await books.reconcile()).new_findings == []
    assert await books.findings() == []
    [closed] = await books.findings(open_only=False)
    assert (closed.closed_by, closed.close_reason) == ("minji", "KakaoPay corrected its file")
    [act] = await books.store.audit.entries(MERCHANT, 10)
    assert (act.subject, act.who, act.kind) == (finding.id, "minji", "close_finding")
    with pytest.raises(InvalidParameter):
        await close_findings(books.services, MERCHANT, [finding.id], "minji", " ")


async def test_a_day_that_differs_is_told_until_its_findings_are_closed(books):
    await books.charge(in_file=False)
    await books.reconcile()
    in_file = {(v.invariant, v.subject) for v in await InvariantWatch(books.services).check()}
    assert in_file == {(Invariant.FILE_AGREES, f"{books.channel.id} {DAY}")}
    [finding] = await books.findings()
    await close_findings(books.services, MERCHANT, [finding.id], "minji", "known")
    assert await InvariantWatch(books.services).check() == []


async def test_charges_of_another_merchant_with_the_same_contract_are_theirs(books):
    other = replace(a_merchant(), code="imp99999999")
    await books.store.write(AddMerchant(other, replace(an_api_key(other.code), api_key="6543210987654321")))
    channel = replace(a_channel(), id="channel-other", merchant_id=other.code, file_bucket=BUCKET)
    sealed = books.services.vault.seal(FILE_KEY, *file_key_context(channel))
    channel = replace(channel, sealed_file_key=sealed)
    await books.store.write(PutChannel(channel))
    await books.charge()
    books.network.files[KEY] = a_file(DAY, *books.file_rows)
    found = await reconcile(books.services, channel, DAY)
    assert (found.rows, found.strange, found.new_findings) == (0, 1, [])


GARBAGE = {
    "no JSON": b"<html>",
    "half": b'{"bucket_id":',
    "nothing": b"",
    "another bucket": a_file(DAY, bucket_id="B000000002"),
    "another day": a_file(DAY + timedelta(days=1)),
    "no rows": {k: v for k, v in a_file(DAY).items() if k != "data"},
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
async def test_what_is_no_file_judges_nothing(books, garbage):
    payment = await books.charge(in_file=False)
    books.network.files[KEY] = garbage
    with pytest.raises(Unreadable):
        await reconcile(books.services, books.channel, DAY)
    assert await books.findings() == []
    assert await books.store.reconciliation.days(MERCHANT, books.channel.id, DAY, DAY) == []
    assert (await books.store.payments.find(MERCHANT, payment.imp_uid)) == payment


# -- the worker's mornings


async def test_the_morning_asks_for_yesterday_from_eight_and_again_until_it_is_there(books):
    await books.charge()
    asked = books.network.files_asked
    await books.at(DAY + timedelta(days=1), 8)
    books.clock.add(-1)
    await reconcile_due(books.services)
    assert KEY not in asked
    books.clock.add(1)
    await reconcile_due(books.services)
    await reconcile_due(books.services)
    assert asked.count(KEY) == 1
    books.network.files[KEY] = a_file(DAY, *books.file_rows)
    books.clock.add(10 * 60)
    await reconcile_due(books.services)
    [state] = await books.store.reconciliation.days(MERCHANT, books.channel.id, DAY, DAY)
    assert (state.done_at, state.tries, state.sums.agree) == (books.clock.now(), 2, True)
    books.clock.add(3_600)
    await reconcile_due(books.services)
    assert asked.count(KEY) == 2


async def test_days_that_were_slept_through_are_made_up_for_as_long_as_the_pg_keeps_them(books):
    await books.charge()
    books.network.files[KEY] = a_file(DAY, *books.file_rows)
    await books.at(DAY + timedelta(days=6), 7)
    await reconcile_due(books.services)
    [state] = await books.store.reconciliation.days(MERCHANT, books.channel.id, DAY, DAY)
    assert state.done_at is not None
    assert sorted(set(books.network.files_asked)) == [f"{DAY + timedelta(days=n):%Y%m%d}" for n in range(5)]


async def test_an_unreadable_file_keeps_the_other_days_from_nothing(books):
    await books.charge()
    yesterday = DAY - timedelta(days=1)
    books.network.files |= {f"{yesterday:%Y%m%d}": b"<html>", KEY: a_file(DAY, *books.file_rows)}
    await books.at(DAY + timedelta(days=1), 9)
    await reconcile_due(books.services)
    done = {s.day: s.done_at for s in await books.store.reconciliation.days(MERCHANT, books.channel.id, yesterday, DAY)}
    assert done[yesterday] is None
    assert done[DAY] is not None


async def test_a_channel_whose_key_cannot_be_opened_keeps_no_other_from_its_file(books):
    broken = replace(books.channel, id="channel-broken", default=False, sealed_file_key=b"sealed by nobody")
    await books.store.write(PutChannel(broken))
    await books.charge()
    books.network.files[KEY] = a_file(DAY, *books.file_rows)
    await books.at(DAY + timedelta(days=1), 9)
    await reconcile_due(books.services)
    assert (await books.store.reconciliation.days(MERCHANT, books.channel.id, DAY, DAY))[0].done_at is not None
    assert (await books.store.reconciliation.days(MERCHANT, broken.id, DAY, DAY))[0].done_at is None


async def test_a_day_without_a_file_is_not_yet(books):
    found = await reconcile(books.services, books.channel, DAY)
    assert found == NotYet("no uploaded file!")
