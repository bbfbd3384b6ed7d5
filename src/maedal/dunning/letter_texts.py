"""What the letter to a buyer says, in Korean and in English."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from html import escape

from maedal.payments.failure_causes import FailureCause
from maedal.payments.failure_texts import EXPLANATIONS
from maedal.reconciliation.settlement import SEOUL


@dataclass(frozen=True, slots=True)
class LetterText:
    """A letter in words: as text, and as the same in HTML."""

    subject: str
    text: str
    html: str


def buyer_sentence(cause: FailureCause, language: str) -> str:
    """Return what a buyer is told of a cause."""
    return EXPLANATIONS[cause].buyer[language == "en"]


def unpaid_letter(
    shop: str, item: str, amount: int, cause: FailureCause, link: str, until: datetime, language: str, *, test: bool
) -> LetterText:
    """Return the letter that asks a buyer for an unpaid charge."""
    sentence, day = buyer_sentence(cause, language), f"{until.astimezone(SEOUL):%Y-%m-%d %H:%M}"
    if language == "en":
        subject = f"{shop}: a payment of ₩{amount:,} did not go through"
        lines = [
            f"{shop}: {item}, ₩{amount:,}",
            sentence,
            "You can pay with the registered method, or register another one, here:",
        ]
        button, note = "Pay or change the method", f"The link is good until {day} (Seoul)."
    else:
        subject = f"[{shop}] {amount:,}원이 결제되지 않았습니다"
        lines = [
            f"{shop}: {item} {amount:,}원",
            sentence,
            "아래 주소에서 등록된 결제수단으로 결제하거나 다른 결제수단을 등록할 수 있습니다.",
        ]
        button, note = "결제하기 · 결제수단 변경", f"{day}까지 쓸 수 있는 주소입니다."
    if test:
        subject = f"[TEST] {subject}" if language == "en" else f"[테스트] {subject}"
    paragraphs = "".join(f"<p>{escape(one)}</p>" for one in lines)
    html = (
        f'<!doctype html><html lang="{language}"><body>{paragraphs}'
        f'<p><a href="{escape(link)}">{escape(button)}</a></p><p>{escape(note)}</p></body></html>'
    )
    return LetterText(subject, "\n\n".join([*lines, link, note]), html)
