"""A merchant's own holidays: days added to the country's, and days of it that count as business days."""

from __future__ import annotations

from datetime import date
from typing import Protocol

from maedal.flows.merchant_entry import audit_entry_of
from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import AuditAction
from maedal.payments.errors import InvalidParameter
from maedal.plans.calendar import LAST_DAY, korean_day
from maedal.plans.holiday import HOLIDAYS_MAX, NAME_MAX, OwnHoliday
from maedal.storage.plans.reads import HasPlans
from maedal.storage.plans.writes import DropHoliday, PutHoliday
from maedal.storage.write import Writes


class SetHolidaysStore(HasPlans, Writes, Protocol): ...


async def set_holiday(
    services: ServicesWith[SetHolidaysStore], merchant_id: str, on: date, name: str, *, closed: bool, who: str
) -> OwnHoliday:
    """Make a day a holiday for a merchant, or a business day; plans that it moves are looked at at once.

    `name` says what it is and where that was announced. Raises InvalidParameter.
    """
    now = services.clock.now()
    if not korean_day(now) <= on <= LAST_DAY:
        raise InvalidParameter("on", "on must be a day from today on")
    if not name.strip() or len(name) > NAME_MAX or not name.isprintable():
        raise InvalidParameter("name", f"name must be a text of 1 to {NAME_MAX} printable characters")
    known = await services.store.plans.holidays(merchant_id)
    if len(known) >= HOLIDAYS_MAX and on not in {one.on for one in known}:
        raise InvalidParameter("on", f"at most {HOLIDAYS_MAX} days may be set (on); drop some that are over")
    holiday = OwnHoliday(on, closed, name.strip(), who)
    facts = ("", f"closed={str(closed).lower()}; name={holiday.name}")
    entry = audit_entry_of(services, merchant_id, AuditAction.SET_HOLIDAY, str(on), who, facts)
    await services.store.write(PutHoliday(merchant_id, holiday, now, entry))
    return holiday


async def drop_holiday(services: ServicesWith[SetHolidaysStore], merchant_id: str, on: date, *, who: str) -> None:
    """Forget what was set for a day: it is again what the country says. Raises InvalidParameter."""
    entry = audit_entry_of(services, merchant_id, AuditAction.DROP_HOLIDAY, str(on), who)
    if not await services.store.write(DropHoliday(merchant_id, on, services.clock.now(), entry)):
        raise InvalidParameter("on", "nothing was set for this day (on)")
