"""Lists of payments in SQL: index ranges that end early, and counts that end somewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from maedal.payments.moves import Status
from maedal.payments.notes import NoteSubject
from maedal.storage.engine.reading import SqlReads, like, moment_not_null
from maedal.storage.failed_with import failed_with
from maedal.storage.notes.reads import TAGGED_MAX
from maedal.storage.payment_lists.reads import (
    Basis,
    Export,
    FoundBy,
    ListFilter,
    ListOrder,
    ListPage,
    ListQuery,
    PaymentCounts,
    PaymentStanding,
    Place,
    SavedView,
    Use,
)
from maedal.storage.payment_lists.rows import export_of, view_of
from maedal.storage.payment_lists.search_terms import AFTER_ALL, asked_terms
from maedal.storage.payment_lists.search_text import borders, spellings, written
from maedal.storage.payments.rows import payment_of

BEHIND = "SELECT count(*) AS count FROM (SELECT id FROM payments_to_text ORDER BY id LIMIT $1) AS here"
VIEWS = """
SELECT v.*, u.name AS user_name FROM payment_views v JOIN users u ON u.id = v.user_id
 WHERE v.merchant_id = $1 AND (v.shared OR v.user_id = $2) ORDER BY v.name, v.id LIMIT $3
"""
COLUMNS = "SELECT columns FROM payment_columns WHERE user_id = $1"
EXPORT = "SELECT * FROM exports WHERE user_id = $1 AND id = $2"
# A word that is found is found as a whole first: shorter terms come before those that go on.
FOUND_BY = """
SELECT kind, subject, imp_uid FROM search_terms
 WHERE merchant_id = $1 AND term >= $2 AND term < $3 ORDER BY term, kind, subject LIMIT $4
"""
SEEN_MAX = 100_000
"""How many of a span's payments are looked at to count them: some 0.05 s."""
SEEN_MAX_OF_STATUS = 50_000
"""The same by status time, of each status."""
FOUND_MAX = 5_000
"""How many that have a word are counted."""
LOOKED_MAX = 500_000
"""How many of a span's payments are looked through for one page by filters that no index answers: some 0.1 s."""
ROWS_MAX = 1000
VIEWS_MAX = 200
COLUMN = {Basis.REQUESTED: "started_at", Basis.PAID: "paid_at", Basis.STATUS: "status_at"}
STATUSES = {
    PaymentStanding.PAID: (Status.PAID,),
    PaymentStanding.FAILED: (Status.FAILED,),
    PaymentStanding.CANCELLED: (Status.CANCELLED,),
    PaymentStanding.PARTLY: (Status.CANCELLED,),
    PaymentStanding.WHOLLY: (Status.CANCELLED,),
    PaymentStanding.WAITING: (Status.READY, Status.CALLING),
    PaymentStanding.UNKNOWN: (Status.UNKNOWN,),
}
OF_STATUS = {
    status: standing
    for standing in PaymentStanding
    if standing not in {PaymentStanding.PARTLY, PaymentStanding.WHOLLY}
    for status in STATUSES[standing]
}


class SqlPaymentListReads(SqlReads):
    """The `PaymentListReads` (see reads.py) of a store in SQL."""

    async def page(self, merchant_id: str, wanted: ListQuery) -> ListPage:
        assert wanted.limit <= ROWS_MAX, "a bounded number of rows"
        query = _Query(self._engine.name, merchant_id, wanted.filter)
        rows = await self._engine.fetch_planned(query.rows(wanted), *query.values)
        payments = [payment_of(row) for row in rows[: wanted.limit]]
        more = len(rows) > wanted.limit
        looked_until, in_parts = None, query.looks_through(wanted)
        if not more and in_parts:
            until = _Query(self._engine.name, merchant_id, wanted.filter)
            last = await self._engine.fetch_planned(until.last_looked_at(wanted), *until.values)
            if len(last) > 1:
                value = moment_not_null(last[0]["place"])
                looked_until = Place(value, last[0]["imp_uid"])
        return ListPage(payments[::-1] if wanted.backwards else payments, more, looked_until, in_parts)

    async def counts(self, merchant_id: str, wanted: ListFilter) -> PaymentCounts:
        query = _Query(self._engine.name, merchant_id, wanted)
        rows = await self._engine.fetch_planned(query.counts(), *query.values)
        of = dict.fromkeys(PaymentStanding, 0)
        by_status: Counter[str] = Counter()
        for row in rows:
            standing = OF_STATUS[Status(row["status"])]
            of[standing] += row["found"]
            if standing is PaymentStanding.CANCELLED:
                of[PaymentStanding.WHOLLY if row["whole"] else PaymentStanding.PARTLY] += row["found"]
            by_status[row["status"]] += row["seen"]
        if wanted.word or wanted.tag:
            return PaymentCounts(of, by_status.total() <= FOUND_MAX)
        if wanted.basis is Basis.STATUS:
            return PaymentCounts(of, all(seen <= SEEN_MAX_OF_STATUS for seen in by_status.values()))
        return PaymentCounts(of, by_status.total() <= SEEN_MAX)

    async def texts_behind(self, count_max: int) -> int:
        rows = await self._engine.fetch(BEHIND, count_max)
        count: int = rows[0]["count"]
        return count

    async def found_by(self, merchant_id: str, word: str, limit: int) -> Sequence[FoundBy]:
        assert limit <= ROWS_MAX, "a bounded number of rows"
        found: dict[FoundBy, None] = {}
        for term in asked_terms(word):
            # One may be found by several terms.
            rows = await self._engine.fetch(FOUND_BY, merchant_id, term, term + AFTER_ALL, limit)
            for row in rows:
                customer_uid = row["subject"] if row["kind"] == "customer" else None
                found[FoundBy(customer_uid, row["imp_uid"])] = None
        return list(found)[:limit]

    async def views(self, merchant_id: str, operator_id: str) -> Sequence[SavedView]:
        rows = await self._engine.fetch(VIEWS, merchant_id, operator_id, VIEWS_MAX)
        return [view_of(row) for row in rows]

    async def columns(self, operator_id: str) -> str | None:
        rows = await self._engine.fetch(COLUMNS, operator_id)
        return rows[0]["columns"] if rows else None

    async def export(self, operator_id: str, export_id: str) -> Export | None:
        rows = await self._engine.fetch(EXPORT, operator_id, export_id)
        return export_of(rows[0]) if rows else None


class _Query:
    """The SQL of one filter, and its values. Texts are constants of this module; what people typed is a value."""

    def __init__(self, engine: str, merchant_id: str, wanted: ListFilter) -> None:
        self._engine = engine
        self._wanted = wanted
        self.values: list[Any] = []
        self._merchant = self._value(merchant_id)
        self._time = COLUMN[wanted.basis]

    def rows(self, wanted: ListQuery) -> str:
        """Return the SQL of one row more than are wanted, in the direction that is wanted."""
        by_amount = wanted.order in {ListOrder.LARGEST, ListOrder.SMALLEST}
        down = (wanted.order in {ListOrder.NEWEST, ListOrder.LARGEST}) is not wanted.backwards
        looks_through = self.looks_through(wanted)
        of = "found" if looks_through else "p"
        key = f"{of}.amount" if by_amount else f"{of}.{self._time}"
        source = f"({self._looked_through(wanted)}) found" if looks_through else self._tables()
        conditions = self._what(of) if looks_through else [*self._span(), *self._what(), *self._word()]
        if wanted.place is not None and not looks_through:
            place = wanted.place
            conditions.append(
                f"({key}, p.imp_uid) {'<' if down else '>'} ({self._value(place.value)}, {self._value(place.imp_uid)})"
            )
        direction = "DESC" if down else "ASC"
        limit = self._value(wanted.limit + 1)
        parts = [
            f"SELECT {of}.imp_uid, {key} AS place FROM {source} WHERE {' AND '.join([*conditions, *statuses])}"
            f" ORDER BY {key} {direction}, {of}.imp_uid {direction} LIMIT {limit}"
            for statuses in self._statuses(of)
        ]
        one = parts[0] if len(parts) == 1 else _union(parts, f"ORDER BY place {direction}, imp_uid {direction}", limit)
        return (
            f"WITH here AS ({one}) SELECT p.* FROM here CROSS JOIN payments p WHERE p.merchant_id = {self._merchant}"
            f" AND p.imp_uid = here.imp_uid ORDER BY here.place {direction}, p.imp_uid {direction}"
        )

    def looks_through(self, wanted: ListQuery) -> bool:
        """Return whether it looks through a list in the order of its time, up to a bound, for what filters leave."""
        return (
            wanted.bounded
            and not wanted.backwards
            and wanted.order in {ListOrder.NEWEST, ListOrder.OLDEST}
            and not wanted.filter.word
            and not wanted.filter.tag
            and wanted.filter.basis is not Basis.STATUS
            and self._filters()
        )

    def _filters(self) -> bool:
        """Return whether anything but the span is asked for."""
        wanted = self._wanted
        return any(
            value is not None
            for value in (
                wanted.standing, wanted.method, wanted.use, wanted.test_mode, wanted.channel_id, wanted.origin,
                wanted.amount_from, wanted.amount_to, wanted.failed_with, wanted.refund_kind,
            )
        )  # fmt: skip

    def _looked_through(self, wanted: ListQuery, more: int = 0) -> str:
        """Return the SQL of all that is looked through, whatever the filters say, and of so many more."""
        direction = "DESC" if wanted.order is ListOrder.NEWEST else "ASC"
        conditions = self._span()
        if wanted.place is not None:
            conditions.append(
                f"(p.{self._time}, p.imp_uid) {'<' if direction == 'DESC' else '>'}"
                f" ({self._value(wanted.place.value)}, {self._value(wanted.place.imp_uid)})"
            )
        return (
            f"SELECT p.imp_uid, p.{self._time}, p.status, p.amount, p.cancelled_amount, p.method, p.key_use,"
            f" p.test_mode, p.channel_id, p.origin FROM payments p WHERE {' AND '.join(conditions)}"
            f" ORDER BY p.{self._time} {direction}, p.imp_uid {direction} LIMIT {LOOKED_MAX + more}"
        )

    def last_looked_at(self, wanted: ListQuery) -> str:
        """Return the SQL of the place where looking ended and of the next one; of one at most when that was the end."""
        return (
            f"SELECT found.imp_uid, found.{self._time} AS place FROM ({self._looked_through(wanted, more=1)}) found"
            f" LIMIT 2 OFFSET {LOOKED_MAX - 1}"
        )

    def counts(self) -> str:
        """Return the SQL that counts by status and whether all was cancelled, up to a bound."""
        columns = "p.status, p.amount, p.cancelled_amount"
        if self._wanted.word or self._wanted.tag:
            conditions = " AND ".join([*self._span(), *self._what(standing=False), *self._word()])
            inner = f"SELECT {columns} FROM {self._tables()} WHERE {conditions} LIMIT {FOUND_MAX + 1}"
            counted = "1 = 1"
        else:
            columns += ", p.method, p.key_use, p.test_mode, p.channel_id, p.origin, p.imp_uid"
            span = " AND ".join(self._span())
            seen_max = SEEN_MAX_OF_STATUS if self._wanted.basis is Basis.STATUS else SEEN_MAX
            parts = [
                f"SELECT {columns} FROM payments p WHERE {' AND '.join([span, *statuses])}"
                f" ORDER BY p.{self._time} DESC LIMIT {seen_max + 1}"
                for statuses in self._statuses(standing=False)
            ]
            inner = parts[0] if len(parts) == 1 else _union(parts)
            counted = " AND ".join(self._what("here", standing=False)) or "1 = 1"
        return (
            f"WITH here AS ({inner}) SELECT here.status, here.cancelled_amount = here.amount AS whole,"
            f" count(*) AS seen, sum(CASE WHEN {counted} THEN 1 ELSE 0 END) AS found FROM here GROUP BY 1, 2"
        )

    def _value(self, value: Any) -> str:
        self.values.append(value)
        return f"${len(self.values)}"

    def _tables(self) -> str:
        tables = "payments p"
        if self._wanted.tag:
            tables = (
                f"(SELECT g.subject FROM tags g WHERE g.merchant_id = {self._merchant}"
                f" AND g.kind = '{NoteSubject.PAYMENT}' AND g.tag = {self._value(self._wanted.tag)}"
                f" ORDER BY g.tagged_at DESC LIMIT {TAGGED_MAX}) bounded"
                f" JOIN payments p ON p.merchant_id = {self._merchant} AND p.imp_uid = bounded.subject"
            )
        if self._wanted.word:
            tables += " JOIN payment_texts x ON x.merchant_id = p.merchant_id AND x.imp_uid = p.imp_uid"
        return tables

    def _span(self) -> list[str]:
        wanted = self._wanted
        conditions = [f"p.merchant_id = {self._merchant}"]
        if wanted.basis is Basis.PAID:
            conditions.append("p.paid_at IS NOT NULL")
        if wanted.since is not None:
            conditions.append(f"p.{self._time} >= {self._value(wanted.since)}")
        if wanted.before is not None:
            conditions.append(f"p.{self._time} < {self._value(wanted.before)}")
        return conditions

    def _statuses(self, table: str = "p", *, standing: bool = True) -> list[list[str]]:
        """Return what the status may be, one part for each range of the index."""
        requested = self._wanted.standing if standing else None
        if requested is None and self._wanted.failed_with is not None:
            requested = PaymentStanding.FAILED
        if requested is None and self._wanted.refund_kind is not None:
            requested = PaymentStanding.CANCELLED
        statuses = tuple(Status) if requested is None else STATUSES[requested]
        if self._wanted.basis is Basis.STATUS and not ((self._wanted.word or self._wanted.tag) and not standing):
            return [[f"{table}.status = '{status.value}'"] for status in statuses]
        if requested is None:
            return [[]]
        return [[f"{table}.status IN ({', '.join(repr(status.value) for status in statuses)})"]]

    def _what(self, table: str = "p", *, standing: bool = True) -> list[str]:
        wanted = self._wanted
        conditions = []
        if standing and wanted.standing in {PaymentStanding.PARTLY, PaymentStanding.WHOLLY}:
            conditions.append(
                f"{table}.cancelled_amount {'<' if wanted.standing is PaymentStanding.PARTLY else '='} {table}.amount"
            )
        if wanted.use is Use.ONE_TIME:
            conditions.append(f"{table}.key_use IS NULL")
        elif wanted.use is not None:
            conditions.append(f"{table}.key_use = {self._value(wanted.use)}")
        for condition, value in (
            ("method =", wanted.method),
            ("test_mode =", wanted.test_mode),
            ("channel_id =", wanted.channel_id),
            ("origin =", wanted.origin),
            ("amount >=", wanted.amount_from),
            ("amount <=", wanted.amount_to),
        ):
            if value is not None:
                conditions.append(f"{table}.{condition} {self._value(value)}")
        if wanted.failed_with is not None:
            conditions += [
                f"{table}.status = '{Status.FAILED}'",
                failed_with(wanted.failed_with, self._merchant, f"{table}.imp_uid", self._value),
            ]
        if wanted.refund_kind is not None:
            conditions += [
                f"{table}.status = '{Status.CANCELLED}'",
                # No index has it: the cancels of each cancelled payment are looked up.
                (
                    f"EXISTS (SELECT 1 FROM cancellations c WHERE c.merchant_id = {self._merchant}"
                    f" AND c.imp_uid = {table}.imp_uid AND c.reason_kind = {self._value(wanted.refund_kind)}"
                    " AND c.done_at IS NOT NULL)"
                ),
            ]
        return conditions

    def _word(self) -> list[str]:
        wanted = self._wanted
        if not wanted.word:
            return []
        words = [written(word) for word in spellings(wanted.word)]
        if self._engine == "postgresql":
            position = "strpos"
            conditions = [f"x.merchant_id = {self._merchant}"]
            conditions.append(_any_of(f"x.text LIKE {self._value(like(word))}" for word in words))
        else:
            position = "instr"
            conditions = [_any_of(f"instr(x.text, {self._value(word)}) > 0" for word in words)]
        if wanted.field is not None:
            start, end = (f"{position}(x.text, {self._value(mark)})" for mark in borders(wanted.field))
            part = f"substr(x.text, {start}, {end} - {start})"
            conditions.append(_any_of(f"{position}({part}, {self._value(word)}) > 0" for word in words))
        return conditions


def _any_of(conditions: Iterable[str]) -> str:
    return f"({' OR '.join(conditions)})"


def _union(parts: Sequence[str], order: str = "", limit: str = "") -> str:
    """Return all rows of the parts, each of which is ordered and ends by itself."""
    text = " UNION ALL ".join(f"SELECT * FROM ({part}) AS t" for part in parts)
    return f"{text} {order} LIMIT {limit}" if order else text
