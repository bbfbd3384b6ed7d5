"""What is read of the chain over the logs, and of the logs to hold against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from maedal.log_chain.block import Block, Key, Log


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A row that no block covers yet."""

    id: int
    log: Log
    key: Key


@dataclass(frozen=True, slots=True)
class Walk:
    """A log whose rows from before the chain are not all covered yet, and the last one that is."""

    log: Log
    after: Key


@dataclass(frozen=True, slots=True)
class Login:
    """What the role with which we serve could do to the logs, beyond adding to them."""

    role: str
    owns: bool
    """It owns them, is a superuser, or can become who owns them: it can switch their triggers off."""
    may: Sequence[str]
    """What it was granted, such as `TRUNCATE on audit_log`."""


LogRow = tuple[Key, Mapping[str, Any]]
"""A row with all its covered columns, moments aware."""


class LogChainReads(Protocol):
    """What is read of the chain over the logs."""

    async def newest(self) -> Block | None:
        """Return the newest block; read it before the rows that wait."""
        ...

    async def block(self, number: int) -> Block | None: ...
    async def blocks(self, after: int, count_max: int) -> Sequence[Block]:
        """Return blocks in their order, from the one after this number on."""
        ...

    async def waiting(self, count_max: int) -> Sequence[WaitingRow]:
        """Return rows that no block covers yet, in the order of their coming."""
        ...

    async def waiting_count(self, log: Log) -> int: ...
    async def walks(self) -> Sequence[Walk]:
        """Return which logs are still to be walked through, as to rows from before the chain."""
        ...

    async def rows(self, log: Log, keys: Sequence[Key]) -> Mapping[Key, Mapping[str, Any]]:
        """Return those of these rows that are there."""
        ...

    async def rows_after(self, log: Log, after: Key, count_max: int, *, waiting: bool) -> Sequence[LogRow]:
        """Return rows in the order of their keys; with `waiting` False only those that do not wait for a block."""
        ...

    async def count(self, log: Log) -> int: ...
    async def login(self) -> Login | None:
        """Return what our login may do; None where there are no logins."""
        ...


class HasLogChain(Protocol):
    @property
    def log_chain(self) -> LogChainReads: ...
