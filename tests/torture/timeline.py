"""The story of one payment, from all the books and the fire: shrunk to what concerns it, in the order it happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checker import Books
    from .testbed import Said

AROUND = timedelta(seconds=1)
FIRE_LINES_MAX = 40
TOLD_OF_A_PAYMENT = ("imp_uid", "status", "amount", "cancel_amount", "fail_reason")

Line = tuple[datetime, str, str]


def story(books: Books, subject: str) -> str:
    """Return what the books tell of one merchant_uid, imp_uid or customer_uid, oldest first."""
    payments = [row for row in books.payments if subject in (row["merchant_uid"], row["imp_uid"])]
    customers = {row["customer_uid"] for row in payments if row["customer_uid"]} | {subject}
    keys = [row for row in books.keys if row["customer_uid"] in customers]
    imp_uids, key_ids = {row["imp_uid"] for row in payments}, {row["id"] for row in keys}
    attempts = [row for row in books.attempts if row["imp_uid"] in imp_uids]
    spans = [
        (time_of(row["begun_at"]) - AROUND, time_of(row["recorded_at"] or row["begun_at"]) + AROUND) for row in attempts
    ]
    beside = [
        row
        for row in books.attempts
        if row["billing_key_id"] in key_ids and row["imp_uid"] not in imp_uids and _within(row["begun_at"], spans)
    ]
    told = sorted([*_payments(books, imp_uids), *_attempts(attempts, "attempt"), *_attempts(beside, "beside"),
                   *_keys(keys), *_there(books, attempts, payments), *_clients(books, subject, imp_uids, customers),
                   *_webhooks(books, imp_uids), *_fire(books, spans)], key=lambda line: line[0])  # fmt: skip
    ends = [
        f"{row['merchant_uid']} ({row['imp_uid']}) of {row['customer_uid'] or 'nobody'}: {row['status']},"
        f" amount {row['amount']}, given back {row['cancelled_amount']}, tid {row['pg_tid']}, failed by {row['fail_code']}"
        for row in payments
    ]
    return "\n".join([*ends, *(f"  {at:%d %H:%M:%S.%f} {who:<9} {text}" for at, who, text in told)])


def _payments(books: Books, imp_uids: set[str]) -> Iterator[Line]:
    for row in books.events:
        if row["imp_uid"] in imp_uids:
            proof = f" by {row['proof']}" if row["proof"] else ""
            yield time_of(row["happened_at"]), "payment", f"{row['event']} -> {row['status']}{proof}"
    for row in books.cancellations:
        if row["imp_uid"] in imp_uids:
            done = f"done at {time_of(row['done_at']):%H:%M:%S}" if row["done_at"] else "not done"
            where = " at the PG" if row["at_pg"] else ""
            yield time_of(row["begun_at"]), "cancel", f"{row['amount']}{where}, {done} ({row['reason']})"
    for row in books.schedules:
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


def _there(books: Books, attempts: list[Mapping[str, Any]], payments: list[Mapping[str, Any]]) -> Iterator[Line]:
    orders = {row["order_id"] for row in attempts}
    tids = {row["pg_tid"] for row in (*attempts, *payments) if row["pg_tid"]}
    for row in books.log:
        if row["partner_order_id"] in orders or row["tid"] in tids:
            fault = f", fault {row['fault']}" if row["fault"] else ""
            yield time_of(row["time"]), "simulator", f"{row['operation']} {row['amount']} is {row['outcome']}{fault}"


def _clients(books: Books, subject: str, imp_uids: set[str], customers: set[str]) -> Iterator[Line]:
    for told in books.told:
        asked = told.asked
        names_it = subject in (asked.get("merchant_uid"), asked.get("customer_uid"))
        deletes_its_key = told.act == "delete" and asked["customer_uid"] in customers
        if names_it or deletes_its_key or asked.get("imp_uid") in imp_uids:
            yield told.at, "client", f"{told.tag}: {told.act} {asked} was answered {_shrunk(told.said)}"


def _shrunk(said: Said) -> str:
    if said.status is None:
        return "with nothing"
    response = said.response
    if isinstance(response, dict):
        response = {name: response[name] for name in TOLD_OF_A_PAYMENT if response.get(name)}
    return f"{said.status}, {said.body.get('message') or response or said.body.get('result')}"


def _webhooks(books: Books, imp_uids: set[str]) -> Iterator[Line]:
    for row in books.deliveries:
        if row["imp_uid"] in imp_uids:
            yield time_of(row["created_at"]), "webhook", f"{row['body']} is {row['state']}, tries {row['tries']}"


def _fire(books: Books, spans: list[tuple[datetime, datetime]]) -> Iterator[Line]:
    near = [(at, "fire", text) for at, text in books.fire if _within(at, spans)]
    yield from near[-FIRE_LINES_MAX:]


def _within(at: datetime | str, spans: list[tuple[datetime, datetime]]) -> bool:
    return any(start <= time_of(at) <= end for start, end in spans)


def time_of(told: datetime | str) -> datetime:
    """Return a moment as a book tells it, the simulator's and SQLite's in words."""
    return (datetime.fromisoformat(told) if isinstance(told, str) else told).astimezone(UTC)
