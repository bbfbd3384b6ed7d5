"""In Korean: how a merchant is set up: channels, webhooks, addresses, the way to live mode."""

from __future__ import annotations

MERCHANTS = [
    # alerts, mail and unpaid notices
    (r"a time such as 22:00 is expected", "22:00과 같은 시각을 입력해 주세요."),
    (r"the name must be a text of 1 to (.+) printable characters", "이름은 1~{0}자로 입력해 주세요."),
    (r"a mail address such as team@example.com is expected", "team@example.com과 같은 메일 주소를 입력해 주세요."),
    (r"a host such as smtp.example.com is expected", "smtp.example.com과 같은 호스트를 입력해 주세요."),
    (r"port must be a whole number from 1 to (.+)", "포트는 1~{0}의 정수입니다."),
    (r"there is no such receiver any more", "이미 삭제된 받는 사람입니다."),
    (r"there are (.+) receivers, and no more fit", "받는 사람이 이미 {0}명이라 더 추가할 수 없습니다."),
    (r"digest_hour must be a whole number from 0 to 23", "시각은 0~23의 정수입니다."),
    (r"way must be one of (.+)", "보내는 방법을 골라 주세요."),
    (r"the address must start with http:// or https://", "주소는 http:// 또는 https://로 시작해야 합니다."),
    (
        r"somebody else has changed it in this very moment; nothing was changed",
        "그사이 다른 사람이 바꾸어 저장하지 않았습니다.",
    ),
    (r"it is under way, or has arrived", "보내는 중이거나 이미 도착했습니다."),
    (r"(.+) must be a text of at most (.+) printable characters", "{0}은(는) {1}자 이하로 입력해 주세요."),
    (r"a login needs its password", "로그인에는 비밀번호가 필요합니다."),
    (r"a login needs an encrypted connection", "로그인하려면 암호화된 연결이 필요합니다."),
    (r"encryption must be one of (.+)", "암호화 방법을 골라 주세요."),
    (r"the quiet time must end at another time than it begins", "방해 금지의 시작과 끝이 같을 수 없습니다."),
    (r"link_days must be a whole number from 1 to (.+)", "유효 기간은 1~{0}일입니다."),
    (r"set a mail server first", "먼저 메일 서버를 설정해 주세요."),
    # channels
    (r"there is no driver for (.+); known are (.+)", "{0}는 아직 연동할 수 없는 PG사입니다. 연동할 수 있는 PG사: {1}"),
    (r"a channel needs the merchant's number at the PG \(CID\)", "가맹점코드(CID)를 입력해 주세요."),
    (
        r"scheduled charges wait for 0 to (.+) hours, not (.+)",
        "예약 결제가 기다리는 시간은 0~{0}시간입니다. 입력한 값: {1}",
    ),
    (
        r"test mode takes the test CIDs only \((.+)\), not (.+)",
        "테스트 모드에서는 테스트용 CID({0})만 쓸 수 있습니다. 입력한 값: {1}",
    ),
    (
        r"test mode does not take a live secret key; use the dev key or none",
        "테스트 모드에는 운영용 비밀 키를 쓸 수 없습니다. 개발용(DEV) 키를 넣거나 비워 두세요.",
    ),
    (r"(.+) is the test CID for (.+) payments", "{0}은(는) 다른 종류의 결제를 위한 테스트 CID입니다. ({1})"),
    (
        r"(.+) is a test CID; live mode needs the CID of your contract",
        "{0}은(는) 테스트용 CID입니다. 실연동에는 계약한 CID가 필요합니다.",
    ),
    (
        r"(.+) is no CID: 10 letters and digits are expected",
        "{0}은(는) CID가 아닙니다. CID는 영문과 숫자 10자리입니다.",
    ),
    (
        r"live mode needs a secret key; the simulator cannot stand in for it",
        "실연동에는 비밀 키가 필요합니다. 시뮬레이터가 대신할 수 없습니다.",
    ),
    (r"live mode does not take a dev secret key", "실연동에는 개발용(DEV) 비밀 키를 쓸 수 없습니다."),
    (
        r"(.+) is no bucket id: letters and digits are expected, such as B000000001",
        "{0}은(는) 버킷 id가 아닙니다. B000000001과 같은 영문과 숫자입니다.",
    ),
    (
        r"a file key needs the bucket id that belongs to it",
        "파일 키에는 함께 받은 버킷 id가 필요합니다.",
    ),
    (
        r"(.+) is no origin; https://shop\.example without a path is expected",
        "{0}은(는) origin이 아닙니다. https://shop.example처럼 경로 없이 적어 주세요.",
    ),
    (r"one-time and recurring payments have different CIDs", "일반결제와 정기결제의 CID는 서로 다릅니다."),
    (
        r"this PG cannot be limited to card (.+); it knows (.+)",
        "이 PG사에는 {0} 카드를 지정할 수 없습니다. 지정할 수 있는 카드: {1}",
    ),
    (r"no card is left to pay with", "쓸 수 있는 카드가 하나도 남지 않습니다."),
    (r"instalments are 0 to (.+) months, not (.+)", "할부는 0~{0}개월입니다. 입력한 값: {1}"),
    (
        r"with KakaoPay Money alone there are no cards and no instalments to limit",
        "카카오페이머니만 받는 채널에는 카드와 할부를 지정할 수 없습니다.",
    ),
    (
        r"recurring payments are not paid in instalments; 0 or no limit is expected",
        "정기결제는 할부로 결제할 수 없습니다. 일시불로 하거나 지정하지 마세요.",
    ),
    (r"(.+) has no channel (.+)", "{0}에 {1} 채널이 없습니다."),
    (r"no merchant has the identification code (.+)", "식별코드가 {0}인 가맹점이 없습니다."),
    # webhooks
    (
        r"(.+) is no scheme of an app of yours; myapp is expected",
        "{0}은(는) 쓸 수 없는 scheme입니다. myapp처럼 적어 주세요.",
    ),
    (r"at most (.+) (?:origins|schemes) are expected", "{0}개까지 등록할 수 있습니다."),
    (r"page_notices must be one of (.+)", "페이지의 notice_url은 {0} 가운데 하나입니다."),
    (r"the type must be one of (.+)", "본문 형식은 {0} 가운데 하나입니다."),
    (r"retry must be one of (.+)", "재시도는 {0} 가운데 하나입니다."),
    (
        r"the (live|test) address must start with http:// or https://",
        "주소는 http:// 또는 https://로 시작해야 합니다. ({0})",
    ),
    (
        r"an old secret still signs; end it first: maedal webhook end-old-secret",
        "이전 비밀 값이 아직 함께 서명하고 있습니다. 먼저 이전 값을 끝내 주세요.",
    ),
    (r"no old secret signs any more", "함께 서명하는 이전 비밀 값이 없습니다."),
    (r"its webhooks are not signed", "웹훅에 서명하고 있지 않습니다."),
    (
        r"the webhook secrets of (.+) were changed by somebody else; look again",
        "다른 사람이 방금 바꾸었습니다. 다시 확인해 주세요.",
    ),
    (
        r"no address is set for (test|live) payments: maedal merchant webhook --(?:test|live)",
        "저장된 주소가 없습니다. ({0})",
    ),
    (r"(.+) has no API key (.+)", "{0}에 {1} 키가 없습니다."),
    (
        r"the secret of (.+) was changed by somebody else; look again",
        "다른 사람이 방금 바꾸었습니다. 다시 확인해 주세요.",
    ),
    (r"an old secret stays good for (.+) days at most", "이전 secret은 최대 {0}일까지 유효하게 둘 수 있습니다."),
    (r"no old secret of this key is good any more", "유효한 이전 secret이 없습니다."),
    (r"a name has at most (.+) printable characters", "이름은 {0}자까지 쓸 수 있습니다."),
    # allowed addresses
    (
        r"(.+) is no IP address or network; 203\.0\.113\.7 or 2001:db8::/48 is expected",
        "{0}은(는) IP나 대역이 아닙니다. 203.0.113.7, 203.0.113.0/24, 2001:db8::/48처럼 적어 주세요.",
    ),
    (
        r"(.+) is every address there is; an empty list says the same",
        "{0}은(는) 모든 주소입니다. 모두 허용하려면 목록을 비워 두세요.",
    ),
    (r"a memo has at most (.+) printable characters", "메모는 {0}자까지 쓸 수 있습니다."),
    (r"the list has (.+) lines, and no more fit", "목록에는 {0}개까지 넣을 수 있습니다."),
    (r"(.+) is not in the list", "{0}은(는) 목록에 없습니다."),
    (r"somebody else keeps changing the list; nothing was changed", "다른 사람이 바꾸고 있습니다."),
    (
        r"API key (.+) was used from (.+) lately, and this would keep it out",
        "최근 {1}에서 API 키 {0}을(를) 썼습니다. 이대로 바꾸면 그 서버의 호출이 거절됩니다.",
    ),
    # why a receiver did not answer
    (r"the address is private", "사설망 주소로는 보내지 않습니다."),
    (r"the address could not be reached", "주소에 연결할 수 없습니다."),
    (r"no answer in time", "제때 응답하지 않았습니다."),
    (r"the call broke \((.+)\)", "연결이 끊어졌습니다. ({0})"),
    # the way to live mode
    (r"there is no live channel for recurring payments", "실연동(테스트 모드 OFF) 정기결제 채널이 없습니다."),
    (r"CID (.+) answers and can do recurring payment", "CID {0}: 카카오페이가 응답했고 정기결제를 할 수 있습니다."),
    (r"CID (.+) cannot do recurring payment: (.+)", "CID {0}: 정기결제를 할 수 없습니다. {1}"),
    (r"no address is set for the results of live payments", "실결제를 알릴 웹훅 주소가 없습니다."),
    (r"(\S+) answered (\d+) after (\d+) ms", "{0} → {1} ({2} ms)"),
    (r"(\S+) did not answer: (.*)", "{0}이(가) 응답하지 않았습니다. {1}"),
    (
        r"pages of any site may open windows with (.+) of (.+) live channels",
        "실연동 채널 {1}개 가운데 {0}개는 어느 사이트의 페이지든 결제창을 열 수 있습니다.",
    ),
    (r"there is no live channel whose pages could be listed", "페이지를 등록할 실연동 채널이 없습니다."),
    (r"only listed pages may open windows with (.+) live channels", "실연동 채널 {0}개를 등록한 페이지에서만 엽니다."),
    (
        r"list the addresses of your shop's pages in each live channel",
        "실연동 채널마다 상점 페이지의 주소를 등록하세요.",
    ),
    (r"the API may be called from every address", "모든 주소에서 API를 부를 수 있습니다."),
    (r"(\d+) addresses or networks may call the API", "주소나 대역 {0}개만 API를 부를 수 있습니다."),
    (r"the API key is the demo key that everybody knows", "누구나 아는 데모 API 키를 쓰고 있습니다."),
    (r"the API secret is the demo secret that everybody knows", "누구나 아는 데모 secret을 쓰고 있습니다."),
    (r"the secret of (.+) is still the first one", "API 키 {0}의 secret을 처음 것 그대로 쓰고 있습니다."),
    (r"an old secret of (.+) is still good", "API 키 {0}의 이전 secret이 아직 유효합니다."),
    (r"the secret was drawn anew at (.+)", "{0}에 secret을 재발급했습니다."),
    (r"there is no API key", "API 키가 없습니다."),
    (r"browsers reach the gateway at (.+)", "브라우저가 접속하는 주소: {0}"),
    (r"nobody has confirmed a copy of the key file yet", "키 파일의 복사본을 아직 아무도 확인하지 않았습니다."),
    (
        r"the key file has changed since a copy of it was confirmed",
        "복사본을 확인한 뒤에 키 파일이 바뀌었습니다. 다시 백업하세요.",
    ),
    (r"a copy with the fingerprint (.+) was confirmed", "지문이 {0}인 복사본을 확인했습니다."),
    (
        r"this is not the fingerprint of the key file in use; the copy opens nothing",
        "지금 쓰는 키 파일의 지문이 아닙니다. 그 복사본으로는 아무것도 열 수 없습니다.",
    ),
    (
        r"SQLite is in use: good for one process on one machine",
        "SQLite를 쓰고 있습니다. 서버 한 대, 프로세스 하나에 알맞습니다.",
    ),
    (
        r"the database moved to another server, first reached at (.+) UTC",
        (
            "데이터베이스가 다른 서버로 전환되었습니다. 처음 연결한 시각은 {0} UTC입니다. "
            "그날의 거래내역 파일을 읽을 때까지 결제 전에 카카오페이에 먼저 묻습니다."
        ),
    ),
    (r"PostgreSQL is in use", "PostgreSQL을 쓰고 있습니다."),
    (
        r"there is no channel whose PG could be asked for the time",
        "시각을 물어볼 PG사 채널이 없습니다.",
    ),
    (r"the PG did not tell the time", "PG사가 시각을 알려 주지 않았습니다."),
    (r"this machine's clock is (.+) seconds from KakaoPay's", "이 서버의 시계는 카카오페이와 {0}초 차이입니다."),
    (
        r"this machine's clock is (.+) seconds from the simulator's",
        "이 서버의 시계는 시뮬레이터와 {0}초 차이입니다. 카카오페이와는 실연동 채널이 있어야 비교합니다.",
    ),
    (r"no result of a torture is named", "장애 시험의 결과 파일을 지정하지 않았습니다."),
    (r"there is no result of a torture", "장애 시험의 결과 파일이 없습니다."),
    (r"the result of the torture cannot be read", "장애 시험의 결과 파일을 읽을 수 없습니다."),
    (
        r"a torture of (.+) minutes with (.+) charges on version (.+) found (\d+) defects",
        "버전 {2}에서 {0}분 동안 {1}건을 결제한 장애 시험에서 결함 {3}개가 나왔습니다.",
    ),
    (
        r"a torture of (.+) minutes with (.+) charges on version (.+) was of another state of the program",
        "버전 {2}에서 {0}분 동안 {1}건을 결제한 장애 시험이 있지만, 지금 실행 중인 프로그램과 다릅니다.",
    ),
    (
        r"a torture of (.+) minutes with (.+) charges on version (.+) found nothing",
        "버전 {2}에서 {0}분 동안 {1}건을 결제한 장애 시험에서 결함이 나오지 않았습니다.",
    ),
    (r"it was a while ago; check again", "오래전에 확인했습니다. 다시 확인하세요."),
    (
        r"end the old secret once your servers have the new one",
        "상점 서버를 모두 새 secret으로 바꾸었으면 이전 secret을 끝내세요.",
    ),
    (
        r"check again once there is a live channel, and every few weeks",
        "실연동 채널을 만든 뒤, 그리고 몇 주마다 다시 확인하세요.",
    ),
    (r"torture it anew, for five minutes at least", "5분 이상 새로 시험하세요."),
    (r"not checked yet", "아직 확인하지 않았습니다."),
    (
        r"add a recurring channel with test mode off, with your contract's CID and live key, and check again",
        "테스트 모드 OFF로 계약한 CID와 운영용 키의 정기결제 채널을 만들고 다시 확인하세요.",
    ),
    (
        r"set the address for live payments, let it answer 200, and check again",
        "실결제 주소를 저장하고, 그 주소가 200으로 응답하게 한 뒤 다시 확인하세요.",
    ),
    (r"add the addresses that your servers call from", "상점 서버의 주소를 추가하세요."),
    (r"draw a new API secret and give it to your servers", "API secret을 재발급해 상점 서버에 넣으세요."),
    (
        r"put TLS in front and set MAEDAL_PUBLIC_URL to the https address",
        "앞에 TLS를 두고 MAEDAL_PUBLIC_URL을 https 주소로 바꾸세요.",
    ),
    (
        r"copy the key file to another place, and confirm it with the copy's fingerprint",
        "키 파일을 다른 곳에 복사하고, 복사본의 지문으로 확인하세요.",
    ),
    (
        r"use PostgreSQL when more than one process or machine is to serve",
        "프로세스나 서버를 둘 이상 쓸 때는 PostgreSQL로 옮기세요.",
    ),
    (
        r"switch on time synchronisation \(NTP\) on this machine, and check again",
        "이 서버의 시각 동기화(NTP)를 켜고 다시 확인하세요.",
    ),
    (
        r"run make torture with this version, and name its result file in MAEDAL_TORTURE_RESULT",
        "이 버전으로 make torture를 실행하고 결과 파일을 MAEDAL_TORTURE_RESULT에 지정하세요.",
    ),
    # API keys
    (r"there is no scope (.+); there are (.+)", "{0}라는 권한은 없습니다. 권한: {1}"),
    (r"a key needs one scope at least", "권한을 하나 이상 선택해 주세요."),
    (r"a name is needed, to tell the keys apart", "키를 구분할 수 있도록 이름을 입력해 주세요."),
    (
        r"a merchant has (.+) API keys at most; end one first",
        "API 키는 가맹점마다 {0}개까지입니다. 쓰지 않는 키를 먼저 폐기하세요.",
    ),
    (
        r"the last API key of a merchant cannot be ended; make another one first",
        "마지막 남은 API 키는 폐기할 수 없습니다. 새 키를 먼저 만드세요.",
    ),
    (
        r"somebody else keeps changing the key; nothing was changed",
        "다른 사람이 같은 키를 계속 바꾸고 있어 아무것도 바꾸지 않았습니다.",
    ),
    # further webhook addresses
    (
        r"a merchant has (.+) webhook addresses at most; remove one first",
        "웹훅 주소는 가맹점마다 {0}개까지입니다. 쓰지 않는 주소를 먼저 삭제하세요.",
    ),
    (
        r"an old secret still signs for this address; end it first",
        "이 주소의 이전 비밀 값이 아직 서명합니다. 먼저 끝내세요.",
    ),
    (r"no old secret signs for this address any more", "이 주소에는 이전 비밀 값이 남아 있지 않습니다."),
    (
        r"the webhook addresses were changed by somebody else; look again",
        "다른 사람이 웹훅 주소를 먼저 바꿨습니다. 다시 확인하세요.",
    ),
    (r"the merchant has no such webhook address", "그런 웹훅 주소가 없습니다."),
    (r"a name has 1 to (.+) printable characters", "이름은 1~{0}자의 인쇄할 수 있는 문자여야 합니다."),
    (
        r"an address starts with http:// or https:// and has (.+) bytes at most",
        "주소는 http:// 또는 https://로 시작하는 {0}바이트 이내의 값이어야 합니다.",
    ),
    (r"another of the merchant's webhook addresses is the same", "이미 있는 웹훅 주소와 같습니다."),
    (r"there is no event (.+); there are (.+)", "{0}라는 이벤트는 없습니다. 이벤트: {1}"),
    (r"an address needs one event at least", "이벤트를 하나 이상 선택해 주세요."),
    (
        r"the address was turned off or removed before this was sent",
        "보내기 전에 주소가 꺼지거나 삭제되어 보내지 않았습니다.",
    ),
    (r"the status must be one of (.+)", "status는 {0} 중 하나여야 합니다."),
]
