"""The way to live mode: what has to be so before real money flows, and what was found of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Point(StrEnum):
    """One line of the checklist."""

    CHANNEL = "channel"  # the contracted CID answers and can do recurring payment
    WEBHOOK = "webhook"  # the receiver of live results answers 200
    PAGES = "pages"  # only the shop's own pages may open windows
    ADDRESSES = "addresses"  # only the shop's own servers may call the API
    SECRET = "secret"  # noqa: S105 - the API secret is not the first one, and not the one that everybody knows
    HTTPS = "https"  # browsers reach the gateway encrypted
    KEY_BACKUP = "key_backup"  # the key file can be restored
    DATABASE = "database"
    CLOCK = "clock"  # ours agrees with the PG's
    TORTURE = "torture"  # this very program was tortured, and nothing was found


OF_THE_INSTALLATION = frozenset({Point.HTTPS, Point.KEY_BACKUP, Point.DATABASE, Point.TORTURE})
"""What is the same for every merchant of this installation."""
INSTALLATION = ""
"""Stands for a merchant's code where something belongs to the whole installation."""
CALLING = frozenset({Point.CHANNEL, Point.WEBHOOK, Point.CLOCK})
"""What is found out by calling somebody: only when a person asks, and kept until then."""


class Readiness(StrEnum):
    """How it stands with a line."""

    DONE = "done"
    CAREFUL = "careful"  # it works, and there is something to know or to decide
    TODO = "todo"
    NOT_CHECKED = "not_checked"


@dataclass(frozen=True, slots=True)
class KeptCheck:
    """What was found last of a line; `evidence` is a sentence about what was seen, nothing secret."""

    merchant_id: str
    point: Point
    standing: Readiness
    evidence: str
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class Check:
    """A line of the checklist as it stands: the evidence, from when it is, and what to do."""

    point: Point
    standing: Readiness
    evidence: str
    advice: str
    checked_at: datetime | None


def ready(checks: Sequence[Check]) -> bool:
    """Return whether nothing is left to do; what asks for care does not stand in the way."""
    return all(check.standing in {Readiness.DONE, Readiness.CAREFUL} for check in checks)
