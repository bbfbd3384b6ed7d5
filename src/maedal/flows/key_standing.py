"""What a process knows of its key ring: whether it has every key that this database is sealed with."""

from __future__ import annotations

from maedal.storage.errors import KeysMissing


class KeyStanding:
    """Of one process. Money is neither taken nor asked for where what the charge needs may not open."""

    def __init__(self) -> None:
        self.problem: str | None = None
        """Which key is missing, and what to do."""
        self.may_seal = True
        """Whether the key that this process would seal with is still one that seals."""

    def check(self) -> None:
        """Raise KeysMissing while a key is missing."""
        if self.problem is not None:
            raise KeysMissing(self.problem)

    def check_sealing(self) -> None:
        """Raise KeysMissing while this process may seal nothing."""
        if not self.may_seal:
            raise KeysMissing(self.problem or "no key may seal here")
