"""Who changes something: an operator of the console, or whoever has a shell on the server."""

from __future__ import annotations

from dataclasses import dataclass

from maedal.operators.role import Role, may_give


@dataclass(frozen=True, slots=True)
class Actor:
    """Who answers for a change. Without a role: somebody at the command line, who could change the database too."""

    name: str
    role: Role | None = None

    def may_make(self, role: Role) -> bool:
        """Return whether they may make, change or end an operator of this role."""
        return self.role is None or may_give(self.role, role)
