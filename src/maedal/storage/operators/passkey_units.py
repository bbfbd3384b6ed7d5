"""Passkeys of operators, and the challenges that their browsers are asked with."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.audit.rows import INSERT_OPERATOR_ENTRY, operator_entry_values
from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.operators.rows import INSERT_PASSKEY, passkey_values
from maedal.storage.operators.writes import KeepChallenge, NotePasskeyCount, PutOperator, TakeChallenge, UsePasskey

REMOVE_PASSKEY = "DELETE FROM passkeys WHERE user_id = $1 AND id = $2"
# Of two answers of one key at the same time the second finds another count than it has seen.
USE_PASSKEY = """
UPDATE passkeys SET sign_count = $3, last_used_at = $4, row_seal = $5 WHERE id = $1 AND sign_count = $2
RETURNING CAST($6 AS INTEGER) AS item
"""
KEEP_CHALLENGE = """
INSERT INTO passkey_challenges (session_id, kind, digest, expires_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (session_id, kind) DO UPDATE SET digest = $3, expires_at = $4
"""
TAKE_CHALLENGE = """
DELETE FROM passkey_challenges WHERE session_id = $1 AND kind = $2 AND digest = $3 AND expires_at > $4
RETURNING CAST($5 AS INTEGER) AS item
"""
SWEEP_CHALLENGES = """
DELETE FROM passkey_challenges
 WHERE (session_id, kind) IN
       (SELECT session_id, kind FROM passkey_challenges WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)
"""


def put_passkeys(write: PutOperator) -> Generator[Rows | Run, Any, None]:
    """Add and remove what a change of an operator says; a key that is somebody's already is refused by the table."""
    if write.added_passkey is not None:
        yield Run(INSERT_PASSKEY, [passkey_values(write.added_passkey)])
    if write.removed_passkeys:
        yield Run(REMOVE_PASSKEY, [(write.before.id, one) for one in write.removed_passkeys])


@unit(KeepChallenge)
def keep_challenges(writes: Sequence[KeepChallenge]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep challenges, each in the place of the last."""
    ordered = sorted(writes, key=lambda w: (w.session_id, w.kind))
    yield Run(KEEP_CHALLENGE, [(w.session_id, w.kind, w.digest, w.expires_at) for w in ordered])
    return [None] * len(writes)


@unit(TakeChallenge)
def take_challenges(writes: Sequence[TakeChallenge]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Use up each challenge that is there, under the digest of any key."""
    results = []
    for w in writes:
        taken: list[Any] = []
        for digest in w.digests:
            taken += (yield Rows(TAKE_CHALLENGE, [(w.session_id, w.kind, digest, w.now)]))[0]
        results.append(bool(taken))
    return results


@unit(UsePasskey)
def use_passkeys(writes: Sequence[UsePasskey]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep counts of passkeys, each only from the count that was seen."""
    results = []
    for w in writes:
        a = w.after
        [done] = yield Rows(USE_PASSKEY, [(a.id, w.before.sign_count, a.sign_count, a.last_used_at, a.row_seal)])
        results.append(bool(done))
    return results


@unit(NotePasskeyCount)
def note_passkey_counts(writes: Sequence[NotePasskeyCount]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Write into the log of operators."""
    yield Run(INSERT_OPERATOR_ENTRY, [operator_entry_values(w.operator_entry) for w in writes])
    return [None] * len(writes)
