"""The words for the terms of going live, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from maedal.console.frame.words import Words
from maedal.merchants.go_live import Point, Readiness

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

WORDS: Mapping[str, Words] = {
    "go_live_point": GO_LIVE_POINTS,
    "readiness": READINESS,
}
