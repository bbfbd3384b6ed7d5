"""What MAEDAL_DATABASE_URL of a PostgreSQL server says: hosts, and what the driver is to be told of each.

MAEDAL_READ_DATABASE_URL is read alike, and may ask for a standby.

It is read as libpq reads it (PostgreSQL's own client, section "Connection Strings" of its manual). Passwords are in
no text that leaves this module but the driver's own address.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from maedal.storage.errors import StoreError

CONNECT_SECONDS = 4.0
"""How long one host may take to take us in: its network, its TLS, its password check, and saying what it is."""
CONNECT_SECONDS_MAX = 60.0
PORT = 5432

WRITING = "MAEDAL_DATABASE_URL"
WRITES = {"read-write", "primary", "any"}
READS = {"read-only", "standby", "prefer-standby"}
# Sockets and texts of libpq that the driver sets as it thinks right; to leave them out weakens nothing.
LEFT_OUT = {
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "sslcompression",
    "sslsni",
    "load_balance_hosts",
    "fallback_application_name",
    "gssdelegation",
}
# To leave these out would weaken what was asked for, unless it is one of these values.
HARMLESS = {
    "channel_binding": {"disable", "prefer"},
    "gssencmode": {"disable", "prefer"},
    "requirepeer": {""},
    "require_auth": {""},
    "sslcertmode": {"allow"},
    "hostaddr": {""},
    "replication": {"false", "off", "no", "0"},
    "client_encoding": {"utf8", "utf-8", "auto", "unicode"},
}


TAKES_AT = {"user", "password", "passfile", "host", "application_name", "options", "sslcert", "sslkey", "sslrootcert"}
"""Names of an address's query whose values may hold an @ as it is; elsewhere it is the end of a password cut in two."""
ENCODE = "in the name or password is percent-encoded"
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Host:
    """One place where the server may be; `name` None leaves it to the driver, which looks for a local socket."""

    name: str | None
    port: int

    def __str__(self) -> str:
        if self.name is None:
            return f"this machine, port {self.port}"
        if self.name.startswith("/"):
            return f"{self.name}, port {self.port}"
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """An address, taken apart."""

    hosts: tuple[Host, ...]
    dsn: str
    """The address without its hosts, for the driver."""
    any_server: bool
    """Whether one that takes no writes will do as well, as `target_session_attrs=any` says."""
    connect_seconds: float
    application_name: str | None
    options: tuple[str, ...] = ()
    """The names of what else is asked of the server at the beginning of a session."""


def parse(url: str, setting: str = WRITING) -> DatabaseUrl:
    """Return what a `postgresql://` address says. Raises StoreError, with what to correct in which setting."""
    if setting == WRITING:
        return _parsed(url, WRITES)
    try:
        return _parsed(url, WRITES | READS)
    except StoreError as error:
        raise StoreError(str(error).replace(WRITING, setting)) from None


def _parsed(url: str, attributes_taken: set[str]) -> DatabaseUrl:
    _refuse_torn_passwords(url)
    try:
        parts = urlsplit(url)
    except ValueError:
        # Python's own text quotes what it stumbled over, which may be a password.
        raise _wrong(
            "the host cannot be read: an IPv6 address stands in [ ], and a character beyond ASCII "
            f"{ENCODE} as UTF-8 (한 is %ED%95%9C)"
        ) from None
    try:
        query = dict(parse_qsl(parts.query, strict_parsing=True, keep_blank_values=True)) if parts.query else {}
    except ValueError:
        raise _wrong(
            "what follows the ? is no name=value, with & between (and a ? in a password is written %3F)"
        ) from None
    if any("@" in value and name not in TAKES_AT for name, value in query.items()):
        raise _wrong(f"a ? {ENCODE}: %3F (and an @ behind the host: %40)")
    login, at, _ = parts.netloc.rpartition("@")
    hosts = _hosts(parts.netloc.rpartition("@")[2], query.pop("host", ""), query.pop("port", ""))
    attributes = query.pop("target_session_attrs", "") or os.environ.get("PGTARGETSESSIONATTRS", "") or "read-write"
    if attributes not in attributes_taken:
        known = ", ".join(sorted(WRITES))
        more = "; maedal writes, and needs the primary" if attributes in READS else f"; {known} are known"
        raise _wrong(f"target_session_attrs cannot be {attributes}{more}")
    seconds = _seconds(query.pop("connect_timeout", "") or os.environ.get("PGCONNECT_TIMEOUT", ""))
    fallback_name = query.get("fallback_application_name") or None
    for name in list(query):
        if name in LEFT_OUT or (name in HARMLESS and query[name].lower() in HARMLESS[name]):
            del query[name]
        elif name in HARMLESS:
            raise _wrong(f"{name}={query[name]} is not supported; without it the address works")
    address = f"{parts.scheme}://{login}{at}{parts.path or '/'}"
    return DatabaseUrl(
        hosts,
        f"{address}?{urlencode(query)}" if query else address,
        attributes == "any",
        seconds,
        query.get("application_name") or os.environ.get("PGAPPNAME") or fallback_name,
        tuple(query),
    )


def _refuse_torn_passwords(url: str) -> None:
    """Raise StoreError when a sign of the name or password would be taken for a part of the address.

    What stands on its other side would else be a host, port or database, which errors and logs name. So nothing of the
    address is quoted here.
    """
    scheme, separator, rest = url.partition("://")
    if scheme not in {"postgresql", "postgres"} or not separator:
        raise _wrong("it must begin with postgresql://")
    if CONTROL.search(url):
        raise _wrong(f"a control character, such as the end of a line, {ENCODE} (a line's end is %0A)")
    if "#" in rest:
        raise _wrong(f"a # {ENCODE}: %23")
    before_query, _, _ = rest.partition("?")
    authority, _, path = before_query.partition("/")
    login, _, _ = authority.rpartition("@")
    if "@" in login:
        raise _wrong(f"an @ {ENCODE}: %40")
    if "@" in path:
        raise _wrong(f"a / {ENCODE}: %2F (and an @ behind the host: %40)")
    if "[" in login or "]" in login:
        raise _wrong(f"a [ or ] {ENCODE}: %5B, %5D")


def _hosts(listed: str, named: str, ports: str) -> tuple[Host, ...]:
    """Return the hosts of `//a:1,b:2/`, or else of `?host=a,b&port=1,2`, or else of the environment."""
    specs = (listed or named or os.environ.get("PGHOST", "")).split(",")
    defaults = (ports or os.environ.get("PGPORT", "") or str(PORT)).split(",")
    if len(defaults) == 1:
        defaults *= len(specs)
    if len(defaults) != len(specs):
        raise _wrong(f"{len(defaults)} ports do not go with {len(specs)} hosts")
    hosts: list[Host] = []
    for spec, default in zip(specs, defaults, strict=True):
        name, port = _split(unquote(spec) if listed else spec)
        text = port or default or str(PORT)
        if not text.isascii() or not text.isdigit() or not 0 < int(text) < 2**16:
            # It may be the rest of a password with a / in it, so it is not quoted.
            raise _wrong("a port is a number from 1 to 65535 (and a / in a password is written %2F)")
        if not name and len(specs) > 1:
            raise _wrong("a host between two commas has no name")
        hosts.append(Host(name or None, int(text)))
    return tuple(hosts)


def _split(spec: str) -> tuple[str, str]:
    if spec.startswith("/"):
        return spec, ""
    if spec.startswith("["):
        name, bracket, rest = spec[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise _wrong("an IPv6 address stands in [ ], with :port behind it")
        return name, rest[1:]
    name, _, port = spec.partition(":")
    return name, port


def _seconds(text: str) -> float:
    """Return the seconds that one host is given; libpq's 0 means no limit, of which there is none here."""
    try:
        seconds = float(text) if text else CONNECT_SECONDS
    except ValueError:
        raise _wrong("connect_timeout is a number of seconds for each host") from None
    if not 0 <= seconds <= CONNECT_SECONDS_MAX:
        raise _wrong(f"connect_timeout is 1 to {CONNECT_SECONDS_MAX:.0f} seconds for each host")
    return seconds or CONNECT_SECONDS_MAX


def _wrong(what: str) -> StoreError:
    return StoreError(f"{WRITING}: {what}")
