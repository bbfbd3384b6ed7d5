"""What we need of any store for the settings of merchants that came after the first ones; see store.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from maedal.merchants.act import Act
from maedal.merchants.addresses import AllowedAddress
from maedal.merchants.go_live import KeptCheck


@dataclass(frozen=True, slots=True)
class SetAllowedAddresses:
    """Change from where a merchant's API may be called; gives False when the list is no longer `before`."""

    merchant_id: str
    before: tuple[AllowedAddress, ...]
    after: tuple[AllowedAddress, ...]
    act: Act


@dataclass(frozen=True, slots=True)
class EndOldSecret:
    """End the old secret of an API key, and its token; gives False when it was another one or none."""

    merchant_id: str
    api_key: str
    digest: bytes = field(repr=False)
    act: Act


@dataclass(frozen=True, slots=True)
class NameApiKey:
    """Call an API key by another name."""

    merchant_id: str
    api_key: str
    name: str
    act: Act | None


@dataclass(frozen=True, slots=True)
class SeeApiKey:
    """Keep that a call was made with an API key, unless that was kept after `unless_after`."""

    merchant_id: str
    api_key: str
    at: datetime
    unless_after: datetime
    address: str | None


@dataclass(frozen=True, slots=True)
class KeepChecks:
    """Keep what was found on the way to live mode, in the place of what was found before."""

    checks: tuple[KeptCheck, ...]
    act: Act | None = None


SettingsWrite = SetAllowedAddresses | EndOldSecret | NameApiKey | SeeApiKey | KeepChecks


class SettingsReads(Protocol):
    """What is read of them."""

    async def kept_checks(self, merchant_ids: Sequence[str]) -> Sequence[KeptCheck]:
        """Return what was found last on the way to live mode."""
        ...
