"""The words for the terms of plans, in both languages."""

from __future__ import annotations

from collections.abc import Mapping

from maedal.console.frame.words import Words
from maedal.plans.calendar import IntervalUnit
from maedal.plans.plan import ConsentKind, OccurrenceState, PauseReason, PlanStatus

WORDS: Mapping[str, Words] = {
    "plan_status": {
        PlanStatus.ACTIVE: ("진행 중", "Active"),
        PlanStatus.PAUSED: ("일시정지", "Paused"),
        PlanStatus.ENDED: ("종료", "Ended"),
    },
    "pause_reason": {
        PauseReason.ASKED: ("요청", "Asked for"),
        PauseReason.CONSENT: (
            "무료 체험이 끝났고 구매자의 동의가 없음",
            "The trial is over and the buyer has not agreed to pay",
        ),
    },
    "occurrence_state": {
        OccurrenceState.SCHEDULED: ("예약", "Scheduled"),
        OccurrenceState.FREE: ("무료", "Free"),
        OccurrenceState.SKIPPED: ("건너뜀", "Skipped"),
        OccurrenceState.REVOKED: ("철회", "Taken back"),
        OccurrenceState.BLOCKED: ("예약하지 못함: 주문번호가 이미 쓰임", "Not scheduled: its order number was used"),
    },
    "interval_unit": {
        IntervalUnit.MONTH: ("개월", "months"),
        IntervalUnit.WEEK: ("주", "weeks"),
        IntervalUnit.DAY: ("일", "days"),
        IntervalUnit.YEAR: ("년", "years"),
    },
    "consent_kind": {
        ConsentKind.PRICE_RISE: ("금액 인상", "Higher price"),
        ConsentKind.TRIAL_END: ("유료 전환", "End of the free trial"),
    },
}
