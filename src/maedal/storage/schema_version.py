"""Which schema this maedal expects."""

from __future__ import annotations

SCHEMA_VERSION = "0039"
"""The newest migration. Kept here as well, so that a process that only serves need not import what migrates."""
