"""What the gateway's rules say when they refuse something, in Korean; a test proves that none is missing.

The rules speak English. The console and the REST API both tell what they say, each in its visitor's language.
"""

from __future__ import annotations

import re

KOREAN = [
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
    # recovery
    (r"the reason must be one of (.+)", "이유는 {0} 가운데 하나입니다."),
    (
        r"waits are written like 1d,3d,7d \(m, h or d\) or `\w+`, not (.+)",
        "1d,3d,7d처럼 분(m), 시간(h), 일(d)로 적어 주세요. 입력한 값: {0}",
    ),
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
    # the desk
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
    (r"a view's name is 1 to (.+) printable characters", "저장한 조건의 이름은 1~{0}자의 보이는 문자입니다."),
    (r"there is too much in these filters to keep them", "조건이 너무 길어 저장할 수 없습니다."),
    (
        r"one keeps at most (.+) views; delete one first",
        "보기는 {0}개까지 저장할 수 있습니다. 먼저 하나를 지워 주세요.",
    ),
    (r"the form is too old; look at the list again", "화면이 오래되었습니다. 목록을 다시 열어 주세요."),
    # operators
    (
        r"a name is 2 to 60 letters, digits or \. _ @ \+ -, without spaces",
        "이름은 공백 없이 2~60자의 글자, 숫자, . _ @ + - 입니다.",
    ),
    (r"a password is (.+) to (.+) printable characters", "비밀번호는 {0}~{1}자의 보이는 문자여야 합니다."),
    (
        r"the password is too easy: it repeats itself, or holds the user's name",
        "너무 쉬운 비밀번호입니다. 같은 글자가 되풀이되거나 이름이 들어 있습니다.",
    ),
    (r"the new password is the old one", "새 비밀번호가 지금과 같습니다."),
    (r"the two new passwords differ", "새 비밀번호 둘이 서로 다릅니다."),
    (
        r"the password is too easy: it is among those that are guessed first",
        "비밀번호가 너무 쉽습니다. 가장 먼저 시도되는 것 가운데 하나입니다.",
    ),
    (
        r"too many wrong passwords or codes; try again in (.+) seconds",
        "틀린 횟수가 많습니다. {0}초 뒤에 다시 시도해 주세요.",
    ),
    (
        r"the link was used already, or a newer one has taken its place",
        "이미 쓴 링크이거나 새 링크가 발급되었습니다.",
    ),
    (r"an owner sees every merchant", "소유자는 모든 가맹점을 봅니다."),
    (r"an owner demands the second step of your role", "소유자가 이 역할에 2단계 인증을 요구합니다."),
    (r"an owner alone demands the second step of a role", "2단계 인증은 소유자만 요구할 수 있습니다."),
    (r"the present password is wrong", "현재 비밀번호가 맞지 않습니다."),
    (r"there is a user (.+) already", "{0}은(는) 이미 있는 이름입니다."),
    (r"there is no user (.+)", "{0}이라는 사용자가 없습니다."),
    (r"an owner is made, changed and ended by owners alone", "소유자는 소유자만 추가하고 바꿀 수 있습니다."),
    (r"somebody must stay owner", "소유자가 한 명은 남아 있어야 합니다."),
    (r"(.+) was changed by somebody else; look again", "{0}: 다른 사람이 방금 바꾸었습니다. 다시 확인해 주세요."),
    (r"the code is wrong; is the phone's clock right\?", "코드가 맞지 않습니다. 휴대폰의 시계가 맞는지 확인해 주세요."),
    (
        r"a passphrase for a file has letters without accents, digits and signs",
        "파일의 암호는 영문자, 숫자, 기호로 적어 주세요. 한글은 프로그램마다 다르게 읽습니다.",
    ),
    (
        r"the passphrase is too easy for a file that anybody may try; take a longer one",
        "누구나 몇 번이고 열어 볼 수 있는 파일에는 너무 쉬운 암호입니다. 더 긴 암호를 쓰세요.",
    ),
    (r"there is no passkey for this account yet", "이 계정에는 아직 패스키가 없습니다."),
    (r"there is no such passkey any more", "그 패스키는 이미 없습니다."),
    (r"the passkey was not accepted; begin anew", "패스키를 확인하지 못했습니다. 처음부터 다시 해 주세요."),
    (r"a passkey's name is 1 to (.+) printable characters", "패스키 이름은 1~{0}자로 적어 주세요."),
    (r"an account has (.+) passkeys at most", "한 계정에는 패스키를 {0}개까지 둘 수 있습니다."),
    (
        r"passkeys need the console at an https address with a host name",
        "패스키는 호스트 이름이 있는 https 주소의 콘솔에서만 쓸 수 있습니다.",
    ),
    (r"the code is wrong, or was used before", "코드가 맞지 않거나 이미 쓴 코드입니다."),
    (r"the setting up has to begin anew", "처음부터 다시 설정해 주세요."),
    (r"choose a role", "역할을 선택해 주세요."),
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
"""What is refused, as the rule says it, and the same in Korean."""


def in_korean(sentence: str) -> str | None:
    """Return the sentence in Korean, if it is known."""
    for pattern, korean in KOREAN:
        if found := re.fullmatch(pattern, sentence):
            # Part of a sentence may be another one, such as why a receiver did not answer.
            return korean.format(*(in_korean(part) or part for part in found.groups()))
    return None
