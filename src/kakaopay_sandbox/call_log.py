"""The log of every call and every act of the buyer, for tests and people (docs/wire/kakaopay.md, 14.15)."""

from dataclasses import dataclass, fields
from sqlite3 import Row

from kakaopay_sandbox.clock import zoned_time
from kakaopay_sandbox.database import Database


@dataclass(slots=True)
class Entry:
    """One line, filled in while the call goes on.

    `outcome` says what the simulator did, whether or not the caller ever heard of it: ready, approved,
    issued, cancelled, deactivated, answered, declined, refused, not_performed, error; of the buyer's acts
    authenticated, failed, quit, deactivated. `fault` names what a test made go wrong.
    """

    operation: str
    outcome: str = "refused"
    family: str | None = None
    cid: str | None = None
    tid: str | None = None
    sid: str | None = None
    aid: str | None = None
    partner_order_id: str | None = None
    partner_user_id: str | None = None
    amount: int | None = None
    payment_method_type: str | None = None
    error_code: int | None = None
    method_result_code: str | None = None
    fault: str | None = None


COLUMNS = tuple(field.name for field in fields(Entry))
FILTERS = COLUMNS


class CallLog:
    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, entry: Entry, at: int) -> None:
        self._database.insert("journal", at=at, **{name: getattr(entry, name) for name in COLUMNS})

    def struck(self, limit: int) -> list[dict[str, object]]:
        """Lines of calls that a fault has met, and of refunds at the PG; newest first."""
        rows = self._database.all(
            "SELECT * FROM journal WHERE fault IS NOT NULL OR operation = 'refund' ORDER BY seq DESC LIMIT :limit",
            limit=limit,
        )
        return [_shown(row) for row in rows]

    def read(
        self, filters: dict[str, str], *, after: int = 0, limit: int = -1, newest_first: bool = False
    ) -> list[dict[str, object]]:
        """Lines whose columns equal `filters`, as JSON objects with `seq` and a zoned `time`."""
        where = "".join(f" AND CAST({name} AS TEXT) = :{name}" for name in filters if name in FILTERS)
        order = "DESC" if newest_first else "ASC"
        rows = self._database.all(
            f"SELECT * FROM journal WHERE seq > :after{where} ORDER BY seq {order} LIMIT :limit",
            after=after,
            limit=limit,
            **filters,
        )
        return [_shown(row) for row in rows]


def _shown(row: Row) -> dict[str, object]:
    return {"seq": row["seq"], "time": zoned_time(row["at"]), **{name: row[name] for name in COLUMNS}}
