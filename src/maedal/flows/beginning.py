"""Beginning a call: the intent is committed first; when that commit's own answer is lost, we ask what became of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from maedal.flows.parts import Parts
from maedal.storage.store import CommitUnclear, Conflict, StoreError

_log = structlog.get_logger()
_T = TypeVar("_T")

TRIES_MAX = 6


async def begin(parts: Parts, intent: Callable[[], Awaitable[_T]], committed: Callable[[], Awaitable[_T | None]]) -> _T:
    """Commit an intent and return what the write gives; with an unclear commit, make sure of it.

    `committed` looks for what the intent leaves behind, by the ids that it carries, and gives what the write would have
    given. What is not there is written again under the same ids, so that a commit which only comes late refuses it.
    Raises what `intent` raises, and CommitUnclear when the store stays away: then no call was made.
    """
    try:
        return await intent()
    except CommitUnclear as error:
        unclear = error
    for tries in range(TRIES_MAX):
        await parts.clock.sleep(0.1 * 2**tries)
        try:
            found = await committed()
            if found is None:
                answer = await intent()
                # A refusal may speak of our own commit, seen in between.
                found = await committed() or answer
        except Conflict:
            # Committed after we looked, or by somebody else: the next look tells.
            continue
        except StoreError as error:
            _log.warning("unclear_commit_not_clarified", tries=tries + 1, kind=type(error).__name__)
        else:
            _log.info("unclear_commit_clarified", tries=tries + 1)
            return found
    raise unclear
