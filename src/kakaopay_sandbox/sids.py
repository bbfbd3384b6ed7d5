"""SIDs: the right to charge one buyer again, and what it is bound to (docs/wire/kakaopay.md, 7 and 14.10)."""

import sqlite3
from dataclasses import dataclass

from kakaopay_sandbox.clock import month_of
from kakaopay_sandbox.database import Database

BY_MERCHANT = "merchant"
BY_BUYER = "buyer"


@dataclass(frozen=True, slots=True)
class Sid:
    """One row of `sids`; `month_count` counts the charges of calendar month `month` only."""

    sid: str
    cid: str
    partner_user_id: str
    payment_method_type: str
    card_id: str | None
    item_name: str
    status: str
    created_at: int
    last_approved_at: int | None
    inactivated_at: int | None
    ended_by: str | None
    month: str
    month_count: int

    @property
    def is_active(self) -> bool:
        return self.status == "ACTIVE"

    def charges_in_month(self, now: int) -> int:
        return self.month_count if self.month == month_of(now) else 0


class Sids:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        *,
        sid: str,
        cid: str,
        partner_user_id: str,
        payment_method_type: str,
        card_id: str | None,
        item_name: str,
        at: int,
        last_approved_at: int | None,
    ) -> None:
        self._database.insert(
            "sids",
            sid=sid,
            cid=cid,
            partner_user_id=partner_user_id,
            payment_method_type=payment_method_type,
            card_id=card_id,
            item_name=item_name,
            status="ACTIVE",
            created_at=at,
            last_approved_at=last_approved_at,
        )

    def find(self, sid: str) -> Sid | None:
        row = self._database.one("SELECT * FROM sids WHERE sid = :sid", sid=sid)
        return None if row is None else _sid(row)

    def all(self, *, cid: str | None = None, partner_user_id: str | None = None) -> list[Sid]:
        rows = self._database.all(
            "SELECT * FROM sids WHERE (:cid IS NULL OR cid = :cid) "
            "AND (:user IS NULL OR partner_user_id = :user) ORDER BY rowid",
            cid=cid,
            user=partner_user_id,
        )
        return [_sid(row) for row in rows]

    def latest(self, limit: int) -> list[Sid]:
        """Newest first, those that still run before those that have ended."""
        rows = self._database.all("SELECT * FROM sids ORDER BY status, rowid DESC LIMIT :limit", limit=limit)
        return [_sid(row) for row in rows]

    def charged(self, sid: Sid, at: int) -> None:
        """Count one approved charge in its month and move `last_approved_at`."""
        self._database.run(
            "UPDATE sids SET last_approved_at = :at, month = :month, month_count = :count WHERE sid = :sid",
            sid=sid.sid,
            at=at,
            month=month_of(at),
            count=sid.charges_in_month(at) + 1,
        )

    def end(self, sid: Sid, by: str, at: int) -> Sid:
        """Make a SID inactive for ever; a SID that has ended keeps its first end."""
        self._database.run(
            "UPDATE sids SET status = 'INACTIVE', inactivated_at = :at, ended_by = :by "
            "WHERE sid = :sid AND status = 'ACTIVE'",
            sid=sid.sid,
            at=at,
            by=by,
        )
        ended = self.find(sid.sid)
        assert ended is not None
        return ended


def _sid(row: sqlite3.Row) -> Sid:
    return Sid(**dict(row))
