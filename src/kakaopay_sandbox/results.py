"""`method_result_code` and its Korean text, as the payment method answers (docs/wire/kakaopay.md, 8.4 and 8.5)."""

MONEY_RESULTS = {
    "NOT_ENOUGH_BALANCE": "잔액 부족",
    "BANK_ACCOUNT_NOT_FOUND": "연결된 계좌가 없거나 계좌 휴면 상태 입니다.",
    "LACK_BALANCE": "계좌 잔액이 부족합니다.",
    "LIMIT_ONE_TIME": "1회 한도 초과",
    "LIMIT_USE_PER_DAY": "일일 결제한도 초과입니다.",
    "LIMIT_BALANCE": "잔액 한도 초과",
    "USER_LOCKED": "진행중인 거래가 있습니다. 잠시 후 다시 시도해 주세요.",
    "BANK_FIRM_UNKNOWN": "은행과 진행중인 거래건이 존재합니다. 잠시 후(약 20분)에 다시 시도해주세요.",
    "BANK_FIRM_API_FAIL": "펌 연동 통신 실패",
    "BANK_FIRM_UNAVAILABLE": "은행 점검 중입니다. 잠시 후 다시 이용해 주세요.(점검시간 : 23:30 ~ 00:35)",
    "BANK_ACCOUNT_BLOCKED": "거래 제한된 계좌 입니다. 고객센터로 문의해 주세요.",
    "BANK_NOT_CONNECTED": "연결된 은행 정보가 없습니다. 결제키 발급이 불가합니다.",
    "INVALID_PAYMENT_KEY": "결제키 검증에 실패했습니다. 등록되지 않았거나 이미 만료된 결제키 입니다.",
    "PAYMENT_KEY_EXISTS": "이미 발급된 결제키가 있습니다. 결제키 발급이 불가합니다.",
    "USER_NOT_FOUND": "카카오머니 가입 후 다시 시도해 주세요.",
    "PAY_USER_NOT_FOUND": "카카오 계정정보 없음",
    "DEACTIVATED_USER_STATUS": "휴면된 거래 데이터가 있습니다.",
    "INVALID_CANCEL_AMOUNT": "취소가능한 금액 초과",
    "INVALID_CANCEL_STATUS": "취소 불가능한 상태",
    "INVALID_CANCEL_STATUS_DEACTIVE": "머니서비스 탈퇴하여 탈퇴 이전의 거래는 취소가 불가능합니다.",
    "INTERNAL_ERROR": "서버 에러입니다",
    "UNDER_CONSTRUCTION": "긴급 점검중 입니다. 잠시 후 다시 시도해 주세요.",
}

CARD_RESULTS = {
    "0001": "거래제한카드",
    "0002": "지급한도초과",
    "0004": "카드유효기간만료",
    "0005": "할부개월오류",
    "0010": "거래TIME-OUT",
    "0014": "카드번호오류",
    "0015": "카드사용횟수초과",
    "0016": "1회사용금액초과(한도초과)",
    "0025": "기취소거래",
    "0026": "도난/분실,위,변조카드",
    "0027": "해당카드이용불가",
    "0032": "연체카드",
    "0040": "체크카드관련오류",
    "0121": "카드사통신장애",
    "0126": "거래거절",
    "0174": "출금가능금액부족",
    "0196": "만료카드",
    "0290": "VAN 통신시간초과",
    "0299": "해당카드사시스템점검중",
    "0504": "중복 결제",
    "1001": "승인거절",
    "3537": "한도초과",
    "5005": "유효기간경과카드",
    "5012": "일시사용정지",
    "5019": "해지카드",
    "5039": "잔액부족오류",
    "5042": "망취소",
    "6666": "원거래없음",
    "8326": "사용한도초과",
    "9999": "결제 실패. 잠시 후 재시도 바랍니다.",
}


def result_text(code: str) -> str:
    """The text sent with a code; codes outside the known tables get the one of `9999`."""
    return MONEY_RESULTS.get(code) or CARD_RESULTS.get(code) or CARD_RESULTS["9999"]
