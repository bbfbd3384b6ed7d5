"""The server through which a merchant's mail goes out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from maedal.payments.errors import InvalidParameter

HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,45}")
LOGIN_MAX = 200
SENDER_MAX = 200
PORT_MAX = 65_535


class Encryption(StrEnum):
    """How the connection is encrypted. The names are those of mail programs."""

    TLS = "tls"  # from the first byte (RFC 8314), commonly port 465
    STARTTLS = "starttls"  # before the login; without it nothing is sent, commonly port 587
    NONE = "none"  # for a relay on this machine


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where and as whom mail is handed over."""

    merchant_id: str
    host: str
    port: int
    encryption: Encryption
    login: str
    """Empty: without a login."""
    sealed_password: bytes | None = field(repr=False)
    sender: str
    """The address that mail is from."""
    sender_name: str
    changed_at: datetime


def check_host(host: str) -> str:
    """Return the name of a host. Raises InvalidParameter."""
    if HOST.fullmatch(host) is None:
        raise InvalidParameter("host", "a host such as smtp.example.com is expected")
    return host


def read_port(text: str) -> int:
    """Return a port. Raises InvalidParameter."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= PORT_MAX:
        raise InvalidParameter("port", f"port must be a whole number from 1 to {PORT_MAX}")
    return int(text)


def password_context(merchant_id: str) -> tuple[str, ...]:
    """Return under what the password of a merchant's mail server is sealed."""
    return (f"mail_servers.sealed_password:{merchant_id}", merchant_id)


@dataclass(frozen=True, slots=True)
class MailRoute:
    """The way that a letter takes, with its password in the clear; never kept."""

    host: str
    port: int
    encryption: Encryption
    login: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it is handed over; `html` stands beside `text`, and says the same."""

    sender: str
    sender_name: str
    recipient: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    html: str | None = field(repr=False)
    message_id: str
    written_at: datetime
    headers: tuple[tuple[str, str], ...] = ()
