"""Reads of merchants' settings, over any engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from maedal.merchants.go_live import KeptCheck
from maedal.storage.sql import merchant_settings as sql
from maedal.storage.sql.steps import Row


class Fetches(Protocol):
    """What reads rows."""

    async def fetch(self, sql: str, *values: Any) -> Sequence[Row]: ...


class SqlSettingsReads:
    """The `SettingsReads` (see merchant_settings.py) of a store."""

    engine: Fetches

    async def kept_checks(self, merchant_ids: Sequence[str]) -> Sequence[KeptCheck]:
        found = []
        for merchant_id in merchant_ids:
            rows = await self.engine.fetch(sql.KEPT_CHECKS, merchant_id)
            found += [sql.kept_check_of(row) for row in rows]
        return found
