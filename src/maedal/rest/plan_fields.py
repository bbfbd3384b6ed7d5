"""Plans in requests and answers: days like 2028-02-29, hours like 09:00, both Korean; moments are Unix seconds."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Any

from maedal.flows.korean_holidays import Holiday
from maedal.flows.make_plan import NewPlan
from maedal.flows.manage_plans import PlanChange
from maedal.payments.errors import InvalidParameter
from maedal.payments.money import AMOUNT_MAX, Currency, Price
from maedal.plans.calendar import date_rule
from maedal.plans.plan import NOT_BEFORE, PLAN_UID_MAX, Consent, Occurrence, Plan, PlanStatus, won
from maedal.plans.planning import Ahead
from maedal.rest.decoding import MISSING, Fields, is_nothing
from maedal.rest.language import Bilingual
from maedal.rest.pages import bad_moment
from maedal.rest.subscribe import (
    CUSTOMER_UID_MAX,
    DEFAULT_NAME,
    KRW_ONLY,
    NAME_MAX,
    TAX_FREE_TOO_MUCH,
    URL_MAX,
    read_buyer,
    read_custom_data,
)
from maedal.rest.wire import EPOCH_MAX, epoch, from_epoch

DAY_MAX, HOUR_MAX, REASON_MAX = 10, 5, 200
NOT_A_DAY = Bilingual(
    "{name} 파라메터는 2028-02-29와 같은 날짜여야 합니다.", "{name} must be a day, written like 2028-02-29."
)
NOT_AN_HOUR = Bilingual(
    "{name} 파라메터는 09:00과 같은 시각이어야 합니다.", "{name} must be an hour, written like 09:00."
)
NOT_PRINTABLE = Bilingual(
    "{name} 파라메터에 줄바꿈이나 보이지 않는 문자를 쓸 수 없습니다.", "{name} must have printable characters only."
)
BUYER = ("name", "email", "tel", "addr", "postcode")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_HOUR = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


def read_day(fields: Fields, name: str) -> date | None:
    """Return a day, or None when there is none. Raises InvalidParameter."""
    text = fields.text(name, longest=DAY_MAX)
    return None if text is None else day_of(text, name)


def day_of(text: str, name: str) -> date:
    """Return the day that a text says. Raises InvalidParameter."""
    refusal = InvalidParameter(name, NOT_A_DAY.format(name=name))
    if _DAY.fullmatch(text) is None:
        raise refusal
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise refusal from error


def needed_day(fields: Fields, name: str) -> date:
    """Return a day that must be there. Raises InvalidParameter."""
    return _needed(read_day(fields, name), name)


def _needed(day: date | None, name: str) -> date:
    if day is None:
        raise InvalidParameter(name, MISSING.format(name=name))
    return day


def read_hour(fields: Fields, name: str) -> time | None:
    """Return an hour with its minutes. Raises InvalidParameter."""
    text = fields.text(name, longest=HOUR_MAX)
    if text is None:
        return None
    if _HOUR.fullmatch(text) is None:
        raise InvalidParameter(name, NOT_AN_HOUR.format(name=name))
    return time.fromisoformat(text)


def read_reason(fields: Fields) -> str:
    """Return why something is done, for the audit log; `-` when nobody says. Raises InvalidParameter."""
    reason = (fields.text("reason", longest=REASON_MAX) or "").strip() or "-"
    if not reason.isprintable():
        raise InvalidParameter("reason", NOT_PRINTABLE.format(name="reason"))
    return reason


def read_price(fields: Fields) -> Price | None:
    """Return an amount and the part of it without tax; None without an amount. Raises InvalidParameter."""
    amount = fields.whole("amount", least=1, most=AMOUNT_MAX)
    tax_free = fields.whole("tax_free", least=0, most=AMOUNT_MAX) or 0
    if amount is not None and tax_free > amount:
        raise InvalidParameter("tax_free", TAX_FREE_TOO_MUCH)
    return None if amount is None else won(amount, tax_free)


def read_moment(fields: Fields, name: str) -> datetime | None:
    """Return a moment in Unix seconds. Raises InvalidParameter."""
    seconds = fields.seconds(name)
    if seconds is not None and not 0 <= seconds <= EPOCH_MAX:
        raise InvalidParameter(name, bad_moment(name))
    return None if seconds is None else from_epoch(seconds)


def read_new_plan(body: dict[str, Any], today: date) -> NewPlan:
    """Return the plan that is asked for; it starts today unless it says so. Raises InvalidParameter."""
    fields = Fields(body)
    plan_uid = fields.needed_text("plan_uid", longest=PLAN_UID_MAX)
    customer_uid = fields.needed_text("customer_uid", longest=CUSTOMER_UID_MAX)
    price = read_price(fields)
    if price is None:
        raise InvalidParameter("amount", MISSING.format(name="amount"))
    if (fields.text("currency") or Currency.KRW).upper() != Currency.KRW:
        raise InvalidParameter("currency", KRW_ONLY)
    unit = fields.text("interval_unit") or "month"
    count = fields.whole("interval_count", least=1)
    starts_on = read_day(fields, "starts_on") or today
    anchor_day = fields.whole("anchor_day", least=1, most=31)
    return NewPlan(
        plan_uid=plan_uid,
        customer_uid=customer_uid,
        name=fields.text("name", longest=NAME_MAX, cut=True) or DEFAULT_NAME,
        price=price,
        trial_until=read_day(fields, "trial_until"),
        ends_on=read_day(fields, "ends_on"),
        not_before=read_hour(fields, "not_before") or NOT_BEFORE,
        moves_to_business_day=fields.flag("business_day"),
        buyer=read_buyer(fields),
        custom_data=read_custom_data(body.get("custom_data")),
        notice_url=fields.text("notice_url", longest=URL_MAX),
        rule=date_rule(unit, count or 1, starts_on, anchor_day),
    )


def read_change(body: dict[str, Any]) -> PlanChange:
    """Return what is to be otherwise: what the body names. null and "" take an end, an address or data away."""
    fields = Fields(body)
    buyer = read_buyer(fields)
    return PlanChange(
        name=fields.text("name", longest=NAME_MAX, cut=True),
        buyer={name: getattr(buyer, name) for name in BUYER if f"buyer_{name}" in body},
        not_before=read_hour(fields, "not_before"),
        moves_to_business_day=None if is_nothing_but_false(body.get("business_day")) else fields.flag("business_day"),
        sets_end="ends_on" in body,
        ends_on=read_day(fields, "ends_on"),
        notice_url=(fields.text("notice_url", longest=URL_MAX) or "") if "notice_url" in body else None,
        custom_data=(read_custom_data(body.get("custom_data")) or "") if "custom_data" in body else None,
    )


def is_nothing_but_false(value: Any) -> bool:
    """Return whether a switch is left as it is: `false` means something where a plan is changed."""
    return value is not False and is_nothing(value)


def plan_object(plan: Plan) -> dict[str, Any]:
    """Return a plan as answers show it."""
    b, rule, planned = plan.buyer, plan.rule, plan.planned
    price = planned.price if planned is not None else None
    goes_on = plan.status is PlanStatus.ACTIVE
    return {
        "plan_uid": plan.plan_uid,
        "customer_uid": plan.customer_uid,
        "status": plan.status.value,
        "pause_reason": None if plan.pause_reason is None else plan.pause_reason.value,
        "resumes_on": _day(plan.resumes_on),
        "name": plan.name,
        "amount": plan.price.total.amount,
        "tax_free": plan.price.tax_free.amount,
        "currency": plan.price.total.currency.value,
        "buyer_name": b.name,
        "buyer_email": b.email,
        "buyer_tel": b.tel,
        "buyer_addr": b.addr,
        "buyer_postcode": b.postcode,
        "custom_data": plan.custom_data,
        "notice_url": plan.notice_url,
        "interval_unit": rule.unit.value,
        "interval_count": rule.count,
        "anchor_day": rule.anchor_day,
        "starts_on": rule.starts_on.isoformat(),
        "trial_until": _day(plan.trial_until),
        "ends_on": _day(plan.ends_on),
        "not_before": f"{plan.not_before:%H:%M}",
        "business_day": plan.moves_to_business_day,
        "next_on": plan.next_on.isoformat() if goes_on else None,
        "next_merchant_uid": plan.merchant_uid(plan.next_on) if goes_on and planned is not None else None,
        "next_charge_at": epoch(planned.due_at) if goes_on and planned is not None else 0,
        "next_amount": price.total.amount if goes_on and price is not None else None,
        "changes": [
            {
                "from_on": one.from_on.isoformat(),
                "amount": one.price.total.amount,
                "tax_free": one.price.tax_free.amount,
            }
            for one in plan.changes
        ],
        "skips": [day.isoformat() for day in plan.skips],
        "needs_consent_on": _day(plan.needs_consent_on),
        "created_at": epoch(plan.created_at),
        "updated_at": epoch(plan.updated_at),
    }


def occurrence_object(plan: Plan, one: Occurrence, *, lacks_consent: bool = False) -> dict[str, Any]:
    """Return a day of a plan as answers show it."""
    charged = one.price is not None
    return {
        "on": one.on.isoformat(),
        "state": one.state.value,
        "merchant_uid": plan.merchant_uid(one.on) if charged else None,
        "charge_on": _day(one.charge_on),
        "charge_at": epoch(one.due_at),
        "amount": None if one.price is None else one.price.total.amount,
        "tax_free": None if one.price is None else one.price.tax_free.amount,
        "lacks_consent": lacks_consent,
    }


def ahead_object(plan: Plan, one: Ahead) -> dict[str, Any]:
    """Return a day to come as answers show it."""
    return occurrence_object(plan, one.occurrence, lacks_consent=one.lacks_consent)


def consent_object(consent: Consent) -> dict[str, Any]:
    """Return a consent as answers show it."""
    return {
        "id": consent.id,
        "kind": consent.kind.value,
        "amount": consent.amount,
        "agreed_at": epoch(consent.agreed_at),
        "proof": consent.proof,
        "recorded_by": consent.who,
        "recorded_at": epoch(consent.recorded_at),
    }


def holiday_object(one: Holiday) -> dict[str, Any]:
    """Return a holiday as answers show it."""
    return {"on": one.on.isoformat(), "name": one.name, "closed": one.closed, "own": one.own}


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
