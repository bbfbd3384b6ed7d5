"""While the store is away each call is refused: that is told once, with what it cost when it is back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from maedal import metrics
from maedal.storage.durability.writes import Prove
from maedal.storage.errors import BrokenOff, CommitUnclear, Conflict, KeysMissing, StoreError, TookTooLong
from maedal.storage.write import Writes

if TYPE_CHECKING:
    from maedal.flows.services import ServicesWith

_log = structlog.get_logger()

LOOK_SECONDS = 1.0
OF_ONE_CALL = (Conflict, BrokenOff, TookTooLong, CommitUnclear, KeysMissing)
"""What says something of one call, and nothing of the store."""
ANYTHING = Prove("-", "-")
"""A write that touches nothing: whoever takes no writes refuses it all the same."""


class DatabaseOutageStore(Writes, Protocol): ...


class DatabaseOutage:
    """Since when the store is away, and how many calls it has refused since."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._refused = 0

    def refused(self, services: ServicesWith[DatabaseOutageStore], error: StoreError, **details: Any) -> None:
        """Note that a call was refused because of `error`; logs what is new about that."""
        metrics.REFUSED_BY_STORE.inc()
        if isinstance(error, OF_ONE_CALL):
            _log.error("store_failed", kind=type(error).__name__, text=str(error), **details)
            return
        self._refused += 1
        if self._since is None:
            self._since = services.clock.now()
            metrics.STORE_AWAY.set(1)
            _log.error("store_failed", kind=type(error).__name__, text=str(error), until="store_is_back", **details)
            services.background.linger(self._wait(services, self._since))

    async def _wait(self, services: ServicesWith[DatabaseOutageStore], since: datetime) -> None:
        """Look until the store takes writes again, and say what was refused meanwhile."""
        try:
            while True:
                await services.clock.sleep(LOOK_SECONDS)
                try:
                    await services.store.write(ANYTHING)
                except StoreError:
                    continue
                break
        finally:
            refused, self._since, self._refused = self._refused, None, 0
            metrics.STORE_AWAY.set(0)
        seconds = round((services.clock.now() - since).total_seconds(), 1)
        _log.warning("store_is_back", away_since=since.isoformat(), seconds=seconds, refused=refused)
