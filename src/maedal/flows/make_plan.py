"""Make a plan: a charge of a customer's key that comes again by itself. Its first occurrence is scheduled at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Protocol

from maedal.billing_keys.errors import BillingKeyNotFound
from maedal.flows.merchant_entry import audit_entry_of
from maedal.flows.run_plans import bring_on, rule_of
from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import AuditAction
from maedal.payments.errors import InvalidParameter
from maedal.payments.money import Price
from maedal.payments.payment import Buyer
from maedal.plans.calendar import LAST_DAY, DateRule, korean_day
from maedal.plans.errors import PlanUidTaken
from maedal.plans.plan import NOT_BEFORE, PLAN_UID_MAX, Plan, is_plan_uid
from maedal.storage.billing_keys.reads import HasBillingKeys
from maedal.storage.plans.reads import HasPlans
from maedal.storage.plans.writes import AddPlan
from maedal.storage.write import Writes

START_MAX = timedelta(days=732)
"""So far ahead may a plan start: what is scheduled five years ahead at most."""
API = "REST API"
"""Who changed a plan when the merchant's server did."""


class MakePlanStore(HasBillingKeys, HasPlans, Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class NewPlan:
    """What a caller asks for."""

    plan_uid: str
    customer_uid: str
    name: str
    price: Price
    rule: DateRule
    trial_until: date | None = None
    ends_on: date | None = None
    not_before: time = NOT_BEFORE
    moves_to_business_day: bool = False
    buyer: Buyer = field(default_factory=Buyer)
    custom_data: str | None = None
    notice_url: str | None = None


def check_new_plan(new: NewPlan, today: date) -> None:
    """Raise InvalidParameter, naming the field, unless this can be a plan from today on."""
    if not is_plan_uid(new.plan_uid):
        raise InvalidParameter(
            "plan_uid", f"plan_uid has 1 to {PLAN_UID_MAX} letters, digits and . _ -, and begins with one of the former"
        )
    if not today <= new.rule.starts_on <= today + START_MAX:
        raise InvalidParameter("starts_on", "starts_on must be a day from today to two years ahead")
    if new.trial_until is not None and not new.rule.starts_on < new.trial_until <= today + START_MAX:
        raise InvalidParameter("trial_until", "trial_until must be later than starts_on, and two years ahead at most")
    check_end(new.ends_on, new.rule.day(0))


def check_end(ends_on: date | None, earliest: date) -> None:
    if ends_on is not None and not earliest <= ends_on <= LAST_DAY:
        raise InvalidParameter("ends_on", f"ends_on must be {earliest} or later, the plan's first day that is left")


async def create_plan(services: ServicesWith[MakePlanStore], merchant_id: str, new: NewPlan, *, who: str = API) -> Plan:
    """Make a plan for a customer whose key lives, and schedule its first occurrence.

    Raises InvalidParameter, BillingKeyNotFound or PlanUidTaken; then nothing was made.
    """
    now = services.clock.now()
    check_new_plan(new, korean_day(now))
    key = await services.store.billing_keys.find(merchant_id, new.customer_uid)
    if key is None:
        raise BillingKeyNotFound("no billing key is registered under this customer_uid")
    plan = Plan(
        merchant_id=merchant_id,
        plan_uid=new.plan_uid,
        customer_uid=new.customer_uid,
        channel_id=key.channel_id,
        name=new.name,
        price=new.price,
        rule=new.rule,
        next_on=new.rule.day(0),
        created_at=now,
        updated_at=now,
        buyer=new.buyer,
        custom_data=new.custom_data,
        notice_url=new.notice_url,
        trial_until=new.trial_until,
        ends_on=new.ends_on,
        not_before=new.not_before,
        moves_to_business_day=new.moves_to_business_day,
        look_at=now,
    )
    facts = ("", "; ".join(f"{name}={value}" for name, value in plan_facts(plan).items()))
    entry = audit_entry_of(services, merchant_id, AuditAction.ADD_PLAN, plan.plan_uid, who, facts)
    if not await services.store.write(AddPlan(plan, entry)):
        raise PlanUidTaken("the merchant has a plan of this plan_uid already")
    return await bring_on(services, plan, await rule_of(services, merchant_id))


def plan_facts(plan: Plan) -> dict[str, str]:
    """Return what the audit log may say of a plan: nothing of the buyer but whether it differs."""
    rule = plan.rule
    facts = {
        "status": plan.status.value,
        "amount": str(plan.price.total.amount),
        "interval": f"{rule.count} {rule.unit}",
        "starts_on": str(rule.starts_on),
        "anchor_day": "" if rule.anchor_day is None else str(rule.anchor_day),
        "trial_until": str(plan.trial_until or ""),
        "ends_on": str(plan.ends_on or ""),
        "not_before": f"{plan.not_before:%H:%M}",
        "business_day": str(plan.moves_to_business_day).lower(),
        "resumes_on": str(plan.resumes_on or ""),
        "changes": ",".join(f"{one.from_on}:{one.price.total.amount}" for one in plan.changes),
        "skips": ",".join(map(str, plan.skips[-12:])),
    }
    return {name: value for name, value in facts.items() if value}
