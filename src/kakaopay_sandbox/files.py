"""The file API's memory: files of whole days in Korea and the addresses they are handed out under (12, 14.14).

What KakaoPay says nothing about is a choice here: the times of day, the life of an address, the words of head and
errors, and that a day without any action has a file too, an empty one.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any

from kakaopay_sandbox.book import Book
from kakaopay_sandbox.clock import KST, wire_time
from kakaopay_sandbox.told_times import SECONDS_MAX, ToldTimes, told

CREATED_AFTER_SECONDS = 7 * 3600 + 30 * 60
AVAILABLE_AFTER_SECONDS = 8 * 3600
"""The file of a day is there from eight in the morning of the next one."""
AVAILABLE_DAYS = 5
ADDRESS_SECONDS = 10 * 60
_DAY_SECONDS = 24 * 3600


class Files:
    """Reads the actions of a day; what it hands out is remembered, so that an address survives a restart."""

    def __init__(self, book: Book, bucket_id: str, told_times: ToldTimes) -> None:
        self._book = book
        self._told_times = told_times
        self._bucket_id = bucket_id

    def is_there(self, target_date: str, bucket_id: str, now: int) -> bool:
        """Whether the file of a day, `yyyyMMdd`, can be had: from 08:00 of the next day on, for five days."""
        ends_at = _begins_at(target_date) + _DAY_SECONDS
        age = now - (ends_at + AVAILABLE_AFTER_SECONDS)
        return bucket_id == self._bucket_id and 0 <= age < AVAILABLE_DAYS * _DAY_SECONDS

    def hand_out(self, target_date: str, now: int) -> tuple[str, int]:
        """A new address for the file of a day, and when it ends."""
        name, expires_at = secrets.token_hex(32), now + ADDRESS_SECONDS
        self._book.insert("file_addresses", name=name, target_date=target_date, expires_at=expires_at)
        return name, expires_at

    def read(self, name: str, now: int) -> dict[str, Any] | None:
        """The file behind an address, or None when there is no such address any more."""
        row = self._book.one(
            "SELECT target_date FROM file_addresses WHERE name = :name AND expires_at > :now", name=name, now=now
        )
        return None if row is None else self._file(row["target_date"])

    def _file(self, target_date: str) -> dict[str, Any]:
        since = _begins_at(target_date)
        until = since + _DAY_SECONDS
        near = self._book.all(
            "SELECT a.*, o.cid, o.partner_order_id, o.payment_method_type FROM actions a JOIN orders o ON o.tid = a.tid"
            " WHERE a.at >= :since AND a.at < :until ORDER BY a.seq",
            since=since - 2 * SECONDS_MAX,
            until=until + 2 * SECONDS_MAX,
        )
        # A row lies in the file of the day that its own time tells, so each action is in one file.
        off = {row["aid"]: self._told_times.seconds_of_row(row["aid"]) for row in near}
        rows = [row for row in near if since <= row["at"] + off[row["aid"]] < until]
        return {
            "type": "PAYMENT",
            "bucket_id": self._bucket_id,
            "target_date": target_date,
            "file_created_at": wire_time(since + _DAY_SECONDS + CREATED_AFTER_SECONDS),
            "partner": "kakaopay-sandbox",
            "statistics": {
                name.lower(): {
                    "count": sum(row["action_type"] == name for row in rows),
                    "amount": sum(row["total"] for row in rows if row["action_type"] == name),
                }
                for name in ("PAYMENT", "CANCEL")
            },
            "data": [
                {
                    "cid": row["cid"],
                    "tid": row["tid"],
                    "aid": row["aid"],
                    "approved_at": told(row["at"], off[row["aid"]]),
                    "partner_order_id": row["partner_order_id"],
                    "payment_method_type": row["payment_method_type"],
                    "payment_action_type": row["action_type"],
                    "payment_detail_action_type": row["detail_type"],
                    "currency": "KRW",
                    "amount": row["total"],
                    "point_amount": 0,
                    "discount_amount": 0,
                    "green_deposit": row["green_deposit"],
                }
                for row in rows
            ],
        }


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
