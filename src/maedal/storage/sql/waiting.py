"""Channels that rest, planned charges that wait for them, and those whose order was paid before they were due."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.merchants.channel_pause import ChannelPause
from maedal.payments.attempt import Fault
from maedal.storage.sql.rows import moment
from maedal.storage.sql.schedules import EXECUTE
from maedal.storage.sql.steps import Row, Rows, Run, unit
from maedal.storage.waiting import LinkSchedule, PauseChannel, ResumeChannel

CHANNEL_PAUSES = "SELECT * FROM channel_pauses ORDER BY since LIMIT $1"
CHANNEL_PAUSE = "SELECT * FROM channel_pauses WHERE merchant_id = $1 AND channel_id = $2"
# Whoever has read the pause as it stands moves it; the others find that it has moved.
FIRST_PAUSE = """
INSERT INTO channel_pauses (merchant_id, channel_id, fault, reason, since, until) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (merchant_id, channel_id) DO NOTHING
RETURNING CAST($7 AS INTEGER) AS item
"""
NEXT_PAUSE = """
UPDATE channel_pauses SET fault = $3, reason = $4, since = $5, until = $6
 WHERE merchant_id = $1 AND channel_id = $2 AND until = $7
RETURNING CAST($8 AS INTEGER) AS item
"""
END_PAUSE = """
DELETE FROM channel_pauses WHERE merchant_id = $1 AND channel_id = $2
RETURNING CAST($3 AS INTEGER) AS item
"""
# Only what waits under a lease that nobody works on.
DUE_NOW = """
UPDATE schedules SET leased_until = $3, waits_until = $3
 WHERE merchant_id = $1 AND waits_channel = $2 AND status = 'scheduled' AND leased_until = waits_until
   AND waits_until > $3
"""
TRIES_DUE_NOW = """
UPDATE schedules SET try_leased_until = $3, waits_until = $3
 WHERE merchant_id = $1 AND waits_channel = $2 AND next_try_at IS NOT NULL AND try_leased_until = waits_until
   AND waits_until > $3
"""


def pause_of(row: Row) -> ChannelPause:
    since, until = moment(row["since"]), moment(row["until"])
    assert since is not None, "the columns are never null"
    assert until is not None, "the columns are never null"
    return ChannelPause(row["merchant_id"], row["channel_id"], Fault(row["fault"]), row["reason"], since, until)


@unit(PauseChannel)
def pause_channels(writes: Sequence[PauseChannel]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep each pause whose channel stands as it was read."""
    done: dict[int, bool] = {}
    for w in sorted(writes, key=lambda w: (w.after.merchant_id, w.after.channel_id)):
        p = w.after
        values = (p.merchant_id, p.channel_id, p.fault, p.reason, p.since, p.until)
        if w.before is None:
            [rows] = yield Rows(FIRST_PAUSE, [values])
        else:
            [rows] = yield Rows(NEXT_PAUSE, [(*values, w.before.until)])
        done[id(w)] = bool(rows)
    return [done[id(w)] for w in writes]


@unit(ResumeChannel)
def resume_channels(writes: Sequence[ResumeChannel]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """End each pause and what waits for its end."""
    done: dict[int, bool] = {}
    for w in sorted(writes, key=lambda w: (w.merchant_id, w.channel_id)):
        [rows] = yield Rows(END_PAUSE, [(w.merchant_id, w.channel_id)])
        yield Run(DUE_NOW, [(w.merchant_id, w.channel_id, w.now)])
        yield Run(TRIES_DUE_NOW, [(w.merchant_id, w.channel_id, w.now)])
        done[id(w)] = bool(rows)
    return [done[id(w)] for w in writes]


@unit(LinkSchedule)
def link(writes: Sequence[LinkSchedule]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Mark each that still stands as it was claimed as executed by the payment that took its money."""
    done = yield Rows(
        EXECUTE,
        [
            (w.schedule.merchant_id, w.schedule.order.merchant_uid, w.schedule.status, w.schedule.imp_uid or "",
             w.schedule.lease_id or "", w.payment.imp_uid, w.now)
            for w in sorted(writes, key=lambda w: (w.schedule.merchant_id, w.schedule.order.merchant_uid))
        ],
    )  # fmt: skip
    ordered = sorted(writes, key=lambda w: (w.schedule.merchant_id, w.schedule.order.merchant_uid))
    kept = {id(w): bool(rows) for w, rows in zip(ordered, done, strict=True)}
    return [kept[id(w)] for w in writes]
