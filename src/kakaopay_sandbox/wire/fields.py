"""What each operation may be sent: names, types and lengths in table order (docs/wire/kakaopay.md, 2, 5 to 7, 14.4)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from kakaopay_sandbox.errors import BadParameter
from kakaopay_sandbox.methods import CARD_CODES, METHOD_TYPES

NUMBER_MAX = 2**31 - 1
_NUMBER = re.compile(r"[+-]?[0-9]{1,10}")


def text(length_max: int) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValueError  # noqa: TRY004  the caller's value is bad, whatever its type
        read_text = str(value)
        if len(read_text) > length_max or "\x00" in read_text:
            raise ValueError
        return read_text

    return read


def number(value: Any) -> int:
    """A whole number, or one in a string, as the official sample itself sends it."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > NUMBER_MAX:
        raise ValueError
    return value


def url(value: Any) -> str:
    read_url = text(255)(value)
    parts = urlsplit(read_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(mark in read_url for mark in ' \r\n\t<>"'):
        raise ValueError
    return read_url


def one_of(*allowed: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError
        return str(value)

    return read


def month_count(value: Any) -> int:
    months = number(value)
    if not 0 <= months <= 12:
        raise ValueError
    return months


def card_codes(value: Any) -> list[str]:
    """A JSON array, or in the legacy form its JSON text."""
    codes = msgspec.json.decode(value) if isinstance(value, str) else value
    if not isinstance(codes, list) or not codes or any(code not in CARD_CODES for code in codes):
        raise ValueError
    return codes


def string_map(value: Any) -> dict[str, str]:
    read_map = msgspec.json.decode(value) if isinstance(value, str) else value
    return msgspec.convert(read_map, dict[str, str])


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    read: Callable[[Any], Any]
    is_required: bool = False


_CID = Field("cid", text(10), is_required=True)
_CID_SECRET = Field("cid_secret", text(24))
_TID = Field("tid", text(20), is_required=True)
_SID = Field("sid", text(20), is_required=True)
_ORDER_ID = Field("partner_order_id", text(100), is_required=True)
_USER_ID = Field("partner_user_id", text(100), is_required=True)
_PAYLOAD = Field("payload", text(200))

READY = (
    _CID,
    _CID_SECRET,
    _ORDER_ID,
    _USER_ID,
    Field("item_name", text(100), is_required=True),
    Field("item_code", text(100)),
    Field("quantity", number, is_required=True),
    Field("total_amount", number, is_required=True),
    Field("tax_free_amount", number, is_required=True),
    Field("vat_amount", number),
    Field("green_deposit", number),
    Field("approval_url", url, is_required=True),
    Field("cancel_url", url, is_required=True),
    Field("fail_url", url, is_required=True),
    Field("available_cards", card_codes),
    Field("payment_method_type", one_of(*METHOD_TYPES)),
    Field("install_month", month_count),
    Field("use_share_installment", one_of("Y", "N")),
    Field("custom_json", string_map),
    Field("redirect_scheme_url", text(255)),
)
APPROVE = (
    _CID,
    _CID_SECRET,
    _TID,
    _ORDER_ID,
    _USER_ID,
    Field("pg_token", text(255), is_required=True),
    _PAYLOAD,
    Field("total_amount", number),
)
SUBSCRIPTION = (
    _CID,
    _CID_SECRET,
    _SID,
    _ORDER_ID,
    _USER_ID,
    Field("item_name", text(100)),
    Field("item_code", text(100)),
    Field("quantity", number, is_required=True),
    Field("total_amount", number, is_required=True),
    Field("tax_free_amount", number, is_required=True),
    Field("vat_amount", number),
    _PAYLOAD,
)
OF_A_SID = (_CID, _CID_SECRET, _SID)
ORDER = (_CID, _CID_SECRET, _TID)
CANCEL = (
    _CID,
    _CID_SECRET,
    _TID,
    Field("cancel_amount", number, is_required=True),
    Field("cancel_tax_free_amount", number, is_required=True),
    Field("cancel_vat_amount", number),
    Field("cancel_available_amount", number),
    _PAYLOAD,
)


def read_fields(known: tuple[Field, ...], body: dict[str, Any]) -> dict[str, Any]:
    """The known fields, absent and empty ones as None; unknown ones are ignored.

    Raises BadParameter for the first required field that is missing, then for the first that is bad.
    """
    for field in known:
        if field.is_required and body.get(field.name) in (None, ""):
            raise BadParameter.missing(field.name)
    values: dict[str, Any] = {}
    for field in known:
        value = body.get(field.name)
        if value in (None, ""):
            values[field.name] = None
            continue
        try:
            values[field.name] = field.read(value)
        except (ValueError, TypeError) as unreadable:
            raise BadParameter.invalid(field.name) from unreadable
    return values
