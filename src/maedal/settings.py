"""Settings: the environment (`MAEDAL_*`) over an optional TOML file over defaults; unknown names are an error."""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

PREFIX = "MAEDAL_"
FILE_VARIABLE = "MAEDAL_SETTINGS_FILE"
# Names of the same family that belong to the tests and tools, not to the gateway.
NOT_OURS = ("MAEDAL_TEST_", "MAEDAL_CHROMIUM", "MAEDAL_POSTGRES_BIN", "MAEDAL_NODE", "MAEDAL_ADVICE")
KEY_SOURCES = ("key_file", "key_ring", "key_command")
"""Where the key ring comes from; exactly one of them is set."""
WAIT_SECONDS_MAX = 600.0
CATCH_UP_MIN = 0.1
CATCH_UP_MAX = 1000.0
SCHEDULED_CHARGES_MAX = 400
"""About as many as have places to be sent at the same time (`pg/http.py`), and a few that wait for one."""
WEBHOOKS_PER_RECEIVER_MAX = 100
RETENTION_DAYS_MAX = 36_500
WHOLE_NUMBERS = {
    "scheduled_charges_at_once": (1, SCHEDULED_CHARGES_MAX),
    "webhooks_per_receiver": (1, WEBHOOKS_PER_RECEIVER_MAX),
    "retention_paid_days": (1, RETENTION_DAYS_MAX),
    "retention_unpaid_days": (1, RETENTION_DAYS_MAX),
    "retention_ended_key_days": (1, RETENTION_DAYS_MAX),
    "connections_max": (8, 65_536),
    "connections_per_address_max": (1, 65_536),
    "pg_connections_max": (16, 65_536),
    "windows_per_minute": (1, 1_000_000),
    "merchant_windows_per_minute": (1, 1_000_000),
    "token_requests_per_minute": (1, 1_000_000),
    "refused_calls_per_minute": (1, 1_000_000),
    "sign_ins_per_minute": (1, 1_000_000),
    "merchant_calls_per_minute": (1, 10_000_000),
    "request_log_days": (0, 365),
    "unfinished_window_days": (3, 3650),
    "read_lag_seconds": (2, 300),
}
"""Settings that are whole numbers, and from where to where."""
METRICS_TOKEN_MIN, METRICS_TOKEN_MAX = 16, 200


class SettingsError(Exception):
    """A setting is unknown, missing or malformed; the text says which and what to do."""


class IncludeSandbox(StrEnum):
    """What `GET /payments/{imp_uid}` does with payments of test channels (docs/wire/portone-v1-rest.md 4.2)."""

    STRICT = "strict"  # hidden unless `include_sandbox=true`
    LEGACY = "legacy"  # shown


class LogFormat(StrEnum):
    """How log lines are written."""

    JSON = "json"
    CONSOLE = "console"


def _setting(help_text: str, default: Any = ...) -> Any:
    metadata = {"help": help_text}
    return field(metadata=metadata) if default is ... else field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting of the gateway; its environment name is `MAEDAL_` and the name in capitals."""

    database_url: str = _setting("`sqlite:///path` or `postgresql://user@host/name`.")
    read_database_url: str | None = _setting(
        "`postgresql://…` of a standby from which the console's lists, searches, figures and exports are read.", None
    )
    read_lag_seconds: int = _setting(
        "How old what is read there may be; beyond it the primary is read in its place.", 10
    )
    public_url: str = _setting("The gateway's own address, as browsers and the PG reach it, without a path.")
    key_file: Path | None = _setting(
        "The file of the key ring, which seals secrets; made at the first `maedal dev`, mode 0600.", None
    )
    key_ring: str | None = field(
        default=None, repr=False, metadata={"help": "The key ring itself, in the place of a file."}
    )
    key_command: str | None = field(
        default=None, repr=False, metadata={"help": "A command that prints the key ring, in the place of a file."}
    )
    sandbox_url: str | None = _setting("The simulator's address, for test channels without a secret key.", None)
    include_sandbox: IncludeSandbox = _setting(
        "`legacy` shows test payments in `GET /payments/{imp_uid}`; `strict` only with `include_sandbox=true`.",
        IncludeSandbox.LEGACY,
    )
    allow_private_addresses: bool = _setting(
        "Whether `notice_url` and `confirm_url` may name private and loopback addresses. For development.",
        default=False,
    )
    mail_relays: str | None = _setting(
        "Hosts of mail servers that may have private addresses, with commas between: a relay of your own.", None
    )
    busy_wait_seconds: float = _setting("How long a charge waits for another charge of the same billing key.", 20.0)
    clarify_wait_seconds: float = _setting(
        "How long a request waits for a lost answer of the PG to be clarified.", 20.0
    )
    webhook_first_wait_seconds: float = _setting(
        "How long after its payment's outcome a browser waits for the webhook, if the merchant has that come first.",
        45.0,
    )
    trusted_proxies: str = _setting(
        "Addresses and networks of proxies in front, with commas between; their X-Forwarded-For is believed.",
        "127.0.0.1,::1",
    )
    audit_anchor_file: Path | None = _setting(
        "A file to which the newest block of the chain over the logs is added once a day, best on another machine.",
        None,
    )
    torture_result: Path | None = _setting("The file that `make torture` left, as evidence for the console.", None)
    catch_up_per_second: float = _setting(
        "How many scheduled charges a second begin on all workers together while they catch up with what waited for"
        " the PG's opening.",
        10.0,
    )
    scheduled_charges_at_once: int = _setting("How many scheduled charges one worker runs side by side.", 200)
    webhooks_per_receiver: int = _setting(
        "How many webhooks one worker has under way to one receiver of a merchant at most.", 8
    )
    connections_max: int = _setting(
        "How many connections `maedal serve` keeps open at most; the idlest is closed for a new one.", 2_000
    )
    connections_per_address_max: int = _setting(
        "How many of them one address may have; those of trusted proxies are not counted.", 200
    )
    pg_connections_max: int = _setting(
        "How many calls to PGs one process makes at the same time, of all kinds together.", 1_024
    )
    windows_per_minute: int = _setting("How many payment windows one address may open in a minute.", 60)
    merchant_windows_per_minute: int = _setting(
        "How many payment windows a merchant's pages may open in a minute.", 1_200
    )
    token_requests_per_minute: int = _setting(
        "How many tokens one address may ask for in a minute that is not known for the merchant's server.", 120
    )
    refused_calls_per_minute: int = _setting(
        "How many calls of the REST API without a good token one address may make in a minute.", 300
    )
    sign_ins_per_minute: int = _setting("How often one address may try to sign in to the console in a minute.", 20)
    merchant_calls_per_minute: int = _setting(
        "How many calls with a good token the servers of one merchant may make in a minute, of each process.", 60_000
    )
    request_log_days: int = _setting(
        "How many days the log of calls of the REST API is kept; with 0 nothing is logged.", 14
    )
    unfinished_window_days: int = _setting(
        "After how many days a window in which nothing was paid is forgotten, with what it knew of the buyer.", 30
    )
    retention_paid_days: int | None = _setting(
        "After how many days `maedal retention` erases what is told of buyers of payments that took money.", None
    )
    retention_unpaid_days: int | None = _setting(
        "After how many days it erases what is told of buyers of payments that failed.", None
    )
    retention_ended_key_days: int | None = _setting(
        "After how many days it erases who registered a billing key that has ended.", None
    )
    metrics_token: str | None = field(
        default=None,
        repr=False,
        metadata={
            "help": "What Prometheus shows at `/metrics` as a bearer token; without one only this machine reads it."
        },
    )
    log_format: LogFormat = _setting("`json`, one object a line, or `console` for people.", LogFormat.JSON)


def load(environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Return the settings. `overrides` (from the command line) wins over the environment, which wins over the file.

    Raises SettingsError for anything unknown, missing or malformed.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    path = environment.get(FILE_VARIABLE)
    if path:
        values |= _from_file(Path(path))
    for name, value in environment.items():
        if name.startswith(PREFIX) and name != FILE_VARIABLE and not name.startswith(NOT_OURS):
            values[_known(name.removeprefix(PREFIX).lower(), name)] = value
    values |= {name: value for name, value in overrides.items() if value is not None}
    for item in fields(Settings):
        if item.name not in values and item.default is item.default_factory:
            raise SettingsError(f"{PREFIX}{item.name.upper()} is not set: {item.metadata['help']}")
    sources = [name for name in KEY_SOURCES if values.get(name)]
    if len(sources) != 1:
        named = " and ".join(f"{PREFIX}{name.upper()}" for name in sources)
        said = f"{named} are set" if sources else f"{PREFIX}KEY_FILE is not set"
        raise SettingsError(
            f"{said}: the key ring comes from one source, {', '.join(PREFIX + name.upper() for name in KEY_SOURCES)}"
        )
    settings = Settings(**{name: _typed(name, value) for name, value in values.items()})
    if settings.read_database_url is not None and settings.database_url.startswith("sqlite:"):
        raise SettingsError(
            "MAEDAL_READ_DATABASE_URL names a standby of PostgreSQL, and MAEDAL_DATABASE_URL an SQLite file, which has"
            " none; leave it out"
        )
    return settings


def _from_file(path: Path) -> dict[str, Any]:
    try:
        content = tomllib.loads(path.read_text())
    except OSError as error:
        raise SettingsError(f"cannot read the settings file {path} ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the settings file {path} is no TOML: {error}") from error
    return {_known(name, f"{name} in {path}"): value for name, value in content.items()}


def _known(name: str, shown: str) -> str:
    names = [item.name for item in fields(Settings)]
    if name not in names:
        raise SettingsError(f"unknown setting {shown}; known are {', '.join(names)}")
    return name


def _typed(name: str, value: Any) -> Any:
    try:
        match name:
            case "key_file" | "torture_result" | "audit_anchor_file":
                return Path(value)
            case "trusted_proxies":
                proxies = [one.strip() for one in str(value).split(",") if one.strip()]
                return ",".join(
                    str(ipaddress.ip_network(proxy)).removesuffix("/32").removesuffix("/128") for proxy in proxies
                )
            case "include_sandbox":
                return IncludeSandbox(value)
            case "log_format":
                return LogFormat(value)
            case "allow_private_addresses":
                switches = {"true": True, "1": True, "false": False, "0": False}
                if not isinstance(value, bool) and str(value).lower() not in switches:
                    raise ValueError("true or false is expected")
                return value if isinstance(value, bool) else switches[str(value).lower()]
            case "busy_wait_seconds" | "clarify_wait_seconds" | "webhook_first_wait_seconds":
                seconds = float(value)
                if not 0 <= seconds <= WAIT_SECONDS_MAX:
                    raise ValueError(f"0 to {WAIT_SECONDS_MAX:.0f} seconds are expected")
                return seconds
            case "catch_up_per_second":
                rate = float(value)
                if not CATCH_UP_MIN <= rate <= CATCH_UP_MAX:
                    raise ValueError(f"{CATCH_UP_MIN} to {CATCH_UP_MAX:.0f} charges a second are expected")
                return rate
            case "read_database_url":
                if not str(value).startswith(("postgresql://", "postgres://")):
                    value = "…"  # there may be a password in it
                    raise ValueError("postgresql://user@host/name is expected")
                return str(value)
            case "metrics_token":
                token = str(value)
                if not METRICS_TOKEN_MIN <= len(token) <= METRICS_TOKEN_MAX or not token.isascii() or " " in token:
                    value = "…"  # a secret all the same
                    raise ValueError(f"{METRICS_TOKEN_MIN} to {METRICS_TOKEN_MAX} letters and digits are expected")
                return token
            case _ if name in WHOLE_NUMBERS:
                least, most = WHOLE_NUMBERS[name]
                number = int(str(value)) if not isinstance(value, bool) else least - 1
                if not least <= number <= most:
                    raise ValueError(f"a whole number from {least} to {most} is expected")
                return number
            case "public_url" | "sandbox_url":
                text = str(value).rstrip("/")
                if not text.startswith(("http://", "https://")) or text.count("/") != 2:
                    raise ValueError("an address without a path, such as https://pay.example.com, is expected")
                return text
            case _:
                return str(value)
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{PREFIX}{name.upper()} cannot be {value!r}: {error}") from error
