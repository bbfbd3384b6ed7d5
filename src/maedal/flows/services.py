"""What the flows are given: contracts only; `maedal.app` is the one place that fills them in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from maedal.clock import Clock
from maedal.flows.anchor_file import AnchorFile
from maedal.flows.call_limits import CallLimits
from maedal.flows.call_queue import CallQueue
from maedal.flows.database_outage import DatabaseOutage
from maedal.flows.key_standing import KeyStanding
from maedal.flows.known_server import KnownServer
from maedal.flows.merchant_cache import MerchantCache
from maedal.flows.proved_payments import ProvedPayments
from maedal.flows.request_limits import RequestLimits
from maedal.flows.request_log import RequestLog
from maedal.flows.unrecorded_outcomes import UnrecordedOutcomes
from maedal.merchants.failed_tokens import FailedTokens
from maedal.messages.mail_server import Letter, MailRoute
from maedal.messages.message import Handover, Sent
from maedal.payments.ids import Ids
from maedal.pg.driver import CallKind, Driver, Transport
from maedal.storage.store import Store

_T = TypeVar("_T")
_Store_co = TypeVar("_Store_co", covariant=True)


class Vault(Protocol):
    """Seals and opens secrets under the place they are kept in, and the facts of their row."""

    @property
    def primary(self) -> str: ...
    @property
    def binds(self) -> bool: ...
    @property
    def takes_unbound(self) -> bool: ...
    @property
    def fingerprints(self) -> dict[str, str]: ...
    @property
    def binding_keys(self) -> frozenset[str]: ...
    def use(self, key_id: str, *, retired: bool = False) -> None: ...
    def key_of(self, sealed: bytes) -> str: ...
    def seal(self, secret: str, place: str, *bound_to: str) -> bytes: ...
    def open(self, sealed: bytes, place: str, *bound_to: str) -> str: ...
    def is_in_place(self, seal: bytes | None, place: str, *bound_to: str) -> bool: ...
    def keep(self, purpose: str, text: str, *bound_to: str) -> bytes: ...
    def matches(self, purpose: str, text: str, kept: bytes | None, *bound_to: str) -> bool: ...
    def proves(self, purpose: str, text: str, digest: bytes) -> bool: ...
    def is_outdated(self, kept: bytes) -> bool: ...
    def digest(self, purpose: str, text: str, *bound_to: str) -> bytes: ...
    def digests(self, purpose: str, text: str, *bound_to: str) -> list[bytes]: ...


class Passwords(Protocol):
    """Hashes and checks passwords, slowly on purpose, and beside the event loop."""

    async def hash(self, password: str) -> str: ...
    async def matches(self, password_hash: str | None, password: str) -> bool: ...
    async def is_easy(self, password: str, *words: str, guesses_min: int = ...) -> bool: ...


class SecondStep(Protocol):
    """Codes that an authenticator app shows."""

    def draw(self) -> str: ...
    def address(self, secret: str, name: str) -> str: ...
    def step_of(self, secret: str, code: str, now: datetime) -> int | None: ...


class Passkeys(Protocol):
    """What browsers are asked of passkeys, and whether their answers hold; those that do not raise."""

    @property
    def available(self) -> bool: ...
    def to_add(self, challenge: bytes, operator_id: str, name: str, known: Sequence[bytes]) -> str: ...
    def to_use(self, challenge: bytes, known: Sequence[tuple[bytes, Sequence[str]]]) -> str: ...
    def challenge_of(self, answer: str) -> bytes: ...
    def credential_of(self, answer: str) -> bytes: ...
    def added(self, answer: str, challenge: bytes) -> tuple[bytes, bytes, int, tuple[str, ...]]: ...
    def used(self, answer: str, challenge: bytes, public_key: bytes) -> int: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What an address of the merchant's answered, or why it did not: then `status` is None and `text` says it."""

    status: int | None
    text: str
    unsent: bool = False
    """Whether it is certain that nothing left for the address."""


class MerchantCalls(Protocol):
    """The guarded way to addresses that merchants gave us."""

    async def post(
        self,
        url: str,
        media_type: str,
        body: str,
        *,
        connect_timeout: timedelta,
        read_timeout: timedelta,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """POST once and return what came back. Never raises for anything the address does."""
        ...


class Mail(Protocol):
    """The way to servers of mail that merchants named."""

    async def send(self, route: MailRoute, letter: Letter, leaves: Callable[[], Awaitable[bool]]) -> Sent:
        """Hand a letter over once, having asked `leaves` right before its text leaves. Never raises for the server."""
        ...


class NoMail:
    """For processes that send none."""

    async def send(self, route: MailRoute, letter: Letter, leaves: Callable[[], Awaitable[bool]]) -> Sent:
        del route, letter, leaves
        return Sent(Handover.NOT_TAKEN, "this process sends no mail")


async def no_certificate() -> datetime | None:
    """Return that there is none to look at."""
    return None


@dataclass(frozen=True, slots=True)
class ReturnUrls:
    """Where the PG sends the buyer's browser after its window; each carries one opaque token and nothing else."""

    approval: str
    cancel: str
    fail: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take."""

    busy_wait_seconds: float = 20.0
    """How long a charge waits for another charge of the same billing key."""
    clarify_wait_seconds: float = 20.0
    """How long a request whose answer from the PG was lost waits for the outcome to be clarified."""
    webhook_first_seconds: float = 45.0
    """How long after the outcome a browser waits at most for the webhook, if the merchant wants that it comes first.

    A delivery's 10 seconds to connect and 30 to be answered (docs/wire/portone-v1-rest.md 5.4), and a little.
    """
    catch_up_per_second: float = 10.0
    """How many scheduled charges a second begin on all workers together as they catch up after a PG's maintenance."""
    scheduled_charges_at_once: int = 200
    """How many scheduled charges one worker runs side by side."""
    webhooks_per_receiver: int = 8
    """How many webhooks one worker has under way to one receiver of a merchant at most."""
    unfinished_kept: timedelta = timedelta(days=30)
    """How long a window that ended without anything to be paid is kept, with what it knows of the buyer."""
    unanswered_after: timedelta = timedelta(seconds=60)
    """After how long an attempt without an outcome counts as lost: well above a PG's connect and read timeouts."""

    @property
    def leaves_within(self) -> timedelta:
        """How long after its attempt was begun a call may still leave; later it never does."""
        return self.unanswered_after / 2


class Background:
    """Work that must reach its end even when its caller goes away; a shutdown waits for it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._lingering: set[asyncio.Task[None]] = set()

    async def finish(self, work: Awaitable[_T]) -> _T:
        """Return the result of `work`, which goes on if the caller is cancelled meanwhile."""
        task: asyncio.Task[_T] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Let `work` go on without anybody waiting for it; it must handle its own errors."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def linger(self, work: Coroutine[Any, Any, None]) -> None:
        """Let `work` go on for as long as it takes, the life of the process if need be.

        It must handle its own errors, and say what it leaves undone when it is cancelled.
        """
        task = asyncio.create_task(work)
        self._lingering.add(task)
        task.add_done_callback(self._lingering.discard)

    async def drain(self, timeout_seconds: float) -> None:
        """Wait for everything under way, at most so long; then what lingers is cancelled."""
        if self._tasks or self._lingering:
            await asyncio.wait(self._tasks | self._lingering, timeout=timeout_seconds)
        lingering = set(self._lingering)
        for task in lingering:
            task.cancel()
        await asyncio.gather(*lingering, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class ServicesWith(Generic[_Store_co]):
    """Everything a flow may use, with as much of the store as it names: `ServicesWith[CancelStore]`.

    Whoever has services with more of the store may hand them to whom less is enough.
    """

    store: _Store_co
    clock: Clock
    people_clock: Clock
    """The clock of the people at the console: the machine's own, also where `maedal dev` has travelled ahead of it.

    Their phones show codes of this time, and a sign-in must not be over because a month was travelled.
    """
    ids: Ids
    vault: Vault
    transport: Transport
    drivers: Mapping[str, Driver]
    merchant_calls: MerchantCalls
    return_urls: Callable[[str, str], ReturnUrls]
    merchant_cache: MerchantCache
    passwords: Passwords
    second_step: SecondStep
    passkeys: Passkeys
    sandbox_url: str | None = None
    pg_is_crowded: Callable[[CallKind, str], bool] = lambda _kind, _merchant_id: False
    """Whether so many of a merchant's calls of a kind wait for a connection that one more would wait in vain."""
    limits: Limits = Limits()
    call_queue: CallQueue = field(default_factory=CallQueue)
    known_server: KnownServer = field(default_factory=KnownServer)
    background: Background = field(default_factory=Background)
    unrecorded_outcomes: UnrecordedOutcomes = field(default_factory=UnrecordedOutcomes)
    """Outcomes that the store has not acknowledged yet."""
    proved_payments: ProvedPayments = field(default_factory=ProvedPayments)
    """Payments that this process knows to outlive a failover of the database."""
    database_outage: DatabaseOutage = field(default_factory=DatabaseOutage)
    anchors: AnchorFile = field(default_factory=AnchorFile)
    """Which blocks of the chain over the logs were the newest, kept outside the database."""
    key_standing: KeyStanding = field(default_factory=KeyStanding)
    failed_tokens: FailedTokens = field(default_factory=FailedTokens)
    request_limits: RequestLimits = field(default_factory=RequestLimits)
    """How often somebody whom nobody knows has asked for something in this minute."""
    mail: Mail = field(default_factory=NoMail)
    public_url: str = ""
    """The gateway's own address, as it stands in messages."""
    certificate_end: Callable[[], Awaitable[datetime | None]] = no_certificate
    """Until when the certificate of that address is good; None when it has none, or when it cannot be seen."""
    message_waiting: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a message was put into its outbox."""
    call_limits: CallLimits = field(default_factory=CallLimits)
    """How many calls each merchant's servers may still make."""
    request_log: RequestLog = field(default_factory=RequestLog)
    """Calls of the REST API that are still to be written to the log."""
    webhook_waiting: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a webhook was put into the outbox, so that the worker need not be polled for."""


@dataclass(frozen=True, slots=True)
class Services(ServicesWith[Store]):
    """With the whole store: what ways in hold, and hand to every flow. No flow takes these."""


ServicesWithoutStore: TypeAlias = ServicesWith[object]
"""For what reads and writes nothing."""
