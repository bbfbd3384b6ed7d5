"""A call of the REST API as the log keeps it: who, what, how it went; never what was sent or answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

ERROR_CHARS_MAX = 100


@dataclass(frozen=True, slots=True)
class RequestEntry:
    """One call with an API key. `route` is the pattern of its address, such as `/payments/{imp_uid}`.

    `error` is the code of what refused it, such as `SCOPE_MISSING`, and None when it was carried out. An entry with
    `dropped` stands for so many calls of that moment which were not kept; it has no key and no route.
    """

    merchant_id: str
    id: str
    happened_at: datetime
    api_key: str = ""
    method: str = ""
    route: str = ""
    status: int = 0
    error: str | None = None
    duration: timedelta = timedelta(0)
    dropped: int = 0
