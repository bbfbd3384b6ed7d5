"""The checker: compares the simulator's log with the gateway's rows, the clients' and the merchant's, one to one.

It runs when nothing is open any more. What it finds is a defect of the gateway, or of the torture.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from maedal.billing_keys.billing_key import KeyEnd
from maedal.payments.mark import read_mark
from maedal.payments.moves import NEXT, Event, Status
from maedal.payments.payment import KeyUse
from tests.support.rows import reading

from .findings import Finding
from .shop import ONE_REQUEST
from .testbed import ClientRecord, Testbed
from .timeline import time_of

TABLES = {
    "payments": "SELECT * FROM payments ORDER BY imp_uid",
    "attempts": "SELECT * FROM attempts ORDER BY id",
    "events": "SELECT * FROM payment_events ORDER BY imp_uid, version",
    "cancellations": "SELECT * FROM cancellations ORDER BY id",
    "deliveries": "SELECT * FROM webhook_deliveries ORDER BY id",
    "tries": "SELECT * FROM webhook_tries ORDER BY delivery_id, number",
    "schedules": "SELECT * FROM schedules ORDER BY merchant_uid",
    "keys": "SELECT * FROM billing_keys ORDER BY id",
    "prepared": "SELECT customer_uid FROM prepared_amounts WHERE customer_uid IS NOT NULL",
}
TAKEN = frozenset({Status.PAID, Status.CANCELLED})
UNDER_WAY = frozenset({Status.READY, Status.CALLING, Status.UNKNOWN})
GIVES_BACK = frozenset({"cancel", "refund"})
"""By us, and in KakaoPay's own console."""
NO_MONEY = frozenset({"declined", "not_sent"})
IN_FLIGHT = timedelta(seconds=3)
"""So long a call may be on its way to the simulator and inside it, whoever has sent it."""


@dataclass
class Records:
    """Everything that anybody wrote down."""

    log: Sequence[Mapping[str, Any]]
    payments: Sequence[Mapping[str, Any]] = ()
    attempts: Sequence[Mapping[str, Any]] = ()
    events: Sequence[Mapping[str, Any]] = ()
    cancellations: Sequence[Mapping[str, Any]] = ()
    deliveries: Sequence[Mapping[str, Any]] = ()
    tries: Sequence[Mapping[str, Any]] = ()
    schedules: Sequence[Mapping[str, Any]] = ()
    keys: Sequence[Mapping[str, Any]] = ()
    prepared: Sequence[Mapping[str, Any]] = ()
    clients: Sequence[ClientRecord] = ()
    webhooks: Sequence[Mapping[str, Any]] = ()
    disturbances: Sequence[tuple[datetime, str]] = ()
    """What was done to the testbed, and when by its clock."""
    left: Mapping[str, int] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)
    """What was sent along with the charges that no attempt here is known of, by the tid."""


def read_records(testbed: Testbed, left: Mapping[str, int]) -> Records:
    """Return the records of a testbed that has settled; `left` is what is open all the same."""
    with reading(testbed.database_url) as rows:
        tables = {name: rows.fetch(sql) for name, sql in TABLES.items()}
    log = testbed.sim("GET", "log")
    known = {row["order_id"] for row in tables["attempts"]}
    marks = {
        line["tid"]: _mark_of(testbed.sim("GET", f"orders/{line['tid']}"))
        for line in log
        if line["outcome"] in ("approved", "issued") and line["partner_order_id"] not in known and line["tid"]
    }
    return Records(
        log=log,
        marks=marks,
        clients=list(testbed.clients),
        webhooks=list(testbed.webhooks),
        disturbances=list(testbed.disturbances),
        left=left,
        **tables,
    )


def _mark_of(order: Mapping[str, Any]) -> str:
    return next((action["payload"] or "" for action in order["actions"]), "")


def check(records: Records) -> list[Finding]:
    """Return everything that is wrong, sorted."""
    # What is acknowledged is kept: nobody has to ask twice, and nobody may be charged twice who does.
    return sorted({replace(f, kind="double") if f.kind == "asked twice" else f for f in _all(records)})


def check_after_losses(records: Records) -> list[Finding]:
    """Return what is wrong though the database may have forgotten what it had acknowledged: the money alone.

    An asynchronous standby was promoted, and the files of all days were read since then. Whatever the PG took or gave
    back is here again, and nothing was charged twice by the gateway itself: what a shop asked for twice, because the
    gateway no longer knew of it, is the shop's. Plans, deletions and keys that were forgotten do not come back.
    """
    found = set(_open(records)) | set(_money(records)) | set(_given_back(records)) | set(_states(records))
    return sorted(found | set(_answered_paid(records)))


def _all(records: Records) -> Iterator[Finding]:
    yield from _open(records)
    yield from _money(records)
    yield from _cancels(records)
    yield from _states(records)
    yield from _keys(records)
    yield from _news(records)
    yield from _answers(records)
    yield from _schedules(records)
    yield from _after_the_word(records)


def _open(records: Records) -> Iterator[Finding]:
    for what, count in records.left.items():
        yield Finding("stuck", "", f"{count} {what} never came to an end")
    for payment in records.payments if records.left else ():
        if Status(payment["status"]) in UNDER_WAY or payment["undo_at"] is not None:
            yield Finding("stuck", payment["merchant_uid"], f"it is still {payment['status']}")


def _money(records: Records) -> Iterator[Finding]:
    """Each approval at the simulator is one payment that took this money, and the other way round."""
    payments = {payment["imp_uid"]: payment for payment in records.payments}
    attempts = {
        attempt["order_id"]: attempt for attempt in records.attempts if attempt["verb"] in ("charge", "approve")
    }
    approved: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for line in records.log:
        took = line["operation"] in ("subscription", "approve") and line["outcome"] in ("approved", "issued")
        if took:
            approved[line["partner_order_id"]].append(line)
    by_payment: Counter[str] = Counter()
    by_order: Counter[str] = Counter()
    for order_id, lines in approved.items():
        attempt = attempts.get(order_id)
        if attempt is None:
            # A key that was issued for nothing has taken nothing.
            if lines[0]["amount"]:
                yield from _of_no_attempt(records, order_id, lines[0])
            continue
        payment = payments[attempt["imp_uid"]]
        subject, amount = payment["merchant_uid"], lines[0]["amount"] or 0
        if len(lines) > 1:
            yield Finding("double", subject, f"{order_id} was approved {len(lines)} times")
        if amount != payment["amount"]:
            yield Finding("amount", subject, f"approved {amount}, kept {payment['amount']}")
        by_payment[payment["imp_uid"]] += 1
        by_order[subject] += 1
        if payment["status"] not in TAKEN and not (amount == 0 and payment["fail_code"] == "KEY_LOST"):
            yield Finding("lost", subject, f"approved at the simulator, {payment['status']} here")
        if payment["pg_tid"] is not None and payment["pg_tid"] not in {line["tid"] for line in lines}:
            yield Finding("tid", subject, f"{payment['pg_tid']} is not what the simulator approved")
    for imp_uid, count in by_payment.items():
        if count > 1:
            yield Finding("double", payments[imp_uid]["merchant_uid"], f"{imp_uid} took money {count} times")
    for merchant_uid, count in by_order.items():
        if count > 1:
            yield Finding("double", merchant_uid, f"the order took money {count} times")
    for payment in records.payments:
        if payment["status"] in TAKEN and not by_payment[payment["imp_uid"]]:
            yield Finding("without proof", payment["merchant_uid"], "paid here, and not at the simulator")
    for attempt in attempts.values():
        if attempt["outcome"] in NO_MONEY and attempt["order_id"] in approved and attempt["code"] != "KEY_LOST":
            yield Finding("lost", attempt["imp_uid"], f"{attempt['outcome']} here, approved at the simulator")
        if attempt["outcome"] == "approved" and attempt["order_id"] not in approved:
            yield Finding("without proof", attempt["imp_uid"], "an attempt is approved here alone")


def _of_no_attempt(records: Records, order_id: str, line: Mapping[str, Any]) -> Iterator[Finding]:
    """Money was taken of which nobody knows here; if its merchant_uid took money already, it was taken twice."""
    mark = read_mark(records.marks.get(line["tid"]))
    subject = "" if mark is None else mark.merchant_uid
    if not any(row["merchant_uid"] == subject and row["status"] in TAKEN for row in records.payments):
        yield Finding("lost", subject, f"the simulator approved {order_id}, of which no attempt is known")
        return
    times_asked = sum(
        record.action == "again" and record.request["merchant_uid"] == subject for record in records.clients
    )
    kind = "asked twice" if times_asked > 1 else "double"
    yield Finding(
        kind, subject, f"the order took money once more, as {order_id}, and it was asked for {times_asked} times"
    )


def _given_back(records: Records) -> Iterator[Finding]:
    """What the PG gave back of each payment is what is given back here, whoever did it."""
    given_back: Counter[str] = Counter()
    for line in records.log:
        if line["operation"] in GIVES_BACK and line["outcome"] == "cancelled":
            given_back[line["tid"]] += line["amount"]
    for payment in records.payments:
        here, there = payment["cancelled_amount"], given_back[payment["pg_tid"]]
        if here != there:
            yield Finding("cancel", payment["merchant_uid"], f"given back {there} at the simulator, {here} here")


def _answered_paid(records: Records) -> Iterator[Finding]:
    """What a shop was told is paid took money, and nothing that took money was told as failed."""
    payments = {payment["imp_uid"]: payment for payment in records.payments}
    for record in records.clients:
        response = record.reply.response
        if record.action == "again" and isinstance(response, dict) and response["status"] in ("paid", "failed"):
            kept_as = payments.get(response["imp_uid"], {}).get("status")
            wrong = kept_as not in TAKEN if response["status"] == "paid" else kept_as in TAKEN
            if wrong:
                yield Finding("answer", record.request["merchant_uid"], f"told {response['status']}, it is {kept_as}")


def _cancels(records: Records) -> Iterator[Finding]:
    """Each cancel at the simulator is one cancellation that is done, and the other way round."""
    given_back: Counter[str] = Counter()
    count: Counter[str] = Counter()
    at_the_pg: Counter[str] = Counter()
    for line in records.log:
        if line["operation"] in GIVES_BACK and line["outcome"] == "cancelled":
            given_back[line["tid"]] += line["amount"]
            count[line["tid"]] += 1
            at_the_pg[line["tid"]] += line["operation"] == "refund"
    done = Counter(row["imp_uid"] for row in records.cancellations if row["done_at"] is not None)
    at_pg = Counter(row["imp_uid"] for row in records.cancellations if row["at_pg"])
    for payment in records.payments:
        here, there = payment["cancelled_amount"], given_back[payment["pg_tid"]]
        if here != there:
            yield Finding("cancel", payment["merchant_uid"], f"given back {there} at the simulator, {here} here")
        if done[payment["imp_uid"]] != count[payment["pg_tid"]]:
            text = f"{count[payment['pg_tid']]} cancels at the simulator, {done[payment['imp_uid']]} here"
            yield Finding("cancel", payment["merchant_uid"], text)
        elif at_pg[payment["imp_uid"]] != at_the_pg[payment["pg_tid"]]:
            # A cancel that was never carried out is told as done, or one that was is taken for somebody else's.
            text = f"{at_the_pg[payment['pg_tid']]} refunds made at the PG, {at_pg[payment['imp_uid']]} entered as such"
            yield Finding("cancel", payment["merchant_uid"], text)
    # One that the PG refused, for another amount is left there, may be begun once more; given back once it is all the same.
    made = [row for row in records.cancellations if row["done_at"] is not None]
    granted = Counter(row["reason"] for row in made if (row["reason"] or "").startswith(ONE_REQUEST))
    for reason, times in granted.items():
        if times > 1:
            yield Finding("double", "", f"one request for a cancel was granted {times} times ({reason})")
    known = {payment["pg_tid"] for payment in records.payments}
    for tid in given_back.keys() - known:
        yield Finding("cancel", "", f"{tid} was cancelled, and is no payment's")


def _states(records: Records) -> Iterator[Finding]:
    """Each payment's events are legal moves, without a gap, that end in its status."""
    events: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for event in records.events:
        events[event["imp_uid"]].append(event)
    for payment in records.payments:
        subject, history = payment["merchant_uid"], events[payment["imp_uid"]]
        if [event["version"] for event in history] != list(range(1, len(history) + 1)):
            yield Finding("events", subject, "the versions have gaps")
        if not history or history[-1]["status"] != payment["status"] or history[-1]["version"] != payment["version"]:
            yield Finding("events", subject, f"the last event does not tell {payment['status']}")
        before: Status | None = None
        for event in history:
            after, name = Status(event["status"]), event["event"]
            if before is not None and NEXT.get((before, Event(name))) is not after:
                yield Finding("events", subject, f"{before} - {name} - {after} is no legal move")
            if name in ("approved", "declined") and event["proof"] in (None, "lost"):
                yield Finding("without proof", subject, f"{name} without a proof")
            before = after
    occupied = Counter(row["merchant_uid"] for row in records.payments if row["status"] in TAKEN)
    for merchant_uid, count in occupied.items():
        if count > 1:
            yield Finding("double", merchant_uid, f"{count} payments took money")


def _keys(records: Records) -> Iterator[Finding]:
    """One key lives for each customer, and what ended here has ended at the simulator."""
    living = Counter(key["customer_uid"] for key in records.keys if key["ended_at"] is None)
    for customer_uid, count in living.items():
        if count > 1:
            yield Finding("keys", customer_uid, f"{count} keys live")
    issued = sum(
        1
        for line in records.log
        if line["operation"] == "approve" and line["outcome"] in ("approved", "issued") and line["sid"]
    )
    lost = sum(
        1
        for row in records.payments
        if row["key_use"] == "issue"
        and row["billing_key_id"] is None
        and row["status"] != "ready"
        and (row["status"] in TAKEN or row["fail_code"] == "KEY_LOST")
    )
    if issued != len(records.keys) + lost:
        yield Finding("keys", "", f"{issued} were issued, {len(records.keys)} kept, {lost} known to be lost")
    # A key may be ended twice: a try whose answer was lost is repeated, which is harmless.
    ended_there = len({line["sid"] for line in records.log if line["outcome"] == "deactivated"})
    # One that a page's newer key replaced stays at the PG, unless the shop's server had registered an order for it.
    registered = {row["customer_uid"] for row in records.prepared}
    ended_here = sum(
        1
        for key in records.keys
        if key["ended_at"] is not None and (key["ended_by"] != "replaced" or key["customer_uid"] in registered)
    )
    if ended_there != ended_here:
        yield Finding("keys", "", f"{ended_here} ended here, {ended_there} at the simulator")


def _news(records: Records) -> Iterator[Finding]:
    """What a merchant is told of was delivered, and the merchant has it."""
    arrived = Counter((hook["imp_uid"], hook["status"]) for hook in records.webhooks)
    bodies: dict[str, list[str]] = defaultdict(list)
    answered = {row["delivery_id"] for row in records.tries if row["answer_status"] == 200}
    for delivery in records.deliveries:
        if delivery["state"] not in ("delivered", "recorded"):
            yield Finding("webhook", delivery["imp_uid"], f"a webhook is {delivery['state']}")
        elif delivery["state"] == "delivered" and delivery["id"] not in answered:
            yield Finding("webhook", delivery["imp_uid"], "a webhook is delivered, and no try says so")
        bodies[delivery["imp_uid"]].append(delivery["body"])
    cancelled = Counter(row["imp_uid"] for row in records.cancellations if row["done_at"] is not None and row["tell"])
    for payment in records.payments:
        imp_uid, subject = payment["imp_uid"], payment["merchant_uid"]
        # Money that was taken for a key that is lost is given back, and only that is told.
        undone = payment["key_use"] == "issue" and payment["billing_key_id"] is None
        if payment["status"] in TAKEN and not undone and not arrived[imp_uid, "paid"]:
            yield Finding("webhook", subject, "the merchant was never told that it is paid")
        if arrived[imp_uid, "cancelled"] < cancelled[imp_uid]:
            yield Finding("webhook", subject, "the merchant was not told of each cancel")
        if payment["status"] not in TAKEN and arrived[imp_uid, "paid"]:
            yield Finding("webhook", subject, "the merchant was told that it is paid")


def _answers(records: Records) -> Iterator[Finding]:
    """Nobody was told what is not so."""
    payments = {payment["imp_uid"]: payment for payment in records.payments}
    planned = {row["merchant_uid"] for row in records.schedules}
    for record in records.clients:
        response = record.reply.response
        if record.action == "page" and isinstance(record.reply.body.get("result"), dict):
            result = record.reply.body["result"]
            kept = payments[result["imp_uid"]]
            if result["success"] and kept["status"] not in TAKEN:
                yield Finding("answer", kept["merchant_uid"], f"the page was told of success, it is {kept['status']}")
        if record.action == "again" and isinstance(response, dict):
            kept_as = payments.get(response["imp_uid"], {}).get("status")
            allowed = {"paid": TAKEN, "failed": {"failed"}}.get(response["status"], set(Status))
            if kept_as not in allowed:
                yield Finding("answer", record.request["merchant_uid"], f"told {response['status']}, it is {kept_as}")
        if record.action == "cancel" and record.reply.status == 200 and record.reply.body.get("code") == 0:
            kept = payments[record.request["imp_uid"]]
            if kept["cancelled_amount"] < record.request.get("amount", kept["amount"]):
                yield Finding("answer", kept["merchant_uid"], "told that it was given back, it was not")
        if record.action == "schedule" and record.reply.body.get("code") == 0:
            for entry in record.request["schedules"]:
                if entry["merchant_uid"] not in planned:
                    yield Finding("answer", entry["merchant_uid"], "told that it is planned, it is not")
        if record.reply.status is not None and record.reply.status >= 500 and record.reply.status != 503:
            yield Finding("answer", record.tag, f"{record.action} was answered with {record.reply.status}")


def _schedules(records: Records) -> Iterator[Finding]:
    payments = {payment["imp_uid"]: payment for payment in records.payments}
    for schedule in records.schedules:
        if schedule["status"] == "executed" and schedule["imp_uid"] not in payments:
            yield Finding("schedule", schedule["merchant_uid"], "executed without a payment")


def _after_the_word(records: Records) -> Iterator[Finding]:
    """Nothing is charged of a key or a plan after a caller was told that it will not be."""
    payments = {payment["imp_uid"]: payment for payment in records.payments}
    attempts = {attempt["order_id"]: attempt for attempt in records.attempts if attempt["verb"] == "charge"}
    held = {record.request["merchant_uid"]: record.at for record in records.clients if record.action == "hold"}
    dead = _known_deletions(records)
    over = {(event["imp_uid"], event["event"]): time_of(event["happened_at"]) for event in reversed(records.events)}
    for line in records.log:
        attempt = attempts.get(line["partner_order_id"])
        if line["operation"] != "subscription" or line["outcome"] != "approved" or attempt is None:
            continue
        payment, at = payments[attempt["imp_uid"]], time_of(line["time"])
        held_at, dead_at = held.get(payment["merchant_uid"]), dead.get(attempt["billing_key_id"])
        if held_at is not None and at > held_at and payment["key_use"] == KeyUse.SCHEDULED:
            yield Finding("held", payment["merchant_uid"], "a scheduled charge was made while it was held")
        # A call whose answer was lost before had left before: it may still be inside the simulator.
        was_lost = over.get((payment["imp_uid"], Event.LOST))
        if dead_at is not None and at > dead_at + IN_FLIGHT and (was_lost is None or was_lost > dead_at):
            yield Finding("deleted", payment["merchant_uid"], "a key was charged after its deletion was answered")


def _known_deletions(records: Records) -> Mapping[str, datetime]:
    """Return since when callers know of each key that it is deleted, together with all that it had replaced."""
    of_customer: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for key in records.keys:
        if key["ended_at"] is not None:
            of_customer[key["customer_uid"]].append(key)
    dead: dict[str, datetime] = {}
    for record in records.clients:
        if record.action != "delete" or record.reply.status != 200 or record.reply.body.get("code") != 0:
            continue
        keys = of_customer[record.request["customer_uid"]]
        # The answer names the key by the second in which it was issued; of two, the one that ended first is certain.
        ended_at = min(
            time_of(key["ended_at"])
            for key in keys
            if key["ended_by"] == KeyEnd.DELETED
            and int(time_of(key["inserted_at"]).timestamp()) == record.reply.response["inserted"]
        )
        for key in keys:
            if time_of(key["ended_at"]) <= ended_at:
                dead[key["id"]] = min(record.at, dead.get(key["id"], record.at))
    return dead
