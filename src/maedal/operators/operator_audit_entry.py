"""What was done in matters of the whole installation, as a log of its own keeps it: operators, maintenance of PGs.

Merchants' matters are in the audit log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class OperatorAuditAction(StrEnum):
    """What can be done about an operator, or about the times in which a PG is closed."""

    CREATE_OPERATOR = "create_user"
    CHANGE_ROLE = "change_role"
    INVITE_OPERATOR = "invite_user"
    CHANGE_MERCHANTS = "change_merchants"
    NEW_PASSWORD = "new_password"  # noqa: S105 - the name of a deed
    TWO_STEPS_ON = "two_steps_on"
    TWO_STEPS_OFF = "two_steps_off"
    ADD_PASSKEY = "add_passkey"
    REMOVE_PASSKEY = "remove_passkey"
    PASSKEY_COUNTED_BACK = "passkey_counted_back"
    NEW_RECOVERY_CODES = "new_recovery_codes"
    DISABLE_OPERATOR = "disable_user"
    ENABLE_OPERATOR = "enable_user"
    DEMAND_SECOND_STEP = "demand_second_step"
    SIGN_IN = "sign_in"
    END_SESSIONS = "end_sessions"
    ADD_MAINTENANCE = "add_maintenance"
    END_MAINTENANCE = "end_maintenance"


@dataclass(frozen=True, slots=True)
class OperatorAuditEntry:
    """One of them. `subject` is the operator's name, or the PG's; nothing secret belongs in `before` and `after`."""

    id: str
    kind: OperatorAuditAction
    subject: str
    who: str
    before: str
    after: str
    happened_at: datetime
