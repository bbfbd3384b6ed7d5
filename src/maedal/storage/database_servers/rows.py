"""Database servers, and approvals that one had not seen, as rows."""

from __future__ import annotations

from maedal.storage.database_servers.reads import DatabaseServer, UnseenApproval
from maedal.storage.engine.reading import moment
from maedal.storage.engine.steps import Row


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
