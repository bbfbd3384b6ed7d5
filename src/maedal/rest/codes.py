"""PortOne's code tables (docs/wire/portone-v1-rest.md 4.7)."""

from __future__ import annotations

from litestar import Response, get
from litestar.params import FromPath

from maedal.rest.context import AnyRequest, context_of
from maedal.rest.envelope import success
from maedal.rest.errors import ApiRefusal
from maedal.rest.language import Bilingual

NO_SUCH_CODE = Bilingual("존재하지 않는 코드입니다.", "There is no such code.")
CARDS: dict[str, str] = {
    "361": "BC카드",
    "364": "광주카드",
    "365": "삼성카드",
    "366": "신한카드",
    "367": "현대카드",
    "368": "롯데카드",
    "369": "수협카드",
    "370": "씨티카드",
    "371": "NH카드",
    "372": "전북카드",
    "373": "제주카드",
    "374": "하나카드",
    "381": "KB국민카드",
    "041": "우리카드",
    "071": "우체국카드",
    "045": "새마을",
    "002": "KDB",
    "048": "신협",
    "089": "K뱅크",
    "090": "카카오뱅크",
    "VIS": "해외비자카드",
    "MAS": "해외마스터카드",
    "DIN": "해외다이너스카드",
    "AMX": "해외아멕스카드",
    "JCB": "해외JCB카드",
    "UNI": "중국은련카드",
    "DIS": "해외디스커버카드",
    "10001": "해외은련카드",
    "10002": "해외다이너스카드",
    "10003": "해외아멕스카드",
    "10004": "해외마스터카드",
    "10005": "해외비자카드",
    "10006": "해외JCB카드",
}

BANKS: dict[str, str] = {
    "001": "한국은행",
    "002": "산업은행",
    "003": "기업은행",
    "004": "국민은행",
    "005": "외환은행",
    "007": "수협중앙회",
    "008": "수출입은행",
    "011": "농협은행",
    "012": "지역 농.축협",
    "020": "우리은행",
    "023": "SC은행",
    "027": "한국씨티은행",
    "031": "대구은행",
    "032": "부산은행",
    "034": "광주은행",
    "035": "제주은행",
    "037": "전북은행",
    "039": "경남은행",
    "045": "새마을금고중앙회",
    "048": "신협중앙회",
    "050": "상호저축은행",
    "052": "모건스탠리은행",
    "054": "HSBC은행",
    "055": "도이치은행",
    "056": "알비에스피엘씨은행",
    "057": "제이피모간체이스은행",
    "058": "미즈호은행",
    "059": "미쓰비시도쿄UFJ은행",
    "060": "BOA은행",
    "061": "비엔피파리바은행",
    "062": "중국공상은행",
    "063": "중국은행",
    "064": "산림조합중앙회",
    "065": "대화은행",
    "066": "교통은행",
    "071": "우체국",
    "076": "신용보증기금",
    "077": "기술보증기금",
    "081": "KEB하나은행",
    "088": "신한은행",
    "089": "케이뱅크",
    "090": "카카오뱅크",
    "092": "토스뱅크",
    "093": "한국주택금융공사",
    "094": "서울보증보험",
    "095": "경찰청",
    "096": "한국전자금융(주)",
    "099": "금융결제원",
    "209": "유안타증권",
    "218": "현대증권",
    "221": "골든브릿지투자증권",
    "222": "한양증권",
    "223": "리딩투자증권",
    "224": "BNK투자증권",
    "225": "IBK투자증권",
    "226": "KB투자증권",
    "227": "KTB투자증권",
    "230": "미래에셋증권",
    "238": "대우증권",
    "240": "삼성증권",
    "243": "한국투자증권",
    "247": "우리투자증권",
    "261": "교보증권",
    "262": "하이투자증권",
    "263": "HMC투자증권",
    "264": "키움증권",
    "265": "이베스트투자증권",
    "266": "SK증권",
    "267": "대신증권",
    "268": "솔로몬투자증권",
    "269": "한화투자증권",
    "270": "하나대투증권",
    "278": "신한금융투자",
    "279": "동부증권",
    "280": "유진투자증권",
    "287": "메리츠종합금융증권",
    "289": "NH투자증권",
    "290": "부국증권",
    "291": "신영증권",
    "292": "엘아이지투자증권",
    "293": "한국증권금융",
    "294": "펀드온라인코리아",
    "295": "우리종합금융",
    "296": "삼성선물",
    "297": "외환선물",
    "298": "현대선물",
}

# PGs name the companies in their own ways (은행, 카드, Latin letters); the first word found decides.
_WORDS: tuple[tuple[str, str], ...] = (
    ("카카오뱅크", "090"),
    ("케이뱅크", "089"),
    ("k뱅크", "089"),
    ("비씨", "361"),
    ("bc", "361"),
    ("국민", "381"),
    ("kb", "381"),
    ("광주", "364"),
    ("삼성", "365"),
    ("신한", "366"),
    ("현대", "367"),
    ("롯데", "368"),
    ("수협", "369"),
    ("씨티", "370"),
    ("농협", "371"),
    ("nh", "371"),
    ("전북", "372"),
    ("제주", "373"),
    ("하나", "374"),
    ("우리", "041"),
    ("우체국", "071"),
    ("새마을", "045"),
    ("산업", "002"),
    ("kdb", "002"),
    ("신협", "048"),
)


def card_company(pg_name: str | None) -> tuple[str | None, str | None]:
    """Return PortOne's code and name of the card company that a PG calls `pg_name`; unknown ones keep their name."""
    if pg_name is None:
        return None, None
    folded = pg_name.casefold()
    for word, code in _WORDS:
        if word in folded:
            return code, CARDS[code]
    return None, pg_name


@get("/cards")
async def list_cards(request: AnyRequest) -> Response[bytes]:
    """List the card companies."""
    return await _listed(request, CARDS)


@get("/cards/{code:str}")
async def get_card(request: AnyRequest, code: FromPath[str]) -> Response[bytes]:
    """Give one card company."""
    return await _one(request, CARDS, code)


@get("/banks")
async def list_banks(request: AnyRequest) -> Response[bytes]:
    """List the banks."""
    return await _listed(request, BANKS)


@get("/banks/{code:str}")
async def get_bank(request: AnyRequest, code: FromPath[str]) -> Response[bytes]:
    """Give one bank."""
    return await _one(request, BANKS, code)


async def _listed(request: AnyRequest, table: dict[str, str]) -> Response[bytes]:
    _, tokens, _ = context_of(request)
    await tokens.merchant_id(request)
    return success([{"code": code, "name": name} for code, name in table.items()])


async def _one(request: AnyRequest, table: dict[str, str], code: str) -> Response[bytes]:
    _, tokens, _ = context_of(request)
    await tokens.merchant_id(request)
    if code not in table:
        raise ApiRefusal(404, -1, NO_SUCH_CODE)
    return success({"code": code, "name": table[code]})
