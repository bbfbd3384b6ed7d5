"""The calls that list card companies and banks."""

from __future__ import annotations

from maedal.rest import codes
from maedal.rest.api_document import examples
from maedal.rest.api_document.operation import Operation, in_path
from maedal.rest.api_document.parameters import array, bad
from maedal.rest.api_document.schemas import ref, text
from maedal.rest.api_document.words import Words

NO_SUCH_CODE = bad(404, codes.NO_SUCH_CODE)

OF_CODES: tuple[Operation, ...] = (
    *(
        operation
        for path, everything, one, ko, en in (
            ("/cards", codes.list_cards, codes.get_card, "카드사", "card company"),
            ("/banks", codes.list_banks, codes.get_bank, "은행", "bank"),
        )
        for operation in (
            Operation(
                everything, "GET", path, "codes", Words(f"{ko} 코드 목록", f"List every {en}"),
                Words(f"{ko}의 코드와 이름을 모두 조회합니다.", f"Gives code and name of every {en}."),
                array(ref("Code")), {"codes": [examples.CODE]},
            ),
            Operation(
                one, "GET", path + "/{code}", "codes", Words(f"{ko} 코드 조회", f"Give one {en}"),
                Words(f"{ko}의 이름을 조회합니다.", f"Gives the name of one {en}."),
                ref("Code"), {"code": examples.CODE}, (in_path("code", text("코드", "Code"), "366"),),
                refusals=(NO_SUCH_CODE,),
            ),
        )
    ),
)  # fmt: skip
