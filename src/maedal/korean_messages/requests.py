"""In Korean: what the REST API refuses."""

from __future__ import annotations

REQUESTS = [
    # what the REST API refuses
    (
        r"(.+) is not among the merchant's allowed addresses",
        "{0}은(는) 가맹점이 허용한 주소가 아닙니다.",
    ),
    (r"an unknown address", "알 수 없는 주소"),
    (
        r"so many calls to the PG are under way that none was begun; nothing was charged",
        "PG사에 진행 중인 요청이 너무 많아 결제하지 않았습니다. 잠시 뒤 다시 시도해 주세요.",
    ),
    (r"too many requests; try again in (.+) seconds", "{0}초 뒤에 다시 시도해 주세요."),
    (r"too many wrong secrets; try again in (.+) seconds", "{0}초 뒤에 다시 시도해 주세요."),
    (r"amount must be greater than 0", "0보다 커야 합니다."),
    (
        r"amount must be greater than 0, or 0 together with customer_uid",
        "0보다 커야 합니다. customer_uid가 있으면 0도 됩니다.",
    ),
    (r"amount must be a whole number, not (.+)", "정수여야 합니다."),
    (r"amount must be between 0 and (.+)", "0 이상 {0} 이하여야 합니다."),
    (r"tax_free must not be greater than amount", "tax_free는 amount를 넘을 수 없습니다."),
    (r"cannot combine (.+) with (.+)", "{0}와(과) {1}을(를) 함께 쓸 수 없습니다."),
    (r"this channel does not take (.+)", "{0}은(는) 이 채널에서 쓸 수 없습니다."),
    (r"the same merchant_uid more than once in one call", "한 요청에 같은 merchant_uid가 두 번 이상 있습니다."),
    (r"one of these was planned in this very moment", "그사이 같은 merchant_uid가 예약되었습니다."),
    (
        r"the channel has no secret key and no simulator is set \(MAEDAL_SANDBOX_URL\); add the PG's dev key",
        "채널에 비밀 키가 없고 시뮬레이터 주소(MAEDAL_SANDBOX_URL)도 없습니다. PG사의 개발용 키를 넣어 주세요.",
    ),
    (
        r"the secret key of the channel (.+) cannot be opened with this key file",
        "지금의 키 파일로는 채널 {0}의 비밀 키를 열 수 없습니다.",
    ),
    (
        r"this was made in (.+) mode, and its channel is in (.+) mode now; .+",
        "{0} 모드에서 만들었는데 채널은 지금 {1} 모드입니다. 빌링키를 새로 등록하거나 채널을 {0} 모드로 되돌려 주세요.",
    ),
    (r"test", "테스트"),
    (r"live", "실연동"),
    (
        r"(.+) takes one-time payments only; customer_uid needs a recurring channel",
        "{0}은(는) 일반결제 채널입니다. customer_uid에는 정기결제 채널이 필요합니다.",
    ),
    (r"no simulator is set \(MAEDAL_SANDBOX_URL\)", "시뮬레이터 주소(MAEDAL_SANDBOX_URL)가 없습니다."),
    (r"(.+) gives out no files of past days", "{0}은(는) 지난 거래내역 파일을 제공하지 않습니다."),
    (
        r"the channel (.+) has no file key; see: maedal channel set --file-key --bucket …",
        "채널 {0}에 파일 키가 없습니다. maedal channel set --file-key --bucket …으로 넣어 주세요.",
    ),
]
