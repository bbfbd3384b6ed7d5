"""An attempt: one call to a PG, recorded before it is made; its outcome: what we know of its result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from maedal.payments.money import Price


class Verb(StrEnum):
    """What an attempt asks of the PG."""

    PREPARE = "prepare"  # open the buyer's window; takes no money
    APPROVE = "approve"  # take money with the buyer present, and issue a billing key if asked
    CHARGE = "charge"  # take money with a billing key
    CANCEL = "cancel"  # give money back, wholly or partly
    DEACTIVATE = "deactivate"  # end a billing key at the PG


class Outcome(StrEnum):
    """What we know of an attempt's result. Only the first three are certain."""

    APPROVED = "approved"
    DECLINED = "declined"
    NOT_SENT = "not_sent"  # certain that nothing reached the PG
    UNKNOWN = "unknown"  # anything else: never repeated, resolved by asking


class Proof(StrEnum):
    """What a recorded outcome rests on."""

    REPLY = "reply"  # the PG's own answer to this very call
    NO_CONNECTION = "no_connection"  # the connection was never made
    ORDER_LOOKUP = "order_lookup"  # the PG's order lookup by its transaction id
    KEY_STATUS = "key_status"  # the PG's status of the billing key
    SETTLEMENT_FILE = "settlement_file"  # the PG's file of the day, by our own order number
    MERCHANT_REFUSED = "merchant_refused"  # confirm_url, or what was registered, said no; no call was made
    PERSON = "person"  # a named person, who answers for it in the audit log
    IMPORTED = "imported"  # the file of an import: another gateway saw the PG's answer
    LOST = "lost"  # none: the answer was lost


class Method(StrEnum):
    """How the buyer pays; chosen at the PG, and for a billing key bound to it."""

    CARD = "card"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class CardDetails:
    """What the PG tells of the card used. `issuer_name` is the PG's own Korean name of the company."""

    issuer_name: str | None = None
    issuer_code: str | None = None
    approval_number: str | None = None
    quota_months: int = 0
    check_card: bool | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """Evidence that the PG took `total` won, or issued a key for 0."""

    pg_tid: str | None
    method: Method | None
    approved_at: datetime | None
    """The PG's own time, aware; whole seconds."""
    card: CardDetails | None = None
    pg_key: str | None = None
    """The billing key's secret at the PG, when one was issued; never logged."""
    receipt_url: str | None = None
    pg_aid: str | None = None
    """The PG's id of this one action, where it is kept: of a cancel."""


class DeclineReason(StrEnum):
    """Why a billing key could not be charged, where a later try may do better."""

    LIMIT = "limit"  # a limit of the method or of the key is used up
    BALANCE = "balance"  # too little money
    LOCKED = "locked"  # the method is blocked for now, or another transaction of it is running
    ENDED_KEY = "ended_key"  # the key, or the method behind it, has ended; the buyer must register anew
    OTHER = "other"  # declined for any other reason; no driver gives it, it stands for a decline that has none


class Fault(StrEnum):
    """Why a call came to nothing that nobody declined: neither the buyer nor their method of payment was asked.

    What was planned waits after one, and is tried again; the operator can do something about it, the buyer cannot.
    """

    UNREACHABLE = "unreachable"  # no connection to the PG came about
    NO_CONNECTION_FREE = "no_connection_free"  # our own connections to the PG were all in use
    TOO_LATE = "too_late"  # the time in which the call had to leave was over
    NOT_BUILT = "not_built"  # the request could not be built
    MISCONFIGURED = "misconfigured"  # the channel cannot be used as it is set up here
    REFUSED = "refused"  # the PG does not take calls of this contract: its key, address or number is wrong or closed
    TOO_MANY = "too_many"  # too many calls of this contract for now
    QUOTA = "quota"  # the day's calls of this contract are used up
    NOT_MADE = "not_made"  # the answer was lost, and it is proved that nothing was taken

    @property
    def of_channel(self) -> bool:
        """Whether every call through the channel meets the same, so that it is not worth trying them one by one."""
        return self in _OF_CHANNEL


_OF_CHANNEL = frozenset({Fault.UNREACHABLE, Fault.MISCONFIGURED, Fault.REFUSED, Fault.TOO_MANY, Fault.QUOTA})


@dataclass(frozen=True, slots=True)
class Decline:
    """The PG's own code and text for why nothing was taken."""

    code: str
    message: str
    reason: DeclineReason | None = None
    key_gone: bool = False
    """The PG says that the billing key itself lives no more: the buyer, or the PG, has ended it there."""
    maintenance: bool = False
    """Whether somebody on the way to the money is closed for a while, which is nobody's fault here."""
    fault: Fault | None = None
    """Why nobody has declined at all; with a certain outcome alone."""

    @property
    def retry_reason(self) -> DeclineReason | None:
        """Return for which reason a rule may try again after the PG's own answer; None when somebody was closed."""
        if self.reason is None and not (self.key_gone or self.maintenance or self.fault is not None):
            return DeclineReason.OTHER
        return self.reason


@dataclass(frozen=True, slots=True)
class Result:
    """What one call taught us: exactly one of approval and decline goes with a certain outcome."""

    outcome: Outcome
    proof: Proof
    approval: Approval | None = None
    decline: Decline | None = None
    """With UNKNOWN: the code and text of the reply that proved nothing, if there was one."""

    def __post_init__(self) -> None:
        assert (self.approval is not None) == (self.outcome is Outcome.APPROVED), self.outcome
        assert self.decline is not None or self.outcome not in {Outcome.DECLINED, Outcome.NOT_SENT}, self.outcome


LOST = Result(Outcome.UNKNOWN, Proof.LOST)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to the PG, as committed before it is made.

    `order_id` is what the PG sees as our order number: the attempt's own id, but for an approval, which belongs to the
    order that its window prepared.
    """

    id: str
    merchant_id: str
    verb: Verb
    order_id: str
    begun_at: datetime
    imp_uid: str | None = None
    billing_key_id: str | None = None
    price: Price | None = None
