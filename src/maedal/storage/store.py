"""What we need of any store, in our words: reads, and writes that are each one transaction or nothing.

A write is a small frozen object (`BeginCharge`, `Record`, …) given to `Store.write`, which commits it before it
returns. Writes that wait at the same moment share one transaction; one that fails never takes its neighbours with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, overload

from maedal.billing_keys.billing_key import BillingKey, KeyEnd
from maedal.billing_keys.ending import KeyEnding, PendingEnding
from maedal.maintenance.pause import Pause
from maedal.merchants.act import Act
from maedal.merchants.channel import Channel
from maedal.merchants.merchant import ApiKey, FieldSet, Merchant, WebhookRetry, WebhookType
from maedal.merchants.token import TokenLife, TokenOwner
from maedal.payments.attempt import Attempt, CardDetails, Method, Outcome, Proof, Result
from maedal.payments.cancellation import Cancellation
from maedal.payments.moves import Event, Start, Status
from maedal.payments.payment import Order, Payment
from maedal.payments.prepared import PreparedAmount
from maedal.payments.window import Window
from maedal.reconciliation.finding import Finding
from maedal.reconciliation.settlement import SettlementRow
from maedal.schedules.pace import Pace
from maedal.schedules.recovery import NextTry, RecoveryRules
from maedal.schedules.schedule import Schedule, ScheduleStatus
from maedal.storage.desk import DeskReads, DeskWrite, KeepAct, KeepLook, ResendMany
from maedal.storage.exports import ExportReads
from maedal.storage.figures import CountHours, FigureReads
from maedal.storage.keyring import KeyringReads
from maedal.storage.maintenance import (
    AddPause,
    EndPause,
    MaintenanceReads,
    MaintenanceWrite,
    NotePause,
    PostponeSchedule,
)
from maedal.storage.merchant_settings import (
    EndOldSecret,
    KeepChecks,
    NameApiKey,
    SeeApiKey,
    SetAllowedAddresses,
    SettingsReads,
    SettingsWrite,
)
from maedal.storage.payment_lists import (
    BeginExport,
    DropView,
    IndexTexts,
    ListWrite,
    PaymentListReads,
    PutColumns,
    PutExport,
    PutView,
)
from maedal.storage.plans import ActOnSchedule, PlanReads
from maedal.storage.proving import EnterOutcome, Prove, Proved
from maedal.storage.refunds import EnterRefunds
from maedal.storage.servers import NotedServer, NoteServer, NoteUnseen, ServerReads, ServerWrite
from maedal.storage.users import (
    AddUser,
    BeginSession,
    CountTry,
    EndSessions,
    ForgiveTries,
    PutUser,
    SeeSession,
    SweepSignIns,
    TakeRecoveryCode,
    TakeStep,
    UserReads,
    UserWrite,
)
from maedal.storage.waiting import LinkSchedule, PauseChannel, ResumeChannel, WaitingReads, WaitingWrite
from maedal.webhooks.webhook import Delivery, DeliveryLog, DeliveryState, Try


class StoreError(Exception):
    """The database did not do what we asked; nothing of the write was kept."""


class Conflict(StoreError):
    """A rule of the database refused the write: somebody else was first, or an id that we drew is taken."""


class BrokenOff(StoreError):
    """The database gave up this transaction so that others could go on; it may be repeated."""


class TookTooLong(StoreError):
    """What somebody looks for was not found within the time that people are given."""


class CommitUnclear(StoreError):
    """Nobody acknowledged the commit: the write may be kept, or kept only until a standby takes over, or not at all.

    A commit counts when the database acknowledged it without a warning. Any other is proved only by a later commit
    of a write that touches its row (`Prove`); reading the row proves nothing, for it may be on this server alone.
    """


class NotAsked(StoreError):
    """Nothing was asked of the database, as no connection to it could be had; it may be tried again."""


class NoConnectionFree(NotAsked):
    """Every connection is in use: here, in a pooler, or at the server."""


class DatabaseAway(NotAsked):
    """No server that takes writes can be reached; the text says what each said."""


class NoPrimary(DatabaseAway):
    """Servers answer, and none of them takes writes."""


class NotMigrated(StoreError):
    """A table that should be there is not: this database was never migrated."""


class ReadOnly(StoreError):
    """The server takes no writes (any more): it is a standby, or was made read-only; nothing of the write was kept."""


class Refusal(StrEnum):
    """Why a charge cannot begin. Nothing was written."""

    MERCHANT_UID_USED = "merchant_uid_used"
    NO_KEY = "no_key"
    KEY_BUSY = "key_busy"  # another charge of it is running
    KEY_UNCLEAR = "key_unclear"  # the outcome of another charge of it is unknown
    KEY_SETTLING = "key_settling"  # its last approval was seen a few seconds ago
    SCHEDULE_MOVED = "schedule_moved"  # the planned charge was changed, revoked or claimed by somebody else
    SERVER_UNKNOWN = "server_unknown"  # this write reached a database server that nobody has noted yet
    ASK_FIRST = "ask_first"  # the server follows another: the PG is asked first what the key was charged with


@dataclass(frozen=True, slots=True)
class BeginCharge:
    """Commit the intent to charge the living key of `order.customer_uid`: payment, attempt, event.

    `executes` is the planned charge that this one carries out, as it was claimed or read: it becomes executed in the
    same transaction, and the charge is refused when it has moved since.
    """

    merchant_id: str
    imp_uid: str
    attempt_id: str
    order: Order
    now: datetime
    executes: Schedule | None = None
    act: Act | None = None
    """Kept beside it when a person began it."""
    asked_on: str | None = None
    """The database server on which the PG was asked first whether the key was charged unknown to us."""


@dataclass(frozen=True, slots=True)
class BegunCharge:
    """The intent stands; the PG may be called, once."""

    payment: Payment
    attempt: Attempt
    key: BillingKey


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """Commit the intent to open a window: payment, window, attempt, event."""

    payment: Payment
    window: Window
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class RecordPrepared:
    """Keep what the PG said to a prepared window: its id of the payment and the addresses of its pages."""

    merchant_id: str
    imp_uid: str
    attempt_id: str
    result: Result
    pc_url: str
    mobile_url: str
    app_url: str
    now: datetime


@dataclass(frozen=True, slots=True)
class EndWindow:
    """Move a payment whose window ended before any call that takes money; keeps why.

    `attempt` and `result` close the attempt that tried to prepare it, when that is what failed.
    """

    payment: Payment
    code: str
    reason: str
    now: datetime
    attempt_id: str | None = None
    result: Result | None = None
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class BeginApproval:
    """Commit the intent to approve a payment whose buyer has agreed: move, attempt, event, the sealed token."""

    payment: Payment
    attempt: Attempt
    sealed_pg_token: bytes


@dataclass(frozen=True, slots=True)
class Record:
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
    """When the planned charge that this payment executed is tried again; not if it has been executed anew since."""
    postponed_until: datetime | None = None
    """The planned charge that this payment executed waits again, as if it had not been begun, until then."""
    waits_channel: str | None = None
    """The channel whose pause it waits for, and is due when that ends."""
    uncounted: bool = False
    """The try that this payment was is none of those that the merchant's rules allow."""
    paid_at: datetime | None = None
    """When the money was taken, where that is known to be long before it is recorded."""


@dataclass(frozen=True, slots=True)
class ClaimLook:
    """Take the next look at an unknown outcome; gives False when somebody else took it, or the outcome is known."""

    attempt: Attempt
    look_at: datetime
    """When it was due, as read."""
    next_at: datetime


@dataclass(frozen=True, slots=True)
class ClaimUndo:
    """Take the next try to undo a payment; gives False when somebody else took it, or it is undone."""

    payment: Payment
    next_at: datetime


@dataclass(frozen=True, slots=True)
class BeginCancel:
    """Commit the intent to cancel. Refused (Conflict) when the payment has moved since, or another cancel is open."""

    payment: Payment
    attempt: Attempt
    cancellation: Cancellation
    act: Act | None = None
    """Kept beside it when a person began it."""


@dataclass(frozen=True, slots=True)
class RecordCancel:
    """Commit what a cancel taught us: attempt, and with an approval payment, event, cancellation and webhooks."""

    payment: Payment
    cancellation: Cancellation
    result: Result
    now: datetime
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class SettleByHand:
    """Commit what a person says became of a call, with the act in the audit log. Refused as `record` itself is."""

    record: Record | RecordCancel
    act: Act


@dataclass(frozen=True, slots=True)
class SupplyTid:
    """Keep the PG's id of a payment that lacks it, with the act. Refused (Conflict) when it has moved since."""

    payment: Payment
    pg_tid: str
    act: Act


@dataclass(frozen=True, slots=True)
class BeginDeactivation:
    """End the living key of a customer_uid here, and commit the intent to end it at the PG."""

    merchant_id: str
    customer_uid: str
    attempt_id: str
    ended_by: KeyEnd
    now: datetime
    billing_key_id: str | None = None
    """Only if this one is the living key; a newer one is left alone."""
    act: Act | None = None


@dataclass(frozen=True, slots=True)
class ClaimKeyEnding:
    """Begin the next try to end a key at the PG, unless somebody else began it or a charge of the key is open.

    Nobody else begins one before `next_due_at`. Gives what was claimed, or None.
    """

    merchant_id: str
    attempt_id: str
    tries: int
    next_due_at: datetime


@dataclass(frozen=True, slots=True)
class RecordKeyEnding:
    """Keep what a try to end a key at the PG taught us; gives False when it is known to have ended already."""

    ending: KeyEnding
    result: Result
    now: datetime


@dataclass(frozen=True, slots=True)
class RecordAttempt:
    """Keep the outcome of an attempt that moves no payment."""

    merchant_id: str
    attempt_id: str
    result: Result
    now: datetime


@dataclass(frozen=True, slots=True)
class NoteLeft:
    """Note that the buyer's page went away; moves nothing."""

    merchant_id: str
    imp_uid: str
    now: datetime


@dataclass(frozen=True, slots=True)
class ClaimDeliveries:
    """Take up to `count_max` due webhooks under a lease, each for one worker at a time.

    One is left alone while an earlier one of the same payment waits for the same address, and when its merchant and
    receiver are among `busy`.
    """

    lease_id: str
    now: datetime
    leased_until: datetime
    count_max: int
    busy: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FinishDelivery:
    """Keep a try and what comes next: it is over, or waits until `next_at`. Later ones of the payment wait for it.

    Gives False, and does nothing, when the lease is no longer ours.
    """

    delivery: Delivery
    lease_id: str
    made: Try
    now: datetime
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AddSchedules:
    """Plan charges, all or none; gives the merchant_uids that wait or were paid already, and plans nothing then.

    A merchant_uid whose planned charge was revoked or failed may be planned anew. Raises Conflict when somebody else
    plans one of them in this very moment.
    """

    schedules: tuple[Schedule, ...]


@dataclass(frozen=True, slots=True)
class RevokeSchedules:
    """Take back what waits: under these merchant_uids, of this customer, or both; gives what was taken back.

    A charge that a worker has claimed but not begun is revoked too: the worker then cannot begin it. One that failed
    and would be tried again stays executed, and is not tried again.
    """

    merchant_id: str
    merchant_uids: tuple[str, ...] | None
    customer_uid: str | None
    now: datetime

    def __post_init__(self) -> None:
        assert self.merchant_uids is not None or self.customer_uid is not None, "never everything of a merchant"


@dataclass(frozen=True, slots=True)
class ClaimSchedules:
    """Take up to `count_max` due charges, and due tries of failed ones, under a lease, each for one worker."""

    lease_id: str
    now: datetime
    leased_until: datetime
    count_max: int
    pace: Pace | None = None
    """How quickly all workers together may begin charges, as long as charges wait that were due before some moment."""


@dataclass(frozen=True, slots=True)
class SetScheduleTime:
    """Let a planned charge wait for `schedule_at`; gives False when it has moved since it was read.

    A claim of it ends with this; what an earlier execution left in it is cleared, its payment stays.
    """

    schedule: Schedule
    schedule_at: datetime


@dataclass(frozen=True, slots=True)
class FailSchedule:
    """Execute a claimed charge that cannot even begin: a payment that failed, and its webhooks, at once.

    Gives False, and writes nothing, when the planned charge has moved since it was claimed. `payment` is as it would
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
class EndTries:
    """Plan no further try of a failed charge; gives False when none was planned, or it has moved since it was read."""

    schedule: Schedule


@dataclass(frozen=True, slots=True)
class SetRecovery:
    """Change when a merchant's failed charges are tried again; gives None when the rules are no longer `before`."""

    merchant_id: str
    before: RecoveryRules = field(hash=False)
    after: RecoveryRules = field(hash=False)
    act: Act | None = None


@dataclass(frozen=True, slots=True)
class Prepare:
    """Register an amount; gives False, and changes nothing, when one is registered already."""

    prepared: PreparedAmount
    now: datetime


@dataclass(frozen=True, slots=True)
class ChangePrepared:
    """Change a registered amount; gives False when there is none."""

    prepared: PreparedAmount
    now: datetime


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """Claim the key of a request that must be carried out once; gives it as it stands then (KeptRequest).

    It is ours when its lease is; else somebody carries it out, or it is answered. A lease that ran out passes on, with
    the attempt id of the first. One that was begun before `kept_since` counts as none.
    """

    merchant_id: str
    key: str
    digest: bytes
    attempt_id: str
    lease_id: str
    now: datetime
    leased_until: datetime
    kept_since: datetime


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """A request that carries a key: a digest of what it asks, whose it is, and its answer when there is one."""

    digest: bytes
    attempt_id: str
    lease_id: str
    leased_until: datetime
    sealed_answer: bytes | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class FinishRequest:
    """Keep the answer of a request that is ours, or without one let go of it; gives False when it is ours no longer."""

    merchant_id: str
    key: str
    lease_id: str
    sealed_answer: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class SweepRequests:
    """Forget requests that were begun before a moment, the oldest first; gives how many."""

    before: datetime
    count_max: int


@dataclass(frozen=True, slots=True)
class AddMerchant:
    """Keep a new merchant with its first API key."""

    merchant: Merchant
    api_key: ApiKey
    act: Act | None = None


@dataclass(frozen=True, slots=True)
class RenewApiSecret:
    """Let another secret open an API key. Refused (Conflict) unless `before`.

    The old secret and its token are void, or good until `old_until`; a secret that was old already is void.
    """

    merchant_id: str
    api_key: str
    before: bytes = field(repr=False)
    after: bytes = field(repr=False)
    at: datetime
    act: Act
    old_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SetWebhook:
    """Change where and how a merchant is told: what is not None, and nothing else; an address of "" is taken away.

    Gives the merchant as it stands then, or None when there is none.
    """

    merchant_id: str
    url_live: str | None = None
    url_test: str | None = None
    type_live: WebhookType | None = None
    type_test: WebhookType | None = None
    retry: WebhookRetry | None = None
    failures: bool | None = None
    first: bool | None = None
    confirm: bool | None = None
    act: Act | None = None


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """What a merchant's webhooks are signed with, sealed: the secret, and the one before while it signs beside it."""

    sealed: bytes | None = field(repr=False)
    sealed_old: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class SetWebhookSecrets:
    """Change what webhooks are signed with. Refused (Conflict) when that is no longer `before`."""

    merchant_id: str
    before: WebhookSecrets
    after: WebhookSecrets
    act: Act | None = None


@dataclass(frozen=True, slots=True)
class SetFieldSet:
    """Change which keys the objects of a merchant's answers have."""

    merchant_id: str
    field_set: FieldSet
    act: Act | None = None


@dataclass(frozen=True, slots=True)
class PutChannel:
    """Keep a new channel, or a changed one under its id."""

    channel: Channel
    act: Act | None = None


@dataclass(frozen=True, slots=True)
class SetToken:
    """Keep the life of an API key's token, unless it, or the secret it is given for, has changed since `before`."""

    merchant_id: str
    api_key: str
    before: TokenLife | None
    life: TokenLife
    token_digest: bytes
    secret_digest: bytes = field(repr=False)
    of_old_secret: bool = False


@dataclass(frozen=True, slots=True)
class MovedPayment:
    """A payment that is over, with its confirmed cancels, oldest first, on its way in from a file."""

    payment: Payment
    cancellations: tuple[Cancellation, ...] = ()


@dataclass(frozen=True, slots=True)
class MovedKey:
    """A billing key on its way in; with `ending_id`, the id of an attempt, it is still to be ended at the PG."""

    key: BillingKey
    ending_id: str | None = None


Moved = MovedPayment | MovedKey | Schedule | PreparedAmount


@dataclass(frozen=True, slots=True)
class MovedMerchant:
    """A merchant from a file with its keys and channels."""

    merchant: Merchant
    api_keys: tuple[ApiKey, ...]
    channels: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class StageEntries:
    """Keep the next entries of a file aside, unseen; `first_index` is where they stand in their list of the file.

    Raises Conflict when not exactly `staged_before` entries of the file were kept so far: another run reads it too.
    """

    digest: str
    staged_before: int
    first_index: int
    entries: tuple[Moved, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class FinishImport:
    """Make everything that was kept aside of a file real, with the file's merchants, in one transaction."""

    digest: str
    merchants: tuple[MovedMerchant, ...]
    staged: int
    now: datetime
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True, slots=True)
class DiscardImport:
    """Forget what was kept aside of a file."""

    digest: str
    staged: int


@dataclass(frozen=True, slots=True)
class ImportClash:
    """Two entries of a list that cannot both be, or one that refers to nothing; `index` is the later entry's."""

    section: str
    index: int
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class KeepRows:
    """Keep what a PG's file of a day says. A row that is known already stays as it is."""

    merchant_id: str
    pg_provider: str
    day: date
    rows: tuple[SettlementRow, ...]


@dataclass(frozen=True, slots=True)
class FillTid:
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
class EnterPayment:
    """Enter a payment that was made and is not here, begun and recorded in one; gives it as it then stands.

    A planned charge of its merchant_uid that waits here, or would be tried again, is executed by it. Refused (Conflict)
    when its imp_uid is here, or its merchant_uid belongs to another payment.
    """

    payment: Payment
    """As it was begun."""
    attempt: Attempt
    record: Record
    act: Act


@dataclass(frozen=True, slots=True)
class AddFindings:
    """Keep findings; gives those that nobody has found before."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class CloseFinding:
    """Close a finding, with the act in the audit log; gives False when there is none, or it is closed already."""

    finding_id: str
    act: Act


@dataclass(frozen=True, slots=True)
class ClaimDay:
    """Take the next try to have the file of a day; gives False when somebody else took it, or the day is done."""

    merchant_id: str
    channel_id: str
    day: date
    now: datetime
    next_due_at: datetime


@dataclass(frozen=True, slots=True)
class DaySums:
    """What was taken and given back on a day, in won: as the PG's file has it, and as it is here."""

    taken_there: int
    taken_here: int
    cancelled_there: int
    cancelled_here: int

    @property
    def agree(self) -> bool:
        """Whether both tell the same."""
        return self.taken_there == self.taken_here and self.cancelled_there == self.cancelled_here


@dataclass(frozen=True, slots=True)
class FinishDay:
    """Mark the file of a day as compared. `complete`: what is missing in it certainly did not happen on that day."""

    merchant_id: str
    channel_id: str
    day: date
    complete: bool
    sums: DaySums
    now: datetime


Write = (
    BeginCharge
    | OpenWindow
    | RecordPrepared
    | EndWindow
    | BeginApproval
    | Record
    | ClaimLook
    | ClaimUndo
    | BeginCancel
    | RecordCancel
    | SettleByHand
    | SupplyTid
    | BeginDeactivation
    | ClaimKeyEnding
    | RecordKeyEnding
    | RecordAttempt
    | NoteLeft
    | ClaimDeliveries
    | FinishDelivery
    | AddSchedules
    | RevokeSchedules
    | ClaimSchedules
    | SetScheduleTime
    | ActOnSchedule
    | FailSchedule
    | EndTries
    | Prepare
    | ChangePrepared
    | ClaimRequest
    | FinishRequest
    | SweepRequests
    | AddMerchant
    | RenewApiSecret
    | SetWebhook
    | SetWebhookSecrets
    | SetFieldSet
    | SetRecovery
    | PutChannel
    | SetToken
    | StageEntries
    | FinishImport
    | DiscardImport
    | KeepRows
    | FillTid
    | EnterPayment
    | EnterRefunds
    | AddFindings
    | CloseFinding
    | ClaimDay
    | FinishDay
    | UserWrite
    | DeskWrite
    | SettingsWrite
    | ListWrite
    | CountHours
    | MaintenanceWrite
    | Prove
    | EnterOutcome
    | ServerWrite
    | WaitingWrite
)


class Sorting(StrEnum):
    """Orders of a list of payments, newest or oldest first, by one of its times."""

    STARTED = "started"
    STARTED_NEWEST = "-started"
    PAID = "paid"
    PAID_NEWEST = "-paid"
    UPDATED = "updated"
    UPDATED_NEWEST = "-updated"


@dataclass(frozen=True, slots=True)
class OpenAttempt:
    """An attempt whose outcome nobody knows: nobody recorded one yet, or it was recorded as unknown.

    `approved_before` is the PG's time of the key's last approval when a charge began.
    """

    attempt: Attempt
    payment: Payment | None
    approved_before: datetime | None
    look_at: datetime | None = None
    """When to ask next, while the outcome is recorded as unknown."""
    code: str | None = None
    """What the PG said that proved nothing, if it said anything."""
    approved_before_in_reply: bool = False
    """Whether `approved_before` was told by the reply to the charge that it is the time of."""


@dataclass(frozen=True, slots=True)
class PageWish:
    """One page of a merchant's payments: of an order, of a billing key's customer_uid, or that came to their status in
    a span of time.

    `since` and `until` are inclusive. `page` counts from 1.
    """

    statuses: Sequence[Status]
    sorting: Sorting
    page: int
    limit: int
    merchant_uid: str | None = None
    customer_uid: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page, and how many there are on all pages."""

    total: int
    payments: Sequence[Payment]


@dataclass(frozen=True, slots=True)
class ScheduleWish:
    """One page of a merchant's planned charges by their time, `since` inclusive, `before` not; `page` counts from 1."""

    since: datetime
    before: datetime
    page: int
    limit: int
    statuses: Sequence[ScheduleStatus] = tuple(ScheduleStatus)
    oldest_first: bool = False
    customer_uid: str | None = None


@dataclass(frozen=True, slots=True)
class SchedulePage:
    """The rows of one page, and how many there are on all pages."""

    total: int
    schedules: Sequence[Schedule]


@dataclass(frozen=True, slots=True)
class ToldWish:
    """Which of a merchant's webhooks are looked for, newest first; `since` is when they were first to be sent."""

    limit: int
    states: Sequence[DeliveryState] = tuple(DeliveryState)
    delivery_id: str | None = None
    imp_uid: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class KnownCharge:
    """A call that took money, or may have, with its payment. The PG knows it by `attempt.order_id`."""

    attempt: Attempt
    payment: Payment
    outcome: Outcome | None
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class KnownCancel:
    """A cancel that was done, or may have been, with its payment."""

    cancellation: Cancellation
    payment: Payment


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A row of a file, and the day of that file."""

    day: date
    row: SettlementRow


@dataclass(frozen=True, slots=True)
class DayState:
    """How far the file of a day of a channel has come."""

    day: date
    tries: int
    due_at: datetime
    done_at: datetime | None
    complete: bool
    sums: DaySums | None


@dataclass(frozen=True, slots=True)
class AccountSpan:
    """What one merchant did under one contract with a PG in a span of time, `since` inclusive, `before` not."""

    merchant_id: str
    pg_provider: str
    pg_merchant_id: str
    since: datetime
    before: datetime


@dataclass(frozen=True, slots=True)
class FindingWish:
    """Which of a merchant's findings are looked for, newest first."""

    limit: int
    open_only: bool = True
    day: date | None = None
    finding_id: str | None = None


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """Which history a database server writes. Two that differ in it are not the same books.

    `system_id` is given once, when a cluster of PostgreSQL is made, and its standbys have the same; `timeline` counts
    up at each promotion. None: the server does not say.
    """

    system_id: str | None
    timeline: int | None


@dataclass(frozen=True, slots=True)
class StoreHealth:
    """Whether the store can be used, and what to do when not."""

    ready: bool
    problem: str | None = None
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """How the database server stands, as it was last seen; a file on this machine has no host and nobody follows it."""

    problem: str | None = None
    """Why nothing can be written at present, and so nothing charged."""
    host: str | None = None
    version: int | None = None
    """As PostgreSQL counts: 150020 is 15.20."""
    pooled: bool = False
    """Whether a pooler such as PgBouncer is between."""
    read_only: bool = False
    followers: int | None = 0
    """Standbys that stream from it; None where we may not see them."""
    synchronous_wanted: int = 0
    """For how many standbys each commit waits."""
    synchronous: int | None = 0
    lag_seconds: float | None = 0.0
    """By how much the standby that is farthest behind lags."""

    @property
    def synchronous_missing(self) -> int:
        """How many standbys are missing for which every write waits; 0 where we may not see them."""
        return 0 if self.synchronous is None else max(0, self.synchronous_wanted - self.synchronous)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Work of one kind that waits: how much, up to a bound, and since when the oldest of it has waited."""

    count: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class PastEvent:
    """One move of a payment, as it was kept."""

    event: Event | Start
    status: Status
    proof: str | None
    attempt_id: str | None
    happened_at: datetime


class OpenWork(StrEnum):
    """Kinds of work that wait for somebody to do it."""

    UNKNOWN = "unknown"  # outcomes that nobody knows, by when the call was begun
    UNANSWERED = "unanswered"  # calls without an outcome
    UNDOING = "undoing"  # payments whose billing key was lost, and whose next try to give the money back is due
    SCHEDULES = "schedules"  # planned charges that are due
    TRIES = "tries"  # failed planned charges whose next try is due
    WEBHOOKS = "webhooks"  # webhooks that are due
    FINDINGS = "findings"  # differences to the PG's file that nobody has closed
    KEY_ENDINGS = "key_endings"  # ended keys whose next try to end them at the PG is due


class Invariant(StrEnum):
    """What is true at every moment, however the gateway is stopped and started."""

    PAID_HAS_PROOF = "paid_has_proof"  # a payment is paid only with evidence that money was taken
    FAILED_HAS_PROOF = "failed_has_proof"  # a payment has failed only when no call of it may have taken money
    STATUS_HAS_EVENT = "status_has_event"  # the last event of a payment tells its status
    CANCELLED_IS_THE_SUM = "cancelled_is_the_sum"  # what is cancelled of a payment is the sum of its cancels
    UNKNOWN_ENDS = "unknown_ends"  # an unknown outcome is resolved
    ATTEMPT_HAS_OWNER = "attempt_has_owner"  # a call without an outcome is under way, or noticed as lost
    SCHEDULE_HAS_OWNER = "schedule_has_owner"  # a due charge is taken up by a worker
    FILE_AGREES = "file_agrees"  # the PG's file of a day has the sums that are here, or somebody has looked into it


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that breaks an invariant; `subject` is the id of a payment, attempt or planned charge."""

    invariant: Invariant
    merchant_id: str
    subject: str


class Store(
    UserReads,
    SettingsReads,
    ExportReads,
    PlanReads,
    KeyringReads,
    DeskReads,
    PaymentListReads,
    FigureReads,
    MaintenanceReads,
    ServerReads,
    WaitingReads,
    Protocol,
):
    """A store of everything maedal knows."""

    @overload
    async def write(self, write: BeginCharge) -> BegunCharge | Refusal: ...
    @overload
    async def write(self, write: NoteServer) -> NotedServer: ...
    @overload
    async def write(self, write: NoteUnseen) -> None: ...
    @overload
    async def write(self, write: OpenWindow) -> bool: ...
    @overload
    async def write(
        self, write: EndWindow | BeginApproval | Record | RecordCancel | SettleByHand | SupplyTid
    ) -> Payment: ...
    @overload
    async def write(self, write: ClaimRequest) -> KeptRequest: ...
    @overload
    async def write(self, write: SweepRequests | EndSessions | SweepSignIns | IndexTexts) -> int: ...
    @overload
    async def write(
        self,
        write: BeginSession
        | TakeStep
        | TakeRecoveryCode
        | DropView
        | CountHours
        | NotePause
        | PostponeSchedule
        | PauseChannel
        | ResumeChannel
        | LinkSchedule,
    ) -> bool: ...
    @overload
    async def write(self, write: CountTry) -> datetime | None: ...
    @overload
    async def write(
        self,
        write: AddUser
        | PutUser
        | ForgiveTries
        | SeeSession
        | PutView
        | PutColumns
        | BeginExport
        | PutExport
        | AddPause,
    ) -> None: ...
    @overload
    async def write(self, write: KeepLook) -> None: ...
    @overload
    async def write(self, write: KeepAct) -> bool: ...
    @overload
    async def write(self, write: ResendMany) -> int | None: ...
    @overload
    async def write(self, write: SetAllowedAddresses | EndOldSecret) -> bool: ...
    @overload
    async def write(self, write: NameApiKey | SeeApiKey | KeepChecks) -> None: ...
    @overload
    async def write(self, write: EndPause) -> Pause | None: ...
    @overload
    async def write(self, write: BeginDeactivation) -> BillingKey | None: ...
    @overload
    async def write(self, write: SetWebhook | SetRecovery) -> Merchant | None: ...
    @overload
    async def write(self, write: ClaimKeyEnding) -> KeyEnding | None: ...
    @overload
    async def write(self, write: RecordKeyEnding) -> bool: ...
    @overload
    async def write(self, write: ClaimDeliveries) -> Sequence[Delivery]: ...
    @overload
    async def write(self, write: FillTid) -> Payment | None: ...
    @overload
    async def write(self, write: EnterPayment | EnterOutcome | EnterRefunds) -> Payment: ...
    @overload
    async def write(self, write: Prove) -> Proved | None: ...
    @overload
    async def write(self, write: AddFindings) -> Sequence[Finding]: ...
    @overload
    async def write(self, write: AddSchedules) -> Sequence[str]: ...
    @overload
    async def write(self, write: RevokeSchedules | ClaimSchedules) -> Sequence[Schedule]: ...
    @overload
    async def write(
        self,
        write: ClaimLook
        | ClaimUndo
        | FinishDelivery
        | FinishRequest
        | SetToken
        | Prepare
        | ChangePrepared
        | SetScheduleTime
        | ActOnSchedule
        | FailSchedule
        | EndTries
        | CloseFinding
        | ClaimDay,
    ) -> bool: ...
    @overload
    async def write(self, write: StageEntries | FinishImport | DiscardImport | KeepRows | FinishDay) -> None: ...
    @overload
    async def write(
        self,
        write: RecordPrepared
        | BeginCancel
        | RecordAttempt
        | NoteLeft
        | AddMerchant
        | RenewApiSecret
        | SetWebhookSecrets
        | SetFieldSet
        | PutChannel,
    ) -> None: ...
    async def write(self, write: Write) -> object:
        """Commit `write` and return its result. Raises Conflict when a rule of the database refuses it.

        `OpenWindow` gives False, and writes nothing, when the merchant_uid is used. `EndWindow`, `BeginApproval`,
        `Record` and `RecordCancel` give the payment as it stands afterwards.
        """
        ...

    async def merchant(self, code: str) -> Merchant | None: ...
    async def merchants(self) -> Sequence[Merchant]: ...
    async def api_key(self, api_key: str) -> ApiKey | None: ...
    async def token_owner(self, token_digests: Sequence[bytes]) -> TokenOwner | None: ...
    async def channels(self, merchant_id: str) -> Sequence[Channel]: ...
    async def payment(self, merchant_id: str, imp_uid: str) -> Payment | None: ...
    async def payment_of(
        self, merchant_id: str, merchant_uid: str, statuses: Sequence[Status], sorting: Sorting
    ) -> Payment | None: ...
    async def payments_by_ids(
        self, merchant_id: str, imp_uids: Sequence[str], merchant_uids: Sequence[str]
    ) -> Sequence[Payment]:
        """Return the payments under any of these ids, newest started first."""
        ...

    async def page(self, merchant_id: str, wanted: PageWish) -> Page: ...
    async def cancellations(self, merchant_id: str, imp_uids: Sequence[str]) -> Sequence[Cancellation]:
        """Return the cancellations of these payments, done or not, oldest first."""
        ...

    async def prepared(self, merchant_id: str, merchant_uid: str) -> PreparedAmount | None: ...
    async def schedule(self, merchant_id: str, merchant_uid: str) -> Schedule | None: ...
    async def planned_tries(self, merchant_id: str, count_max: int) -> Sequence[Schedule]:
        """Return failed charges that will be tried again, the soonest first."""
        ...

    async def schedules(self, merchant_id: str, wanted: ScheduleWish) -> SchedulePage: ...
    async def told(self, merchant_id: str, wanted: ToldWish) -> Sequence[DeliveryLog]: ...
    async def untried(self, merchant_id: str, imp_uid: str, told_by: datetime) -> bool:
        """Return whether a webhook that `told_by` put into the outbox has not been sent even once."""
        ...

    async def window(self, merchant_id: str, imp_uid: str) -> Window | None: ...
    async def sealed_pg_token(self, merchant_id: str, imp_uid: str) -> bytes | None: ...
    async def expired_windows(self, before: datetime, count_max: int) -> Sequence[Payment]: ...
    async def billing_key(self, merchant_id: str, customer_uid: str) -> BillingKey | None: ...
    async def billing_keys(self, merchant_id: str, customer_uids: Sequence[str]) -> Sequence[BillingKey]:
        """Return the living keys of these customer_uids, in any order."""
        ...

    async def billing_key_by_id(self, merchant_id: str, billing_key_id: str) -> BillingKey | None: ...
    async def due_key_endings(self, now: datetime, count_max: int) -> Sequence[KeyEnding]:
        """Return the keys to end at the PG whose next try is due and that no open charge holds, longest due first."""
        ...

    async def pending_key_endings(self, count_max: int) -> Sequence[PendingEnding]: ...
    async def unanswered(self, begun_before: datetime, count_max: int) -> Sequence[OpenAttempt]:
        """Return old attempts without an outcome; not those that end keys, which are tried until they have one."""
        ...

    async def unknown(self, due: datetime, count_max: int) -> Sequence[OpenAttempt]:
        """Return calls of unknown outcome that are to be looked at again by `due`, the longest due first."""
        ...

    async def due_undos(self, due: datetime, count_max: int) -> Sequence[Payment]: ...
    async def unknown_of(self, merchant_id: str, imp_uid: str) -> OpenAttempt | None: ...
    async def without_tid(self, count_max: int) -> Sequence[Payment]:
        """Return payments that are paid and lack the PG's id, the longest paid first."""
        ...

    async def order_without_tid(self, merchant_id: str, imp_uid: str) -> str | None:
        """Return the order id under which the PG was asked for the charge that made the payment paid without a tid."""
        ...

    async def payment_of_attempt(self, merchant_id: str, attempt_id: str) -> Payment | None:
        """Return the payment that an attempt is about, or None when there is no such attempt."""
        ...

    async def events(self, merchant_id: str, imp_uid: str) -> Sequence[PastEvent]:
        """Return what happened to a payment, oldest first."""
        ...

    async def acts(self, merchant_id: str, count_max: int) -> Sequence[Act]:
        """Return the newest acts in a merchant's matters, newest first."""
        ...

    async def staged(self, digest: str) -> int:
        """Return how many entries of a file an import has kept aside."""
        ...

    async def import_clash(self, digest: str) -> ImportClash | None:
        """Return the first thing that keeps the entries kept aside of a file from becoming real together."""
        ...

    async def open_charge(self, merchant_id: str, billing_key_id: str) -> bool:
        """Return whether a charge of the billing key is running, or its outcome unknown."""
        ...

    async def ended_key_charged_since(self, merchant_id: str, customer_uid: str) -> datetime | None:
        """Return when the latest charge of an ended key of the customer was begun that has no outcome yet at all."""
        ...

    async def open_cancel(self, merchant_id: str, imp_uid: str) -> bool:
        """Return whether a cancel of the payment is running, or its outcome unknown."""
        ...

    async def api_keys(self, merchant_id: str) -> Sequence[ApiKey]: ...
    async def payments_after(self, merchant_id: str, imp_uid: str, count_max: int) -> Sequence[Payment]:
        """Return a merchant's payments in the order of their ids, from the one after `imp_uid` on."""
        ...

    async def billing_keys_after(self, merchant_id: str, billing_key_id: str, count_max: int) -> Sequence[BillingKey]:
        """Return a merchant's billing keys, ended ones too, in the order of their ids."""
        ...

    async def schedules_after(self, merchant_id: str, merchant_uid: str, count_max: int) -> Sequence[Schedule]:
        """Return a merchant's planned charges, with their payments, in the order of their merchant_uids."""
        ...

    async def prepared_after(self, merchant_id: str, merchant_uid: str, count_max: int) -> Sequence[PreparedAmount]:
        """Return a merchant's registered amounts in the order of their merchant_uids."""
        ...

    async def channels_with_files(self, after: tuple[str, str], count_max: int) -> Sequence[Channel]:
        """Return channels whose PG gives us its files, in the order of merchant and id, from those after `after` on."""
        ...

    async def days(self, merchant_id: str, channel_id: str, since: date, until: date) -> Sequence[DayState]:
        """Return the days of a channel whose files were asked for, both ends inclusive."""
        ...

    async def known_charges(self, merchant_id: str, order_ids: Sequence[str]) -> Sequence[KnownCharge]:
        """Return the calls that the PG knows under any of these order numbers, with the outcome that each has here."""
        ...

    async def known_elsewhere(self, span: AccountSpan, order_ids: Sequence[str]) -> Sequence[str]:
        """Return which of these order numbers belong to another merchant here who has the same contract."""
        ...

    async def kept_rows(self, merchant_id: str, order_ids: Sequence[str], pg_tids: Sequence[str]) -> Sequence[KeptRow]:
        """Return what files have said of any of these."""
        ...

    async def taken_unseen(
        self, span: AccountSpan, after: tuple[datetime, str], count_max: int
    ) -> Sequence[KnownCharge]:
        """Return calls that took money, or may have, and that no file has said anything of, the oldest first.

        From the one after `after` on, by when it was begun and its id.
        """
        ...

    async def cancels_between(
        self, span: AccountSpan, after: tuple[datetime, str], count_max: int
    ) -> Sequence[KnownCancel]:
        """Return cancels that were done, or may have been, the oldest first; from the one after `after` on."""
        ...

    async def findings(self, merchant_id: str, wanted: FindingWish) -> Sequence[Finding]: ...
    async def findings_of(self, merchant_id: str, pg_tids: Sequence[str]) -> Sequence[Finding]:
        """Return the findings about any of these ids of the PG."""
        ...

    async def open_work(self, kind: OpenWork, until: datetime) -> Waiting:
        """Return how much has been open, or due, since `until` or longer, counted up to a bound."""
        ...

    async def violations(self, invariant: Invariant, at: datetime, count_max: int) -> Sequence[Violation]:
        """Return what breaks `invariant`: among what changed since `at`, or of what has been open since before."""
        ...

    async def health(self) -> StoreHealth:
        """Return whether charges can be made; answers within a few seconds, also when a host is silent."""
        ...

    async def standing(self) -> Standing:
        """Return how the database server stands."""
        ...
