"""Presets: rules for failed charges of all reasons at once, as shops usually want them."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from maedal.payments.attempt import DeclineReason
from maedal.payments.errors import InvalidParameter
from maedal.schedules.recovery import PAY_DAY_MAX, PayDay, RecoveryRules, Wait

DAY = timedelta(days=1)
ONE_THREE_SEVEN = (DAY, 2 * DAY, 4 * DAY)
"""One, three and seven days after the charge failed: each wait begins with the try before it."""
PAY_DAY = 25
"""When most wages are paid in Korea."""


class Preset(StrEnum):
    """Which rules to begin from."""

    DAYS_1_3_7 = "days_1_3_7"
    PAY_DAY = "pay_day"
    ONCE = "once"
    NEVER = "never"


def rules_of(preset: str, *, pay_day: int = PAY_DAY, others: bool = False) -> RecoveryRules:
    """Return the rules of a preset; `others` also for failures that no other reason explains.

    A key that has ended is never charged again: its buyer must register anew. Raises InvalidParameter.
    """
    if preset not in set(Preset):
        raise InvalidParameter("preset", f"the preset must be one of {', '.join(Preset)}")
    if not 1 <= pay_day <= PAY_DAY_MAX:
        raise InvalidParameter("day", f"a day of the month is 1 to {PAY_DAY_MAX}")
    rules: dict[DeclineReason, tuple[Wait, ...]]
    match Preset(preset):
        case Preset.DAYS_1_3_7:
            rules = dict.fromkeys((DeclineReason.BALANCE, DeclineReason.LIMIT, DeclineReason.LOCKED), ONE_THREE_SEVEN)
            other: tuple[Wait, ...] = ONE_THREE_SEVEN
        case Preset.PAY_DAY:
            # Money comes with the wages, limits begin anew with the month, and what is blocked may be free tomorrow.
            rules = {
                DeclineReason.BALANCE: (PayDay(pay_day),),
                DeclineReason.LIMIT: (PayDay(1),),
                DeclineReason.LOCKED: ONE_THREE_SEVEN,
            }
            other = (PayDay(pay_day),)
        case Preset.ONCE:
            rules = dict.fromkeys((DeclineReason.BALANCE, DeclineReason.LIMIT, DeclineReason.LOCKED), (DAY,))
            other = (DAY,)
        case Preset.NEVER:
            return {}
    return rules | ({DeclineReason.OTHER: other} if others else {})
