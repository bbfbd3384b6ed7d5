"""What the page of faults says of each call, fault and outcome: Korean, then English."""

from dataclasses import dataclass

from kakaopay_sandbox.faults import EVERY_OPERATION, Extras, Kind

Words = tuple[str, str]


@dataclass(frozen=True, slots=True)
class KindWords:
    """How a fault is offered: its name, whether KakaoPay carries the call out, and what the caller meets."""

    kind: Kind
    name: Words
    is_done: bool | None
    """None where it depends: a delay changes nothing but the time."""
    meets: Words
    caller_sees: Words


KINDS = (
    KindWords(
        Kind.DROP_AFTER,
        ("처리하고 응답 유실", "Done, the answer is lost"),
        True,
        (
            "결제는 되었는데 연결이 끊겨 응답이 오지 않습니다. 두 번 결제하기 가장 쉬운 순간입니다.",
            "The money is taken, then the connection breaks. The moment in which it is easiest to charge twice.",
        ),
        ("응답 없음, 연결 끊김", "nothing: the connection broke"),
    ),
    KindWords(
        Kind.DROP_BEFORE,
        ("처리 전에 끊김", "Cut off before it is done"),
        False,
        (
            "카카오페이는 아무것도 하지 않았고 연결만 끊깁니다. 가맹점에는 위와 똑같이 보입니다.",
            "KakaoPay does nothing and the connection breaks. To the merchant it looks just the same.",
        ),
        ("응답 없음, 연결 끊김", "nothing: the connection broke"),
    ),
    KindWords(
        Kind.DELAY,
        ("늦은 응답", "A late answer"),
        None,
        (
            "호출을 붙잡아 둡니다. 다른 장애와 함께 걸 수 있습니다. 게이트웨이는 15초 동안 기다립니다.",
            "Holds the call. It combines with any other fault. The gateway waits for 15 seconds.",
        ),
        ("늦은 응답", "a late answer"),
    ),
    KindWords(
        Kind.ERROR_500_AFTER,
        ("처리하고 500", "Done, but a 500"),
        True,
        (
            "처리를 마치고도 서버 오류로 답합니다. 5xx는 결제 여부를 말해 주지 않습니다.",
            "Carried out, and answered with a server error. A 5xx says nothing about the money.",
        ),
        ("HTTP 500", "HTTP 500"),
    ),
    KindWords(
        Kind.ERROR_500_BEFORE,
        ("처리 없이 500", "A 500, nothing done"),
        False,
        ("아무것도 하지 않고 서버 오류로 답합니다.", "Nothing is done, and the answer is a server error."),
        ("HTTP 500", "HTTP 500"),
    ),
    KindWords(
        Kind.GARBLED_AFTER,
        ("처리하고 깨진 응답", "Done, the answer is garbled"),
        True,
        ("처리를 마쳤지만 JSON이 중간에 끊겨 있습니다.", "Carried out, but the JSON ends in the middle."),
        ("HTTP 200, 깨진 JSON", "HTTP 200, half a JSON"),
    ),
    KindWords(
        Kind.DECLINE,
        ("결제수단이 거절", "The method declines"),
        False,
        (
            "카드사나 머니가 고른 이유로 거절합니다. 결제, 승인, 취소에 걸 수 있습니다.",
            "The card company or Money says no, for the reason you choose. For charges, approvals and cancels.",
        ),
        ("거절", "a decline"),
    ),
    KindWords(
        Kind.REFUSE,
        ("코드로 거절", "A refusal by code"),
        False,
        (
            "카카오페이가 오류 코드로 답합니다. 호출 한도, 잘못된 키, 점검 같은 것입니다.",
            "KakaoPay answers with an error code: quota, wrong key, maintenance and the like.",
        ),
        ("거절 코드", "a refusal"),
    ),
    KindWords(
        Kind.REFUSE_AFTER,
        ("처리하고 거절로 응답", "Done, but told as refused"),
        True,
        (
            "처리를 마치고도 오류 코드로 답합니다. 일어나서는 안 되지만 막을 수도 없는 일입니다.",
            "Carried out, and answered with an error code. It should not happen, and nobody can rule it out.",
        ),
        ("거절 코드", "a refusal"),
    ),
    KindWords(
        Kind.EMPTY_401,
        ("본문 없는 401", "A 401 without a body"),
        False,
        ("아무것도 하지 않고 빈 401로 답합니다.", "Nothing is done, and the answer is an empty 401."),
        ("HTTP 401, 본문 없음", "HTTP 401, no body"),
    ),
)
BY_KIND = {words.kind.value: words for words in KINDS}

OPERATIONS: dict[str, Words] = {
    "subscription": ("빌링키 결제", "Charge of a billing key"),
    "approve": ("결제·등록 승인", "Approval of a window"),
    "cancel": ("취소", "Cancel"),
    "order": ("주문 조회", "Order lookup"),
    "status": ("빌링키 상태", "Status of a billing key"),
    "inactive": ("빌링키 해지", "End of a billing key"),
    "ready": ("결제 준비", "Prepare a window"),
    EVERY_OPERATION: ("위의 모든 호출", "Any of these"),
    "files": ("파일 주소", "Address of a file"),
    "file": ("파일", "The file itself"),
}
"""Every call that can go wrong; the first is what the page offers at first."""

LOGGED: dict[str, Words] = OPERATIONS | {"refund": ("카카오페이에서 환불", "Refund at KakaoPay")}

OUTCOMES: dict[str, Words] = {
    "approved": ("결제됨", "money taken"),
    "issued": ("등록됨", "registered"),
    "cancelled": ("취소됨", "given back"),
    "deactivated": ("해지됨", "ended"),
    "declined": ("거절됨", "declined"),
    "refused": ("거절됨", "refused"),
    "not_performed": ("아무것도 하지 않음", "nothing done"),
    "answered": ("조회됨", "looked up"),
    "ready": ("준비됨", "prepared"),
    "error": ("시뮬레이터 오류", "error of the simulator"),
}

EXTRAS: dict[Extras, Words] = {
    Extras.PRESENT: ("이유를 그대로 알려 줌", "tells the reason"),
    Extras.ABSENT: ("extras 없음", "no extras"),
    Extras.NULL: ("extras: null", "extras: null"),
    Extras.EMPTY: ("extras: {}", "extras: {}"),
    Extras.WITHOUT_CODE: ("코드 없이 문장만", "the words without the code"),
    Extras.EMPTY_CODE: ("빈 코드", "an empty code"),
}

REFUSALS: dict[int, Words] = {
    -429: ("하루 호출 한도를 다 씀", "the day's quota is used up"),
    -401: ("비밀 키가 틀림", "wrong secret key"),
    -403: ("API가 켜져 있지 않음", "the API is not switched on"),
    -798: ("허용되지 않은 주소", "address not allowed"),
    -503: ("점검 중", "maintenance"),
    -785: ("같은 요청이 진행 중", "requested twice"),
    -751: ("해지된 SID", "the SID is inactive"),
    -752: ("월 청구 횟수 초과", "the month's charges are used up"),
    -797: ("1회 한도 초과", "above the limit of one payment"),
    -721: ("없는 tid", "no such tid"),
    -722: ("금액이 맞지 않음", "amounts do not fit"),
    -731: ("CID가 틀림", "wrong CID"),
    -2: ("잘못된 값", "a bad value"),
}

PLACES: dict[str, Words] = {
    "status": ("빌링키 상태", "status of a key"),
    "order": ("주문 조회", "order lookup"),
    "cancel": ("취소 응답", "reply of a cancel"),
    "file": ("파일", "files"),
}

PROBLEMS: dict[str, Words] = {
    "operation": (
        "고른 호출에는 걸 수 없습니다. 거절은 결제·승인·취소에만, 파일에는 끊김·지연·500·깨짐만 걸 수 있습니다.",
        "It does not suit the call. Only charges, approvals and cancels can be declined; a file has no refusals.",
    ),
    "times": (
        "횟수는 1부터 1,000,000까지의 정수로 적어 주세요.",
        "The number of times is a whole number from 1 to 1,000,000.",
    ),
    "delay_seconds": ("몇 초인지 0부터 3,600까지의 수로 적어 주세요.", "The seconds are a number from 0 to 3,600."),
    "error_code": ("코드는 -99999부터 -1까지의 정수로 적어 주세요.", "The code is a whole number from -99999 to -1."),
    "sid": ("그런 빌링키가 없습니다.", "There is no such billing key."),
    "amount": ("환불할 수 있는 금액을 넘었습니다.", "That is more than can still be refunded."),
    "seconds": (
        "초는 -10부터 10까지, 흔들림은 0부터 10까지의 정수입니다.",
        "Seconds are -10 to 10, the spread 0 to 10, whole numbers.",
    ),
    "points": ("포인트와 할인은 0 이상의 원 단위 금액입니다.", "Points and discount are won, 0 or more."),
    "id": ("그 장애는 이미 다 쓰였거나 빠졌습니다.", "That fault is used up, or was removed."),
}
PROBLEMS["kind"] = PROBLEMS["operation"]
PROBLEMS["spread"] = PROBLEMS["seconds"]
PROBLEMS["tid"] = PROBLEMS["amount"]
