"""In Korean: what is done about payments, scheduled charges and open items."""

from __future__ import annotations

PAYMENTS = [
    # recovery
    (r"the reason must be one of (.+)", "이유는 {0} 가운데 하나입니다."),
    (
        r"waits are written like 1d,3d,7d \(m, h or d\), a day of the month like @25, or `\w+`, not (.+)",
        "1d,3d,7d처럼 분(m), 시간(h), 일(d)로 적거나 @25처럼 날짜를 적어 주세요. 입력한 값: {0}",
    ),
    (r"the preset must be one of (.+)", "프리셋은 {0} 가운데 하나입니다."),
    (r"a day of the month is 1 to (.+)", "날짜는 1~{0}일입니다."),
    (r"at most (.+) tries are made", "최대 {0}번까지 다시 시도할 수 있습니다."),
    (r"a try waits for 10 minutes at least and 31 days at most", "10분 이상, 31일 이하로 적어 주세요."),
    (
        r"somebody else keeps changing the rules; nothing was changed",
        "다른 사람이 바꾸고 있습니다.",
    ),
    (
        r"charges per month is a number from 1 to (.+), or 0 when it is not known",
        "한 달 결제 횟수는 1~{0} 사이의 숫자로 입력해 주세요. 모르면 비워 두세요.",
    ),
    # scheduled charges
    (r"nothing was ever planned under this merchant_uid", "이 merchant_uid로 예약된 결제가 없습니다."),
    (r"it was executed or revoked already", "이미 실행되었거나 해지된 예약입니다."),
    (r"it still waits, is being charged, or was paid", "아직 대기 중이거나, 결제 중이거나, 이미 결제된 예약입니다."),
    (r"it has moved in this very moment", "그사이 예약이 바뀌었습니다. 다시 확인해 주세요."),
    (
        r"the scheduled charge was changed, revoked or begun by somebody else",
        "그사이 예약이 바뀌었거나 실행되었습니다. 다시 확인해 주세요.",
    ),
    (r"it is held; release it first", "보류 중인 예약입니다. 먼저 보류를 해제해 주세요."),
    (r"it is held already", "이미 보류 중인 예약입니다."),
    (r"it is not held", "보류 중인 예약이 아닙니다."),
    (
        r"nothing of it is left to be charged: it was executed or revoked",
        "이미 실행되었거나 해지되어 앞으로 결제할 것이 없습니다.",
    ),
    (r"it does not wait any more: it was executed or revoked", "이미 실행되었거나 해지되어 옮길 수 없습니다."),
    (r"it still waits for its time", "아직 예정 시각을 기다리는 예약입니다."),
    (r"it is being charged, or its outcome is unknown", "결제 중이거나 결과가 아직 확인되지 않았습니다."),
    (r"it is paid already", "이미 결제된 예약입니다."),
    (r"the new time is over, or too far away", "옮길 시각이 지났거나 너무 멉니다."),
    (r"there is no such billing key", "그런 빌링키가 없습니다."),
    (r"choose what to do", "무엇을 할지 선택해 주세요."),
    (r"give a day and a time", "날짜와 시각을 입력해 주세요."),
    (r"tick at least one", "하나 이상 선택해 주세요."),
    (r"the form is too old; look at the list again", "화면이 오래되었습니다. 목록에서 다시 시작해 주세요."),
    (r"a reason has at most (.+) printable characters", "사유는 {0}자 이하의 보이는 문자로 적어 주세요."),
    (
        r"the number of days is from 1 to (.+), or negative to move them earlier",
        "날수는 1~{0} 사이의 숫자입니다. 앞당기려면 -를 붙여 주세요.",
    ),
    (r"schedule_at is over", "이미 지난 시각입니다."),
    (r"schedule_at is more than five years away; it is given in seconds", "5년보다 먼 시각에는 예약할 수 없습니다."),
    (r"no billing key is registered under this customer_uid", "사용 중인 빌링키가 없습니다."),
    # cancels
    (r"nothing is left to cancel|the payment has been cancelled wholly", "이미 전액 취소된 결제입니다."),
    (
        r"checksum (.+), but (.+) won are left",
        "그사이 취소할 수 있는 금액이 {1}원으로 바뀌었습니다.",
    ),
    (r"(.+) won are left to cancel", "취소할 수 있는 금액은 {0}원입니다."),
    (
        r"the PG's id of this payment is not known yet",
        "PG사 거래번호를 아직 알 수 없어 취소할 수 없습니다. 확인된 뒤 다시 시도해 주세요.",
    ),
    (
        r"another cancel of this payment is (?:still running|running or unclear)",
        "이 결제의 다른 취소가 진행 중이거나 결과를 확인하고 있습니다.",
    ),
    (
        r"the (?:cancel was begun,|cancel's outcome could not|PG's answer to the cancel) .*clarified",
        "취소 결과를 확인하고 있습니다. 다시 취소하지 마세요. 확인되면 이 화면에 나타납니다.",
    ),
    (r"there is no such payment, or it was never paid", "결제되지 않은 건이라 취소할 수 없습니다."),
    (r"the amount is a whole number of won", "금액은 1원 이상의 숫자로 입력해 주세요."),
    (r"tick the box first", "확인란에 표시해 주세요."),
    # time travel
    (r"a journey is under way", "이미 시간을 옮기고 있습니다."),
    (r"time goes forward only", "시간은 앞으로만 옮길 수 있습니다."),
    (r"a journey goes five years ahead at most", "한 번에 5년까지 옮길 수 있습니다."),
    (r"choose a date", "날짜를 골라 주세요."),
    # open items
    (
        r"(\w+) must be a text of 1 to (.+) printable characters",
        "사유를 1~{1}자로 적어 주세요.",
    ),
    (r"say what became of it", "결과를 선택해 주세요."),
    (r"type the tid", "거래번호(tid)를 입력해 주세요."),
    (r"the form is too old; look again", "화면이 오래되었습니다. 다시 확인해 주세요."),
    (
        r"another call of (.+) is unknown now; look again",
        "그사이 이 결제의 다른 호출이 결과 미확인이 되었습니다. 다시 확인해 주세요.",
    ),
    (r"what is unknown here is (?:a|an) (.+); .*does not fit", "여기서 결과를 모르는 호출의 종류와 맞지 않습니다."),
    (r"a tid belongs to a charge that is settled as charged", "거래번호는 결제된 것으로 확정할 때만 넣습니다."),
    (
        r"somebody else settled it at this very moment; nothing was changed",
        "다른 사람이 방금 확정했습니다. 아무것도 바뀌지 않았습니다.",
    ),
    (r"(.+) has no payment (.+) with an unknown outcome", "이미 결과가 확인된 결제입니다."),
    (r"(.+) is (\w+); its outcome is known", "이미 결과가 확인된 결제입니다."),
    (r"(.+) has no payment (.+)", "{0}에 {1} 결제가 없습니다."),
    (r"(.+) is not a paid payment that lacks its tid", "거래번호가 필요한 결제가 아닙니다. 이미 채워졌을 수 있습니다."),
    (
        r"the payment has moved meanwhile; nothing was changed",
        "그사이 결제가 바뀌었습니다. 아무것도 바꾸지 않았습니다.",
    ),
    (
        r"the PG does not confirm this tid; nothing was changed",
        "카카오페이가 이 거래번호를 확인해 주지 않습니다. 아무것도 바뀌지 않았습니다.",
    ),
    (
        r"the PG says that (.+) belongs to another order; nothing was changed",
        "카카오페이에 따르면 거래번호 {0}은(는) 다른 주문의 것입니다. 아무것도 바뀌지 않았습니다.",
    ),
    (
        r"the PG says (.+) won under (.+), the payment (.+)",
        "카카오페이에 따르면 거래번호 {1}의 금액은 {0}원인데 이 결제는 {2}원입니다.",
    ),
    (
        r"the PG says that (.+) took no money \((.+)\)",
        "카카오페이에 따르면 거래번호 {0}으로는 결제되지 않았습니다. ({1})",
    ),
    (
        r"a billing key whose reply was lost cannot be recovered: settle it as not charged",
        "응답이 사라진 빌링키는 되찾을 수 없습니다. 결제되지 않음으로 확정하세요.",
    ),
    # views
    (r"a note is 1 to (.+) printable characters", "메모는 1~{0}자의 보이는 문자입니다."),
    (r"there are (.+) notes already; delete one first", "메모가 이미 {0}개 있습니다. 먼저 하나를 지워 주세요."),
    (r"a tag is 1 to (.+) printable characters without a comma", "태그는 쉼표가 없는 1~{0}자의 보이는 문자입니다."),
    (r"there are (.+) tags already; remove one first", "태그가 이미 {0}개 있습니다. 먼저 하나를 지워 주세요."),
    (r"nothing is known of this customer_uid", "이 customer_uid로는 아무것도 없습니다."),
    (r"the customer has no billing key that can be charged", "이 고객에게 결제할 수 있는 빌링키가 없습니다."),
    (r"the order's name is 1 to (.+) printable characters", "주문명은 1~{0}자의 보이는 문자입니다."),
    (r"a view's name is 1 to (.+) printable characters", "저장한 조건의 이름은 1~{0}자의 보이는 문자입니다."),
    (r"there is too much in these filters to keep them", "조건이 너무 길어 저장할 수 없습니다."),
    (
        r"one keeps at most (.+) views; delete one first",
        "보기는 {0}개까지 저장할 수 있습니다. 먼저 하나를 지워 주세요.",
    ),
    (r"the form is too old; look at the list again", "화면이 오래되었습니다. 목록을 다시 열어 주세요."),
]
