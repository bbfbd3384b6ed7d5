"""What a write is: a small frozen object that one transaction carries out, or nothing of it."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

R = TypeVar("R")


class Write(Generic[R]):
    """A write that gives an `R` once it is committed: `class OpenWindow(Write[bool])`.

    Each is a frozen dataclass with slots beside the others of its subject, and carried out by the unit that names it.
    """

    __slots__ = ()

    @property
    def lock_order(self) -> tuple[str, str]:
        """The key by which writes of one batch are ordered, so that two batches never lock rows crosswise."""
        # Some writes name a customer_uid only sometimes; None has no order among texts.
        return (getattr(self, "merchant_id", ""), getattr(self, "customer_uid", None) or "")


class Writes(Protocol):
    """What of a store carries out writes."""

    async def write(self, write: Write[R]) -> R:
        """Commit `write` and return its result. Raises Conflict when a rule of the database refuses it."""
        ...
