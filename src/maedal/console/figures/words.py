"""The words for the terms of figures, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from maedal.console.frame.words import Words
from maedal.storage.figures.reads import Churn

CHURNS: Words = {
    Churn.BUYER: ("구매자 해지", "Ended by the buyer"),
    Churn.FAILURE: ("결제 실패", "Failed charge"),
    Churn.MERCHANT: ("상점 해지", "Ended by the shop"),
    Churn.NOTHING: ("청구 없음", "Not charged"),
}

WORDS: Mapping[str, Words] = {"churn": CHURNS}
