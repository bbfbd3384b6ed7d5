"""Channels kept, paused and resumed; what waits for one that works again is due at once."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.audit.rows import keep_audit_entries
from maedal.storage.channels.rows import CHANNEL_COLUMNS, INSERT_CHANNEL, channel_values
from maedal.storage.channels.writes import PauseChannel, PutChannel, ResumeChannel
from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.schedules.execution import DUE_NOW, TRIES_DUE_NOW

# A new default takes the place of the old one, in the same transaction.
NO_OTHER_DEFAULT = """
UPDATE channels SET is_default = $3 WHERE merchant_id = $1 AND id <> $2 AND is_default
"""
PUT_CHANNEL = (
    INSERT_CHANNEL
    + " ON CONFLICT (merchant_id, id) DO UPDATE SET "
    + ", ".join(f"{c} = excluded.{c}" for c in CHANNEL_COLUMNS if c not in {"merchant_id", "id", "created_at"})
)
REPLACED_KEYS = """
SELECT CAST($3 AS INTEGER) AS item, replaced_keys FROM channels WHERE merchant_id = $1 AND id = $2
"""
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


@unit(PutChannel)
def put_channels(writes: Sequence[PutChannel]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep channels; at most one default each merchant."""
    defaults = [(w.channel.merchant_id, w.channel.id, False) for w in writes if w.channel.default]
    if defaults:
        yield Run(NO_OTHER_DEFAULT, defaults)
    yield Run(PUT_CHANNEL, [channel_values(w.channel) for w in writes])
    yield keep_audit_entries(w.audit_entry for w in writes)
    return [None] * len(writes)


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
