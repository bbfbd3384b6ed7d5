"""Who asks: the access token, in any of the four ways it is sent (docs/wire/portone-v1-rest.md 1.3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from litestar import Request

from maedal.flows.issue_token import check_address, owner_of
from maedal.flows.limit_requests import admit, refuse_if_over
from maedal.flows.services import Services
from maedal.merchants.errors import AddressNotAllowed
from maedal.merchants.request_limit import Limited
from maedal.rest.errors import UNAUTHORIZED, on_the_wire

AnyRequest = Request[Any, Any, Any]

REMEMBERED = timedelta(seconds=10)
REMEMBERED_MAX = 10_000


class Tokens:
    """Says whose token a request carries, remembering the last answers for a moment."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: dict[str, tuple[datetime, datetime, str]] = {}

    async def merchant_id(self, request: AnyRequest) -> str:
        """Return the merchant that asks. Raises ApiRefusal 401 before anything else of the request is looked at.

        Raises TooManyRequests instead when there were too many such calls from an address that is not known.

        The merchant's list of addresses is looked at every time; it comes with the merchant, which is remembered too.
        """
        address = address_of(request)
        merchant_id = await self._owner(request, address)
        try:
            await check_address(self._services, merchant_id, address)
        except AddressNotAllowed as error:
            raise on_the_wire(error) from error
        return merchant_id

    async def _owner(self, request: AnyRequest, address: str | None) -> str:
        token = token_of(request)
        if token is None:
            await admit(self._services, Limited.REFUSED_CALL, address)
            raise UNAUTHORIZED
        now = self._services.clock.now()
        known = self._known.get(token)
        if known is not None and now < known[0] and now < known[1]:
            return known[2]
        refuse_if_over(self._services, Limited.REFUSED_CALL, address)
        if len(token) > 200 or not token.isascii():
            await admit(self._services, Limited.REFUSED_CALL, address)
            raise UNAUTHORIZED
        owner = await owner_of(self._services, token, address=address)
        if owner is None:
            self._known.pop(token, None)
            if not self._services.request_limits.knows(address, self._services.people_clock.now()):
                await admit(self._services, Limited.REFUSED_CALL, address)
            raise UNAUTHORIZED
        self._services.request_limits.remember(address, self._services.people_clock.now())
        if len(self._known) >= REMEMBERED_MAX:
            self._known.clear()
        self._known[token] = (now + REMEMBERED, owner.expires_at, owner.merchant_id)
        return owner.merchant_id


def address_of(request: AnyRequest) -> str | None:
    """Return the address that a request comes from: of its connection, or what a trusted proxy says of it."""
    return request.client.host if request.client else None


def token_of(request: AnyRequest) -> str | None:
    """Return the token as sent: Bearer, raw, X-ImpTokenHeader, or `_token`; the first that is there."""
    header = request.headers.get("authorization", "").strip()
    if header:
        scheme, _, rest = header.partition(" ")
        return rest.strip() if scheme.lower() == "bearer" else header
    return request.headers.get("x-imptokenheader") or request.query_params.get("_token") or None
