"""The outbox of messages, claimed under leases, and what is set for it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.messages.message import Message, state_after
from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.engine.steps import Rows, Run, insert, unit
from maedal.storage.messages.rows import (
    INSERT_ALERT,
    INSERT_MESSAGE,
    MAIL_SERVER_COLUMNS,
    RECEIVER_COLUMNS,
    alert_values,
    mail_server_values,
    message_of,
    message_values,
    receiver_values,
)
from maedal.storage.messages.writes import (
    AddMessage,
    ClaimMessages,
    DropMailServer,
    DropReceiver,
    EndLostMessages,
    FinishMessage,
    GatherAlerts,
    HandOver,
    PutMailServer,
    PutReceiver,
    RaiseAlerts,
    SendMessageAgain,
)

PUT_MAIL_SERVER = (
    insert("mail_servers", MAIL_SERVER_COLUMNS)
    + " ON CONFLICT (merchant_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in MAIL_SERVER_COLUMNS[1:])
)
DROP_MAIL_SERVER = "DELETE FROM mail_servers WHERE merchant_id = $1"
PUT_RECEIVER = (
    insert("alert_receivers", RECEIVER_COLUMNS)
    + " ON CONFLICT (merchant_id, id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in RECEIVER_COLUMNS[2:] if name not in {"added_at", "added_by"})
    + " WHERE alert_receivers.version = excluded.version - 1"
    + f" RETURNING CAST(${len(RECEIVER_COLUMNS) + 1} AS INTEGER) AS item"
)
DROP_RECEIVER = "DELETE FROM alert_receivers WHERE merchant_id = $1 AND id = $2 RETURNING CAST($3 AS INTEGER) AS item"
DROP_ALERTS = "DELETE FROM alerts WHERE merchant_id = $1 AND receiver_id = $2 AND message_id IS NULL"
RAISE_ALERT = f"{INSERT_ALERT} RETURNING CAST($8 AS INTEGER) AS item"
GATHER = """
UPDATE alerts SET message_id = $3
 WHERE merchant_id = $1 AND receiver_id = $2 AND message_id IS NULL AND due_at <= $4
RETURNING CAST($5 AS INTEGER) AS item
"""
ADD_MESSAGE = f"{INSERT_MESSAGE} RETURNING CAST($13 AS INTEGER) AS item"
WITH_DUE = """
SELECT CAST($2 AS INTEGER) AS item, merchant_id FROM messages
 WHERE state = 'waiting' AND due_at <= $1 AND handed_at IS NULL AND (leased_until IS NULL OR leased_until < $1)
 GROUP BY merchant_id ORDER BY min(due_at)
"""
# Of one merchant at a time: what locks may name one only where tables are spread (docs/decisions/0126).
CLAIM = """
WITH bounded AS MATERIALIZED (
     SELECT id FROM messages
      WHERE merchant_id = $5 AND state = 'waiting' AND due_at <= $3 AND handed_at IS NULL
        AND (leased_until IS NULL OR leased_until < $3)
      ORDER BY due_at LIMIT $4 {skip_locked})
UPDATE messages SET lease_id = $1, leased_until = $2
 WHERE merchant_id = $5 AND id IN (SELECT id FROM bounded)
RETURNING CAST($6 AS INTEGER) AS item, *
"""
HAND_OVER = """
UPDATE messages SET handed_at = $4 WHERE merchant_id = $1 AND id = $2 AND lease_id = $3 AND leased_until > $4
RETURNING CAST($5 AS INTEGER) AS item
"""
FINISH = """
UPDATE messages SET state = $4, tries = $5, answer = $6, due_at = $7, ended_at = $8, handed_at = NULL,
       lease_id = NULL, leased_until = NULL
 WHERE merchant_id = $1 AND id = $2 AND lease_id = $3 AND state = 'waiting'
RETURNING CAST($9 AS INTEGER) AS item
"""
END_LOST = """
UPDATE messages SET state = 'unknown', tries = tries + 1, answer = $2, ended_at = $1, lease_id = NULL,
       leased_until = NULL
 WHERE state = 'waiting' AND due_at <= $1 AND handed_at IS NOT NULL AND leased_until < $1
RETURNING CAST($3 AS INTEGER) AS item
"""
SEND_AGAIN = """
UPDATE messages SET state = 'waiting', due_at = $3, ended_at = NULL, handed_at = NULL
 WHERE merchant_id = $1 AND id = $2 AND state IN ('failed', 'unknown')
RETURNING CAST($4 AS INTEGER) AS item
"""


@unit(PutMailServer)
def put_mail_servers(writes: Sequence[PutMailServer]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep the servers, one after the other: two may be of one merchant."""
    for w in writes:
        yield Run(PUT_MAIL_SERVER, [mail_server_values(w.server)])
    yield keep_audit_entries(w.audit_entry for w in writes)
    return [None] * len(writes)


@unit(DropMailServer)
def drop_mail_servers(writes: Sequence[DropMailServer]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Forget them."""
    yield Run(DROP_MAIL_SERVER, [(w.merchant_id,) for w in writes])
    yield keep_audit_entries(w.audit_entry for w in writes)
    return [None] * len(writes)


@unit(PutReceiver)
def put_receivers(writes: Sequence[PutReceiver]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep each that nobody changed meanwhile."""
    results = []
    for w in writes:
        [rows] = yield Rows(PUT_RECEIVER, [receiver_values(w.receiver)])
        if rows:
            yield keep_audit_entries([w.audit_entry])
        results.append(bool(rows))
    return results


@unit(DropReceiver)
def drop_receivers(writes: Sequence[DropReceiver]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Forget each that is there, with what waits for it."""
    results = []
    for w in writes:
        [rows] = yield Rows(DROP_RECEIVER, [(w.merchant_id, w.receiver_id)])
        if rows:
            yield Run(DROP_ALERTS, [(w.merchant_id, w.receiver_id)])
            yield keep_audit_entries([w.audit_entry])
        results.append(bool(rows))
    return results


@unit(RaiseAlerts)
def raise_alerts(writes: Sequence[RaiseAlerts]) -> Generator[Rows | Run, Any, Sequence[int]]:
    """Keep what is new, in the order of the keys, so that two workers never wait for each other."""
    results = []
    for w in writes:
        ordered = sorted(w.alerts, key=lambda a: (a.merchant_id, a.receiver_id, a.cause))
        kept = yield Rows(RAISE_ALERT, [alert_values(a) for a in ordered])
        results.append(sum(bool(rows) for rows in kept))
    return results


@unit(GatherAlerts)
def gather_alerts(writes: Sequence[GatherAlerts]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Give each message its alerts; whoever comes second finds none left, and keeps no message."""
    results = []
    for w in writes:
        m = w.message
        [rows] = yield Rows(GATHER, [(m.merchant_id, m.receiver_id, m.id, m.created_at)])
        if rows:
            yield Run(INSERT_MESSAGE, [message_values(m)])
        results.append(bool(rows))
    return results


@unit(AddMessage)
def add_messages(writes: Sequence[AddMessage]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep each message whose cause has none."""
    kept = yield Rows(ADD_MESSAGE, [message_values(w.message) for w in writes])
    return [bool(rows) for rows in kept]


@unit(ClaimMessages)
def claim(writes: Sequence[ClaimMessages]) -> Generator[Rows | Run, Any, Sequence[Sequence[Message]]]:
    """Take due messages; all merchants have the same share, and what one does not need goes to those after it."""
    results = []
    for w in writes:
        [found] = yield Rows(WITH_DUE, [(w.now,)])
        claimed: list[Message] = []
        for n, row in enumerate(found):
            share = -(-(w.count_max - len(claimed)) // (len(found) - n))
            [rows] = yield Rows(CLAIM, [(w.lease_id, w.leased_until, w.now, share, row["merchant_id"])])
            claimed += map(message_of, rows)
            if len(claimed) >= w.count_max:
                break
        results.append(claimed)
    return results


@unit(HandOver)
def hand_over(writes: Sequence[HandOver]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Mark what leaves now."""
    kept = yield Rows(HAND_OVER, [(w.message.merchant_id, w.message.id, w.lease_id, w.now) for w in writes])
    return [bool(rows) for rows in kept]


@unit(FinishMessage)
def finish(writes: Sequence[FinishMessage]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep what came of each try, unless the lease has passed to somebody else."""
    done = yield Rows(
        FINISH,
        [
            (
                w.message.merchant_id,
                w.message.id,
                w.lease_id,
                state_after(w.sent, w.next_at),
                w.message.tries + 1,
                w.sent.answer,
                w.next_at or w.message.due_at,
                None if w.next_at is not None else w.now,
            )
            for w in writes
        ],
    )
    return [bool(rows) for rows in done]


@unit(EndLostMessages)
def end_lost(writes: Sequence[EndLostMessages]) -> Generator[Rows | Run, Any, Sequence[int]]:
    """End what somebody handed over who never said what came of it."""
    ended = yield Rows(END_LOST, [(w.now, w.answer) for w in writes])
    return [len(rows) for rows in ended]


@unit(SendMessageAgain)
def send_again(writes: Sequence[SendMessageAgain]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Let each that is over without having arrived be claimed anew."""
    results = []
    for w in writes:
        [rows] = yield Rows(SEND_AGAIN, [(w.merchant_id, w.message_id, w.now)])
        if rows:
            yield keep_audit_entries([w.audit_entry])
        results.append(bool(rows))
    return results
