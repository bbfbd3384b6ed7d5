"""Alerts: what the team is told of, whom, and when: at once or in a digest, and not in the night."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from maedal.messages.message import Way
from maedal.payments.errors import InvalidParameter
from maedal.reconciliation.settlement import SEOUL

NAME_MAX = 60
ADDRESS_MAX = 500
MINUTES = 24 * 60
MAIL_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
"""What HTML's own fields take for an address (WHATWG, HTML, 4.10.5.1.5), in the letters that every server takes."""


class AlertKind(StrEnum):
    """What the team can be told of."""

    UNKNOWN_OUTCOME = "unknown_outcome"  # of a call, for more than ten minutes
    WEBHOOK_GIVEN_UP = "webhook_given_up"
    FAILED_RENEWALS = "failed_renewals"  # of a day, once a day
    PG_CLOSED = "pg_closed"
    CHANNEL_REFUSED = "channel_refused"
    INVARIANT_BROKEN = "invariant_broken"
    FINDING = "finding"  # the PG's file differs from the books
    CERTIFICATE = "certificate"  # of the gateway's own address, soon or already over
    API_SECRET = "api_secret"  # noqa: S105 - an old secret that is still good ends soon


class When(StrEnum):
    """When a receiver hears of a kind."""

    AT_ONCE = "at_once"
    DIGEST = "digest"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Quiet:
    """A time of every day, in Seoul, in which nothing is sent: minutes of the day, also across midnight."""

    begins: int
    ends: int

    def end_at(self, now: datetime) -> datetime | None:
        """Return when the quiet time that `now` lies in ends; None outside of it."""
        local = now.astimezone(SEOUL)
        minute = local.hour * 60 + local.minute
        inside = (
            self.begins <= minute < self.ends
            if self.begins < self.ends
            else minute >= self.begins or minute < self.ends
        )
        return next_time(now, self.ends) if inside else None


@dataclass(frozen=True, slots=True)
class Receiver:
    """Whom the team's alerts go to. What the address is, is sealed; `shown` says enough to know it again."""

    merchant_id: str
    id: str
    name: str
    way: Way
    sealed_address: bytes
    shown: str
    sealed_secret: bytes | None
    """Of a webhook: what it is signed with."""
    rules: Mapping[AlertKind, When]
    quiet: Quiet | None
    digest_hour: int
    language: str
    added_at: datetime
    added_by: str
    version: int = 1

    def rule(self, kind: AlertKind) -> When:
        return self.rules.get(kind, When.NEVER)

    def due_at(self, kind: AlertKind, now: datetime) -> datetime | None:
        """Return when an alert that is noticed now is told; None if never."""
        match self.rule(kind):
            case When.NEVER:
                return None
            case When.DIGEST if kind is not AlertKind.FAILED_RENEWALS:
                at = next_time(now, self.digest_hour * 60)
            case _:
                at = now
        return at if self.quiet is None else self.quiet.end_at(at) or at


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that a receiver is told of. `facts` are short, and nothing in them is secret or personal."""

    merchant_id: str
    receiver_id: str
    cause: str
    kind: AlertKind
    facts: Mapping[str, str]
    happened_at: datetime
    due_at: datetime


def next_time(now: datetime, minute: int) -> datetime:
    """Return when it is next so many minutes after midnight in Seoul; later than now."""
    local = now.astimezone(SEOUL)
    at = datetime.combine(local.date(), time(minute // 60 % 24, minute % 60), SEOUL)
    return (at if at > local else at + timedelta(days=1)).astimezone(UTC)


def read_minutes(field: str, text: str) -> int:
    """Return the minutes of a time such as 22:00. Raises InvalidParameter."""
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    if found is None:
        raise InvalidParameter(field, "a time such as 22:00 is expected")
    return int(found[1]) * 60 + int(found[2])


def check_name(name: str) -> str:
    """Return the name of a receiver. Raises InvalidParameter."""
    if not name or len(name) > NAME_MAX or not name.isprintable():
        raise InvalidParameter("name", f"the name must be a text of 1 to {NAME_MAX} printable characters")
    return name


def check_mail_address(field: str, address: str) -> str:
    """Return a mail address. Raises InvalidParameter, without the address."""
    if MAIL_ADDRESS.fullmatch(address) is None:
        raise InvalidParameter(field, "a mail address such as team@example.com is expected")
    return address


def shown_address(way: Way, address: str) -> str:
    """Return enough of an address to know it again: a Slack address is a secret, and a webhook's may hold one."""
    if way is Way.MAIL:
        return address
    rest = address.partition("://")[2]
    host = rest.split("/", 1)[0].rpartition("@")[2].split("?", 1)[0]
    return f"{host}/…{address[-4:]}" if len(rest) > len(host) + 8 else host


def address_context(receiver_id: str, merchant_id: str) -> tuple[str, ...]:
    """Return under what a receiver's address is sealed."""
    return (f"alert_receivers.sealed_address:{receiver_id}", merchant_id)


def secret_context(receiver_id: str, merchant_id: str) -> tuple[str, ...]:
    """Return under what the secret of a receiver's webhook is sealed."""
    return (f"alert_receivers.sealed_secret:{receiver_id}", merchant_id)
