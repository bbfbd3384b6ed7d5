"""Everything one simulator consists of, put together."""

from collections.abc import Iterator
from contextlib import contextmanager

from kakaopay_sandbox.actions import Actions
from kakaopay_sandbox.call_log import CallLog
from kakaopay_sandbox.clock import Clock
from kakaopay_sandbox.database import Database
from kakaopay_sandbox.faults import Faults
from kakaopay_sandbox.files import Files
from kakaopay_sandbox.methods import Wallet
from kakaopay_sandbox.orders import Orders
from kakaopay_sandbox.settings import Settings
from kakaopay_sandbox.sids import Sids
from kakaopay_sandbox.time_offsets import TimeOffsets


class Sandbox:
    """The simulator without its HTTP: memory, clock, buyer, arranged faults, calls in progress."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.data_file)
        self.clock = Clock(settings.wall, int(self.database.recall("clock_advanced_seconds", "0")))
        self.orders = Orders(self.database)
        self.actions = Actions(self.database)
        self.sids = Sids(self.database)
        self.wallet = Wallet(
            self.database,
            opening_balance=settings.opening_balance,
            auto_top_up=settings.auto_top_up,
            pin=settings.pin,
            money_limit=settings.money_limit,
        )
        self.call_log = CallLog(self.database)
        self.faults = Faults()
        self.time_offsets = TimeOffsets(self.database)
        self.files = Files(self.database, settings, self.time_offsets)
        self._in_progress: set[str] = set()

    def advance_clock(self, seconds: int) -> None:
        self.clock.advance(seconds)
        with self.database.transaction():
            self.database.remember("clock_advanced_seconds", str(self.clock.advanced_seconds))

    @contextmanager
    def in_progress(self, key: str | None) -> Iterator[bool]:
        """Mark what a call works on; yields True when another call is still at it."""
        if key is None:
            yield False
        elif key in self._in_progress:
            yield True
        else:
            self._in_progress.add(key)
            try:
                yield False
            finally:
                self._in_progress.discard(key)

    def close(self) -> None:
        self.database.close()
