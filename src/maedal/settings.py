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
WAIT_SECONDS_MAX = 600.0
CATCH_UP_MIN = 0.1
CATCH_UP_MAX = 1000.0
SCHEDULED_CHARGES_MAX = 400
"""Below the number of connections to the PG, so that scheduled charges never take all of them."""
WEBHOOKS_PER_RECEIVER_MAX = 100
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
    key_file: Path = _setting("The file of keys that seal secrets; made at the first `maedal dev`, mode 0600.")
    public_url: str = _setting("The gateway's own address, as browsers and the PG reach it, without a path.")
    sandbox_url: str | None = _setting("The simulator's address, for test channels without a secret key.", None)
    include_sandbox: IncludeSandbox = _setting(
        "`legacy` shows test payments in `GET /payments/{imp_uid}`; `strict` only with `include_sandbox=true`.",
        IncludeSandbox.LEGACY,
    )
    allow_private_addresses: bool = _setting(
        "Whether `notice_url` and `confirm_url` may name private and loopback addresses. For development.",
        default=False,
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
    return Settings(**{name: _typed(name, value) for name, value in values.items()})


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
            case "key_file" | "torture_result":
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
            case "scheduled_charges_at_once":
                return _whole(value, SCHEDULED_CHARGES_MAX)
            case "webhooks_per_receiver":
                return _whole(value, WEBHOOKS_PER_RECEIVER_MAX)
            case "metrics_token":
                token = str(value)
                if not METRICS_TOKEN_MIN <= len(token) <= METRICS_TOKEN_MAX or not token.isascii() or " " in token:
                    value = "…"  # a secret all the same
                    raise ValueError(f"{METRICS_TOKEN_MIN} to {METRICS_TOKEN_MAX} letters and digits are expected")
                return token
            case "public_url" | "sandbox_url":
                text = str(value).rstrip("/")
                if not text.startswith(("http://", "https://")) or text.count("/") != 2:
                    raise ValueError("an address without a path, such as https://pay.example.com, is expected")
                return text
            case _:
                return str(value)
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{PREFIX}{name.upper()} cannot be {value!r}: {error}") from error


def _whole(value: Any, most: int) -> int:
    number = int(value)
    if not 1 <= number <= most or number != float(value):
        raise ValueError(f"a whole number from 1 to {most} is expected")
    return number
