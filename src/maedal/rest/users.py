"""/users (docs/wire/portone-v1-rest.md 4.1)."""

from __future__ import annotations

from litestar import Response, get, post

from maedal.flows.issue_token import issue_token
from maedal.payments.errors import InvalidParameter
from maedal.rest.auth import CALLER, Caller, address_of
from maedal.rest.context import AnyRequest, context_of
from maedal.rest.decoding import Fields, decode_body
from maedal.rest.envelope import success
from maedal.rest.errors import ApiRefusal
from maedal.rest.wire import epoch, pg_object

KEY_CHARS_MAX = 200
TOKEN_BODY_BYTES_MAX = 16 * 1024
"""Anybody may send one; key and secret of the longest, each sign escaped, take less than a tenth."""
NO_PAIR = "imp_key, imp_secret 파라메터가 누락되었습니다."


@post("/users/getToken", status_code=200, request_max_body_size=TOKEN_BODY_BYTES_MAX)
async def get_token(request: AnyRequest) -> Response[bytes]:
    """Give the access token of an API key (1.1)."""
    services, _, _ = context_of(request)
    try:
        fields = Fields(decode_body(request.headers.get("content-type", ""), await request.body()))
        key, secret = (fields.text(name, longest=KEY_CHARS_MAX) for name in ("imp_key", "imp_secret"))
    except InvalidParameter as error:
        raise ApiRefusal(400, -1, error.message) from error
    if key is None or secret is None:
        raise ApiRefusal(400, -1, NO_PAIR)
    token = await issue_token(services, key, secret, address=address_of(request))
    request.scope.setdefault("state", {})[CALLER] = Caller(token.merchant_id, token.api_key)
    return success(
        {"access_token": token.text, "now": epoch(services.clock.now()), "expired_at": epoch(token.expires_at)}
    )


@get("/users/pg")
async def list_pgs(request: AnyRequest) -> Response[bytes]:
    """List the merchant's channels."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    return success([pg_object(channel) for channel in await services.merchant_cache.channels(merchant_id)])
