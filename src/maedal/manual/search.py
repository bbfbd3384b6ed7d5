"""Looking for words in the manual, section by section, on the server: the page needs no script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from maedal.manual.contents import NAMES
from maedal.manual.rendering import page

WORDS_MAX = 100
"""Letters of what is looked for; the rest is left out."""
HITS_MAX = 30
EXCERPT = 90


@dataclass(frozen=True, slots=True)
class Hit:
    """A section that has every word: where it is, and the text around the first of them, in three parts."""

    name: str
    page_title: str
    anchor: str
    title: str
    before: str
    word: str
    after: str


def search(query: str, language: str) -> Sequence[Hit]:
    """Return the sections that have every word of `query`, those with the words in their titles first."""
    words = [folded(word) for word in query[:WORDS_MAX].split()]
    if not words:
        return []
    found: list[tuple[int, Hit]] = []
    for name in NAMES:
        one = page(name, language)
        for section in one.sections:
            title, text = folded(section.heading.text), folded(section.text)
            if not all(word in title or word in text for word in words):
                continue
            rank = sum(word in title for word in words) * 10 - section.heading.level
            found.append(
                (rank, _hit(name, one.title, section.heading.anchor, section.heading.text, section.text, words))
            )
    found.sort(key=lambda one: -one[0])
    return [hit for _, hit in found[:HITS_MAX]]


def folded(text: str) -> str:
    """Return a text as it is compared."""
    return unicodedata.normalize("NFC", text).casefold()


def _hit(name: str, page_title: str, anchor: str, title: str, text: str, words: Sequence[str]) -> Hit:
    where = re.search("|".join(map(re.escape, words)), text, re.IGNORECASE)
    if where is None:
        return Hit(name, page_title, anchor, title, text[: 2 * EXCERPT], "", "")
    begin, end = max(0, where.start() - EXCERPT), where.end() + EXCERPT
    before = ("…" if begin else "") + text[begin : where.start()]
    after = text[where.end() : end] + ("…" if end < len(text) else "")
    return Hit(name, page_title, anchor, title, before, where[0], after)
