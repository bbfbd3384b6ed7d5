"""Which server holds the database now, and which held it before."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.database_servers.rows import server_of
from maedal.storage.database_servers.writes import (
    KNEW_AT_LEAST,
    NotedServer,
    NoteRestored,
    NoteServer,
    NoteUnseen,
)
from maedal.storage.engine.steps import Rows, Run, unit

# Runs once for each new server; each merchant's newest payment is the end of an index. What has been begun here since,
# before anybody noted the server, says nothing of what came over: hence the bound.
NOTE = """
INSERT INTO database_servers (id, first_seen_at, follows, knew_until)
SELECT {server}, $1, before.id, CASE WHEN newest.at < $2 THEN newest.at ELSE $2 END
  FROM (SELECT 1 AS one) AS here
       LEFT JOIN (SELECT id, first_seen_at FROM database_servers ORDER BY first_seen_at DESC, id DESC LIMIT 1)
              AS before ON TRUE
       CROSS JOIN (SELECT max((SELECT max(a.begun_at) FROM attempts a
                                WHERE a.merchant_id = m.code AND a.verb IN ('approve', 'charge')
                                  AND a.outcome IN ('approved', 'unknown'))) AS at
                     FROM merchants m) AS newest
 WHERE TRUE
ON CONFLICT (id) DO NOTHING
RETURNING CAST($3 AS INTEGER) AS item
"""
NOTED = "SELECT CAST($1 AS INTEGER) AS item, s.* FROM database_servers s WHERE s.id = (SELECT {server})"

# Whoever meets the server next finds it unknown, and notes it as one that follows.
RESTORED = "UPDATE database_servers SET id = id || $1 WHERE id = (SELECT {server})"

NOTE_UNSEEN = """
INSERT INTO unseen_approvals (merchant_id, billing_key_id, approved_at, found_at) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
"""


@unit(NoteServer)
def note_servers(writes: Sequence[NoteServer]) -> Generator[Rows | Run, Any, Sequence[NotedServer]]:
    """Note the server once; whoever comes second is given what the first one noted."""
    now = min(w.now for w in writes)
    [new] = yield Rows(NOTE, [(now, now - KNEW_AT_LEAST)])
    [[row]] = yield Rows(NOTED, [()])
    server = server_of(row)
    return [NotedServer(server, bool(new) and number == 0) for number in range(len(writes))]


@unit(NoteUnseen)
def note_unseen(writes: Sequence[NoteUnseen]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep each once."""
    rows = sorted({(w.merchant_id, w.billing_key_id, w.approved_at): w.now for w in writes}.items())
    yield Run(NOTE_UNSEEN, [(*key, now) for key, now in rows])
    return [None] * len(writes)


@unit(NoteRestored)
def note_restored(writes: Sequence[NoteRestored]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep the server's row under a name that no server has."""
    yield Run(RESTORED, [(f" until the restore of {max(w.now for w in writes).isoformat()}",)])
    return [None] * len(writes)
