"""What the page of an unpaid charge says, in Korean and in English."""

from __future__ import annotations

from collections.abc import Mapping

from maedal.flows.pay_unpaid import Standing

Words = tuple[str, str]

TITLES: Mapping[Standing, Words] = {
    Standing.UNPAID: ("결제되지 않은 금액이 있습니다", "A payment did not go through"),
    Standing.UNDER_WAY: ("결제 결과를 확인하고 있습니다", "Your payment is being confirmed"),
    Standing.PAID: ("결제가 완료되었습니다", "It is paid"),
    Standing.LATER: ("지금 결제할 금액이 없습니다", "There is nothing to pay now"),
    Standing.OVER: ("유효 시간이 지난 주소입니다", "This link is no longer good"),
}
DETAILS: Mapping[Standing, Words] = {
    Standing.UNPAID: ("", ""),
    Standing.UNDER_WAY: (
        "다시 결제하지 마세요. 잠시 뒤 이 화면에서 결과를 확인할 수 있습니다.",
        "Please do not pay again. This page shows the outcome in a moment.",
    ),
    Standing.PAID: ("감사합니다. 이 창은 닫아도 됩니다.", "Thank you. You can close this page."),
    Standing.LATER: (
        "상점이 결제 일정을 바꾸었습니다. 자세한 내용은 상점에 문의해 주세요.",
        "The shop has changed when it is due. Please ask the shop.",
    ),
    Standing.OVER: ("상점에 문의해 주세요.", "Please ask the shop."),
}
TONES: Mapping[Standing, str] = {
    Standing.UNPAID: "failed",
    Standing.UNDER_WAY: "waiting",
    Standing.PAID: "done",
    Standing.LATER: "stopped",
    Standing.OVER: "stopped",
}
NOT_KNOWN: Words = ("잘못된 주소입니다", "This link is not known")
NOT_NOW: Words = (
    "지금은 결제할 수 없습니다. 결제되지 않았으니 잠시 뒤 다시 시도해 주세요.",
    "It cannot be paid right now, and nothing was charged. Please try again in a moment.",
)
MAYBE: Words = (
    "결과를 확인하고 있습니다. 다시 누르지 말고 잠시 뒤 이 주소를 다시 열어 주세요.",
    "The outcome is being confirmed. Please do not press again; open this link in a moment.",
)
TOO_SOON: Words = (
    "방금 결제를 시도했습니다. 1분 뒤에 다시 시도해 주세요.",
    "A try was made a moment ago. Please try again in a minute.",
)
BUTTONS: Mapping[str, Words] = {
    "pay": ("등록된 결제수단으로 결제", "Pay with the registered method"),
    "register": ("다른 결제수단 등록하고 결제", "Register another method and pay"),
    "look": ("다시 확인하기", "Look again"),
}


def language_of(accepted: str) -> str:
    """Return in which of both languages a browser wants its pages (RFC 9110, 12.5.4); Korean where it names neither."""
    best, weight = "ko", 0.0
    for part in accepted[:500].lower().split(","):
        name, _, more = part.strip().partition(";")
        language = name.strip().partition("-")[0]
        try:
            wanted = float(more.strip().removeprefix("q=")) if more.strip().startswith("q=") else 1.0
        except ValueError:
            continue
        if language in {"ko", "en"} and wanted > weight:
            best, weight = language, wanted
    return best


def say(words: Words, language: str) -> str:
    return words[language == "en"]
