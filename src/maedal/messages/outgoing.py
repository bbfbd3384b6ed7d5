"""A message as it leaves: to whom, and in words for people or for a program. It is never kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message as it leaves. `address` may be a person's, or a secret."""

    address: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)
    event: str = ""
    """What a program is told it is."""
    data: Mapping[str, object] = field(default_factory=dict, repr=False)
    secret: str | None = field(default=None, repr=False)
    """What a webhook of the team is signed with; the shop's have the secret of its webhooks."""
