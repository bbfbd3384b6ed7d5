"""The words for the terms of going live, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from maedal.console.frame.words import Words
from maedal.merchants.go_live import Point, Readiness
from maedal.merchants.scope import Scope
from maedal.storage.request_log.reads import CallOutcome

GO_LIVE_POINTS: Words = {
    Point.CHANNEL: ("계약한 CID", "Contracted CID"),
    Point.WEBHOOK: ("실결제 웹훅", "Live webhook"),
    Point.PAGES: ("상점의 페이지", "The shop's pages"),
    Point.ADDRESSES: ("허용 IP", "Allowed addresses"),
    Point.SECRET: ("API secret 교체", "API secret rotated"),
    Point.HTTPS: ("https 주소", "https address"),
    Point.KEY_BACKUP: ("키 파일 백업", "Key file backed up"),
    Point.DATABASE: ("데이터베이스", "Database"),
    Point.CLOCK: ("시계", "Clock"),
    Point.TORTURE: ("장애 시험 (make torture)", "Torture run"),
}
READINESS: Words = {
    Readiness.DONE: ("완료", "Done"),
    Readiness.CAREFUL: ("확인 필요", "Take care"),
    Readiness.TODO: ("할 일", "To do"),
    Readiness.NOT_CHECKED: ("확인 전", "Not checked"),
}
SCOPES: Words = {
    Scope.PAYMENTS_READ: ("결제 조회", "Read payments"),
    Scope.PAYMENTS_CHARGE: ("빌링키로 결제", "Charge billing keys"),
    Scope.PAYMENTS_CANCEL: ("결제 취소", "Cancel payments"),
    Scope.PAYMENTS_PREPARE: ("결제금액 사전등록", "Register amounts"),
    Scope.KEYS_READ: ("빌링키 조회", "Read billing keys"),
    Scope.KEYS_END: ("빌링키 해지", "End billing keys"),
    Scope.SCHEDULES_READ: ("예약 조회", "Read scheduled charges"),
    Scope.SCHEDULES_WRITE: ("예약 등록 · 변경 · 해지", "Add, change and revoke scheduled charges"),
    Scope.PLANS_READ: ("정기결제 조회", "Read plans"),
    Scope.PLANS_WRITE: ("정기결제 등록 · 변경 · 종료, 휴일", "Make, change and end plans, and holidays"),
    Scope.CHANNELS_READ: ("채널 조회", "Read channels"),
}
CALL_OUTCOMES: Words = {
    CallOutcome.DONE: ("처리됨", "Carried out"),
    CallOutcome.REFUSED: ("거절됨", "Refused"),
    CallOutcome.BROKEN: ("서버 오류 (5xx)", "Server error (5xx)"),
}

WORDS: Mapping[str, Words] = {
    "scope": SCOPES,
    "call_outcome": CALL_OUTCOMES,
    "go_live_point": GO_LIVE_POINTS,
    "readiness": READINESS,
}
