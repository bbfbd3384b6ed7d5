"""In which language a refusal is told: the caller's by `Accept-Language`, Korean otherwise.

What PortOne says in words of its own stays in those words, whoever asks: shops and clients compare them
(docs/wire/portone-v1-rest.md 2.2.1). Such a text is a plain `str`; every other one is `Bilingual`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Self

from litestar import Request


class Language(StrEnum):
    """What the API and its document can be read in."""

    KOREAN = "ko"
    ENGLISH = "en"


class Bilingual(str):
    """A sentence in Korean that knows itself in English; `format` fills both, each with its own words."""

    __slots__ = ("english",)
    english: str

    def __new__(cls, korean: str, english: str) -> Self:
        made = super().__new__(cls, korean)
        made.english = english
        return made

    def format(self, *args: object, **named: object) -> Bilingual:
        english = self.english.format(
            *(_in_english(value) for value in args), **{name: _in_english(value) for name, value in named.items()}
        )
        return Bilingual(super().format(*args, **named), english)


def _in_english(value: object) -> object:
    return value.english if isinstance(value, Bilingual) else value


def localized(text: str, language: Language) -> str:
    """Return a text in one language; one that is no `Bilingual` has only its own."""
    return text.english if language is Language.ENGLISH and isinstance(text, Bilingual) else str(text)


def language_of(request: Request[Any, Any, Any]) -> Language:
    """Return the language that the caller would rather have; Korean when it asks for neither, or for any."""
    preferences = [
        preference for header in request.headers.getall("accept-language", ()) for preference in header.split(",")
    ]
    best, language = 0.0, Language.KOREAN
    for preference in preferences[:PREFERENCES_MAX]:
        tag, _, parameter = preference.partition(";")
        primary = tag.strip().lower().partition("-")[0]
        weight = _weight(parameter)
        # Of two that are as good the first counts. `*` is what clients send that have no language.
        if primary in {"ko", "en", "*"} and weight > best:
            best, language = weight, Language.ENGLISH if primary == "en" else Language.KOREAN
    return language


PREFERENCES_MAX = 20


def _weight(parameter: str) -> float:
    """Return how much a language is wished for, from 0 to 1 (RFC 9110, 12.4.2); what cannot be read is no wish."""
    name, _, value = parameter.partition("=")
    if not parameter.strip():
        return 1.0
    if name.strip().lower() != "q":
        return 0.0
    digits = value.strip()
    if not digits.isascii() or not digits.replace(".", "", 1).isdigit():
        return 0.0
    return min(1.0, float(digits))
