"""The file API's memory: files of whole days in Korea and the addresses they are handed out under (12, 14.14).

What KakaoPay says nothing about is a choice here: the times of day, the life of an address, the fees, the days of
deposits, the words of head and errors, and that a day without any action has a file too, an empty one.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from sqlite3 import Row
from typing import Any

from kakaopay_sandbox.clock import KST, wire_time
from kakaopay_sandbox.database import Database
from kakaopay_sandbox.settings import Settings
from kakaopay_sandbox.time_offsets import SECONDS_MAX, TimeOffsets, offset_time

HALF_PAST_SEVEN = 7 * 3600 + 30 * 60
EIGHT = 8 * 3600
AVAILABLE_DAYS = 5
ADDRESS_SECONDS = 10 * 60
BANK_DAYS_TO_DEPOSIT = 2
FEE_PERCENT = 3
INTEREST_FREE_FEE_PERCENT = 1
"""Of a payment in instalments whose interest the merchant shares."""
_DAY_SECONDS = 24 * 3600
_WEEKEND = (5, 6)


class FileKind(StrEnum):
    """The three kinds of files; each has a bucket of its own."""

    PAYMENTS = "payments"
    SETTLEMENTS = "settlements"
    DEPOSITS = "deposits"


# When the file of a day is there, counted from the day's first second: payments from eight on the next morning,
# settlements from half past seven. Deposits are those that are made on the day, and told on its own morning.
_THERE_AFTER = {
    FileKind.PAYMENTS: _DAY_SECONDS + EIGHT,
    FileKind.SETTLEMENTS: _DAY_SECONDS + HALF_PAST_SEVEN,
    FileKind.DEPOSITS: HALF_PAST_SEVEN,
}


@dataclass(frozen=True, slots=True)
class _Reported:
    """One action as a file tells it: its columns, and the moment it is said to have happened at."""

    row: Row
    at: int

    @property
    def day(self) -> datetime:
        return datetime.fromtimestamp(self.at, KST).replace(hour=0, minute=0, second=0)


class Files:
    """Reads the actions of a day; what it hands out is remembered, so that an address survives a restart."""

    def __init__(self, database: Database, settings: Settings, time_offsets: TimeOffsets) -> None:
        self._database = database
        self._time_offsets = time_offsets
        self._buckets = {
            FileKind.PAYMENTS: settings.bucket_id,
            FileKind.SETTLEMENTS: settings.settlement_bucket_id,
            FileKind.DEPOSITS: settings.deposit_bucket_id,
        }

    def is_there(self, kind: FileKind, target_date: str, bucket_id: str, now: int) -> bool:
        """Whether the file of a day, `yyyyMMdd`, can be had: from its morning on, for five days."""
        age = now - (_begins_at(target_date) + _THERE_AFTER[kind])
        return bucket_id == self._buckets[kind] and 0 <= age < AVAILABLE_DAYS * _DAY_SECONDS

    def hand_out(self, kind: FileKind, target_date: str, now: int) -> tuple[str, int]:
        """A new address for the file of a day, and when it ends. Whoever knows the address may read the file."""
        name, expires_at = secrets.token_hex(32), now + ADDRESS_SECONDS
        self._database.insert(
            "file_addresses", name=name, kind=kind.value, target_date=target_date, expires_at=expires_at
        )
        return name, expires_at

    def read(self, name: str, now: int) -> dict[str, Any] | None:
        """The file behind an address, or None when there is no such address any more."""
        row = self._database.one(
            "SELECT kind, target_date FROM file_addresses WHERE name = :name AND expires_at > :now", name=name, now=now
        )
        return None if row is None else self._file(FileKind(row["kind"]), row["target_date"])

    def _file(self, kind: FileKind, target_date: str) -> dict[str, Any]:
        since = _begins_at(target_date)
        written_at = since + HALF_PAST_SEVEN + (0 if kind is FileKind.DEPOSITS else _DAY_SECONDS)
        head = {
            "type": kind.value.upper().removesuffix("S"),
            "bucket_id": self._buckets[kind],
            "target_date": target_date,
            "file_created_at": wire_time(written_at),
            "partner": "kakaopay-sandbox",
        }
        if kind is FileKind.DEPOSITS:
            return head | {"deposit_details": self._deposits(since)}
        actions = self._reported_between(since, since + _DAY_SECONDS)
        if kind is FileKind.PAYMENTS:
            return head | _with_statistics(actions, _payment_row)
        return head | _with_statistics(_settled(actions), _settlement_row)

    def _deposits(self, day: int) -> list[dict[str, Any]]:
        """What is paid out on a day: one entry for each day of payments that it is for."""
        # Two bank days reach back over a weekend at most.
        near = self._reported_between(day - (BANK_DAYS_TO_DEPOSIT + len(_WEEKEND) + 1) * _DAY_SECONDS, day)
        due = [one for one in _settled(near) if _deposit_day(one.day) == datetime.fromtimestamp(day, KST)]
        return [
            {"from_date": f"{of:%Y-%m-%d}", "to_date": f"{of:%Y-%m-%d}", "data": [_settlement_row(one) for one in ones]}
            for of, ones in groupby(sorted(due, key=lambda one: one.day), key=lambda one: one.day)
        ]

    def _reported_between(self, since: int, until: int) -> list[_Reported]:
        """The actions that are told of these days; each lies in the day that its own told time names."""
        near = self._database.all(
            "SELECT a.*, o.cid, o.partner_order_id, o.payment_method_type, o.total AS of_total, o.share_installment,"
            " o.install_month, (SELECT coalesce(sum(b.total), 0) FROM actions b WHERE b.tid = a.tid"
            " AND b.action_type = 'CANCEL' AND b.seq < a.seq) AS cancelled_before"
            " FROM actions a JOIN orders o ON o.tid = a.tid WHERE a.at >= :since AND a.at < :until ORDER BY a.seq",
            since=since - 2 * SECONDS_MAX,
            until=until + 2 * SECONDS_MAX,
        )
        actions = [_Reported(row, row["at"] + self._time_offsets.seconds_of_row(row["aid"])) for row in near]
        return [one for one in actions if since <= one.at < until]


def _with_statistics(actions: list[_Reported], row_of: Callable[[_Reported], dict[str, Any]]) -> dict[str, Any]:
    def sum_of(action_type: str) -> dict[str, int]:
        totals = [one.row["total"] for one in actions if one.row["action_type"] == action_type]
        return {"count": len(totals), "amount": sum(totals)}

    return {
        "statistics": {"payment": sum_of("PAYMENT"), "cancel": sum_of("CANCEL")},
        "data": [row_of(one) for one in actions],
    }


def _settled(actions: Iterable[_Reported]) -> list[_Reported]:
    """What is settled: no issue without money, and nothing that was wholly given back on the day of its payment."""
    moved = [one for one in actions if one.row["action_type"] != "ISSUED_SID"]
    given_back: dict[tuple[str, datetime], int] = {}
    for one in moved:
        if one.row["action_type"] == "CANCEL":
            key = (one.row["tid"], one.day)
            given_back[key] = given_back.get(key, 0) + one.row["total"]
    paid_on = {one.row["tid"]: one.day for one in moved if one.row["action_type"] == "PAYMENT"}
    undone = {
        tid
        for one in moved
        if (tid := one.row["tid"]) in paid_on and given_back.get((tid, paid_on[tid]), 0) == one.row["of_total"]
    }
    return [one for one in moved if one.row["tid"] not in undone]


def _payment_row(one: _Reported) -> dict[str, Any]:
    row = one.row
    return {
        "cid": row["cid"],
        "tid": row["tid"],
        "aid": row["aid"],
        "approved_at": offset_time(one.at, 0),
        "partner_order_id": row["partner_order_id"],
        "payment_method_type": row["payment_method_type"],
        "payment_action_type": row["action_type"],
        "payment_detail_action_type": row["detail_type"],
        "currency": "KRW",
        "amount": row["total"],
        "point_amount": row["point"],
        "discount_amount": row["discount"],
        "green_deposit": row["green_deposit"],
    }


def _settlement_row(one: _Reported) -> dict[str, Any]:
    """A row of a payment with what KakaoPay keeps; in a cancel's row these are what it gives back."""
    fee, fee_vat = _fee_of(one, FEE_PERCENT)
    is_shared = one.row["share_installment"] and one.row["install_month"] > 1
    interest_fee, interest_vat = _fee_of(one, INTEREST_FREE_FEE_PERCENT) if is_shared else (0, 0)
    return _payment_row(one) | {
        "fee": fee,
        "fee_vat": fee_vat,
        "interest_free_fee": interest_fee,
        "interest_free_fee_vat": interest_vat,
        "amount_payable": one.row["total"] - fee - fee_vat - interest_fee - interest_vat,
        "deposit_date": f"{_deposit_day(one.day):%Y-%m-%d}",
    }


def _fee_of(one: _Reported, percent: int) -> tuple[int, int]:
    """A fee and its VAT. Those of several cancels sum to what they would be for all of them at once."""
    before = one.row["cancelled_before"] if one.row["action_type"] == "CANCEL" else 0
    after = before + one.row["total"]
    fees = [(won * percent + 50) // 100 for won in (before, after)]
    vats = [(fee + 5) // 10 for fee in fees]
    return fees[1] - fees[0], vats[1] - vats[0]


def _deposit_day(day: datetime) -> datetime:
    """The day on which payments of a day are paid out; holidays are not known here."""
    left = BANK_DAYS_TO_DEPOSIT
    while left:
        day += timedelta(days=1)
        left -= day.weekday() not in _WEEKEND
    return day


def is_day(target_date: str) -> bool:
    """Whether a text is a day as the file API writes it."""
    try:
        _begins_at(target_date)
    except ValueError:
        return False
    return len(target_date) == 8 and target_date.isascii() and target_date.isdigit()


def _begins_at(target_date: str) -> int:
    """The first second of a day in Korea, since the epoch."""
    day = datetime.strptime(target_date, "%Y%m%d").replace(tzinfo=KST)
    return (day - datetime.fromtimestamp(0, KST)) // timedelta(seconds=1)
