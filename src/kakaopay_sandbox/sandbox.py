"""Everything one simulator consists of, put together."""

from collections.abc import Iterator
from contextlib import contextmanager

from kakaopay_sandbox.actions import Actions
from kakaopay_sandbox.call_log import Journal
from kakaopay_sandbox.clock import Clock
from kakaopay_sandbox.database import Book
from kakaopay_sandbox.faults import Faults
from kakaopay_sandbox.files import Files
from kakaopay_sandbox.methods import Wallet
from kakaopay_sandbox.orders import Orders
from kakaopay_sandbox.settings import Settings
from kakaopay_sandbox.sids import Sids
from kakaopay_sandbox.time_offsets import ToldTimes


class Sandbox:
    """The simulator without its HTTP: memory, clock, buyer, arranged faults, calls in progress."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.book = Book(settings.data_file)
        self.clock = Clock(settings.wall, int(self.book.recall("clock_advanced_seconds", "0")))
        self.orders = Orders(self.book)
        self.actions = Actions(self.book)
        self.sids = Sids(self.book)
        self.wallet = Wallet(
            self.book,
            opening_balance=settings.opening_balance,
            auto_top_up=settings.auto_top_up,
            pin=settings.pin,
            money_limit=settings.money_limit,
        )
        self.journal = Journal(self.book)
        self.faults = Faults()
        self.told_times = ToldTimes(self.book)
        self.files = Files(self.book, settings, self.told_times)
        self._in_progress: set[str] = set()

    def advance_clock(self, seconds: int) -> None:
        self.clock.advance(seconds)
        with self.book.transaction():
            self.book.remember("clock_advanced_seconds", str(self.clock.advanced_seconds))

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
        self.book.close()
