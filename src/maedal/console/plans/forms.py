"""Fields of the forms about plans: what is typed, and what is wrong with it."""

from __future__ import annotations

import re
from datetime import date, time

from maedal.console.frame.days import day_of
from maedal.console.frame.visit import Visit
from maedal.payments.errors import InvalidParameter
from maedal.payments.money import AMOUNT_MAX, Price
from maedal.plans.plan import won

_HOUR = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)
NOT_A_DAY = "choose a day, written like 2028-02-29"


def typed_day(visit: Visit, name: str) -> date | None:
    """Return a day of the form, or None when the field is empty. Raises InvalidParameter."""
    text = visit.value(name)
    if not text:
        return None
    day = day_of(text)
    if day is None:
        raise InvalidParameter(name, NOT_A_DAY)
    return day


def needed_day(visit: Visit, name: str) -> date:
    """Return a day that must be there. Raises InvalidParameter."""
    day = typed_day(visit, name)
    if day is None:
        raise InvalidParameter(name, NOT_A_DAY)
    return day


def typed_hour(visit: Visit, name: str) -> time:
    """Return an hour with its minutes. Raises InvalidParameter."""
    text = visit.value(name)
    if _HOUR.fullmatch(text) is None:
        raise InvalidParameter(name, "the hour is written like 09:00")
    return time.fromisoformat(text)


def typed_number(visit: Visit, name: str) -> int | None:
    """Return a whole number, however its thousands are parted; None when the field is empty."""
    text = visit.value(name).replace(",", "")
    if not text:
        return None
    if _NUMBER.fullmatch(text) is None:
        raise InvalidParameter(name, "the number is a whole one")
    return int(text)


def typed_price(visit: Visit) -> Price:
    """Return the amount and its part without tax. Raises InvalidParameter."""
    amount, tax_free = typed_number(visit, "amount"), typed_number(visit, "tax_free") or 0
    if amount is None or not 0 < amount <= AMOUNT_MAX:
        raise InvalidParameter("amount", "amount must be greater than 0")
    if tax_free > amount:
        raise InvalidParameter("tax_free", "tax_free must not be greater than amount")
    return won(amount, tax_free)
