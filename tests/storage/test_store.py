"""What every store promises, whichever engine it is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from maedal.billing_keys.billing_key import KeyEnd
from maedal.merchants.audit_entry import AuditAction, AuditEntry
from maedal.merchants.merchant import WebhookRetry, WebhookType
from maedal.payments.attempt import LOST, Attempt, Method, Verb
from maedal.payments.moves import Event, Status
from maedal.storage.billing_keys.writes import BeginDeactivation
from maedal.storage.durability.writes import ProvePayment
from maedal.storage.errors import Conflict
from maedal.storage.merchants.writes import SetWebhook, SetWebhookSecrets, WebhookSecrets
from maedal.storage.payments.reads import Sorting
from maedal.storage.payments.writes import BeginCharge, BegunCharge, Record, Refusal
from maedal.storage.webhooks.reads import DeliveryFilter
from maedal.storage.webhooks.writes import ClaimDeliveries, FinishDelivery, ResendMany
from maedal.storage.windows.writes import BeginApproval, EndWindow, OpenWindow, RecordPrepared
from maedal.webhooks.webhook import Delivery, DeliveryState, Try
from tests.support.builders import (
    MERCHANT,
    NOW,
    a_key,
    an_issuing_window,
    an_order,
    approved,
    declined,
)

LATER = NOW + timedelta(minutes=1)


async def issue_key(store, customer_uid="c_1", ending_attempt_id=None, **changes):
    """Take a window all the way to an issued key."""
    payment, window, attempt = an_issuing_window(customer_uid=customer_uid)
    assert await store.write(OpenWindow(payment, window, attempt))
    prepared = RecordPrepared(
        MERCHANT, payment.imp_uid, attempt.id, approved(), "http://pc", "http://m", "http://a", NOW
    )
    await store.write(prepared)
    payment = await store.payments.find(MERCHANT, payment.imp_uid)
    approval = Attempt(attempt.id + "a", MERCHANT, Verb.APPROVE, attempt.id, NOW, payment.imp_uid, None, None)
    payment = await store.write(BeginApproval(payment, approval, b"token"))
    key = a_key(customer_uid, **changes)
    payment = await store.write(
        Record(
            payment,
            approval.id,
            Event.APPROVED,
            approved(),
            NOW,
            issued_key=key,
            ending_attempt_id=ending_attempt_id,
        )
    )
    return key, payment


def a_charge(merchant_uid=None, now=LATER, imp_uid=None, executes=None, **changes):
    order = an_order(merchant_uid, **changes)
    imp_uid = imp_uid or f"imps_{order.merchant_uid}"
    return BeginCharge(MERCHANT, imp_uid, f"at_{imp_uid}", order, now, executes)


async def test_a_window_becomes_a_paid_payment_and_a_living_key(store):
    key, payment = await issue_key(store)
    stored = await store.payments.find(MERCHANT, payment.imp_uid)
    assert (stored.status, stored.version, stored.billing_key_id) == (Status.PAID, 3, key.id)
    assert stored.paid_at == NOW
    assert stored == payment
    assert await store.billing_keys.find(MERCHANT, "c_1") == key


async def test_a_charge_begins_and_its_outcome_is_recorded(store):
    key, _ = await issue_key(store)
    begun = await store.write(a_charge("m_1"))
    assert isinstance(begun, BegunCharge)
    assert begun.key.id == key.id
    assert (await store.payments.find(MERCHANT, begun.payment.imp_uid)).status is Status.CALLING
    paid = await store.write(Record(begun.payment, begun.attempt.id, Event.APPROVED, approved(at=LATER), LATER))
    assert paid.status is Status.PAID
    assert await store.payments.find(MERCHANT, paid.imp_uid) == paid
    key = await store.billing_keys.find(MERCHANT, "c_1")
    assert (key.last_approved_at, key.last_approval_seen_at) == (LATER, LATER)


async def test_a_payment_is_touched_and_given_as_it_stands_and_none_that_is_not_here(store):
    await issue_key(store)
    begun = await store.write(a_charge("m_1"))
    paid = await store.write(Record(begun.payment, begun.attempt.id, Event.APPROVED, approved(at=LATER), LATER))
    proofs = (ProvePayment(MERCHANT, imp_uid) for imp_uid in (paid.imp_uid, "imps_000000000000", paid.imp_uid))
    assert await asyncio.gather(*map(store.write, proofs)) == [paid, None, paid]


async def test_a_declined_charge_frees_key_and_merchant_uid(store):
    await issue_key(store)
    begun = await store.write(a_charge("m_1"))
    failed = await store.write(
        Record(begun.payment, begun.attempt.id, Event.DECLINED, declined(), LATER, "-782", "잔액 부족")
    )
    assert (failed.status, failed.fail_reason) == (Status.FAILED, "잔액 부족")
    again = await store.write(a_charge("m_1", imp_uid="imps_2", now=LATER))
    assert isinstance(again, BegunCharge)


async def test_one_open_charge_per_key(store):
    await issue_key(store)
    assert isinstance(await store.write(a_charge("m_1")), BegunCharge)
    assert await store.write(a_charge("m_2")) is Refusal.KEY_BUSY


async def test_a_key_with_an_unknown_charge_is_not_charged_again(store):
    await issue_key(store)
    begun = await store.write(a_charge("m_1"))
    unknown = await store.write(Record(begun.payment, begun.attempt.id, Event.LOST, LOST, LATER))
    assert unknown.status is Status.UNKNOWN
    assert await store.write(a_charge("m_2")) is Refusal.KEY_UNCLEAR
    assert await store.write(a_charge("m_1")) is Refusal.MERCHANT_UID_USED


async def test_an_unknown_charge_is_resolved_by_evidence_once(store):
    await issue_key(store)
    begun = await store.write(a_charge("m_1"))
    unknown = await store.write(Record(begun.payment, begun.attempt.id, Event.LOST, LOST, LATER))
    paid = await store.write(Record(unknown, begun.attempt.id, Event.APPROVED, approved(), LATER))
    assert paid.status is Status.PAID
    with pytest.raises(Conflict):
        await store.write(Record(unknown, begun.attempt.id, Event.DECLINED, declined(), LATER, "x", "x"))


@pytest.mark.parametrize(("in_reply", "seconds"), [(True, 6), (False, 10)])
async def test_the_next_charge_waits_until_the_last_approval_can_be_told_from_it(store, in_reply, seconds):
    """What was not told by the charge's own reply may be off to one side, and what is told next to the other."""
    await issue_key(store, last_approved_at=NOW, last_approval_seen_at=NOW, last_approval_in_reply=in_reply)
    assert await store.write(a_charge("m_1", now=NOW + timedelta(seconds=seconds - 0.1))) is Refusal.KEY_SETTLING
    assert isinstance(await store.write(a_charge("m_1", now=NOW + timedelta(seconds=seconds))), BegunCharge)


async def test_an_unknown_customer_is_refused_and_leaves_no_row(store):
    charge = a_charge("m_1", customer_uid="nobody")
    assert await store.write(charge) is Refusal.NO_KEY
    assert await store.payments.find(MERCHANT, charge.imp_uid) is None


async def test_a_used_merchant_uid_is_told_before_an_unknown_customer(store):
    _, payment = await issue_key(store)
    charge = a_charge(payment.order.merchant_uid, customer_uid="nobody")
    assert await store.write(charge) is Refusal.MERCHANT_UID_USED


async def test_fifty_charges_under_one_merchant_uid_begin_once(store):
    for n in range(50):
        await issue_key(store, f"c_{n}")
    charges = [a_charge("same", customer_uid=f"c_{n}", imp_uid=f"imps_{n}") for n in range(50)]
    results = await asyncio.gather(*map(store.write, charges))
    assert sum(isinstance(r, BegunCharge) for r in results) == 1
    assert results.count(Refusal.MERCHANT_UID_USED) == 49


async def test_one_bad_row_does_not_fail_its_neighbours(store):
    for n in range(20):
        await issue_key(store, f"c_{n}")
    charges = [a_charge(f"m_{n}", customer_uid=f"c_{n}") for n in range(20)]
    # An id that is drawn twice breaks the primary key inside the batch.
    charges[7] = replace(charges[7], imp_uid=charges[6].imp_uid)
    results = await asyncio.gather(*map(store.write, charges), return_exceptions=True)
    assert sum(isinstance(r, BegunCharge) for r in results) == 19
    assert sum(isinstance(r, Conflict) for r in results) == 1


async def test_a_deleted_key_is_gone_and_its_end_is_told_once(store):
    key, _ = await issue_key(store)
    end = BeginDeactivation(MERCHANT, "c_1", "at_end", KeyEnd.DELETED, LATER)
    assert (await store.write(end)).id == key.id
    assert await store.billing_keys.find(MERCHANT, "c_1") is None
    assert await store.write(replace(end, attempt_id="at_end_2")) is None
    assert await store.write(a_charge("m_1")) is Refusal.NO_KEY


async def test_a_new_key_takes_the_place_of_the_old_one_and_keeps_its_first_time(store):
    old, _ = await issue_key(store)
    new, _ = await issue_key(store, inserted_at=LATER, updated_at=LATER, method=Method.CARD)
    living = await store.billing_keys.find(MERCHANT, "c_1")
    assert living.id == new.id
    assert (living.inserted_at, living.updated_at) == (old.inserted_at, LATER)


async def test_a_window_is_not_opened_for_a_used_merchant_uid(store):
    _, payment = await issue_key(store)
    another = an_issuing_window(payment.order.merchant_uid)
    assert await store.write(OpenWindow(*another)) is False
    assert await store.payments.find(MERCHANT, another[0].imp_uid) is None


async def test_two_windows_of_one_order_cannot_both_be_approved(store):
    first, second = an_issuing_window("same"), an_issuing_window("same")
    for opening in (first, second):
        assert await store.write(OpenWindow(*opening))

    def approval(opening):
        payment, _, attempt = opening
        return BeginApproval(payment, replace(attempt, id=attempt.id + "a", verb=Verb.APPROVE), b"t")

    results = await asyncio.gather(*(store.write(approval(o)) for o in (first, second)), return_exceptions=True)
    assert sum(isinstance(r, Conflict) for r in results) == 1


async def test_a_window_that_ended_cannot_be_approved(store):
    payment, window, attempt = an_issuing_window()
    await store.write(OpenWindow(payment, window, attempt))
    ended = await store.write(EndWindow(payment, "CANCELED_BY_USER", "[결제포기]", LATER))
    assert ended.status is Status.FAILED
    with pytest.raises(Conflict):
        await store.write(BeginApproval(payment, replace(attempt, id="at_late", verb=Verb.APPROVE), b"t"))


async def test_find_gives_the_newest_row_of_a_status(store):
    await issue_key(store)
    for n in range(3):
        begun = await store.write(a_charge("m_1", imp_uid=f"imps_{n}", now=LATER + timedelta(seconds=n)))
        await store.write(Record(begun.payment, begun.attempt.id, Event.DECLINED, declined(), LATER, "c", "r"))
    newest = await store.payments.find_by_merchant_uid(MERCHANT, "m_1", [Status.FAILED], Sorting.STARTED_NEWEST)
    oldest = await store.payments.find_by_merchant_uid(MERCHANT, "m_1", list(Status), Sorting.STARTED)
    assert (newest.imp_uid, oldest.imp_uid) == ("imps_2", "imps_0")
    assert await store.payments.find_by_merchant_uid(MERCHANT, "m_1", [Status.PAID], Sorting.PAID_NEWEST) is None


async def test_events_replay_to_the_stored_status(store):
    _, payment = await issue_key(store)
    rows = await store.engine.fetch(
        "SELECT event, status, version FROM payment_events WHERE merchant_id = $1 AND imp_uid = $2 ORDER BY version",
        MERCHANT,
        payment.imp_uid,
    )
    assert [(r["event"], r["status"], r["version"]) for r in rows] == [
        ("open", "ready", 1),
        ("begin", "calling", 2),
        ("approved", "paid", 3),
    ]


def a_try(at, number=1, status=200):
    return Try(number, "http://shop.test", at, timedelta(milliseconds=20), status, "ok")


def a_resend(delivery, url, at):
    audit_entry = AuditEntry(
        f"act_{delivery.id}_{at}", MERCHANT, AuditAction.RESEND_WEBHOOKS, delivery.id, "Kim", "-", "", "", at
    )
    return ResendMany((delivery,), (url,), audit_entry, at)


async def put_deliveries(store, *deliveries):
    """Put webhooks of a new payment into the outbox."""
    begun = await store.write(a_charge(f"m_{deliveries[0].id}"))
    reported = tuple(replace(d, imp_uid=begun.payment.imp_uid) for d in deliveries)
    record = Record(
        begun.payment,
        begun.attempt.id,
        Event.APPROVED,
        approved(at=begun.payment.started_at),
        LATER,
        deliveries=reported,
    )
    await store.write(record)
    return reported


def a_delivery(number, sequence=1, url="http://shop.test/w"):
    return Delivery(MERCHANT, f"wh_{number}", "", url, "application/json", "{}", LATER, sequence)


async def test_a_later_webhook_waits_for_the_earlier_one_of_the_same_payment_and_address(store):
    await issue_key(store)
    paid, at_another_pg, cancelled = await put_deliveries(
        store, a_delivery(1), a_delivery(2, 2, "http://other.test/"), a_delivery(3, 2)
    )
    after = LATER + timedelta(hours=1)
    claimed = await store.write(ClaimDeliveries("a", LATER, after, 10))
    assert sorted(claimed, key=lambda d: d.id) == [paid, at_another_pg]
    # The first is to be tried again: the later one waits as long, and is not even looked at.
    again_at = LATER + timedelta(seconds=60)
    assert await store.write(FinishDelivery(paid, "a", a_try(LATER, status=500), LATER, again_at))
    assert await store.write(ClaimDeliveries("b", LATER, after, 10)) == []
    [retried] = await store.write(ClaimDeliveries("b", again_at, after, 10))
    assert (retried.id, retried.tries) == (paid.id, 1)
    assert await store.write(FinishDelivery(retried, "b", a_try(again_at, 2), again_at))
    assert await store.write(ClaimDeliveries("c", again_at, after, 10)) == [cancelled]
    tries = await store.engine.fetch("SELECT number, answer_status, duration_ms FROM webhook_tries ORDER BY number")
    assert [tuple(dict(row).values()) for row in tries] == [
        (1, 500, 20),
        (2, 200, 20),
    ]


async def test_a_busy_receiver_is_left_alone_and_the_others_are_claimed(store):
    await issue_key(store)
    _, other = await put_deliveries(store, a_delivery(1), a_delivery(2, 1, "http://user@Other.test:81/"))
    busy = ((MERCHANT, "shop.test"), ("imp99999999", "other.test:81"))
    after = LATER + timedelta(hours=1)
    assert await store.write(ClaimDeliveries("a", LATER, after, 10, busy)) == [other]


async def test_a_webhook_is_sent_again_by_hand_and_its_log_is_found(store):
    await issue_key(store)
    first, second = await put_deliveries(store, a_delivery(1), a_delivery(2, 2))
    after = LATER + timedelta(hours=1)
    await store.write(ClaimDeliveries("a", LATER, after, 10))
    # What is under way is left alone.
    assert await store.write(a_resend(first, None, LATER)) == 0
    made = a_try(LATER, status=404)
    await store.write(FinishDelivery(first, "a", made, LATER))
    failed = await store.webhooks.deliveries(MERCHANT, DeliveryFilter(10, [DeliveryState.FAILED]))
    assert [(reported.delivery.id, reported.state, reported.tries) for reported in failed] == [
        (first.id, DeliveryState.FAILED, (made,)),
    ]
    assert await store.write(a_resend(first, "http://new.test/w", after)) == 1
    [again, _] = sorted(
        await store.webhooks.deliveries(MERCHANT, DeliveryFilter(10)), key=lambda reported: reported.delivery.id
    )
    assert (again.delivery.address, again.delivery.url, again.delivery.by_hand) == (
        "http://new.test/w",
        "http://shop.test/w",
        True,
    )
    # The later one waits for it again; one that only comes sooner keeps its own tries.
    assert await store.write(a_resend(second, None, after)) == 1
    claimed = await store.write(ClaimDeliveries("b", after, after + timedelta(hours=1), 10))
    assert [(d.id, d.receiver, d.tries) for d in claimed] == [(first.id, "new.test", 1)]
    [waiting] = await store.webhooks.deliveries(MERCHANT, DeliveryFilter(10, delivery_id=second.id))
    assert (waiting.delivery.by_hand, waiting.tries) == (False, ())
    assert await store.webhooks.deliveries(MERCHANT, DeliveryFilter(10, since=LATER + timedelta(seconds=1))) == []
    assert len(await store.webhooks.deliveries(MERCHANT, DeliveryFilter(1, imp_uid=first.imp_uid))) == 1


async def test_a_webhook_is_claimed_once_and_again_after_a_dead_worker(store):
    await issue_key(store)
    begun = await store.write(a_charge("m_1"))
    delivery = Delivery(MERCHANT, "wh_1", begun.payment.imp_uid, "http://shop.test", "application/json", "{}", LATER)
    await store.write(
        Record(begun.payment, begun.attempt.id, Event.APPROVED, approved(), LATER, deliveries=(delivery,))
    )
    until = LATER + timedelta(seconds=60)
    assert await store.write(ClaimDeliveries("dead", LATER, until, 10)) == [delivery]
    assert await store.write(ClaimDeliveries("b", LATER, until, 10)) == []
    after = until + timedelta(seconds=1)
    assert await store.write(ClaimDeliveries("b", after, after + timedelta(seconds=60), 10)) == [delivery]
    # The dead worker comes back late: its answer changes nothing.
    assert await store.write(FinishDelivery(delivery, "dead", a_try(after), after)) is False
    assert await store.write(FinishDelivery(delivery, "b", a_try(after), after)) is True


async def test_what_is_only_recorded_is_never_claimed_and_holds_up_nothing(store):
    await issue_key(store)
    recorded, reported = await put_deliveries(store, replace(a_delivery(1), only_recorded=True), a_delivery(2, 2))
    after = LATER + timedelta(hours=1)
    assert await store.webhooks.has_untried(MERCHANT, recorded.imp_uid, LATER) is True
    assert await store.write(ClaimDeliveries("a", after, after, 10)) == [reported]
    await store.write(FinishDelivery(reported, "a", a_try(after), after))
    assert await store.webhooks.has_untried(MERCHANT, recorded.imp_uid, LATER) is False
    [kept] = await store.webhooks.deliveries(MERCHANT, DeliveryFilter(10, [DeliveryState.RECORDED]))
    assert (kept.delivery, kept.state, kept.tries) == (recorded, DeliveryState.RECORDED, ())
    # Once a person sends it, it is one like any that is sent by hand.
    assert await store.write(a_resend(recorded, None, after)) == 1
    [claimed] = await store.write(ClaimDeliveries("b", after, after + timedelta(hours=1), 10))
    assert (claimed.id, claimed.by_hand, claimed.only_recorded) == (recorded.id, True, False)
    await store.write(FinishDelivery(claimed, "b", a_try(after), after))
    assert await store.webhooks.deliveries(MERCHANT, DeliveryFilter(10, [DeliveryState.RECORDED])) == []
    assert {reported.state for reported in await store.webhooks.deliveries(MERCHANT, DeliveryFilter(10))} == {
        DeliveryState.DELIVERED
    }


async def test_what_was_not_sent_even_once_is_known(store):
    """Only of the news that were there by a moment, and of no news that a person sends again."""
    await issue_key(store)
    paid, later = await put_deliveries(
        store, a_delivery(1), replace(a_delivery(2, 2), created_at=NOW + 2 * (LATER - NOW))
    )
    assert await store.webhooks.has_untried(MERCHANT, paid.imp_uid, LATER - timedelta(microseconds=1)) is False
    assert await store.webhooks.has_untried(MERCHANT, paid.imp_uid, LATER) is True
    assert await store.webhooks.has_untried(MERCHANT, "imp_other", LATER) is False
    after = LATER + timedelta(hours=1)
    await store.write(ClaimDeliveries("a", LATER, after, 10))
    assert await store.webhooks.has_untried(MERCHANT, paid.imp_uid, LATER) is True
    # Tried once is enough, whatever came of it: another try may be hours away.
    await store.write(FinishDelivery(paid, "a", a_try(LATER, status=500), LATER, after))
    assert await store.webhooks.has_untried(MERCHANT, paid.imp_uid, LATER) is False
    assert await store.webhooks.has_untried(MERCHANT, paid.imp_uid, later.created_at) is True


async def test_each_change_of_how_a_merchant_is_told_leaves_the_others_alone(store):
    """Two operators at once do not undo each other."""
    await asyncio.gather(
        store.write(SetWebhook(MERCHANT, url_live="http://live.test", retry=WebhookRetry.FEW)),
        store.write(SetWebhook(MERCHANT, url_test="http://test.test", type_test=WebhookType.FORM)),
        store.write(SetWebhook(MERCHANT, failures=True)),
        store.write(SetWebhook(MERCHANT, first=True)),
    )
    changed = await store.write(SetWebhook(MERCHANT, url_test=""))
    assert changed == await store.merchants.find(MERCHANT)
    assert (changed.webhook_url_live, changed.webhook_url_test) == ("http://live.test", None)
    assert (changed.webhook_type_live, changed.webhook_type_test) == (WebhookType.JSON, WebhookType.FORM)
    assert changed.webhook_retry is WebhookRetry.FEW
    assert (changed.webhook_failures, changed.webhook_first) == (True, True)
    assert await store.write(SetWebhook("imp99999999", failures=True)) is None


async def test_webhook_secrets_change_only_from_what_was_seen(store):
    """A secret that somebody was just shown is never overwritten by a command that began before."""
    unsigned, first = WebhookSecrets(None, None), WebhookSecrets(b"first", None)
    await store.write(SetWebhookSecrets(MERCHANT, unsigned, first))
    with pytest.raises(Conflict):
        await store.write(SetWebhookSecrets(MERCHANT, unsigned, WebhookSecrets(b"other", None)))
    await store.write(SetWebhook(MERCHANT, url_live="http://live.test"))
    both = WebhookSecrets(b"second", b"first")
    await store.write(SetWebhookSecrets(MERCHANT, first, both))
    with pytest.raises(Conflict):
        await store.write(SetWebhookSecrets(MERCHANT, WebhookSecrets(b"second", None), unsigned))
    kept = await store.merchants.find(MERCHANT)
    assert (kept.sealed_webhook_secret, kept.sealed_old_webhook_secret) == (b"second", b"first")
    assert kept.webhook_url_live == "http://live.test"


async def test_attempts_that_nobody_answered_are_found(store):
    await issue_key(store)
    begun = await store.write(a_charge("m_1"))
    assert await store.unknown_outcomes.unanswered(LATER, 10) == []
    [found] = await store.unknown_outcomes.unanswered(LATER + timedelta(seconds=1), 10)
    assert (found.attempt, found.payment) == (begun.attempt, begun.payment)


@pytest.mark.parametrize(
    "change",
    ["cancelled_amount = amount + 1", "amount = -1", "status = 'gone'", "paid_at = NULL", "tax_free = amount + 1"],
)
async def test_the_database_repeats_the_rules(store, change):
    _, payment = await issue_key(store)
    with pytest.raises(Exception, match=r"rule|CHECK|constraint"):
        await store.engine.fetch(f"UPDATE payments SET {change} WHERE imp_uid = $1", payment.imp_uid)


async def test_events_are_append_only(store):
    await issue_key(store)
    for change in ("UPDATE payment_events SET event = 'x'", "DELETE FROM payment_events"):
        with pytest.raises(Exception, match=r"append-only|database"):
            await store.engine.fetch(change)
    assert len(await store.engine.fetch("SELECT * FROM payment_events")) == 3
