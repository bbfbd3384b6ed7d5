"""What is written of requests that must be carried out once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from maedal.storage.write import Write

BODY_PURPOSE = "idempotent_requests.body"


def answer_context(merchant_id: str, key: str) -> tuple[str, ...]:
    """Return under what a request's answer is sealed."""
    return (f"idempotent_requests.sealed_answer:{merchant_id}:{key}", merchant_id, key)


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """A request that carries a key: a digest of what it asks, whose it is, and its answer when there is one."""

    digest: bytes
    attempt_id: str
    lease_id: str
    leased_until: datetime
    sealed_answer: bytes | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class ClaimRequest(Write[KeptRequest]):
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
class FinishRequest(Write[bool]):
    """Keep the answer of a request that is ours, or without one let go of it; gives False when it is ours no longer."""

    merchant_id: str
    key: str
    lease_id: str
    sealed_answer: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class SweepRequests(Write[int]):
    """Forget requests that were begun before a moment, the oldest first; gives how many."""

    before: datetime
    count_max: int
