"""Reading what a list asks for, and its pages (docs/wire/portone-v1-rest.md 2.4 and 4.2.1)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from maedal.payments.errors import InvalidParameter
from maedal.rest.context import AnyRequest
from maedal.rest.errors import ApiRefusal
from maedal.rest.language import Bilingual
from maedal.rest.wire import EPOCH_MAX, from_epoch
from maedal.storage.payments.reads import Sorting

LIMIT_DEFAULT, LIMIT_MAX = 20, 1000
PAGE_MAX = 1_000_000
IDS_MAX = 100
_DIGITS = re.compile(r"[0-9]{1,9}")
_SECONDS = re.compile(r"([0-9]{1,18})(?:\.[0-9]*)?")


UNKNOWN_STATUS = "지원되지 않는 상태값입니다."
BAD_SORTING = Bilingual("sorting 파라메터가 올바르지 않습니다.", "sorting is not a known one.")
PAGE_BEHIND = Bilingual("page 파라메터가 전체 페이지 수를 초과합니다.", "page is behind the last one.")
BAD_NUMBER = Bilingual(
    "{name} 파라메터는 1 이상 {largest} 이하의 정수여야 합니다.", "{name} must be a whole number from 1 to {largest}."
)
BAD_MOMENT = Bilingual(
    "{name} 파라메터는 UNIX timestamp(초)여야 합니다.", "{name} must be a UNIX timestamp, in seconds."
)
TOO_MANY_IDS = Bilingual(
    "{names} 파라메터는 합하여 {most}개를 넘을 수 없습니다.", "{names} may be {most} at most, all together."
)


def bad_number(name: str, largest: int) -> Bilingual:
    """Return how a page or limit that is none is refused."""
    return BAD_NUMBER.format(name=name, largest=largest)


def bad_moment(name: str) -> Bilingual:
    """Return how a time that is none is refused."""
    return BAD_MOMENT.format(name=name)


def read_number(value: str | None, name: str, default: int, largest: int) -> int:
    """Return a page or limit; nothing and 0 give the default, anything but digits is HTTP 400."""
    digits = (value or "").strip()
    if not digits:
        return default
    if _DIGITS.fullmatch(digits) is None or int(digits) > largest:
        raise ApiRefusal(400, -1, bad_number(name, largest), f"{InvalidParameter.code} {name}")
    return int(digits) or default


def read_sorting(value: str | None) -> Sorting:
    """Return how a list is sorted; newest started first unless said otherwise."""
    if not value:
        return Sorting.STARTED_NEWEST
    if value not in set(Sorting):
        raise ApiRefusal(400, -1, BAD_SORTING, f"{InvalidParameter.code} sorting")
    return Sorting(value)


def read_moment(value: str | None, name: str) -> datetime | None:
    """Return a moment given in Unix seconds; nothing and 0 give none, as clients send for what nobody set."""
    text = (value or "").strip()
    if not text:
        return None
    found = _SECONDS.fullmatch(text)
    if found is None or int(found[1]) > EPOCH_MAX:
        raise ApiRefusal(400, -1, bad_moment(name))
    return from_epoch(int(found[1])) if int(found[1]) else None


def page_object(total: int, page: int, limit: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the page object; a page behind the last row is HTTP 400, but the first page may be empty."""
    if page > 1 and (page - 1) * limit >= total:
        raise ApiRefusal(400, -1, PAGE_BEHIND)
    return {
        "total": total,
        "previous": page - 1,
        "next": page + 1 if page * limit < total else 0,
        "list": rows,
    }


def read_page(request: AnyRequest) -> tuple[int, int]:
    """Return page and limit of a query."""
    page = read_number(request.query_params.get("page"), "page", 1, PAGE_MAX)
    return page, read_number(request.query_params.get("limit"), "limit", LIMIT_DEFAULT, LIMIT_MAX)


def read_list(request: AnyRequest, name: str) -> list[str]:
    """Return the values of a query list, however its brackets are written (2.4); each once, in order."""
    values = [
        value
        for key, value in request.query_params.multi_items()
        if (key == name or (key.startswith(f"{name}[") and key.endswith("]"))) and value
    ]
    return list(dict.fromkeys(values))


def keepable(ids: list[str]) -> list[str]:
    """Return those that a row can have; one with a NUL is in no database, and may not even be asked for."""
    return [value for value in ids if "\0" not in value]


def check_count(count: int, names: str) -> None:
    """Refuse more ids than one call may ask for."""
    if count > IDS_MAX:
        raise ApiRefusal(400, -1, TOO_MANY_IDS.format(names=names, most=IDS_MAX))
