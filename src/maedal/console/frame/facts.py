"""What an entry of a log says of before and after, in words: the names are those of the forms, times are Korean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from maedal.console.frame.days import when
from maedal.console.frame.visit import Visit

Words = tuple[str, str]

NAMES: Mapping[str, Words] = {
    "name": ("이름", "Name"),
    "pg": ("PG사", "PG"),
    "cid": ("가맹점코드(CID)", "CID"),
    "kind": ("결제 종류", "Kind"),
    "test_mode": ("테스트 모드", "Test mode"),
    "default": ("기본 채널", "Default channel"),
    "origins": ("허용 도메인", "Allowed origins"),
    "app_schemes": ("앱 스킴", "App schemes"),
    "prepared_only": ("사전등록한 결제만", "Registered amounts only"),
    "unknown_pg": ("모르는 pg 값", "Unknown pg values"),
    "replaced_keys": ("교체된 빌링키", "Replaced billing keys"),
    "secret_key": ("Secret key", "Secret key"),
    "file_key": ("거래내역 파일 키", "File key"),
    "bucket": ("거래내역 파일 위치", "Bucket of files"),
    "charges_per_month": ("한 달 결제 횟수", "Charges per month"),
    "method": ("결제수단", "Method"),
    "cards": ("카드사", "Card companies"),
    "months": ("할부 개월", "Instalments"),
    "window": ("결제창 형태", "Window"),
    "waits_hours": ("기다리는 시간", "Hours to wait"),
    "live": ("실결제 주소", "Live address"),
    "test": ("테스트 주소", "Test address"),
    "type_live": ("실결제 본문 형식", "Live body"),
    "type_test": ("테스트 본문 형식", "Test body"),
    "retry": ("재전송", "Resend"),
    "failures": ("실패도 알림", "Failures too"),
    "first": ("응답 전에 먼저", "Before the answer"),
    "confirm": ("confirm_url", "confirm_url"),
    "page_notices": ("페이지의 notice_url", "notice_url of pages"),
    "fields": ("응답 필드", "Answer fields"),
    "events": ("이벤트", "Events"),
    "type": ("본문 형식", "Body"),
    "active": ("사용", "In use"),
    "signing": ("서명", "Signing"),
    "old_secret": ("이전 secret", "Old secret"),
    "cancellable": ("취소할 수 있던 금액", "Could be cancelled"),
    "cancelling": ("취소 금액", "Cancelled"),
    "cancelled": ("취소된 금액", "Cancelled so far"),
    "amount": ("금액", "Amount"),
    "at": ("예정 시각", "Due"),
    "tid": ("PG 거래번호", "PG's id (tid)"),
    "pg_tid": ("PG 거래번호", "PG's id (tid)"),
    "attempt": ("호출", "Call"),
    "outcome": ("결과", "Outcome"),
    "webhooks": ("웹훅 수", "Webhooks"),
    "to": ("보낸 곳", "To"),
    "tries": ("시도 횟수", "Tries"),
    "payments": ("결제", "Payments"),
    "schedules": ("예약", "Scheduled charges"),
    "keys": ("빌링키", "Billing keys"),
    "noted": ("메모가 있는 고객", "Customers with notes"),
    "of": ("만든 사람", "Of"),
    "shared": ("공유", "Shared"),
    "format": ("형식", "Format"),
    "columns": ("열", "Columns"),
    "filter": ("조건", "Filters"),
    "sealed": ("봉인", "Sealed"),
    "role": ("역할", "Role"),
    "roles": ("역할", "Roles"),
    "merchants": ("가맹점", "Merchants"),
    "address": ("주소", "Address"),
    "passkey": ("패스키", "Passkey"),
    "scopes": ("권한", "Scopes"),
    "count": ("사용 횟수", "Use count"),
    "limit": ("한도 초과", "Limit used up"),
    "balance": ("잔액 부족", "Not enough money"),
    "locked": ("일시 정지", "Locked for now"),
    "other": ("그 밖의 거절", "Any other decline"),
    "ended_key": ("만료 · 해지된 결제수단", "Key or method ended"),
}
"""The names that flows keep; one that is not here is shown as it is."""
VALUES: Mapping[str, Words] = {
    "yes": ("예", "yes"),
    "no": ("아니요", "no"),
    "on": ("켬", "on"),
    "off": ("끔", "off"),
    "any": ("모두", "any"),
    "all": ("모두", "all"),
    "none": ("없음", "none"),
    "none listed": ("없음", "none"),
    "set": ("있음", "set"),
    "unknown": ("모름", "unknown"),
    "never": ("재시도 안 함", "never"),
    "held": ("보류", "held"),
    "released": ("보류 해제", "released"),
    "revoked": ("해지", "revoked"),
    "scheduled": ("예약", "scheduled"),
    "executed": ("실행됨", "executed"),
    "no more tries": ("재시도 중지", "no more tries"),
    "living": ("사용 중", "active"),
    "ended": ("해지", "ended"),
    "void": ("종료", "void"),
    "told again": ("다시 알림", "told again"),
    "open": ("열림", "open"),
    "closed": ("종결", "closed"),
    "one_time": ("일반결제", "one-time"),
    "recurring": ("정기결제", "recurring"),
    "reject": ("거절", "reject"),
    "default": ("기본 채널로", "the default channel"),
    "deactivate": ("카카오페이에서도 해지", "deactivate"),
    "keep": ("그대로 둠", "keep"),
    "layer": ("레이어", "layer"),
    "popup": ("팝업", "popup"),
    "few": ("5번까지", "up to 5 times"),
    "patient": ("9번까지", "up to 9 times"),
    "ignore": ("무시", "ignore"),
    "add": ("함께", "beside ours"),
    "replace": ("대신", "in our place"),
    "full": ("모든 필드", "every field"),
    "2021": ("2021년 필드", "those of 2021"),
    "current": ("지금 저장된 주소", "the saved address"),
    "original": ("처음 보낸 주소", "the first address"),
}
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def differences(before: str, after: str) -> list[tuple[str, str | None, str | None]]:
    """Return the facts of an act side by side: name, before, after. Those that have no name stand under "".

    An act keeps `name=value; …`; what holds a `; ` of its own goes on with the fact before it.
    """
    then, now = _facts(before), _facts(after)
    return [(name, then.get(name), now.get(name)) for name in dict.fromkeys([*then, *now])]


def _facts(text: str) -> dict[str, str]:
    facts: dict[str, str] = {}
    last = ""
    for piece in text.split("; ") if text else ():
        name, equals, value = piece.partition("=")
        if equals and re.fullmatch(r"[\w .-]{1,40}", name):
            last, facts[name] = name, value
        else:
            facts[last] = f"{facts[last]}; {piece}" if last in facts else piece
    return facts


def differences_in_words(visit: Visit, before: str, after: str) -> list[tuple[str, str | None, str | None]]:
    """Return the same in the visitor's language."""
    return [
        (_name(visit, name), _value(visit, then), _value(visit, now)) for name, then, now in differences(before, after)
    ]


def _name(visit: Visit, name: str) -> str:
    return visit.t(*NAMES[name]) if name in NAMES else name


def _value(visit: Visit, value: str | None) -> str | None:
    if value is None or value in VALUES:
        return None if value is None else visit.t(*VALUES[value])
    return TIME.sub(lambda found: when(datetime.fromisoformat(found[0])), value)
