"""Fields of KakaoPay's replies, each read or refused: what has not the documented form proves nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from maedal import web_address
from maedal.payments.attempt import Method
from maedal.pg.driver import PgReply, Unreadable
from maedal.reconciliation.settlement import SEOUL

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII)
PG_ID = re.compile(r"[0-9A-Za-z_-]{10,64}")
METHODS = {"CARD": Method.CARD, "MONEY": Method.MONEY}


def json_object(reply: PgReply) -> dict[str, Any]:
    """Return the object that a reply is. Raises Unreadable, as every reader here does."""
    try:
        body = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        raise Unreadable("the reply is no JSON") from error
    if not isinstance(body, dict):
        raise Unreadable("the reply is no JSON object")
    return body


def part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Read an object within."""
    value = body.get(name)
    if not isinstance(value, dict):
        raise Unreadable(f"{name} is no object")
    return value


def text(body: Mapping[str, Any], name: str) -> str:
    """Read a text of 1 to 1000 characters."""
    value = body.get(name)
    if not isinstance(value, str) or not value or len(value) > 1000 or "\0" in value:
        raise Unreadable(f"{name} is missing or no text")
    return value


def page(body: Mapping[str, Any], name: str) -> str:
    """Read the address of a page that buyers are sent to, as a browser takes it: a script would run as ours."""
    url = web_address.page_address(text(body, name))
    if url is None:
        raise Unreadable(f"{name} is no address of a page")
    return url


def pg_id(body: Mapping[str, Any], name: str) -> str:
    """Read one of KakaoPay's ids. Their form is theirs (2); what is clearly none of them proves nothing."""
    value = text(body, name)
    if PG_ID.fullmatch(value) is None:
        raise Unreadable(f"{name} has not the form of an id")
    return value


def optional(body: Mapping[str, Any], name: str) -> str | None:
    """Read a text of which nothing depends, cut after 100 characters; None where it is empty or none."""
    value = body.get(name)
    return value[:100].replace("\0", "") or None if isinstance(value, str) else None


def whole(body: Mapping[str, Any], name: str) -> int:
    """Read a whole number; an amount is in KRW."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unreadable(f"{name} is missing or no whole number")
    return value


def moment(value: object) -> datetime:
    """Read a KST wall-clock time without an offset (2)."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise Unreadable("a time is missing or malformed")
    try:
        return datetime.fromisoformat(value).replace(tzinfo=SEOUL).astimezone(UTC)
    except ValueError as error:
        raise Unreadable("a time is malformed") from error
