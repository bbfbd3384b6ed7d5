"""KakaoPay's file of a day (docs/wire/kakaopay.md 12): its form, its rows, and whether they add up."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from maedal.billing_keys.last_approval import TIME_TOLERANCE
from maedal.payments.money import AMOUNT_MAX
from maedal.pg.driver import PgReply, Unreadable
from maedal.pg.kakaopay import fields
from maedal.reconciliation.settlement import Action, SettlementRow, day_of

FILE_HOSTS = ".kakaopay.com"
"""Where a file may lie. Its address is read from a reply, and the key goes there too."""
NO_FILE = "no uploaded file!"


def is_of(day: date, reported: datetime) -> bool:
    """Return whether a time in a day's file may be of that day: at midnight the second that is told decides nothing."""
    return day in {day_of(reported - TIME_TOLERANCE), day_of(reported + TIME_TOLERANCE)}


class _Sum(msgspec.Struct):
    count: int
    amount: int


class _Statistics(msgspec.Struct):
    payment: _Sum
    cancel: _Sum


class _FileRow(msgspec.Struct):
    """One row; fields that nothing here acts on are left out."""

    cid: str
    tid: str
    aid: str
    approved_at: str
    partner_order_id: str
    payment_action_type: str
    currency: str
    amount: int
    payment_method_type: str | None = None


class File(msgspec.Struct):
    bucket_id: str
    target_date: str
    statistics: _Statistics
    data: list[_FileRow]
    file_created_at: str = ""


_ACTIONS = {"PAYMENT": Action.PAYMENT, "CANCEL": Action.CANCEL, "ISSUED_SID": Action.ISSUE}


def settlement_row(row: _FileRow) -> SettlementRow:
    """Return a row as we name its parts. Raises Unreadable for one that cannot be."""
    action = _ACTIONS.get(row.payment_action_type)
    if action is None or row.currency != "KRW":
        raise Unreadable("the file has a row of a kind or currency that is not in the documentation")
    # Nobody has published the sign of a cancel; the kind of the row tells the direction.
    amount = abs(row.amount) if action is Action.CANCEL else row.amount
    if amount < 0 or (amount == 0) is not (action is Action.ISSUE) or amount > AMOUNT_MAX:
        raise Unreadable("the file has a row with an amount that cannot be")
    if not 0 < len(row.partner_order_id) <= 100 or "\0" in row.partner_order_id or len(row.cid) > 100:
        raise Unreadable("the file has a row without an order number")
    if fields.PG_ID.fullmatch(row.tid) is None or fields.PG_ID.fullmatch(row.aid) is None:
        raise Unreadable("the file has a row whose tid or aid is none")
    return SettlementRow(
        pg_merchant_id=row.cid,
        order_id=row.partner_order_id,
        pg_tid=row.tid,
        pg_aid=row.aid,
        action=action,
        amount=amount,
        method=fields.METHODS.get(row.payment_method_type or ""),
        happened_at=fields.moment(row.approved_at),
    )


def check_sums(statistics: _Statistics, rows: tuple[SettlementRow, ...]) -> None:
    """Raise Unreadable unless the rows are as many and as much as the file says of itself."""
    issues = sum(row.action is Action.ISSUE for row in rows)
    for name, action, sum_ in (
        ("payment", Action.PAYMENT, statistics.payment),
        ("cancel", Action.CANCEL, statistics.cancel),
    ):
        amounts = [row.amount for row in rows if row.action is action]
        # Whether an issue without payment counts among the payments is not known.
        counts = {len(amounts), len(amounts) + issues} if action is Action.PAYMENT else {len(amounts)}
        if abs(sum_.amount) != sum(amounts) or sum_.count not in counts:
            raise Unreadable(f"the file's own sum of {name} rows is another than that of its rows")


def file_time(text: str) -> datetime | None:
    """Read when a file was written. Its form is not known for certain; another than expected is no time."""
    try:
        return fields.moment(text.replace(" ", "T", 1))
    except Unreadable:
        return None


def file_error(reply: PgReply) -> str:
    """Read what an error of the file API says, for people."""
    try:
        message = fields.json_object(reply).get("message")
    except Unreadable:
        return ""
    return "".join(c for c in str(message or "")[:200] if c.isprintable())
