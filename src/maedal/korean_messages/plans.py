"""In Korean: what is refused of plans and holidays."""

from __future__ import annotations

PLANS = [
    (r"the merchant has no plan of this plan_uid", "이 plan_uid의 정기결제가 없습니다."),
    (r"the merchant has a plan of this plan_uid already", "이미 사용 중인 plan_uid입니다."),
    (r"the plan is not paused", "일시정지 중인 정기결제가 아닙니다."),
    (r"the plan has ended", "종료된 정기결제입니다."),
    (r"this day is charged already, or just now", "이미 결제되었거나 지금 결제 중인 회차입니다."),
    (r"(.+) is over, or skipped already", "{0} 회차는 지났거나 이미 건너뛰기로 했습니다."),
    (r"the plan does not fall on (.+)", "{0}은(는) 이 정기결제의 회차가 아닙니다."),
    (r"at most (.+) days to come may be skipped", "앞으로 {0}회까지 건너뛸 수 있습니다."),
    (r"at most (.+) changes of the amount may wait", "금액 변경은 {0}건까지 예정할 수 있습니다."),
    (r"no change of the amount begins on this day", "그날 예정된 금액 변경이 없습니다."),
    (
        r"somebody else keeps changing the plan; nothing was changed",
        "다른 사람이 이 정기결제를 바꾸고 있습니다. 다시 시도해 주세요.",
    ),
    (
        r"plan_uid has 1 to (.+) letters, digits and . _ -, and begins with one of the former",
        "plan_uid는 영문자나 숫자로 시작하는 {0}자 이하의 영문자, 숫자, . _ -입니다.",
    ),
    (r"starts_on must be a day from today to two years ahead", "시작일(starts_on)은 오늘부터 2년 이내여야 합니다."),
    (
        r"trial_until must be later than starts_on, and two years ahead at most",
        "무료 종료일(trial_until)은 시작일보다 늦고 2년 이내여야 합니다.",
    ),
    (
        r"ends_on must be (.+) or later, the plan's first day that is left",
        "종료일(ends_on)은 남은 첫 회차인 {0} 이후여야 합니다.",
    ),
    (
        r"resumes_on must be a day from tomorrow to two years ahead",
        "다시 시작하는 날(resumes_on)은 내일부터 2년 이내여야 합니다.",
    ),
    (r"from_on must be a day from today to two years ahead", "적용일(from_on)은 오늘부터 2년 이내여야 합니다."),
    (r"interval_unit must be one of (.+)", "주기의 단위(interval_unit)는 {0} 가운데 하나입니다."),
    (r"interval_count must be from 1 to (.+) for this unit", "주기(interval_count)는 이 단위에서 1~{0}입니다."),
    (
        r"anchor_day is for months and years; days and weeks count from starts_on",
        "기준일(anchor_day)은 월·년 단위에만 쓰입니다. 일·주 단위는 시작일부터 셉니다.",
    ),
    (r"anchor_day must be a day of a month, from 1 to 31", "기준일(anchor_day)은 1~31입니다."),
    (r"kind must be one of (.+)", "동의의 종류(kind)는 {0} 가운데 하나입니다."),
    (r"agreed_at must not be later than now", "동의한 시각(agreed_at)은 지금보다 늦을 수 없습니다."),
    (r"proof must be a text of 1 to (.+) characters", "증빙(proof)을 1~{0}자로 적어 주세요."),
    (r"on must be a day from today on", "오늘 이후의 날짜(on)여야 합니다."),
    (r"name must be a text of 1 to (.+) printable characters", "이름(name)을 1~{0}자로 적어 주세요."),
    (
        r"at most (.+) days may be set \(on\); drop some that are over",
        "{0}일까지 정할 수 있습니다. 지난 날을 지워 주세요.",
    ),
    (r"nothing was set for this day \(on\)", "그날(on)에 정한 것이 없습니다."),
    (r"choose a day, written like 2028-02-29", "2028-02-29와 같은 날짜를 골라 주세요."),
    (r"the hour is written like 09:00", "시각은 09:00과 같이 적어 주세요."),
    (r"the number is a whole one", "숫자로 입력해 주세요."),
]
