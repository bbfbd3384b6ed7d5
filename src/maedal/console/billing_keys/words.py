"""The words for the terms of billing keys, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from maedal.console.frame.words import Words
from maedal.payments.payment import KeyUse
from maedal.storage.billing_keys.reads import KeyStanding

KEY_STANDINGS: Words = {
    KeyStanding.LIVING: ("사용 중", "Active"),
    KeyStanding.GONE: ("구매자·PG사가 해지", "Ended by buyer or PG"),
    KeyStanding.REPLACED: ("새 키로 교체됨", "Replaced"),
    KeyStanding.DELETED: ("상점이 해지", "Ended by the shop"),
    KeyStanding.ENDING: ("카카오페이 해지 대기", "Pending at KakaoPay"),
    KeyStanding.ALL: ("전체", "All"),
}
KEY_USES: Words = {
    KeyUse.ISSUE: ("빌링키 발급", "Issues a billing key"),
    KeyUse.CHARGE: ("빌링키 결제", "Charges a billing key"),
    KeyUse.SCHEDULED: ("예약된 빌링키 결제", "Scheduled charge of a billing key"),
}

WORDS: Mapping[str, Words] = {
    "key_standing": KEY_STANDINGS,
    "key_use": KEY_USES,
}
