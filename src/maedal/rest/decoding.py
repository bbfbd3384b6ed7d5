"""Request bodies, with every tolerance that old clients need (docs/wire/portone-v1-rest.md 2.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from maedal.payments.errors import InvalidParameter
from maedal.percent_encoding import decoded
from maedal.rest.language import Bilingual

BODY_BYTES_MAX = 1 << 20
FORM_KEYS_MAX = 10_000
FORM_KEY_BYTES_MAX = 2_000
"""Of one key, its brackets with it; the longest that is read has some fifty."""
CONTAINERS_MAX = 50_000
"""Objects and lists in one body, and what looks like their beginning: each costs more than all of its bytes. A body of
the shortest schedules that fit has 15,000."""
_LARGE_BYTES = 64 * 1024
_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_SLASHES = re.compile(rb"/{2,}")
_PART = re.compile(r"\[([^\[\]]*)\]")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}(?:\.0*)?")  # not the digits of other scripts
_SECONDS = re.compile(r"\+?([0-9]{1,18})(?:\.[0-9]*)?")
_DIGITS_MAX = 10**1000  # Python itself refuses to write out numbers of more than some thousand digits
_FLAGS: dict[Any, bool] = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}
_json = msgspec.json.Decoder()

WRONG_CHARSET = Bilingual(
    "요청 본문의 문자 인코딩은 UTF-8이어야 합니다. (Content-Type)", "The body must be UTF-8. (Content-Type)"
)
NOT_UTF8 = Bilingual("요청 본문의 문자 인코딩은 UTF-8이어야 합니다. (body)", "The body must be UTF-8. (body)")
NOT_JSON = Bilingual("요청 본문이 올바른 UTF-8 JSON이 아닙니다. (body)", "The body is no JSON in UTF-8. (body)")
NOT_AN_OBJECT = Bilingual("요청 본문은 JSON 객체여야 합니다. (body)", "The body must be a JSON object. (body)")
TOO_MANY_FIELDS = Bilingual("요청 본문의 파라메터가 너무 많습니다. (body)", "The body has too many fields. (body)")
TOO_LONG_KEY = Bilingual(
    "요청 본문의 파라메터 이름이 너무 깁니다. (body)", "The body has a field whose name is too long. (body)"
)
NOT_READABLE = Bilingual("{name} 파라메터가 올바르지 않습니다.", "{name} cannot be read.")
BAD_BODY = (WRONG_CHARSET, NOT_UTF8, NOT_JSON, NOT_AN_OBJECT, TOO_MANY_FIELDS, TOO_LONG_KEY, NOT_READABLE)
"""Why a body cannot be read."""
NOT_A_TEXT = Bilingual("{name} 파라메터는 문자열이어야 합니다.", "{name} must be a text.")
TOO_LONG = Bilingual("{name} 파라메터가 너무 깁니다.", "{name} is too long.")
LONGER_THAN = Bilingual(
    "{name} 파라메터는 {longest}자를 넘을 수 없습니다.", "{name} may have {longest} characters at most."
)
TEXT_WITH_NUL = Bilingual(
    "{name} 파라메터에 사용할 수 없는 문자(NUL)가 있습니다.", "{name} has a character that cannot be kept (NUL)."
)
BAD_CHARACTERS = Bilingual("{name} 파라메터에 올바르지 않은 문자가 있습니다.", "{name} has characters that are none.")
BAD_TEXT = (NOT_A_TEXT, TOO_LONG, LONGER_THAN, TEXT_WITH_NUL, BAD_CHARACTERS)
"""Why a text is not taken."""
MISSING = Bilingual("{name} 파라메터가 누락되었습니다.", "{name} is missing.")
TOO_MANY_ADDRESSES = Bilingual(
    "{name} 파라메터는 {most}개를 넘을 수 없습니다.", "{name} may have {most} addresses at most."
)
NOT_WHOLE = Bilingual("{name} 파라메터는 정수여야 합니다.", "{name} must be a whole number.")
NOT_SECONDS = Bilingual(
    "{name} 파라메터는 UNIX timestamp(초)여야 합니다.", "{name} must be a UNIX timestamp, in seconds."
)
TOO_SMALL = Bilingual("{name} 파라메터는 {least} 이상이어야 합니다.", "{name} must be {least} at least.")
TOO_MUCH = Bilingual("{name} 파라메터는 {most} 이하여야 합니다.", "{name} must be {most} at most.")
NOT_A_FLAG = Bilingual("{name} 파라메터는 true 또는 false여야 합니다.", "{name} must be true or false.")
PATH_NOT_UTF8 = Bilingual("요청 주소의 문자 인코딩은 UTF-8이어야 합니다. (path)", "The address must be UTF-8. (path)")
PATH_WITH_NUL = Bilingual(
    "요청 주소에 사용할 수 없는 문자(NUL)가 있습니다. (path)",
    "The address has a character that cannot be kept (NUL). (path)",
)
BAD_PATH = (PATH_NOT_UTF8, PATH_WITH_NUL)
"""Why a path is not taken."""


def decode_body(content_type: str, body: bytes) -> dict[str, Any]:
    """Return the body's fields, JSON or form. Raises InvalidParameter for anything that is neither."""
    if not body.strip():
        return {}
    media_type, _, parameters = content_type.partition(";")
    charset = parameters.partition("charset=")[2].split(";")[0].strip().strip('"').lower()
    if charset and charset not in {"utf-8", "utf8", "us-ascii"}:
        raise InvalidParameter("Content-Type", WRONG_CHARSET)
    media_type = media_type.strip().lower()
    looks_like_json = body.lstrip()[:1] in {b"{", b"["}
    if media_type == "application/x-www-form-urlencoded" or (not media_type and not looks_like_json):
        return _form(body)
    return _object(body)


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > _LARGE_BYTES and body.count(b"[") + body.count(b"{") > CONTAINERS_MAX:
        raise InvalidParameter("body", TOO_MANY_FIELDS)
    try:
        content = _json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidParameter("body", NOT_JSON) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InvalidParameter("body", NOT_AN_OBJECT)
    return content


def _form(body: bytes) -> dict[str, Any]:
    """Read a form. Keys may begin with spaces, values may hold `=` and raw UTF-8; brackets nest."""
    if body.count(b"&") >= FORM_KEYS_MAX:
        raise InvalidParameter("body", TOO_MANY_FIELDS)
    fields: dict[str, Any] = {}
    for pair in body.split(b"&"):
        raw_key, _, raw_value = pair.partition(b"=")
        if len(raw_key) > FORM_KEY_BYTES_MAX:
            raise InvalidParameter("body", TOO_LONG_KEY)
        key, value = _unquote(raw_key).lstrip(), _unquote(raw_value)
        if key:
            _put(fields, key, value)
    return {key: _lists(value) for key, value in fields.items()}


def _unquote(raw: bytes) -> str:
    try:
        return decoded(raw.replace(b"+", b" ")).decode()
    except UnicodeDecodeError as error:
        raise InvalidParameter("body", NOT_UTF8) from error


def _put(fields: dict[str, Any], key: str, value: str) -> None:
    match = _KEY.fullmatch(key)
    path = [key] if match is None else [match[1], *_PART.findall(match[2])]
    if len(path) > 5:
        raise InvalidParameter(path[0], NOT_READABLE.format(name=path[0]))
    at = fields
    for name in path[:-1]:
        inner = at.get(name)
        if not isinstance(inner, dict):
            inner = at[name] = {} if inner is None else {"0": inner}
        at = inner
    last = path[-1]
    if len(path) > 1 and last == "":
        last = str(len(at))
    if len(path) == 1 and last in at:
        # The same plain key again means a list. It grows in place: a body may repeat one key thousands of times.
        before = at[last]
        if isinstance(before, dict):
            before[str(len(before))] = value
        else:
            at[last] = {"0": before, "1": value}
    else:
        at[last] = value


def _lists(value: Any) -> Any:
    """Turn mappings whose keys are all numbers into lists, in the order of the numbers."""
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(item) for key, item in value.items()}
    if inner and all(key.isdecimal() and len(key) < 10 for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def is_nothing(value: Any) -> bool:
    """Return whether a value is what clients send for "nothing", whatever the field's kind (2.4.1).

    `null`, a text of blanks, `false` (`x && y` in JavaScript), and an empty list (what PHP writes for any empty array).
    0 is no such value here: it may be an id, and what it means for a number is for the field to say.
    """
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or value is False or value == []


class Fields:
    """Reads a request's fields by kind. What `is_nothing` counts as absent."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content

    def text(self, name: str, *, longest: int | None = None, cut: bool = False) -> str | None:
        """Return a text field or None; numbers are taken as their digits. Too long is refused, or cut if `cut`."""
        value = self._content.get(name)
        return None if is_nothing(value) else _text(name, value, longest=longest, cut=cut)

    def needed_text(self, name: str, *, longest: int) -> str:
        """Return a text field that must be there."""
        text = self.text(name, longest=longest)
        if text is None:
            raise InvalidParameter(name, MISSING.format(name=name))
        return text

    def kept_text(self, name: str, *, longest: int) -> str | None:
        """Return a text that is given back as it came: blanks stay what they are; too long is cut."""
        value = self._content.get(name)
        return (
            value[:longest]
            if isinstance(value, str) and not value.strip()
            else self.text(name, longest=longest, cut=True)
        )

    def addresses(self, name: str, *, longest: int, most: int) -> tuple[str, ...]:
        """Return the addresses of a field: one, or a list of at most so many; without the blanks around them.

        What no address can be (nothing, `false`, 0) names none.
        """
        value = self._content.get(name)
        values = value if isinstance(value, list) else [value]
        if len(values) > most:
            raise InvalidParameter(name, TOO_MANY_ADDRESSES.format(name=name, most=most))
        read = (None if is_nothing(one) or one == 0 else _text(name, one, longest=longest, cut=False) for one in values)
        return tuple(dict.fromkeys(address.strip() for address in read if address))

    def whole(
        self, name: str, *, least: int | None = None, most: int | None = None, plainly: bool = False
    ) -> int | None:
        """Return a whole number or None: an int, a float without fraction, or digits as text.

        With `plainly` only `null` and a text of blanks are absent, for where that means more than a number could.
        """
        value = self._content.get(name)
        if value is None or (isinstance(value, str) and not value.strip()) or (not plainly and is_nothing(value)):
            return None
        number = _whole(value)
        if number is None:
            raise InvalidParameter(name, NOT_WHOLE.format(name=name))
        if least is not None and number < least:
            raise InvalidParameter(name, TOO_SMALL.format(name=name, least=least))
        if most is not None and number > most:
            raise InvalidParameter(name, TOO_MUCH.format(name=name, most=most))
        return number

    def seconds(self, name: str) -> int | None:
        """Return a time in Unix seconds or None; a part of a second is dropped, as what measures times sends it."""
        value = self._content.get(name)
        if is_nothing(value):
            return None
        if isinstance(value, float) and 0 <= value < 1e15:
            return int(value)
        if isinstance(value, str) and (found := _SECONDS.fullmatch(value.strip())):
            return int(found[1])
        number = _whole(value)
        if number is None:
            raise InvalidParameter(name, NOT_SECONDS.format(name=name))
        return number

    def flag(self, name: str) -> bool:
        """Return a switch; JSON booleans, `"true"`/`"false"` and 1/0 are taken, absent is off."""
        value = self._content.get(name)
        if is_nothing(value):
            return False
        if isinstance(value, str):
            value = value.strip().lower()
        if isinstance(value, bool | int | str) and value in _FLAGS:
            return _FLAGS[value]
        raise InvalidParameter(name, NOT_A_FLAG.format(name=name))

    def needed_whole(self, name: str, *, least: int | None = None, most: int | None = None) -> int:
        """Return a whole number that must be there."""
        number = self.whole(name, least=least, most=most)
        if number is None:
            raise InvalidParameter(name, MISSING.format(name=name))
        return number


def _text(name: str, value: Any, *, longest: int | None, cut: bool) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidParameter(name, NOT_A_TEXT.format(name=name))
    if isinstance(value, int) and abs(value) >= _DIGITS_MAX:
        raise InvalidParameter(name, TOO_LONG.format(name=name))
    text = str(value)
    if "\0" in text:
        raise InvalidParameter(name, TEXT_WITH_NUL.format(name=name))
    if not _encodable(text):
        raise InvalidParameter(name, BAD_CHARACTERS.format(name=name))
    if longest is not None and len(text) > longest:
        if not cut:
            raise InvalidParameter(name, LONGER_THAN.format(name=name, longest=longest))
        text = text[:longest]
    return text


def _whole(value: Any) -> int | None:
    """Return a whole number however it is written; None when it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value.strip().partition(".")[0])
    return None


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate, from a JSON escape
        return False
    return True


def segments(raw_path: bytes, prefix: str) -> list[str]:
    """Return the decoded parts of a raw path behind `prefix`; an encoded slash stays inside its part, `+` is itself.

    A trailing slash counts for nothing, and several are one: base addresses that end with a slash are common. Raises
    InvalidParameter for text that is no UTF-8 or holds a NUL.
    """
    rest = _SLASHES.sub(b"/", raw_path).removeprefix(prefix.encode()).strip(b"/")
    try:
        parts = [decoded(part).decode() for part in rest.split(b"/")] if rest else []
    except UnicodeDecodeError as error:
        raise InvalidParameter("path", PATH_NOT_UTF8) from error
    if any("\0" in part for part in parts):
        raise InvalidParameter("path", PATH_WITH_NUL)
    return parts
