"""How many calls each merchant's servers may make: a bucket for each merchant, refilled as time goes by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from maedal.merchants.request_limit import PER_MINUTE, Limited

SECONDS_A_MINUTE = 60


@dataclass(slots=True)
class _Bucket:
    left: float
    at: datetime
    logged: bool = False


class CallLimits:
    """One process's buckets; each begins full and holds the calls of a minute.

    Only who has shown a good token is counted, so there are no more buckets than merchants.
    """

    def __init__(self, per_minute: int = PER_MINUTE[Limited.MERCHANT_CALL]) -> None:
        self._per_minute = per_minute
        self._buckets: dict[str, _Bucket] = {}

    def take(self, merchant_id: str, now: datetime) -> float:
        """Take one call of a merchant's; gives 0, or, when there is none left, in how many seconds there is one."""
        bucket = self._buckets.get(merchant_id)
        if bucket is None:
            bucket = self._buckets[merchant_id] = _Bucket(self._per_minute, now)
        per_second = self._per_minute / SECONDS_A_MINUTE
        # A clock that was put back refills nothing.
        gained = max(0.0, (now - bucket.at).total_seconds()) * per_second
        bucket.left, bucket.at = min(self._per_minute, bucket.left + gained), now
        if bucket.left < 1:
            return (1 - bucket.left) / per_second
        bucket.left -= 1
        bucket.logged = False
        return 0.0

    def is_news(self, merchant_id: str) -> bool:
        """Return whether a refusal of this merchant is the first since a call of it was let through."""
        bucket = self._buckets[merchant_id]
        news, bucket.logged = not bucket.logged, True
        return news
