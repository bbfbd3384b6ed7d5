"""What the maintenance of a PG keeps from happening."""

from __future__ import annotations

from maedal.errors import GatewayError


class PgUnderMaintenance(GatewayError):
    """The PG has just said that it is under maintenance; nothing was charged and nothing was kept."""

    code = "PG_UNDER_MAINTENANCE"
