"""The words for the terms of open items, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from maedal.console.frame.words import Words
from maedal.flows.resolve_by_hand import Verdict
from maedal.reconciliation.finding import FindingKind

VERDICTS: Words = {
    Verdict.CHARGED: ("결제됨", "It was charged"),
    Verdict.NOT_CHARGED: ("결제되지 않음", "It was not charged"),
    Verdict.CANCELLED: ("취소됨", "It was cancelled"),
    Verdict.NOT_CANCELLED: ("취소되지 않음", "It was not cancelled"),
}
FINDINGS: Words = {
    FindingKind.CHARGED_THERE: ("카카오페이에만 있는 결제", "Charged at KakaoPay only"),
    FindingKind.CHARGED_TWICE: ("이중 결제", "Charged twice"),
    FindingKind.CHARGED_HERE: ("여기에만 있는 결제", "Charged here only"),
    FindingKind.AMOUNT_DIFFERS: ("금액이 다름", "The amounts differ"),
    FindingKind.CANCELLED_THERE: ("카카오페이에서 직접 한 취소", "Cancelled at KakaoPay"),
    FindingKind.CANCELLED_HERE: ("여기에만 있는 취소", "Cancelled here only"),
}
FINDING_MEANINGS: Words = {
    FindingKind.CHARGED_THERE: (
        (
            "카카오페이는 돈을 받았지만 여기에는 그 주문의 완료된 결제가 없습니다. "
            "이 CID로 다른 시스템이 결제했거나, 결과를 잃은 결제입니다."
        ),
        (
            "KakaoPay took money, and here is no paid payment for it: "
            "another system charges under this CID, or a result was lost."
        ),
    ),
    FindingKind.CHARGED_TWICE: (
        "이미 결제된 주문에 카카오페이가 한 번 더 돈을 받았습니다. 구매자에게 돌려줄 돈으로 보입니다.",
        "KakaoPay took money once more for what is paid already. It seems to be the buyer's, to be given back.",
    ),
    FindingKind.CHARGED_HERE: (
        "여기서는 결제완료이지만 카카오페이의 그날 파일에는 없습니다. 받지 못한 돈일 수 있습니다.",
        "It is paid here, and KakaoPay's file of the day does not know it: perhaps no money was taken.",
    ),
    FindingKind.AMOUNT_DIFFERS: (
        "카카오페이가 받은 금액이 여기의 결제 금액과 다릅니다.",
        "KakaoPay took another amount than the payment's here.",
    ),
    FindingKind.CANCELLED_THERE: (
        (
            "여기서 요청하지 않은 취소를 카카오페이가 했습니다. 카카오페이 파트너 어드민에서 취소했을 수 있습니다. "
            "여기의 금액이 함께 보이면 이미 결제의 취소 내역에 넣었으니 확인하고 닫으면 됩니다."
        ),
        (
            "KakaoPay gave money back that was not asked for here: perhaps in KakaoPay's own console. "
            "If an amount here is shown too, it is in the payment's history already: read it and close it."
        ),
    ),
    FindingKind.CANCELLED_HERE: (
        "여기서는 취소했지만 카카오페이의 파일에는 그 취소가 없습니다. 구매자가 돈을 돌려받지 못했을 수 있습니다.",
        "It is cancelled here, and KakaoPay's file does not know it: perhaps the buyer has not been given the money.",
    ),
}

WORDS: Mapping[str, Words] = {
    "verdict": VERDICTS,
    "finding": FINDINGS,
    "finding_means": FINDING_MEANINGS,
}
