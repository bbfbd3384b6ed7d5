"""The words for the terms of alerts and messages, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from maedal.console.frame.words import Words
from maedal.messages.alert import AlertKind, When
from maedal.messages.alert_texts import TITLES
from maedal.messages.mail_server import Encryption
from maedal.messages.message import MessageKind, MessageState, Way

ALERT_KINDS: Words = {kind: TITLES[kind] for kind in AlertKind}
WHENS: Words = {
    When.AT_ONCE: ("바로", "At once"),
    When.DIGEST: ("하루에 한 번", "Once a day"),
    When.NEVER: ("받지 않음", "Never"),
}
WAYS: Words = {
    Way.MAIL: ("메일", "Mail"),
    Way.SLACK: ("슬랙", "Slack"),
    Way.WEBHOOK: ("웹훅", "Webhook"),
    Way.SHOP: ("상점 웹훅", "Shop's webhook"),
}
ENCRYPTIONS: Words = {
    Encryption.TLS: ("TLS (보통 465번 포트)", "TLS (commonly port 465)"),
    Encryption.STARTTLS: ("STARTTLS (보통 587번 포트)", "STARTTLS (commonly port 587)"),
    Encryption.NONE: ("암호화하지 않음 (직접 운영하는 릴레이)", "None (a relay of your own)"),
}
MESSAGE_KINDS: Words = {
    MessageKind.ALERTS: ("알림", "Alert"),
    MessageKind.TEST: ("시험", "Test"),
    MessageKind.UNPAID: ("미납 안내", "Unpaid notice"),
}
MESSAGE_STATES: Words = {
    MessageState.WAITING: ("대기", "Waiting"),
    MessageState.SENT: ("보냄", "Sent"),
    MessageState.FAILED: ("보내지 못함", "Not sent"),
    MessageState.UNKNOWN: ("결과 미확인", "Outcome unknown"),
}

WORDS: Mapping[str, Words] = {
    "alert_kind": ALERT_KINDS,
    "alert_when": WHENS,
    "way": WAYS,
    "encryption": ENCRYPTIONS,
    "message_kind": MESSAGE_KINDS,
    "message_state": MESSAGE_STATES,
}
