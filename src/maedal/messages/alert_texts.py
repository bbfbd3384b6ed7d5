"""What alerts say, in Korean and in English. Nothing here names a buyer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maedal.messages.alert import Alert, AlertKind
from maedal.reconciliation.settlement import SEOUL

LINES_MAX = 50
"""So many are written out; the rest is counted, and is in the console."""
Words = tuple[str, str]

TITLES: Mapping[AlertKind, Words] = {
    AlertKind.UNKNOWN_OUTCOME: ("결과 미확인 10분 초과", "Outcome unknown for over ten minutes"),
    AlertKind.WEBHOOK_GIVEN_UP: ("웹훅 전송 포기", "Webhooks given up"),
    AlertKind.FAILED_RENEWALS: ("하루의 정기결제 실패", "Failed renewals of the day"),
    AlertKind.PG_CLOSED: ("PG사 점검", "PG closed"),
    AlertKind.CHANNEL_REFUSED: ("채널 중지", "Channel refused"),
    AlertKind.INVARIANT_BROKEN: ("불변 조건 위반", "Invariant broken"),
    AlertKind.FINDING: ("대사 차이", "Difference to the PG's file"),
    AlertKind.CERTIFICATE: ("인증서 만료 임박", "Certificate expiring"),
    AlertKind.API_SECRET: ("이전 API secret 만료 임박", "Old API secret expiring"),
}
LINES: Mapping[AlertKind, Words] = {
    AlertKind.UNKNOWN_OUTCOME: (
        "결제 {imp_uid}의 결과를 {since}부터 알 수 없습니다. 다시 결제하지 말고 확인 필요에서 확인하세요.",
        "The outcome of payment {imp_uid} has been unknown since {since}. Do not charge again; see Needs review.",
    ),
    AlertKind.WEBHOOK_GIVEN_UP: (
        "{host}(으)로 가는 웹훅 {count}건을 더 보내지 않습니다. 받는 서버를 확인한 뒤 웹훅 기록에서 재전송하세요.",
        "Webhooks to {host} given up: {count}. Look at the receiver, then send them again from the webhook log.",
    ),
    AlertKind.FAILED_RENEWALS: (
        "{since}부터 {until}까지 예약된 결제 가운데 {count}건, {amount}원이 미납입니다.",
        "Unpaid of the charges scheduled from {since} to {until}: {count}, {amount} won together.",
    ),
    AlertKind.PG_CLOSED: (
        "{pg}이(가) {until}까지 점검 중입니다. 예약된 결제는 점검이 끝난 뒤에 진행합니다.",
        "{pg} is closed until {until}. Scheduled charges go on when it has opened again.",
    ),
    AlertKind.CHANNEL_REFUSED: (
        "채널 {channel}의 결제를 PG사가 받지 않습니다({fault}). 예약된 결제가 기다립니다. 채널 설정을 확인하세요.",
        "The PG does not take charges of channel {channel} ({fault}). Scheduled charges wait. Check the channel.",
    ),
    AlertKind.INVARIANT_BROKEN: (
        "항상 참이어야 하는 조건 {invariant}이(가) {subject}에서 깨졌습니다.",
        "The invariant {invariant} does not hold of {subject}.",
    ),
    AlertKind.FINDING: (
        "{day}의 거래내역 파일과 장부가 다릅니다: {count}건. 확인 필요에서 확인하세요.",
        "The PG's file of {day} differs from the books: {count}. See Needs review.",
    ),
    AlertKind.CERTIFICATE: (
        "{address}의 인증서가 {until}에 만료됩니다. 만료되면 결제창이 열리지 않습니다.",
        "The certificate of {address} is good until {until}. After that no payment window opens.",
    ),
    AlertKind.API_SECRET: (
        "API 키 {api_key}의 이전 secret이 {until}에 만료됩니다. 서버가 새 secret을 쓰는지 확인하세요.",
        "The old secret of API key {api_key} is good until {until}. See that your servers use the new one.",
    ),
}


@dataclass(frozen=True, slots=True)
class AlertText:
    """A message about alerts, for people."""

    title: str
    text: str


def line(alert: Alert, language: str) -> str:
    """Return what one alert says."""
    # Old rows may lack what a newer text names.
    facts = _Facts(alert.facts)
    return LINES[alert.kind][language == "en"].format_map(facts)


def alert_text(shop: str, alerts: Sequence[Alert], language: str, console: str) -> AlertText:
    """Return the message that tells of alerts of a merchant, with a link to its pages."""
    english = language == "en"
    kinds = list(dict.fromkeys(alert.kind for alert in alerts))
    first = TITLES[kinds[0]][english] if kinds else ""
    more = len(alerts) - 1
    tail = "" if more < 1 else f" (+{more})"
    parts = []
    for kind in kinds:
        of_kind = [alert for alert in alerts if alert.kind is kind]
        parts.append(f"■ {TITLES[kind][english]}")
        for alert in of_kind[:LINES_MAX]:
            at = alert.happened_at.astimezone(SEOUL).strftime("%m-%d %H:%M")
            parts.append(f"{at} {line(alert, language)}")
        if len(of_kind) > LINES_MAX:
            rest = len(of_kind) - LINES_MAX
            parts.append(f"and {rest} more" if english else f"외 {rest}건")
        parts.append("")
    parts.append(f"Console: {console}" if english else f"콘솔: {console}")
    return AlertText(f"[{shop}] {first}{tail}", "\n".join(parts))


def test_text(shop: str, language: str, console: str) -> AlertText:
    """Return what the test button sends."""
    if language == "en":
        return AlertText(f"[{shop}] Test alert", f"This is a test: alerts arrive here.\n\nConsole: {console}")
    return AlertText(f"[{shop}] 알림 테스트", f"알림이 여기로 도착합니다. 시험으로 보낸 알림입니다.\n\n콘솔: {console}")


class _Facts(dict[str, str]):
    def __init__(self, facts: Mapping[str, str]) -> None:
        super().__init__(facts)

    def __missing__(self, name: str) -> str:
        return "-"
