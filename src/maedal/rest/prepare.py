"""/payments/prepare: amounts registered before the window opens (docs/wire/portone-v1-rest.md 4.4)."""

from __future__ import annotations

from litestar import HttpMethod, Response, get, route

from maedal.payments.errors import AlreadyPrepared, InvalidParameter, NotPrepared
from maedal.payments.money import AMOUNT_MAX, Currency
from maedal.payments.prepared import PreparedAmount
from maedal.rest.context import AnyRequest, context_of
from maedal.rest.decoding import Fields, decode_body, segments
from maedal.rest.envelope import success
from maedal.rest.errors import ApiRefusal
from maedal.rest.presentation import present_prepared
from maedal.rest.subscribe import CUSTOMER_UID_MAX, KRW_ONLY, MERCHANT_UID_MAX
from maedal.storage.prepared_amounts.writes import ChangePrepared, Prepare


@route("/payments/prepare", http_method=[HttpMethod.POST, HttpMethod.PUT], status_code=200)
async def prepare(request: AnyRequest) -> Response[bytes]:
    """Register an amount, and for whom a billing key is issued (POST), or change it (PUT)."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    fields = Fields(decode_body(request.headers.get("content-type", ""), await request.body()))
    prepared = read_prepared(merchant_id, fields)
    now = services.clock.now()
    if request.method == "PUT":
        if not await services.store.write(ChangePrepared(prepared, now)):
            raise NotPrepared("nothing is registered under this merchant_uid")
    elif not await services.store.write(Prepare(prepared, now)):
        raise AlreadyPrepared("an amount is registered already")
    return success(await present_prepared(services, prepared))


@get("/payments/prepare/{rest:path}")
async def get_prepared(request: AnyRequest) -> Response[bytes]:
    """Give a registered amount."""
    services, tokens, _ = context_of(request)
    merchant_id = await tokens.merchant_id(request)
    try:
        path = segments(request.scope["raw_path"], "/payments/prepare/")
    except InvalidParameter as error:
        raise ApiRefusal(400, -1, error.message) from error
    found = await services.store.prepared_amounts.find(merchant_id, path[0]) if len(path) == 1 else None
    if found is None:
        raise NotPrepared("nothing is registered under this merchant_uid")
    return success(await present_prepared(services, found))


def read_prepared(merchant_id: str, fields: Fields) -> PreparedAmount:
    """Return what is to be registered. Raises InvalidParameter, naming the field."""
    merchant_uid = fields.needed_text("merchant_uid", longest=MERCHANT_UID_MAX)
    amount = fields.needed_whole("amount", least=0, most=AMOUNT_MAX)
    currency = fields.text("currency")
    if currency is not None and currency.upper() != Currency.KRW:
        raise InvalidParameter("currency", KRW_ONLY)
    customer_uid = fields.text("customer_uid", longest=CUSTOMER_UID_MAX)
    # A blank one is none, as in the window that it is held against.
    customer_uid = customer_uid if customer_uid and customer_uid.strip() else None
    return PreparedAmount(merchant_id, merchant_uid, amount, Currency.KRW if currency else None, customer_uid)
