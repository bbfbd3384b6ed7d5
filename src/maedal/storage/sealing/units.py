"""Keys of the ring as the database knows them, and sealed values that take the place of others."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.engine.steps import Rows, Run, unit
from maedal.storage.errors import Conflict
from maedal.storage.sealing.columns import PLACES, table_of
from maedal.storage.sealing.reads import SealedColumn
from maedal.storage.sealing.writes import (
    AnnounceKey,
    GiveKeysUp,
    LoseHolder,
    MakePrimary,
    NoteKeys,
    Reseal,
    RetireKey,
    SeeHolder,
)

# Of two processes that open an empty database at once, the second finds what the first noted.
NOTE_PRIMARY = """
INSERT INTO vault_keys (id, fingerprint, added_at, primary_since, is_primary)
SELECT $1, $2, $3, $3, TRUE WHERE NOT EXISTS (SELECT 1 FROM vault_keys)
ON CONFLICT DO NOTHING
RETURNING CAST($4 AS INTEGER) AS item
"""
ADD_KEY = """
INSERT INTO vault_keys (id, fingerprint, added_at, is_primary) VALUES ($1, $2, $3, FALSE) ON CONFLICT DO NOTHING
"""
STEP_DOWN = """
UPDATE vault_keys SET is_primary = FALSE WHERE id = $1 AND is_primary RETURNING CAST($2 AS INTEGER) AS item
"""
STEP_UP = """
UPDATE vault_keys SET is_primary = TRUE, primary_since = $2 WHERE id = $1 AND retired_at IS NULL
RETURNING CAST($3 AS INTEGER) AS item
"""
RETIRE = """
UPDATE vault_keys SET retired_at = $2 WHERE id = $1 AND NOT is_primary AND retired_at IS NULL
RETURNING CAST($3 AS INTEGER) AS item
"""
GIVE_UP = """
UPDATE vault_keys SET is_primary = FALSE, retired_at = coalesce(retired_at, $2) WHERE id <> $1
"""
SEE_HOLDER = """
INSERT INTO vault_nodes (id, key_ids, primary_id, seen_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE
   SET key_ids = excluded.key_ids, primary_id = excluded.primary_id, seen_at = excluded.seen_at
"""
FORGET_HOLDERS = "DELETE FROM vault_nodes WHERE seen_at < $1"
LOSE_HOLDER = "DELETE FROM vault_nodes WHERE id = $1"


def _reseal(column: SealedColumn) -> str:
    """Return the statement that replaces one value: of the row that nobody else is changing, as it was read."""
    place, (table, name) = PLACES[column], table_of(column)
    keys, count = ", ".join(place.by), len(place.by)
    found = " AND ".join(f"{key} = ${n}" for n, key in enumerate(place.by, 1))
    same = f"coalesce({name}, ${count + 3}) = ${count + 1}"
    return f"""
UPDATE {table} SET {name} = ${count + 2}
 WHERE {found} AND ({keys}) IN (SELECT {keys} FROM {table} WHERE {found} AND {same} {{skip_locked}})
RETURNING CAST(${count + 4} AS INTEGER) AS item
"""


RESEAL = {column: _reseal(column) for column in SealedColumn}
NOTHING = b""
"""Stands for a row without a seal: nothing that is sealed is empty."""


@unit(NoteKeys)
def note_keys(writes: Sequence[NoteKeys]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Note the keys of a database that knows none."""
    results = []
    for w in writes:
        [first] = [(w.primary_id, fingerprint) for key_id, fingerprint in w.fingerprints if key_id == w.primary_id]
        [noted] = yield Rows(NOTE_PRIMARY, [(*first, w.now)])
        if noted:
            yield Run(ADD_KEY, [(*one, w.now) for one in w.fingerprints])
        results.append(bool(noted))
    return results


@unit(AnnounceKey)
def announce_keys(writes: Sequence[AnnounceKey]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Add each key that is not known yet."""
    yield Run(ADD_KEY, [(w.key_id, w.fingerprint, w.now) for w in writes])
    return [None] * len(writes)


@unit(MakePrimary)
def make_primary(writes: Sequence[MakePrimary]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Put one key in the place of another, if that one is still primary."""
    results = []
    for w in writes:
        yield Run(ADD_KEY, [(w.key_id, w.fingerprint, w.now)])
        [stepped_down] = yield Rows(STEP_DOWN, [(w.before,)])
        if stepped_down:
            [stepped_up] = yield Rows(STEP_UP, [(w.key_id, w.now)])
            if not stepped_up:
                raise Conflict(f"the key {w.key_id} was retired at this very moment")
        results.append(bool(stepped_down))
    return results


@unit(RetireKey)
def retire_keys(writes: Sequence[RetireKey]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Retire each key that is not primary."""
    retired = yield Rows(RETIRE, [(w.key_id, w.now) for w in writes])
    return [bool(rows) for rows in retired]


@unit(GiveKeysUp)
def give_keys_up(writes: Sequence[GiveKeysUp]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Retire every key but the one with which it goes on."""
    for w in writes:
        yield Run(ADD_KEY, [(w.key_id, w.fingerprint, w.now)])
        yield Run(GIVE_UP, [(w.key_id, w.now)])
        [stepped_up] = yield Rows(STEP_UP, [(w.key_id, w.now)])
        if not stepped_up:
            raise Conflict(f"the key {w.key_id} is retired")
    return [None] * len(writes)


@unit(SeeHolder)
def see_holders(writes: Sequence[SeeHolder]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep what each process has."""
    holders = sorted((w.holder for w in writes), key=lambda holder: holder.id)
    yield Run(SEE_HOLDER, [(h.id, " ".join(sorted(h.key_ids)), h.primary_id, h.seen_at) for h in holders])
    yield Run(FORGET_HOLDERS, [(min(w.forget_before for w in writes),)])
    return [None] * len(writes)


@unit(LoseHolder)
def lose_holders(writes: Sequence[LoseHolder]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Forget each process."""
    yield Run(LOSE_HOLDER, [(w.holder_id,) for w in writes])
    return [None] * len(writes)


@unit(Reseal)
def reseal(writes: Sequence[Reseal]) -> Generator[Rows | Run, Any, Sequence[int]]:
    """Replace each value that is still as it was read."""
    results = []
    for w in writes:
        items = [
            (*row, NOTHING if before is None else before, after, NOTHING)
            for row, before, after in zip(w.rows, w.before, w.after, strict=True)
        ]
        done = yield Rows(RESEAL[w.column], items)
        results.append(sum(map(len, done)))
    return results
