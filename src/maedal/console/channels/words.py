"""The words for the terms of channels, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from maedal.console.frame.words import Words
from maedal.merchants.channel import ChannelKind, ReplacedKeys, UnknownPg, WindowForm

CHANNEL_KINDS: Words = {
    ChannelKind.ONE_TIME: ("일반결제", "One-time"),
    ChannelKind.RECURRING: ("정기결제", "Recurring"),
}
UNKNOWN_PG: Words = {
    UnknownPg.REJECT: ("거절합니다", "Refuse it"),
    UnknownPg.DEFAULT: ("기본 채널로 결제창을 엽니다", "Open the default channel"),
}
REPLACED_KEYS: Words = {
    ReplacedKeys.DEACTIVATE: (
        "상점 서버가 customer_uid를 사전등록했으면 비활성화",
        "Deactivate it if registered",
    ),
    ReplacedKeys.KEEP: ("언제나 그대로 둠 (포트원과 같음)", "Always keep it, as PortOne does"),
}
WINDOW_FORMS: Words = {
    WindowForm.LAYER: ("상점 페이지 위에", "Over the shop's page"),
    WindowForm.POPUP: ("새 창(팝업)으로", "In a window of its own"),
}

WORDS: Mapping[str, Words] = {
    "channel_kind": CHANNEL_KINDS,
    "unknown_pg": UNKNOWN_PG,
    "replaced_keys": REPLACED_KEYS,
    "window_form": WINDOW_FORMS,
}
