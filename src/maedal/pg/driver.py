"""What we need of any PG, in our words, never in one PG's.

A driver only builds requests and reads replies. Calling, recording and waiting belong to the flows, so a new PG is one
driver folder (and one simulator) and no edit elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from maedal.maintenance.pause import Night
from maedal.merchants.channel import PgAccountRules
from maedal.payments.attempt import Decline, DeclineReason, Fault, Method, Result, Verb
from maedal.payments.cancellation import CancelAtPg, CancelSplit
from maedal.payments.failure_causes import FailureCause
from maedal.payments.money import Currency, Price
from maedal.payments.window import Device
from maedal.reconciliation.settlement import NotYet, SettlementDay


class Resolution(StrEnum):
    """What tells whether a call whose answer was lost took effect."""

    START_ANEW = "start_anew"  # harmless: nothing was taken, nothing is kept
    ORDER_LOOKUP = "order_lookup"  # by the PG's own id of the payment
    KEY_STATUS = "key_status"  # by the time of the billing key's last approval


@dataclass(frozen=True, slots=True)
class FileRules:
    """When the file of a day in Seoul can be had: so long after its end, and for so many days from then on."""

    after_the_day: timedelta
    days_kept: int


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a PG can do, as data."""

    accounts: PgAccountRules
    currencies: frozenset[Currency]
    amount_min: int
    """Smallest amount of one payment, whole units."""
    zero_amount_issue: bool
    """Whether a billing key can be issued without taking money."""
    partial_cancel: bool
    resolution: Mapping[Verb, Resolution]
    decline_reasons: Mapping[str, DeclineReason]
    """The PG's codes after which a later charge may succeed, and why each was declined."""
    failure_causes: Mapping[str, FailureCause]
    """Of the PG's codes, as they are kept with a payment, why it failed; others are not explained."""
    closed_codes: frozenset[str]
    """What the PG answers while it is closed as a whole: whoever calls it hears the same."""
    faults: Mapping[str, Fault]
    """The PG's codes that refuse a call at the door: none of them says anything of the buyer."""
    unsure_codes: frozenset[str]
    """What a buyer's method of payment answers that cannot say what happened: a lost answer with one is the buyer's."""
    left_differs_codes: frozenset[str]
    """What a cancel is refused with when another amount is left at the PG than we believe."""
    nights: tuple[Night, ...]
    """When charges fail every night, as far as it is known."""
    window_lifetime: timedelta
    card_key_in: bool
    """Whether a card's number can be charged or registered through the API."""
    cards: tuple[str, ...] = ()
    """The card companies, in PortOne's codes, that a window can be limited to."""
    files: FileRules | None = None
    """When the PG gives out files of everything it took and gave back; None if it has none."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose contract a call is made under. `secret` is in the clear and lives only as long as the call."""

    base_url: str
    pg_merchant_id: str
    test_mode: bool
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FileAccount:
    """Whose files of past days are asked for, and with which key; `secret` is in the clear.

    `bucket` is where the PG puts them. `simulator_url` stands in for the PG's own hosts.
    """

    bucket: str
    simulator_url: str | None
    secret: str = field(repr=False)


class CallKind(StrEnum):
    """What a call is for. Each kind has connections of its own, so that none keeps another from being made."""

    CHARGE = "charge"  # a merchant's server waits for it
    SCHEDULED = "scheduled"  # a worker makes it, and can wait
    APPROVE = "approve"  # the buyer is present and has agreed
    PREPARE = "prepare"  # open a window: whoever comes to a shop's page can have one opened
    CANCEL = "cancel"  # give money back, or end a key
    LOOK_UP = "look_up"  # only ask


@dataclass(frozen=True, slots=True)
class PgRequest:
    """One HTTP request to a PG, a POST unless it only reads a file."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    connect_timeout_seconds: float
    read_timeout_seconds: float
    send_by: datetime | None = None
    """From then on it must not leave any more: others may have judged by now that it never did."""
    method: str = "POST"
    reply_bytes_max: int = 1 << 20
    """Larger replies are cut off and count as lost; an ordinary one has a few kilobytes."""
    kind: CallKind = CallKind.LOOK_UP
    merchant_id: str = ""
    """For whom it is sent: connections are shared among merchants."""


@dataclass(frozen=True, slots=True)
class PgReply:
    """What came back, whatever it says."""

    status: int
    body: bytes = field(repr=False)
    dated_at: datetime | None = None
    """What time it is by the PG's own clock, in whole seconds, if it says so."""


class NotSent(Exception):
    """Certain: no byte of the request reached the PG."""

    fault = Fault.UNREACHABLE


class NoConnectionFree(NotSent):
    """Every connection that we allow ourselves to the PG was in use for too long."""

    fault = Fault.NO_CONNECTION_FREE


class TooLate(NotSent):
    """The time in which the request had to leave was over."""

    fault = Fault.TOO_LATE


class AnswerLost(Exception):
    """The request may have reached the PG; its answer did not reach us."""


class Unreadable(Exception):
    """The PG answered something that proves nothing."""


class Transport(Protocol):
    """The network, passed in."""

    async def send(self, request: PgRequest) -> PgReply:
        """Send `request` once and return the reply. Raises NotSent or AnswerLost, nothing else; never repeats."""
        ...


@dataclass(frozen=True, slots=True)
class PrepareParams:
    """Open a window. `approval_url`, `cancel_url` and `fail_url` are ours."""

    order_id: str
    user_id: str
    name: str
    quantity: int
    price: Price
    approval_url: str
    cancel_url: str
    fail_url: str
    method: Method | None = None
    card_codes: tuple[str, ...] | None = None
    """PortOne's codes of the only cards to allow; None allows all."""
    quota_months: int | None = None
    return_scheme: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """The window is open at the PG."""

    pg_tid: str
    pc_url: str
    mobile_url: str
    app_url: str


@dataclass(frozen=True, slots=True)
class ApproveParams:
    """Take the money of a prepared window whose buyer has agreed."""

    pg_tid: str
    order_id: str
    user_id: str
    pg_token: str = field(repr=False)
    price: Price
    issues_key: bool
    device: Device
    mark: str | None = None
    """Kept by the PG beside the money, and told again by its order lookup (`payments.mark`)."""


@dataclass(frozen=True, slots=True)
class ChargeParams:
    """Take money with a billing key."""

    pg_key: str = field(repr=False)
    order_id: str
    user_id: str
    name: str
    quantity: int
    price: Price
    mark: str | None = None
    """Kept by the PG beside the money, and told again by its order lookup (`payments.mark`)."""


@dataclass(frozen=True, slots=True)
class CancelParams:
    """Give money back. `available` is what we believe can still be cancelled, this cancel included."""

    pg_tid: str
    split: CancelSplit
    available: int
    mark: str | None = None
    """Kept by the PG beside the cancel, and told again by its order lookup (`payments.mark`)."""


class OrderState(StrEnum):
    """What an order lookup shows, as far as we act on it."""

    OPEN = "open"  # the buyer has not finished
    AUTHENTICATED = "authenticated"  # the buyer has; we have not approved
    APPROVED = "approved"  # money was taken, or a key issued
    CANCELLED = "cancelled"  # money was taken and at least partly given back
    QUIT = "quit"  # the buyer left
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """One order as the PG shows it. `pg_state` is the PG's own word for progress texts and logs."""

    state: OrderState
    pg_state: str
    order_id: str
    total: int
    method: Method | None
    approved_at: datetime | None
    cancelled: int = 0
    """Sum of all cancels, whole units."""
    cancels: tuple[CancelAtPg, ...] = ()
    """Each of them, oldest first; they sum to `cancelled`."""
    cancelled_tax_free: int | None = None
    cancelled_vat: int | None = None
    """The parts of `cancelled`, where the PG tells them."""
    tax_free: int = 0
    name: str | None = None
    quantity: int = 1
    mark: str | None = None
    """What was sent along as the mark of the payment."""


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """One billing key as the PG shows it."""

    active: bool
    chargeable: bool
    method: Method | None
    last_approved_at: datetime | None


class Driver(Protocol):
    """One PG. Each `*_request` builds a call; its `read_*` turns the reply into our terms.

    Readers raise Unreadable for a reply that proves nothing. A reader that returns a Result never returns a certain
    outcome without the PG's word for it.
    """

    abilities: Abilities

    def prepare_request(self, account: Account, params: PrepareParams) -> PgRequest: ...
    def read_prepare(self, reply: PgReply) -> Prepared | Decline: ...
    def approve_request(self, account: Account, params: ApproveParams) -> PgRequest: ...
    def read_approve(self, account: Account, params: ApproveParams, reply: PgReply) -> Result: ...
    def charge_request(self, account: Account, params: ChargeParams) -> PgRequest: ...
    def read_charge(self, account: Account, params: ChargeParams, reply: PgReply) -> Result: ...
    def cancel_request(self, account: Account, params: CancelParams) -> PgRequest: ...
    def read_cancel(self, params: CancelParams, reply: PgReply) -> Result: ...
    def order_request(self, account: Account, pg_tid: str) -> PgRequest: ...
    def read_order(self, pg_tid: str, reply: PgReply) -> OrderFacts: ...
    def key_request(self, account: Account, pg_key: str) -> PgRequest: ...
    def read_key(self, pg_key: str, reply: PgReply) -> KeyFacts: ...
    def deactivate_request(self, account: Account, pg_key: str) -> PgRequest: ...
    def read_deactivate(self, pg_key: str, reply: PgReply) -> Result: ...

    # The file of a day takes two calls: where it lies, and the file itself. Both only read, and may be repeated.
    def file_place_request(self, account: FileAccount, day: date) -> PgRequest: ...
    def read_file_place(self, account: FileAccount, reply: PgReply) -> str | NotYet: ...
    def file_request(self, account: FileAccount, place: str) -> PgRequest: ...
    def read_file(self, account: FileAccount, day: date, reply: PgReply) -> SettlementDay: ...
