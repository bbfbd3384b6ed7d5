"""Which server holds the database now, and which held it before."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from maedal.storage.servers import KNEW_AT_LEAST, DatabaseServer, NotedServer, NoteServer, NoteUnseen, UnseenApproval
from maedal.storage.sql.rows import moment
from maedal.storage.sql.steps import Row, Rows, Run, unit

HERE = "SELECT s.* FROM database_servers s WHERE s.id = (SELECT {server})"
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


NOTE_UNSEEN = """
INSERT INTO unseen_approvals (merchant_id, billing_key_id, approved_at, found_at) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
"""
UNSEEN = """
SELECT k.customer_uid, u.approved_at, u.found_at, k.last_approved_at
  FROM unseen_approvals u JOIN billing_keys k ON k.merchant_id = u.merchant_id AND k.id = u.billing_key_id
 WHERE u.merchant_id = $1 AND u.found_at >= $2 ORDER BY u.approved_at LIMIT $3
"""


def server_of(row: Row) -> DatabaseServer:
    """Return a server from its row."""
    first_seen_at = moment(row["first_seen_at"])
    assert first_seen_at is not None, "the column is never null"
    return DatabaseServer(row["id"], first_seen_at, row["follows"], moment(row["knew_until"]))


def unseen_of(row: Row) -> UnseenApproval:
    """Return an approval from its row."""
    approved_at, found_at = moment(row["approved_at"]), moment(row["found_at"])
    assert approved_at is not None, "the columns are never null"
    assert found_at is not None, "the columns are never null"
    return UnseenApproval(row["customer_uid"], approved_at, found_at, moment(row["last_approved_at"]))


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
