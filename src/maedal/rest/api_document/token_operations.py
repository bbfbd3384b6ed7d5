"""The calls of `/users`: tokens and channels."""

from __future__ import annotations

from maedal.merchants.errors import AddressNotAllowed, TooManyFailures, WrongApiSecret
from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET
from maedal.rest import decoding, users
from maedal.rest.api_document import examples
from maedal.rest.api_document.operation import Operation, body_of
from maedal.rest.api_document.parameters import ANY_NAME, BAD_BODY, array, bad
from maedal.rest.api_document.schemas import ref, text
from maedal.rest.api_document.words import Words

BAD_KEY_PAIR = tuple(bad(400, text.format(name=ANY_NAME, longest=users.KEY_CHARS_MAX)) for text in decoding.BAD_TEXT)

OF_TOKENS: tuple[Operation, ...] = (
    Operation(
        users.get_token, "POST", "/users/getToken", "users",
        Words("액세스 토큰 받기", "Get an access token"),
        Words("REST API 키와 secret으로 토큰을 받습니다. 만료 전에는 같은 토큰을 다시 줍니다. "
              "남은 시간이 1분 미만이면 5분 연장합니다.",
              "Gives the token of an API key. Until it expires the same token is given; in its last minute it is "
              "extended by five."),
        ref("Token"), {"token": examples.TOKEN},
        body=body_of({"imp_key": text("REST API 키", "REST API key", minLength=1, maxLength=users.KEY_CHARS_MAX),
                      "imp_secret": text("REST API secret", "REST API secret", minLength=1,
                                         maxLength=users.KEY_CHARS_MAX)}, "imp_key", "imp_secret"),
        body_example={"imp_key": DEMO_API_KEY, "imp_secret": DEMO_API_SECRET},
        errors=(WrongApiSecret, AddressNotAllowed, TooManyFailures),
        refusals=(bad(400, users.NO_PAIR), *BAD_BODY, *BAD_KEY_PAIR), public=True,
    ),
    Operation(
        users.list_pgs, "GET", "/users/pg", "users",
        Words("채널 목록", "List the channels"),
        Words("가맹점의 PG 채널을 조회합니다.", "Gives the merchant's channels."),
        array(ref("Channel")), {"channels": [examples.CHANNEL]},
    ),
)  # fmt: skip
