"""What keeps the entries of a file from becoming real together, in SQL."""

from __future__ import annotations

from dataclasses import dataclass

from maedal.storage.engine.reading import SqlReads
from maedal.storage.transfer.reads import ImportClash


@dataclass(frozen=True, slots=True)
class Clash:
    """A question to the staging tables: which entry cannot be?"""

    section: str
    field: str
    text: str
    sql: str


class SqlTransferReads(SqlReads):
    """The `TransferReads` (see reads.py) of a store in SQL."""

    async def staged(self, digest: str) -> int:
        rows = await self._engine.fetch("SELECT staged FROM import_files WHERE digest = $1", digest)
        return int(rows[0]["staged"]) if rows else 0

    async def clash(self, digest: str) -> ImportClash | None:
        for clash in CLASHES:
            rows = await self._engine.fetch(clash.sql, digest)
            if rows:
                return ImportClash(clash.section, rows[0]["position"], clash.field, clash.text)
        return None


def _twice(section: str, table: str, field: str, column: str, where: str = "") -> Clash:
    sql = (
        f"SELECT max(position) AS position FROM import_{table} WHERE file_digest = $1{where}"
        f" GROUP BY merchant_id, {column} HAVING count(*) > 1 ORDER BY 1 LIMIT 1"
    )
    return Clash(section, field, "an earlier entry of the file has it already", sql)


CLASHES = (
    _twice("billing_keys", "billing_keys", "maedal.id", "id"),
    _twice("billing_keys", "billing_keys", "customer_uid", "customer_uid", " AND ended_at IS NULL"),
    _twice("payments", "payments", "imp_uid", "imp_uid"),
    _twice("payments", "payments", "merchant_uid", "merchant_uid", " AND status IN ('paid', 'cancelled')"),
    _twice("payments", "cancellations", "cancel_history", "id"),
    _twice("payments", "cancellations", "maedal.cancels.pg_aid", "pg_aid", " AND pg_aid IS NOT NULL"),
    _twice("schedules", "schedules", "merchant_uid", "merchant_uid"),
    _twice("prepared", "prepared_amounts", "merchant_uid", "merchant_uid"),
    Clash(
        "schedules",
        "imp_uid",
        "the file has no payment of this imp_uid",
        "SELECT s.position FROM import_schedules s LEFT JOIN import_payments p ON p.file_digest = s.file_digest"
        " AND p.merchant_id = s.merchant_id AND p.imp_uid = s.imp_uid"
        " WHERE s.file_digest = $1 AND s.imp_uid IS NOT NULL AND p.imp_uid IS NULL ORDER BY s.position LIMIT 1",
    ),
)
