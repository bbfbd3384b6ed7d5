"""What is written about payments and the charges that make them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from maedal.billing_keys.billing_key import BillingKey
from maedal.merchants.audit_entry import AuditEntry
from maedal.payments.attempt import Attempt, CardDetails, Method, Proof, Result
from maedal.payments.moves import Event
from maedal.payments.payment import Order, Payment
from maedal.schedules.recovery import NextTry
from maedal.schedules.schedule import Schedule
from maedal.storage.write import Write
from maedal.webhooks.webhook import Delivery


class Refusal(StrEnum):
    """Why a charge cannot begin. Nothing was written."""

    MERCHANT_UID_USED = "merchant_uid_used"
    NO_KEY = "no_key"
    KEY_BUSY = "key_busy"  # another charge of it is running
    KEY_UNCLEAR = "key_unclear"  # the outcome of another charge of it is unknown
    KEY_SETTLING = "key_settling"  # its last approval was seen a few seconds ago
    SCHEDULE_MOVED = "schedule_moved"  # the scheduled charge was changed, revoked or claimed by somebody else
    SERVER_UNKNOWN = "server_unknown"  # this write reached a database server that nobody has noted yet
    ASK_FIRST = "ask_first"  # the server follows another: the PG is asked first what the key was charged with


@dataclass(frozen=True, slots=True)
class BegunCharge:
    """The intent stands; the PG may be called, once."""

    payment: Payment
    attempt: Attempt
    key: BillingKey


@dataclass(frozen=True, slots=True)
class BeginCharge(Write[BegunCharge | Refusal]):
    """Commit the intent to charge the living key of `order.customer_uid`: payment, attempt, event.

    `executes` is the scheduled charge that this one carries out, as it was claimed or read: it becomes executed in the
    same transaction, and the charge is refused when it has moved since.
    """

    merchant_id: str
    imp_uid: str
    attempt_id: str
    order: Order
    now: datetime
    executes: Schedule | None = None
    audit_entry: AuditEntry | None = None
    """Kept beside it when a person began it."""
    asked_on: str | None = None
    """The database server on which the PG was asked first whether the key was charged unknown to us."""

    @property
    def lock_order(self) -> tuple[str, str]:
        return (self.merchant_id, self.order.customer_uid or "")


@dataclass(frozen=True, slots=True)
class Record(Write[Payment]):
    """Commit what a call taught us: attempt, payment, event, key and webhooks, together or not at all.

    `payment` is as read or begun; the write is refused (Conflict) when it has moved since. `issued_key` replaces the
    living key of its customer_uid; with `ending_attempt_id`, the intent to end the replaced key at the PG is committed
    too, unless that key's channel keeps replaced keys.
    """

    payment: Payment
    attempt_id: str
    event: Event
    result: Result
    now: datetime
    fail_code: str | None = None
    fail_reason: str | None = None
    issued_key: BillingKey | None = None
    ending_attempt_id: str | None = None
    deliveries: tuple[Delivery, ...] = ()
    undo: bool = False
    """Money was taken for a billing key that is lost: it is to be given back."""
    next_try: NextTry | None = None
    """When the scheduled charge that this payment executed is tried again; not if it has been executed anew since."""
    postponed_until: datetime | None = None
    """The scheduled charge that this payment executed waits again, as if it had not been begun, until then."""
    waits_channel: str | None = None
    """The channel whose pause it waits for, and is due when that ends."""
    uncounted: bool = False
    """The try that this payment was is none of those that the merchant's rules allow."""
    paid_at: datetime | None = None
    """When the money was taken, where that is known to be long before it is recorded."""

    @property
    def lock_order(self) -> tuple[str, str]:
        order = self.payment.order
        return (self.payment.merchant_id, order.customer_uid or order.merchant_uid)


@dataclass(frozen=True, slots=True)
class FailSchedule(Write[bool]):
    """Execute a claimed charge that cannot even begin: a payment that failed, and its webhooks, at once.

    Gives False, and writes nothing, when the scheduled charge has moved since it was claimed. `payment` is as it would
    have begun, in READY.
    """

    schedule: Schedule
    payment: Payment
    code: str
    reason: str
    now: datetime
    deliveries: tuple[Delivery, ...] = ()
    next_try: NextTry | None = None


@dataclass(frozen=True, slots=True)
class ClaimUndo(Write[bool]):
    """Take the next try to undo a payment; gives False when somebody else took it, or it is undone."""

    payment: Payment
    next_at: datetime


@dataclass(frozen=True, slots=True)
class SupplyTid(Write[Payment]):
    """Keep the PG's id of a payment that lacks it, with the act. Refused (Conflict) when it has moved since."""

    payment: Payment
    pg_tid: str
    audit_entry: AuditEntry


@dataclass(frozen=True, slots=True)
class FillTid(Write[Payment | None]):
    """Give a payment that is paid without it the PG's id of it; gives None when it has one, or has moved since."""

    payment: Payment
    attempt_id: str
    pg_tid: str
    method: Method | None
    now: datetime
    proof: Proof = Proof.SETTLEMENT_FILE
    """What it rests on: the file, which says more than that some payment was approved, or the reply to its own call."""
    card: CardDetails | None = None
    receipt_url: str | None = None


@dataclass(frozen=True, slots=True)
class EnterPayment(Write[Payment]):
    """Enter a payment that was made and is not here, begun and recorded in one; gives it as it then stands.

    A scheduled charge of its merchant_uid that waits here, or would be tried again, is executed by it. Refused
    (Conflict) when its imp_uid is here, or its merchant_uid belongs to another payment.
    """

    payment: Payment
    """As it was begun."""
    attempt: Attempt
    record: Record
    audit_entry: AuditEntry
