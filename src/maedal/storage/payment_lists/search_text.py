"""The text by which a payment is found: folded, and written so that a database finds any part of it, in any locale.

Letters are folded (`ABC` is `abc`), and everything that is not ASCII becomes four capital letters: the first of A to J,
the others of K to Z. So a part of a word is a part of its written form and nothing else is; a Korean syllable, which is
half a name, gives PostgreSQL two trigrams to look up instead of none; and neither engine needs to know a language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any

from maedal.storage.payment_lists.reads import SearchField

LEADS, REST = "ABCDEFGHIJ", "KLMNOPQRSTUVWXYZ"
CODES = len(LEADS) * len(REST) ** 3
VALUE_CHARS_MAX = 300
"""How much of a value is looked at; ids, names and reasons are shorter."""

MARKS = {field: chr(14 + place) for place, field in enumerate(SearchField)}
"""What stands before each field's value; values have no control characters."""
END = chr(31)


def written(text: str) -> str:
    """Return a text as it is looked for and found."""
    if text.isascii() and text.isprintable():
        return text.lower()  # as below, for what most of it is
    return "".join(map(_letter, unicodedata.normalize("NFC", text).casefold()))


def spellings(word: str) -> tuple[str, ...]:
    """Return how a word may stand in a text, as it is typed first: a phone number is found however it is divided.

    A whole number is also divided as it is in Korea, for texts that were written without its bare digits.
    """
    if not re.fullmatch(r"[0-9]+(?:[ .-][0-9]+)*", word, re.ASCII):
        return (word,)
    digits = re.sub(r"[ .-]", "", word)
    whole = re.fullmatch(r"(02|0[0-9]{2})([0-9]{3,4})([0-9]{4})", digits)
    return tuple(dict.fromkeys([word, digits, *(["-".join(whole.groups())] if whole else [])]))


def text_of(values: Mapping[str, Any]) -> str:
    """Return the text of a payment, given its columns."""
    return "".join(MARKS[f] + written(_value(f, (values[f] or "")[:VALUE_CHARS_MAX])) for f in SearchField) + END


def _value(field: SearchField, value: str) -> str:
    """Return a value as it is looked for; a phone number that is divided has its bare digits behind it."""
    digits = re.sub(r"[ .-]", "", value) if field is SearchField.BUYER_TEL else value
    return value if digits == value else f"{value} {digits}"


def borders(field: SearchField) -> tuple[str, str]:
    """Return the marks between which a field's value stands in a text."""
    places = list(SearchField)
    place = places.index(field)
    return MARKS[field], MARKS[places[place + 1]] if place + 1 < len(places) else END


@cache
def _letter(letter: str) -> str:
    code = ord(letter)
    if code < 128:
        return letter if 32 <= code < 127 else ""
    if 0xAC00 <= code < 0xD7A4:  # Korean syllables, each with a code of its own
        code -= 0xAC00
    elif 0x4E00 <= code < 0xA000:  # and so Chinese characters
        code = 11_172 + code - 0x4E00
    else:  # the rest of the world shares what is left, where two letters rarely meet in one code
        code = 32_164 + code % (CODES - 32_164)
    last, more = code % 16, code // 16
    third, more = more % 16, more // 16
    return LEADS[more // 16] + REST[more % 16] + REST[third] + REST[last]
