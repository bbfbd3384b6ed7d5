"""Plans as rows, and back. Days are kept like 2028-02-29, which sorts as they do."""

from __future__ import annotations

import json
from datetime import date, time
from typing import Any

from maedal.payments.money import Currency, Money, Price
from maedal.payments.payment import Buyer
from maedal.plans.calendar import DateRule, IntervalUnit
from maedal.plans.holiday import OwnHoliday
from maedal.plans.plan import (
    AmountChange,
    Consent,
    ConsentKind,
    Occurrence,
    OccurrenceState,
    PauseReason,
    Plan,
    PlanStatus,
    won,
)
from maedal.storage.engine.reading import moment, moment_not_null
from maedal.storage.engine.steps import Row

PLAN_COLUMNS = (
    "merchant_id", "plan_uid", "customer_uid", "channel_id", "name", "amount", "tax_free", "currency", "buyer_name",
    "buyer_email", "buyer_tel", "buyer_addr", "buyer_postcode", "custom_data", "notice_url", "interval_unit",
    "interval_count", "starts_on", "anchor_day", "trial_until", "ends_on", "not_before", "business_day", "status",
    "pause_reason", "resumes_on", "changes", "skips", "next_on", "planned_on", "planned_due_at", "planned_amount",
    "planned_tax_free", "charging", "needs_consent_on", "look_at", "revision", "created_at", "updated_at",
)  # fmt: skip
OCCURRENCE_COLUMNS = (
    "merchant_id", "plan_uid", "on_day", "state", "charge_on", "due_at", "amount", "tax_free", "written_at",
)  # fmt: skip
CONSENT_COLUMNS = ("merchant_id", "plan_uid", "id", "kind", "amount", "agreed_at", "proof", "who", "recorded_at")
HOLIDAY_COLUMNS = ("merchant_id", "on_day", "closed", "name", "who", "written_at")


def plan_of(row: Row) -> Plan:
    """Return the plan of a row."""
    currency = Currency(row["currency"])
    unit, next_on = IntervalUnit(row["interval_unit"]), date.fromisoformat(row["next_on"])
    planned = None
    if row["planned_on"] is not None:
        price = Price(Money(row["planned_amount"], currency), Money(row["planned_tax_free"], currency))
        due_at = moment_not_null(row["planned_due_at"])
        planned = Occurrence(next_on, OccurrenceState.SCHEDULED, date.fromisoformat(row["planned_on"]), due_at, price)
    return Plan(
        merchant_id=row["merchant_id"],
        plan_uid=row["plan_uid"],
        customer_uid=row["customer_uid"],
        channel_id=row["channel_id"],
        name=row["name"],
        price=Price(Money(row["amount"], currency), Money(row["tax_free"], currency)),
        rule=DateRule(unit, row["interval_count"], date.fromisoformat(row["starts_on"]), row["anchor_day"]),
        next_on=next_on,
        created_at=moment_not_null(row["created_at"]),
        updated_at=moment_not_null(row["updated_at"]),
        buyer=Buyer(row["buyer_name"], row["buyer_email"], row["buyer_tel"], row["buyer_addr"], row["buyer_postcode"]),
        custom_data=row["custom_data"],
        notice_url=row["notice_url"],
        trial_until=_day(row["trial_until"]),
        ends_on=_day(row["ends_on"]),
        not_before=time.fromisoformat(row["not_before"]),
        moves_to_business_day=bool(row["business_day"]),
        status=PlanStatus(row["status"]),
        pause_reason=PauseReason(row["pause_reason"]) if row["pause_reason"] else None,
        resumes_on=_day(row["resumes_on"]),
        changes=tuple(
            AmountChange(date.fromisoformat(one["from_on"]), won(one["amount"], one["tax_free"]))
            for one in json.loads(row["changes"])
        ),
        skips=tuple(date.fromisoformat(day) for day in row["skips"].split(",") if day),
        planned=planned,
        charging=bool(row["charging"]),
        needs_consent_on=_day(row["needs_consent_on"]),
        look_at=moment(row["look_at"]),
        revision=row["revision"],
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def plan_values(p: Plan) -> tuple[Any, ...]:
    """Return the columns of a plan."""
    b, rule, planned = p.buyer, p.rule, p.planned
    assert planned is None or planned.price is not None, "what is planned has its price"
    changes = [
        {"from_on": c.from_on.isoformat(), "amount": c.price.total.amount, "tax_free": c.price.tax_free.amount}
        for c in p.changes
    ]
    return (
        p.merchant_id, p.plan_uid, p.customer_uid, p.channel_id, p.name, p.price.total.amount, p.price.tax_free.amount,
        p.price.total.currency, b.name, b.email, b.tel, b.addr, b.postcode, p.custom_data, p.notice_url, rule.unit,
        rule.count, rule.starts_on.isoformat(), rule.anchor_day, _text(p.trial_until), _text(p.ends_on),
        f"{p.not_before:%H:%M}", p.moves_to_business_day, p.status, p.pause_reason, _text(p.resumes_on),
        json.dumps(changes), ",".join(day.isoformat() for day in p.skips), p.next_on.isoformat(),
        _text(planned.charge_on) if planned else None, planned.due_at if planned else None,
        planned.price.total.amount if planned and planned.price else None,
        planned.price.tax_free.amount if planned and planned.price else None, p.charging, _text(p.needs_consent_on),
        p.look_at, p.revision, p.created_at, p.updated_at,
    )  # fmt: skip


def occurrence_of(row: Row) -> Occurrence:
    """Return the occurrence of a row."""
    price = None if row["amount"] is None else won(row["amount"], row["tax_free"] or 0)
    on, charge_on = date.fromisoformat(row["on_day"]), _day(row["charge_on"])
    return Occurrence(on, OccurrenceState(row["state"]), charge_on, moment(row["due_at"]), price)


def consent_of(row: Row) -> Consent:
    """Return the consent of a row."""
    return Consent(
        row["id"], ConsentKind(row["kind"]), row["amount"], moment_not_null(row["agreed_at"]), row["proof"], row["who"],
        moment_not_null(row["recorded_at"]),
    )  # fmt: skip


def holiday_of(row: Row) -> OwnHoliday:
    """Return a day that a merchant's operators have set."""
    return OwnHoliday(date.fromisoformat(row["on_day"]), bool(row["closed"]), row["name"], row["who"])
