"""Beginning a charge: the intent is committed before the PG is called."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import fields as dataclass_fields
from dataclasses import replace
from typing import Any

from maedal.payments.attempt import Attempt, Verb
from maedal.payments.moves import Event, Status
from maedal.payments.payment import Buyer, KeyUse, Origin, Payment
from maedal.storage.attempts.rows import INSERT_ATTEMPT, attempt_values
from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.billing_keys.rows import key_of
from maedal.storage.database_servers.reads import DatabaseServer
from maedal.storage.engine.reading import moment
from maedal.storage.engine.steps import ChangeAll, Rows, RowsOfAll, Run, Step, Together, unit
from maedal.storage.errors import Conflict
from maedal.storage.payments.rows import INSERT_EVENT, INSERT_PAYMENT, event_values, new_payment_values
from maedal.storage.payments.writes import BeginCharge, BegunCharge, Refusal
from maedal.storage.schedules.execution import EXECUTE_ALL, execute_values

# The row lock keeps a key's end (deactivation, replacement) from slipping between this look and the attempt's commit.
# Which server this is, is told by the transaction that begins the charges, once for all in it.
# Whether the key lives is asked so that the index of living keys does not match: until PostgreSQL has counted them it
# takes them for very few, and would read all that live, of all merchants, for each batch.
FACTS = Together(
    """
SELECT item.number,
       (SELECT p.imp_uid FROM payments p
         WHERE p.merchant_id = item.merchant_id AND p.merchant_uid = item.merchant_uid
           AND p.status IN ('calling', 'unknown', 'paid', 'cancelled')) AS used_by,
       (SELECT coalesce(a.outcome, 'running') FROM attempts a
         WHERE a.merchant_id = item.merchant_id AND a.billing_key_id = key.id
           AND a.verb = 'charge' AND (a.outcome IS NULL OR a.outcome = 'unknown')) AS open_charge,
       server.id AS server_id, server.first_seen_at AS server_since, server.follows AS server_follows, key.*
  FROM {items} JOIN billing_keys key
         ON key.merchant_id = item.merchant_id AND key.customer_uid = item.customer_uid
        AND CASE WHEN key.ended_at IS NULL THEN 1 ELSE 0 END = 1
       LEFT JOIN database_servers server ON server.id = (SELECT {server})
{for_share_of_key}
""",
    ("merchant_id text", "customer_uid text", "merchant_uid text"),
)
# Of those that have no key; a used merchant_uid is told before that.
USED = """
SELECT CAST($3 AS INTEGER) AS item FROM payments
 WHERE merchant_id = $1 AND merchant_uid = $2 AND status IN ('calling', 'unknown', 'paid', 'cancelled')
"""


@unit(BeginCharge, by_key=True)
def begin_charges(writes: Sequence[BeginCharge]) -> Generator[Step, Any, Sequence[BegunCharge | Refusal]]:
    """Begin each charge that may begin; refuse the others. Two in one batch never share a key or a merchant_uid."""
    found = yield RowsOfAll(FACTS, [(w.merchant_id, w.order.customer_uid, w.order.merchant_uid) for w in writes])
    facts = {row["number"] - 1: row for row in found}
    without_key = [(w.merchant_id, w.order.merchant_uid) for n, w in enumerate(writes) if n not in facts]
    used = iter((yield Rows(USED, without_key)) if without_key else ())
    server = _server_of(found[0]) if found else None
    taken: set[tuple[str, str, str]] = set()
    results: list[BegunCharge | Refusal] = []
    for n, write in enumerate(writes):
        row = facts.get(n)
        uid = ("merchant_uid", write.merchant_id, write.order.merchant_uid)
        # A used merchant_uid is told before an unknown customer (docs/wire/portone-v1-rest.md 4.5.1).
        if (next(used) if row is None else row["used_by"] is not None) or uid in taken:
            results.append(Refusal.MERCHANT_UID_USED)
            continue
        if row is None:
            results.append(Refusal.NO_KEY)
            continue
        key_mark = ("key", write.merchant_id, row["id"])
        if row["open_charge"] == "unknown":
            results.append(Refusal.KEY_UNCLEAR)
        elif row["open_charge"] is not None or key_mark in taken:
            results.append(Refusal.KEY_BUSY)
        else:
            begun = _begin(write, row, server)
            results.append(begun)
            if isinstance(begun, BegunCharge):
                taken |= {uid, key_mark}
    yield from _execute_schedules(writes, results)
    begun_charges = [r for r in results if isinstance(r, BegunCharge)]
    if begun_charges:
        yield Run(INSERT_PAYMENT, [new_payment_values(b.payment) for b in begun_charges])
        yield Run(INSERT_ATTEMPT, [attempt_values(b.attempt, b.key) for b in begun_charges])
        yield Run(
            INSERT_EVENT,
            [event_values(b.payment, Event.BEGIN, b.attempt.id, None, b.attempt.begun_at) for b in begun_charges],
        )
    audit_entries = [
        w.audit_entry
        for w, r in zip(writes, results, strict=True)
        if w.audit_entry is not None and isinstance(r, BegunCharge)
    ]
    if audit_entries:
        yield keep_audit_entries(audit_entries)
    return results


def _execute_schedules(
    writes: Sequence[BeginCharge], results: list[BegunCharge | Refusal]
) -> Generator[Step, Any, None]:
    """Mark what the charges that may begin carry out; refuse those whose scheduled charge has moved."""
    planned = [
        (place, write.executes, begun.payment)
        for place, (write, begun) in enumerate(zip(writes, results, strict=True))
        if write.executes is not None and isinstance(begun, BegunCharge)
    ]
    if not planned:
        return
    # In one order everywhere, so that two batches never lock these rows crosswise.
    planned.sort(key=lambda p: (p[1].merchant_id, p[1].order.merchant_uid))
    done = yield ChangeAll(EXECUTE_ALL, [execute_values(schedule, payment) for _, schedule, payment in planned])
    if done == len(planned):
        return
    if len(planned) > 1:
        # Alone each of them will tell whether it was.
        raise Conflict("a scheduled charge of the batch has moved")
    results[planned[0][0]] = Refusal.SCHEDULE_MOVED


def _server_of(row: Any) -> DatabaseServer | None:
    since = moment(row["server_since"])
    return None if since is None else DatabaseServer(row["server_id"], since, row["server_follows"])


def _begin(write: BeginCharge, row: Any, server: DatabaseServer | None) -> BegunCharge | Refusal:
    key = key_of(row)
    settled_at = key.chargeable_from()
    if settled_at is not None and write.now < settled_at:
        return Refusal.KEY_SETTLING
    if server is None:
        return Refusal.SERVER_UNKNOWN
    if server.is_young(write.now) and write.asked_on != server.id:
        return Refusal.ASK_FIRST
    attempt = Attempt(
        id=write.attempt_id,
        merchant_id=write.merchant_id,
        verb=Verb.CHARGE,
        order_id=write.attempt_id,
        begun_at=write.now,
        imp_uid=write.imp_uid,
        billing_key_id=key.id,
        price=write.order.price,
    )
    buyer = _buyer(write.order.buyer, key.customer)
    order = write.order if buyer is write.order.buyer else replace(write.order, buyer=buyer)
    payment = Payment(
        merchant_id=write.merchant_id,
        imp_uid=write.imp_uid,
        order=order,
        status=Status.CALLING,
        origin=Origin.API,
        pg_provider=key.pg_provider,
        pg_merchant_id=key.pg_merchant_id,
        channel_id=key.channel_id,
        test_mode=key.test_mode,
        started_at=write.now,
        updated_at=write.now,
        billing_key_id=key.id,
    )
    assert order.key_use in {KeyUse.CHARGE, KeyUse.SCHEDULED}, order.key_use
    return BegunCharge(payment, attempt, key)


def _buyer(said: Buyer, known: Buyer) -> Buyer:
    """Return the buyer as the merchant said, the rest from the key (docs/wire/portone-v1-rest.md 3.2)."""
    if known == _NOBODY:
        return said
    fields = (f.name for f in dataclass_fields(Buyer))
    return Buyer(**{f: getattr(known, f) if getattr(said, f) is None else getattr(said, f) for f in fields})


_NOBODY = Buyer()
