"""The words for the terms of webhooks, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from maedal.console.frame.words import Words
from maedal.merchants.merchant import PageNotices, WebhookRetry, WebhookType
from maedal.storage.webhooks.reads import AnswerClass
from maedal.webhooks.address import WebhookEvent

WEBHOOK_TYPES: Words = {WebhookType.JSON: ("JSON", "JSON"), WebhookType.FORM: ("폼 (form)", "Form")}
WEBHOOK_RETRIES: Words = {
    WebhookRetry.NONE: ("다시 보내지 않음", "Never"),
    WebhookRetry.FEW: ("1분 간격으로 5번까지", "Up to 5 times, a minute apart"),
    WebhookRetry.PATIENT: ("사흘에 걸쳐 9번까지", "Up to 9 times over three days"),
}
PAGE_NOTICES: Words = {
    PageNotices.IGNORE: ("무시", "Ignore it"),
    PageNotices.ADD: ("위 주소와 그 주소에 모두 보냄", "Tell both"),
    PageNotices.REPLACE: ("그 주소로만 보냄 (포트원과 같음)", "Tell that one alone, as PortOne does"),
}
ANSWER_CLASSES: Words = {
    AnswerClass.TAKEN: ("2xx 받음", "2xx taken"),
    AnswerClass.REDIRECT: ("3xx 다른 주소로", "3xx elsewhere"),
    AnswerClass.REFUSED: ("4xx 거절", "4xx refused"),
    AnswerClass.BROKEN: ("5xx 서버 오류", "5xx broken"),
    AnswerClass.NONE: ("응답 없음", "No answer"),
}
WEBHOOK_EVENTS: Words = {
    WebhookEvent.PAID: ("결제 완료", "Paid"),
    WebhookEvent.SCHEDULE_FAILED: ("예약 결제 실패", "Scheduled charge failed"),
    WebhookEvent.FAILED: ("그 밖의 결제 실패", "Any other payment failed"),
    WebhookEvent.CANCELLED: ("결제 취소 (부분취소 포함)", "Cancelled, wholly or partly"),
}

WORDS: Mapping[str, Words] = {
    "webhook_type": WEBHOOK_TYPES,
    "webhook_retry": WEBHOOK_RETRIES,
    "answer_class": ANSWER_CLASSES,
    "webhook_event": WEBHOOK_EVENTS,
    "page_notices": PAGE_NOTICES,
}
