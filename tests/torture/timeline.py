"""The timeline of one payment, from all records and disturbances: shrunk to what concerns it, in the order it happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checker import Records
    from .testbed import Reply

AROUND = timedelta(seconds=1)
DISTURBANCE_LINES_MAX = 40
SHOWN_OF_A_PAYMENT = ("imp_uid", "status", "amount", "cancel_amount", "fail_reason")

Line = tuple[datetime, str, str]


def timeline_of(records: Records, subject: str) -> str:
    """Return what the records say of one merchant_uid, imp_uid or customer_uid, oldest first."""
    payments = [row for row in records.payments if subject in (row["merchant_uid"], row["imp_uid"])]
    customers = {row["customer_uid"] for row in payments if row["customer_uid"]} | {subject}
    keys = [row for row in records.keys if row["customer_uid"] in customers]
    imp_uids, key_ids = {row["imp_uid"] for row in payments}, {row["id"] for row in keys}
    attempts = [row for row in records.attempts if row["imp_uid"] in imp_uids]
    spans = [
        (time_of(row["begun_at"]) - AROUND, time_of(row["recorded_at"] or row["begun_at"]) + AROUND) for row in attempts
    ]
    beside = [
        row
        for row in records.attempts
        if row["billing_key_id"] in key_ids and row["imp_uid"] not in imp_uids and _within(row["begun_at"], spans)
    ]
    lines = sorted([*_payments(records, imp_uids), *_attempts(attempts, "attempt"), *_attempts(beside, "beside"),
                   *_keys(keys), *_there(records, attempts, payments), *_clients(records, subject, imp_uids, customers),
                   *_webhooks(records, imp_uids), *_disturbances(records, spans)], key=lambda line: line[0])  # fmt: skip
    ends = [
        f"{row['merchant_uid']} ({row['imp_uid']}) of {row['customer_uid'] or 'nobody'}: {row['status']},"
        f" amount {row['amount']}, given back {row['cancelled_amount']}, tid {row['pg_tid']}, failed by {row['fail_code']}"
        for row in payments
    ]
    return "\n".join([*ends, *(f"  {at:%d %H:%M:%S.%f} {who:<9} {text}" for at, who, text in lines)])


def _payments(records: Records, imp_uids: set[str]) -> Iterator[Line]:
    for row in records.events:
        if row["imp_uid"] in imp_uids:
            proof = f" by {row['proof']}" if row["proof"] else ""
            yield time_of(row["happened_at"]), "payment", f"{row['event']} -> {row['status']}{proof}"
    for row in records.cancellations:
        if row["imp_uid"] in imp_uids:
            done = f"done at {time_of(row['done_at']):%H:%M:%S}" if row["done_at"] else "not done"
            where = " at the PG" if row["at_pg"] else ""
            yield time_of(row["begun_at"]), "cancel", f"{row['amount']}{where}, {done} ({row['reason']})"
    for row in records.schedules:
        if row["imp_uid"] in imp_uids:
            yield time_of(row["inserted_at"]), "planned", f"for {row['schedule_at']}, {row['status']}"


def _attempts(attempts: list[Mapping[str, Any]], who: str) -> Iterator[Line]:
    for row in attempts:
        of = f"{row['verb']} {row['id']}"
        yield time_of(row["begun_at"]), who, f"{of} begins, last approval before it {row['approved_before']}"
        if row["recorded_at"] is not None:
            code = f" {row['code']}" if row["code"] else ""
            yield time_of(row["recorded_at"]), who, f"{of} is {row['outcome']} by {row['proof']}{code}"


def _keys(keys: list[Mapping[str, Any]]) -> Iterator[Line]:
    for row in keys:
        yield time_of(row["inserted_at"]), "key", f"{row['id']} of {row['customer_uid']} is kept"
        if row["ended_at"] is not None:
            yield time_of(row["ended_at"]), "key", f"{row['id']} ends ({row['ended_by']})"


def _there(records: Records, attempts: list[Mapping[str, Any]], payments: list[Mapping[str, Any]]) -> Iterator[Line]:
    orders = {row["order_id"] for row in attempts}
    tids = {row["pg_tid"] for row in (*attempts, *payments) if row["pg_tid"]}
    for row in records.log:
        if row["partner_order_id"] in orders or row["tid"] in tids:
            fault = f", fault {row['fault']}" if row["fault"] else ""
            yield time_of(row["time"]), "simulator", f"{row['operation']} {row['amount']} is {row['outcome']}{fault}"


def _clients(records: Records, subject: str, imp_uids: set[str], customers: set[str]) -> Iterator[Line]:
    for record in records.clients:
        request = record.request
        names_it = subject in (request.get("merchant_uid"), request.get("customer_uid"))
        deletes_its_key = record.action == "delete" and request["customer_uid"] in customers
        if names_it or deletes_its_key or request.get("imp_uid") in imp_uids:
            yield record.at, "client", f"{record.tag}: {record.action} {request} was answered {_shrunk(record.reply)}"


def _shrunk(reply: Reply) -> str:
    if reply.status is None:
        return "with nothing"
    response = reply.response
    if isinstance(response, dict):
        response = {name: response[name] for name in SHOWN_OF_A_PAYMENT if response.get(name)}
    return f"{reply.status}, {reply.body.get('message') or response or reply.body.get('result')}"


def _webhooks(records: Records, imp_uids: set[str]) -> Iterator[Line]:
    for row in records.deliveries:
        if row["imp_uid"] in imp_uids:
            yield time_of(row["created_at"]), "webhook", f"{row['body']} is {row['state']}, tries {row['tries']}"


def _disturbances(records: Records, spans: list[tuple[datetime, datetime]]) -> Iterator[Line]:
    near = [(at, "disturbed", text) for at, text in records.disturbances if _within(at, spans)]
    yield from near[-DISTURBANCE_LINES_MAX:]


def _within(at: datetime | str, spans: list[tuple[datetime, datetime]]) -> bool:
    return any(start <= time_of(at) <= end for start, end in spans)


def time_of(moment: datetime | str) -> datetime:
    """Return a moment as a book tells it, the simulator's and SQLite's in words."""
    return (datetime.fromisoformat(moment) if isinstance(moment, str) else moment).astimezone(UTC)
