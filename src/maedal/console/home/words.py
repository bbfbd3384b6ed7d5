"""The words for the terms of the home page, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from maedal.console.frame.words import Words
from maedal.flows.overview import FailureGroup

FAILURE_GROUPS: Words = {
    FailureGroup.BALANCE: ("잔액 부족", "Not enough money"),
    FailureGroup.LIMIT: ("한도 초과", "Limit used up"),
    FailureGroup.LOCKED: ("일시 정지", "Locked for now"),
    FailureGroup.ENDED_KEY: ("해지된 키 · 수단", "Key or method ended"),
    FailureGroup.OTHER: ("기타", "Other"),
    FailureGroup.LEFT: ("결제창 이탈", "Left the payment window"),
}

WORDS: Mapping[str, Words] = {
    "failure_group": FAILURE_GROUPS,
}
