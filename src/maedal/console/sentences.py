"""What the gateway's rules say, in the language of whoever visits the console."""

from __future__ import annotations

import re

from maedal.console.visit import Visit
from maedal.korean_messages import KOREAN, in_korean


def told(visit: Visit, sentence: str) -> str:
    """Return a rule's sentence in the visitor's language; one without a Korean form is shown as it is."""
    if not visit.english:
        return in_korean(sentence) or sentence
    # What begins with a value of somebody's keeps its letters.
    known = next((pattern for pattern, _ in KOREAN if re.fullmatch(pattern, sentence)), "")
    return sentence if known.startswith("(") else sentence[:1].upper() + sentence[1:]
