"""Beginning a call: the intent is committed first; when that commit is unclear, it is proved by another write.

Nothing is proved by reading. A commit that was broken off while it waited for its standby is there for every reader,
and gone when the standby takes over; only a later write that touches it, and is acknowledged, tells that it stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

import structlog

from maedal.flows.services import ServicesWith
from maedal.payments.attempt import Decline, Fault, Outcome, Proof, Result
from maedal.storage.durability.writes import Prove, Proved
from maedal.storage.errors import CommitUnclear, Conflict, StoreError
from maedal.storage.write import Writes

_log = structlog.get_logger()
_T = TypeVar("_T")

TRIES_MAX = 6
WITHDRAW_SECONDS_MAX = 15.0
"""The longest wait between two looks at an intent that is to be withdrawn."""
WITHDRAWN = Result(
    Outcome.NOT_SENT,
    Proof.NO_CONNECTION,
    decline=Decline("NOT_SENT", "결제를 시작하지 못해 PG에 요청하지 않았습니다.", fault=Fault.TOO_LATE),
)


class IntentsStore(Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class Intent(Generic[_T]):
    """An intent to call a PG, under ids that it carries, so that writing it twice begins one call."""

    merchant_id: str
    attempt_id: str
    begun_at: datetime
    write: Callable[[], Awaitable[_T]]
    """Commit it."""
    begun: Callable[[Proved], _T]
    """What `write` would have given, from what is kept of it."""
    withdraw: Callable[[_T], Awaitable[object]]
    """Record that it was never sent."""


async def begin(services: ServicesWith[IntentsStore], intent: Intent[_T]) -> _T:
    """Commit an intent and return what its write gives; with an unclear commit, prove it by a write.

    What the proof does not find is written again under the same ids, so that a commit which only comes late refuses it.
    Raises what `intent.write` raises, Conflict when somebody else began a call under the same id, and CommitUnclear
    when nothing was proved within the time in which the call may leave: then no call was made, and none will be. Should
    the intent turn out to be kept after all, it is recorded as not sent.
    """
    try:
        return await intent.write()
    except CommitUnclear as error:
        unclear = error
    for tries in range(TRIES_MAX):
        await services.clock.sleep(0.1 * 2**tries)
        if services.clock.now() >= intent.begun_at + services.limits.leaves_within:
            break
        try:
            found = await _proved(services, intent)
            if found is None:
                answer = await intent.write()
                # A refusal may speak of our own commit, seen in between.
                found = await _proved(services, intent) or answer
        except Conflict:
            # Committed after we looked, or by somebody else: the next look tells.
            continue
        except StoreError as error:
            _log.warning("unclear_commit_not_clarified", tries=tries + 1, kind=type(error).__name__)
        else:
            _log.info("unclear_commit_clarified", tries=tries + 1)
            return found
    services.background.linger(_withdraw(services, intent))
    raise unclear


async def _proved(services: ServicesWith[IntentsStore], intent: Intent[_T]) -> _T | None:
    """Return what is kept of the intent, in a way that outlives a failover; None when nothing is."""
    proved = await services.store.write(Prove(intent.merchant_id, intent.attempt_id))
    if proved is None:
        return None
    if proved.attempt.begun_at != intent.begun_at:
        # Another process has taken up the request, and its own call is on the way.
        raise Conflict("another process began a call under this id")
    return intent.begun(proved)


async def _withdraw(services: ServicesWith[IntentsStore], intent: Intent[_T]) -> None:
    """Record an intent that nobody will carry out as not sent, as soon as the database tells of it.

    One that is not there after the time in which an attempt without an outcome counts as lost never will be.
    """
    wait = 1.0
    try:
        while True:
            try:
                found = await _proved(services, intent)
                if found is not None:
                    await intent.withdraw(found)
                    _log.info("intent_withdrawn", attempt=intent.attempt_id)
                    return
                if services.clock.now() >= intent.begun_at + 2 * services.limits.unanswered_after:
                    return
            except Conflict:
                return
            except StoreError as error:
                _log.info("intent_not_withdrawn_yet", attempt=intent.attempt_id, kind=type(error).__name__)
            await services.clock.sleep(wait)
            wait = min(wait * 2, WITHDRAW_SECONDS_MAX)
    except asyncio.CancelledError:
        _log.warning("intent_not_withdrawn", attempt=intent.attempt_id, merchant=intent.merchant_id)
        raise
