"""What can be wrong with what a caller asks of a scheduled charge."""

from __future__ import annotations

from maedal.errors import GatewayError


class ScheduleNotFound(GatewayError):
    """Nothing was ever planned under this merchant_uid."""

    code = "SCHEDULE_NOT_FOUND"


class MerchantUidScheduled(GatewayError):
    """A merchant_uid of the request waits to be charged already, or was paid; nothing was planned."""

    code = "MERCHANT_UID_PLANNED"


class InvalidScheduleTime(GatewayError):
    """The time is over, or too far away to be meant."""

    code = "INVALID_SCHEDULE_TIME"


class ScheduleNotChangeable(GatewayError):
    """The scheduled charge does not stand where this change is possible; nothing was changed or charged."""

    code = "SCHEDULE_NOT_CHANGEABLE"


class NothingToUnschedule(GatewayError):
    """No waiting charge matches what is to be unscheduled."""

    code = "NOTHING_TO_UNSCHEDULE"
