"""People-facing words of the API document, each in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from maedal.rest.language import Bilingual, Language

__all__ = ["Language", "Words", "in_language", "words_of"]


@dataclass(frozen=True, slots=True)
class Words:
    """One text in both languages."""

    ko: str
    en: str


def words_of(text: str) -> Words | str:
    """Return what a refusal says as words of the document; what PortOne fixes is the same in both."""
    return Words(str(text), text.english) if isinstance(text, Bilingual) else text


def in_language(tree: Any, language: Language) -> Any:
    """Return a document tree with every `Words` in it as the text of one language."""
    if isinstance(tree, Words):
        return tree.ko if language is Language.KOREAN else tree.en
    if isinstance(tree, dict):
        return {key: in_language(value, language) for key, value in tree.items()}
    if isinstance(tree, list):
        return [in_language(value, language) for value in tree]
    return tree
