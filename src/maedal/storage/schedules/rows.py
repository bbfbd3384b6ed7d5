"""Scheduled charges as rows."""

from __future__ import annotations

from typing import Any

from maedal.payments.attempt import DeclineReason
from maedal.payments.money import Currency, Money, Price
from maedal.payments.payment import Buyer, KeyUse, Order
from maedal.schedules.hold import Hold
from maedal.schedules.recovery import NextTry
from maedal.schedules.schedule import Schedule, ScheduleStatus
from maedal.storage.engine.reading import moment, moment_not_null
from maedal.storage.engine.steps import Row

PACE = "catching up"
SCHEDULE_COLUMNS = (
    "merchant_id", "merchant_uid", "customer_uid", "channel_id", "schedule_at", "amount", "tax_free", "currency",
    "name", "quantity", "buyer_name", "buyer_email", "buyer_tel", "buyer_addr", "buyer_postcode", "custom_data",
    "notice_url", "status", "imp_uid", "executed_at", "revoked_at", "lease_id", "leased_until", "inserted_at",
    "next_try_at", "next_try_reason", "tries", "try_lease_id", "try_leased_until", "waits_until",
)  # fmt: skip
# Not among those that a new plan takes over: a hold goes only by being released, or with what it held.
HOLD_COLUMNS = ("held_at", "held_by", "held_reason")


def schedule_of(row: Row) -> Schedule:
    """Return the schedule; whoever reads it adds its payment."""
    currency, next_try_at, held_at = Currency(row["currency"]), moment(row["next_try_at"]), moment(row["held_at"])
    order = Order(
        merchant_uid=row["merchant_uid"],
        name=row["name"],
        price=Price(Money(row["amount"], currency), Money(row["tax_free"], currency)),
        buyer=Buyer(row["buyer_name"], row["buyer_email"], row["buyer_tel"], row["buyer_addr"], row["buyer_postcode"]),
        customer_uid=row["customer_uid"],
        key_use=KeyUse.SCHEDULED,
        custom_data=row["custom_data"],
        notice_urls=(row["notice_url"],) if row["notice_url"] else (),
        quantity=row["quantity"],
    )
    return Schedule(
        merchant_id=row["merchant_id"],
        order=order,
        channel_id=row["channel_id"],
        schedule_at=moment_not_null(row["schedule_at"]),
        inserted_at=moment_not_null(row["inserted_at"]),
        status=ScheduleStatus(row["status"]),
        imp_uid=row["imp_uid"],
        executed_at=moment(row["executed_at"]),
        revoked_at=moment(row["revoked_at"]),
        lease_id=row["lease_id"] or row["try_lease_id"],
        next_try=None if next_try_at is None else NextTry(next_try_at, DeclineReason(row["next_try_reason"])),
        tries=row["tries"],
        by_claim=bool(row["by_claim"]),
        hold=None if held_at is None else Hold(held_at, row["held_by"], row["held_reason"]),
    )


def hold_values(hold: Hold | None) -> tuple[Any, ...]:
    return (None, None, None) if hold is None else (hold.at, hold.who, hold.reason)


def new_schedule_values(s: Schedule) -> tuple[Any, ...]:
    """Return the columns of a charge that waits."""
    o, b = s.order, s.order.buyer
    assert s.status is ScheduleStatus.SCHEDULED, s.status
    assert len(o.notice_urls) <= 1, "a scheduled charge tells one address"
    return (
        s.merchant_id, o.merchant_uid, o.customer_uid, s.channel_id, s.schedule_at, o.price.total.amount,
        o.price.tax_free.amount, o.price.total.currency, o.name, o.quantity, b.name, b.email, b.tel, b.addr,
        b.postcode, o.custom_data, o.notice_urls[0] if o.notice_urls else None, s.status, None, None, None, None, None,
        s.inserted_at, None, None, 0, None, None, None,
    )  # fmt: skip


def schedule_values(s: Schedule) -> tuple[Any, ...]:
    """Return the columns of a scheduled charge as it stands, then those of its hold; claims and waits are left out."""
    o, b = s.order, s.order.buyer
    return (
        s.merchant_id, o.merchant_uid, o.customer_uid, s.channel_id, s.schedule_at, o.price.total.amount,
        o.price.tax_free.amount, o.price.total.currency, o.name, o.quantity, b.name, b.email, b.tel, b.addr,
        b.postcode, o.custom_data, o.notice_urls[0] if o.notice_urls else None, s.status, s.imp_uid, s.executed_at,
        s.revoked_at, None, None, s.inserted_at, s.next_try.at if s.next_try else None,
        s.next_try.reason if s.next_try else None, s.tries, None, None, None, *hold_values(s.hold),
    )  # fmt: skip
