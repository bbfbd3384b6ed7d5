"""What can be wrong with what a caller asks of a plan."""

from __future__ import annotations

from maedal.errors import GatewayError


class PlanNotFound(GatewayError):
    """The merchant has no plan of this plan_uid."""

    code = "PLAN_NOT_FOUND"


class PlanUidTaken(GatewayError):
    """The merchant has a plan of this plan_uid already, with other terms; nothing was made."""

    code = "PLAN_UID_TAKEN"


class PlanNotChangeable(GatewayError):
    """The plan does not stand where this change is possible; nothing was changed."""

    code = "PLAN_NOT_CHANGEABLE"
