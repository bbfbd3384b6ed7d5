"""The words for the terms of scheduled charges, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from maedal.console.frame.words import Words
from maedal.payments.attempt import DeclineReason
from maedal.schedules.manual_changes import ManualChange, Obstacle
from maedal.schedules.presets import Preset
from maedal.storage.schedules.reads import ScheduleTab

SCHEDULE_TABS: Words = {
    ScheduleTab.ALL: ("전체", "All"),
    ScheduleTab.WAITING: ("예약", "Planned"),
    ScheduleTab.OPEN: ("결제 중", "In progress"),
    ScheduleTab.PAID: ("성공", "Paid"),
    ScheduleTab.FAILED: ("실패", "Failed"),
    ScheduleTab.REVOKED: ("해지", "Revoked"),
}
SCHEDULE_CHANGES: Words = {
    ManualChange.HOLD: ("보류", "Hold"),
    ManualChange.RELEASE: ("보류 해제", "Release"),
    ManualChange.REVOKE: ("해지", "Revoke"),
    ManualChange.MOVE: ("예정일 변경", "Move"),
    ManualChange.RETRY: ("실패 건 재시도", "Retry failed"),
    ManualChange.ANEW: ("재예약", "Plan anew"),
}
OBSTACLES: Words = {
    Obstacle.HELD_ALREADY: ("이미 보류 중", "Held already"),
    Obstacle.NOT_HELD: ("보류 중이 아님", "Not held"),
    Obstacle.NOT_AHEAD: ("앞으로 결제할 것이 없음", "Nothing left to be charged"),
    Obstacle.NOT_WAITING: ("대기 중인 예약이 아님", "Does not wait"),
    Obstacle.STILL_WAITS: ("아직 대기 중", "Still waits for its time"),
    Obstacle.HELD: ("보류 중이라 먼저 해제해야 함", "Held; release it first"),
    Obstacle.UNCLEAR: ("결제 중이거나 결과 미확인", "In progress, or its outcome unknown"),
    Obstacle.PAID: ("이미 결제됨", "Paid already"),
    Obstacle.TIME_OVER: ("옮길 시각이 지났거나 너무 멂", "The new time is over or too far away"),
}
DECLINE_REASONS: Words = {
    DeclineReason.LIMIT: ("한도 초과", "Limit used up"),
    DeclineReason.BALANCE: ("잔액 부족", "Not enough money"),
    DeclineReason.LOCKED: ("일시 정지 · 진행 중인 거래", "Locked for now"),
    DeclineReason.ENDED_KEY: ("만료 · 해지된 결제수단", "Key or method ended"),
    DeclineReason.OTHER: ("그 밖의 거절", "Any other decline"),
}
PRESETS: Words = {
    Preset.DAYS_1_3_7: ("1, 3, 7일 뒤", "After 1, 3 and 7 days"),
    Preset.PAY_DAY: ("월급날", "On pay day"),
    Preset.ONCE: ("하루 뒤 한 번", "Once, a day later"),
    Preset.NEVER: ("다시 시도하지 않음", "Never"),
}

WORDS: Mapping[str, Words] = {
    "schedule_tab": SCHEDULE_TABS,
    "schedule_change": SCHEDULE_CHANGES,
    "obstacle": OBSTACLES,
    "decline_reason": DECLINE_REASONS,
    "recovery_preset": PRESETS,
}
