"""What the gateway's rules say when they refuse something, in Korean; a test proves that none is missing.

The rules speak English. The console and the REST API both tell what they say, each in its visitor's language.
"""

from __future__ import annotations

import re

from maedal.korean_messages.merchants import MERCHANTS
from maedal.korean_messages.operators import OPERATORS
from maedal.korean_messages.payments import PAYMENTS
from maedal.korean_messages.plans import PLANS
from maedal.korean_messages.requests import REQUESTS

KOREAN = [*MERCHANTS, *PLANS, *PAYMENTS, *OPERATORS, *REQUESTS]
"""What is refused, as the rule says it, and the same in Korean."""


def in_korean(sentence: str) -> str | None:
    """Return the sentence in Korean, if it is known."""
    for pattern, korean in KOREAN:
        if found := re.fullmatch(pattern, sentence):
            # Part of a sentence may be another one, such as why a receiver did not answer.
            return korean.format(*(in_korean(part) or part for part in found.groups()))
    return None
