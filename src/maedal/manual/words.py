"""What the manual calls the states, outcomes and proofs of a payment, in Korean and in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maedal.payments.attempt import Outcome, Proof, Verb
from maedal.payments.moves import Event, Status
from maedal.pg.driver import Resolution
from maedal.pg.kakaopay import codes

KO, EN = "ko", "en"
LANGUAGES = (KO, EN)

Words = tuple[str, str]
"""The same in Korean and in English."""


def say(language: str, words: Words) -> str:
    """Return the words in one language."""
    return words[LANGUAGES.index(language)]


STATUSES: dict[Status, Words] = {
    Status.READY: ("결제창 열림", "window open"),
    Status.CALLING: ("PG 호출 중", "calling the PG"),
    Status.UNKNOWN: ("결과 미확인", "outcome unknown"),
    Status.PAID: ("결제 완료", "paid"),
    Status.FAILED: ("결제 실패", "failed"),
    Status.CANCELLED: ("취소(전액·일부)", "cancelled"),
}
HAPPENINGS: dict[Event, Words] = {
    Event.BEGIN: ("결제 의도 저장", "intent committed"),
    Event.APPROVED: ("승인 확인", "approved"),
    Event.DECLINED: ("거절 확인", "declined"),
    Event.NOT_SENT: ("보내지 못함", "not sent"),
    Event.LOST: ("응답 유실", "answer lost"),
    Event.GIVEN_UP: ("결제 전에 끝남", "ended before paying"),
    Event.CANCEL: ("취소 완료", "cancelled"),
    Event.IDENTIFIED: ("거래번호 확인", "tid found"),
}
OUTCOMES: dict[Outcome, Words] = {
    Outcome.APPROVED: ("돈이 나갔다는 증거가 있습니다", "there is proof that money was taken"),
    Outcome.DECLINED: ("돈이 나가지 않았다는 증거가 있습니다", "there is proof that no money was taken"),
    Outcome.NOT_SENT: ("요청이 PG에 닿지 않은 것이 확실합니다", "certainly nothing reached the PG"),
    Outcome.UNKNOWN: (
        "그 밖의 모든 경우입니다. 다시 요청하지 않고 PG에 결과를 물어봅니다",
        "anything else: never repeated, the PG is asked what became of it",
    ),
}
PROOFS: dict[Proof, Words] = {
    Proof.REPLY: ("이 요청에 대한 PG의 응답", "the PG's own answer to this call"),
    Proof.NO_CONNECTION: ("연결이 맺어지지 않음", "the connection was never made"),
    Proof.ORDER_LOOKUP: ("PG 거래번호(tid)로 조회한 주문", "the PG's order, looked up by its transaction id (tid)"),
    Proof.KEY_STATUS: ("PG에서 조회한 빌링키의 상태", "the PG's status of the billing key"),
    Proof.SETTLEMENT_FILE: (
        "PG의 하루 거래내역 파일에 있는 우리 주문번호",
        "the PG's file of the day, by our own order number",
    ),
    Proof.MERCHANT_REFUSED: (
        "`confirm_url`이 거절했고 PG는 호출하지 않음",
        "`confirm_url` said no and the PG was not called",
    ),
    Proof.PERSON: ("담당자의 확인(감사 로그에 기록)", "a named person, who answers for it in the audit log"),
    Proof.IMPORTED: ("가져온 파일에 적힌 결과", "the file of an import, which tells what became of it"),
    Proof.LOST: ("없음: 응답을 받지 못함", "none: the answer was lost"),
}
VERBS: dict[Verb, Words] = {
    Verb.PREPARE: ("결제창 준비", "prepare the window"),
    Verb.APPROVE: ("구매자가 승인한 결제(와 빌링키 발급)", "approve with the buyer present (and issue a billing key)"),
    Verb.CHARGE: ("빌링키 결제", "charge a billing key"),
    Verb.CANCEL: ("취소", "cancel"),
    Verb.DEACTIVATE: ("빌링키 해지", "deactivate a billing key"),
}
RESOLUTIONS: dict[Resolution, Words] = {
    Resolution.START_ANEW: (
        "새로 시작합니다. 돈이 나가지도, 남는 것도 없습니다",
        "start anew: nothing was taken, nothing is kept",
    ),
    Resolution.ORDER_LOOKUP: (
        "PG 거래번호(tid)로 주문을 조회합니다",
        "look up the order by the PG's transaction id (tid)",
    ),
    Resolution.KEY_STATUS: ("빌링키 상태를 조회합니다", "look up the billing key's status"),
}
PG_CODES: tuple[tuple[Mapping[Any, str], Words], ...] = (
    (codes.NOTHING_TAKEN, ("결제되지 않은 것이 확실합니다", "certainly nothing was taken")),
    (
        codes.METHOD_ANSWERED,
        (
            "결제되지 않았습니다. 단, 결제수단의 응답이 마지막 줄의 코드라면 알 수 없습니다",
            "nothing was taken, unless the payment method answered with a code of the last row",
        ),
    ),
    (codes.PROVES_NOTHING, ("결과를 알 수 없습니다", "the outcome is unknown")),
    (
        codes.METHOD_UNSURE,
        (
            "카드사·머니의 응답 코드이며, 결과를 알 수 없습니다",
            "answers of the card company or of Money; the outcome is unknown",
        ),
    ),
)
