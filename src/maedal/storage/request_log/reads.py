"""What is read of the log of calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from maedal.merchants.request_entry import RequestEntry
from maedal.storage.audit.reads import Place


class CallOutcome(StrEnum):
    """How a call went."""

    DONE = "done"
    REFUSED = "refused"  # any code other than 0, whatever its HTTP status
    BROKEN = "broken"  # HTTP 5xx


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Which of a merchant's calls are looked for, newest first; `since` is inclusive, `before` is not."""

    limit: int
    api_key: str | None = None
    outcome: CallOutcome | None = None
    method: str | None = None
    route: str | None = None
    """A part of the pattern of the address."""
    error: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class RequestPage:
    """Calls, and where to go on when there may be more."""

    rows: Sequence[RequestEntry]
    next: Place | None


class RequestLogReads(Protocol):
    """What is read of the log of calls."""

    async def page(self, merchant_id: str, wanted: RequestFilter) -> RequestPage: ...


class HasRequestLog(Protocol):
    @property
    def request_log(self) -> RequestLogReads: ...
