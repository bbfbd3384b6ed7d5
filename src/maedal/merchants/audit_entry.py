"""An act of a person in a merchant's matters, as the audit log keeps it: who did what, when, why, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from maedal.payments.errors import InvalidParameter

WHO_MAX = 100
REASON_MAX = 500
NO_REASON = "-"
"""Stands where nobody was asked for one: a setting says itself what it is for."""
MAEDAL = "maedal"
"""Who did what nobody asked for: what `maedal dev` sets up."""


class AuditAction(StrEnum):
    """What a person can do that the audit log keeps."""

    SETTLE_CHARGED = "settle_charged"  # an unknown charge or approval did take money
    SETTLE_NOT_CHARGED = "settle_not_charged"  # it took none
    SETTLE_CANCELLED = "settle_cancelled"  # an unknown cancel did give money back
    SETTLE_NOT_CANCELLED = "settle_not_cancelled"  # it gave none back
    SUPPLY_TID = "supply_tid"  # the PG's id of a payment that was found paid without one
    CLOSE_FINDING = "close_finding"  # a difference to the PG's file is explained
    ENTER_PAYMENT = "enter_payment"  # a payment that only the PG knew of came in from its file
    ENTER_REFUND = "enter_refund"  # a cancel that only the PG knew of came in from its order lookup
    CANCEL = "cancel"  # a cancel that a person began in the console
    HOLD_SCHEDULE = "hold_schedule"  # a scheduled charge is kept from being made
    RELEASE_SCHEDULE = "release_schedule"  # and let go again
    REVOKE_SCHEDULE = "revoke_schedule"
    MOVE_SCHEDULE = "move_schedule"  # it waits for another time, also anew after it failed or was revoked
    RETRY_SCHEDULE = "retry_schedule"  # a failed or revoked one is charged now
    ADD_PLAN = "add_plan"  # a charge that comes again by itself
    CHANGE_PLAN = "change_plan"
    PAUSE_PLAN = "pause_plan"
    RESUME_PLAN = "resume_plan"
    SKIP_OCCURRENCE = "skip_occurrence"  # one day of a plan is not charged
    CHANGE_PLAN_AMOUNT = "change_plan_amount"
    KEEP_CONSENT = "keep_consent"  # what a buyer agreed to, and how it is proved
    END_PLAN = "end_plan"
    SET_HOLIDAY = "set_holiday"
    DROP_HOLIDAY = "drop_holiday"
    END_KEY = "end_key"  # a billing key is ended
    ASK_PG = "ask_pg"  # a person had the PG asked about an unknown outcome
    END_KEY_AGAIN = "end_key_again"  # a person had an ended key told to the PG once more
    RESEND_WEBHOOKS = "resend_webhooks"
    EXPORT_PAYMENTS = "export_payments"
    EXPORT_LIST = "export_list"  # any other list; the subject names it
    EXPORT_LOG = "export_log"  # this log, taken along as a file
    SAVE_VIEW = "save_view"  # a set of filters under a name
    DELETE_VIEW = "delete_view"
    ADD_NOTE = "add_note"  # beside a payment or customer; what it says is not in this log
    REMOVE_NOTE = "remove_note"
    ADD_TAG = "add_tag"
    REMOVE_TAG = "remove_tag"
    PLAN_CHARGE = "plan_charge"  # a charge of a customer's key was scheduled
    CREATE_MERCHANT = "create_merchant"
    IMPORT = "import"  # a merchant came in from a file
    ADD_CHANNEL = "add_channel"
    CHANGE_CHANNEL = "change_channel"
    CHANGE_WEBHOOK = "change_webhook"
    ADD_WEBHOOK_ADDRESS = "add_webhook_address"
    CHANGE_WEBHOOK_ADDRESS = "change_webhook_address"
    REMOVE_WEBHOOK_ADDRESS = "remove_webhook_address"
    CHANGE_SIGNING = "change_signing"  # the secrets that webhooks are signed with
    CHANGE_FIELDS = "change_fields"
    CHANGE_RECOVERY = "change_recovery"
    NEW_API_SECRET = "new_api_secret"  # noqa: S105 - the name of an act
    END_OLD_API_SECRET = "end_old_api_secret"  # noqa: S105
    NAME_API_KEY = "name_api_key"
    ADD_API_KEY = "add_api_key"
    END_API_KEY = "end_api_key"
    CHANGE_SCOPES = "change_scopes"  # what an API key may be used for
    CHANGE_ADDRESSES = "change_addresses"
    CHANGE_ALERTS = "change_alerts"  # whom the team's alerts go to, and when
    CHANGE_MAIL_SERVER = "change_mail_server"
    RESEND_MESSAGE = "resend_message"
    CHANGE_DUNNING = "change_dunning"  # what buyers are told of an unpaid charge
    CONFIRM_BACKUP = "confirm_backup"
    ERASE_BUYERS = "erase_buyers"  # what was told of buyers is gone for good


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act. `before` and `after` are short facts about `subject`; nothing secret or personal belongs there."""

    id: str
    merchant_id: str
    kind: AuditAction
    subject: str
    who: str
    reason: str
    before: str
    after: str
    happened_at: datetime


def what_differs(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, str]:
    """Return both as `name=value; …`, only what is not the same in both."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        "; ".join(f"{name}={before[name]}" for name in names if name in before),
        "; ".join(f"{name}={after[name]}" for name in names if name in after),
    )


def check_who_and_why(who: str, reason: str) -> None:
    """Raise InvalidParameter, naming the field, unless an act can be answered for."""
    for name, text, longest in (("by", who, WHO_MAX), ("reason", reason, REASON_MAX)):
        if not text.strip() or len(text) > longest or not text.isprintable():
            raise InvalidParameter(name, f"{name} must be a text of 1 to {longest} printable characters")
