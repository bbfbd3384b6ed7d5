"""Who asks: the access token, in any of the four ways it is sent (docs/wire/portone-v1-rest.md 1.3)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

from litestar import Request

from maedal.flows.issue_token import check_address, owner_of
from maedal.flows.limit_calls import admit_call
from maedal.flows.limit_requests import admit, refuse_if_over
from maedal.flows.services import Services
from maedal.merchants.errors import AddressNotAllowed, ScopeMissing
from maedal.merchants.request_limit import Limited
from maedal.merchants.scope import Scope
from maedal.rest.errors import on_the_wire, unauthorized
from maedal.rest.scopes import check_scope, pattern_of

AnyRequest = Request[Any, Any, Any]

REMEMBERED = timedelta(seconds=1)
"""So long at most a token that another process has ended is still good here; one that this one has ended is not.

Calls that come faster share one look at the database a second.
"""
REMEMBERED_MAX = 10_000
TOKEN_CHARS_MAX = 200
CALLER, ADMITTED = "api_caller", "api_admitted"
"""Where a request's state says who asks, and whether that one may."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token a request carries, of which API key, and what that may be used for; None is everything."""

    merchant_id: str
    api_key: str
    scopes: frozenset[Scope] | None = None


@dataclass(frozen=True, slots=True)
class _Remembered:
    read_at: datetime
    expires_at: datetime
    caller: Caller
    changes: int
    """How many changes of merchants this process had made when the token was looked up."""


class Tokens:
    """Says whose token a request carries, remembering the last answers for a moment."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: dict[str, _Remembered] = {}
        self._looking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def merchant_id(self, request: AnyRequest) -> str:
        """Return the merchant that asks. Raises ApiRefusal 401 before anything else of the request is looked at.

        Raises TooManyRequests instead when there were too many such calls from an address that is not known, or too
        many of the merchant's; and ApiRefusal 403 when the key lacks the scope of this call.

        The merchant's list of addresses is looked at every time; it comes with the merchant, which is remembered too.
        A request that is asked about twice, as one with an Idempotency-Key is, counts once.
        """
        state = request.scope.setdefault("state", {})
        known: Caller | None = state.get(CALLER)
        if known is not None and state.get(ADMITTED):
            return known.merchant_id
        address = address_of(request)
        caller = await self._owner(request, address)
        state[CALLER] = caller
        try:
            await check_address(self._services, caller.merchant_id, address)
            admit_call(self._services, caller.merchant_id)
            if caller.scopes is not None:
                pattern = pattern_of(request.method, request.scope["path_template"], request.scope["raw_path"])
                check_scope(request.method, pattern, caller.scopes)
        except (AddressNotAllowed, ScopeMissing) as error:
            raise on_the_wire(error) from error
        state[ADMITTED] = True
        return caller.merchant_id

    async def _owner(self, request: AnyRequest, address: str | None) -> Caller:
        token = token_of(request)
        if token is None:
            await admit(self._services, Limited.REFUSED_CALL, address)
            raise unauthorized()
        known = self._fresh(token)
        if known is not None:
            return known
        refuse_if_over(self._services, Limited.REFUSED_CALL, address)
        if len(token) > TOKEN_CHARS_MAX or not token.isascii():
            await admit(self._services, Limited.REFUSED_CALL, address)
            raise unauthorized()
        # Of calls that come together only the first asks the database.
        looking = self._looking.setdefault(token, asyncio.Lock())
        async with looking:
            return self._fresh(token) or await self._look(token, address)

    def _fresh(self, token: str) -> Caller | None:
        known = self._known.get(token)
        if known is None or known.changes != self._services.merchant_cache.changes:
            return None
        now = self._services.clock.now()
        # After the clock has jumped back, nothing that was remembered may be used.
        fresh = timedelta(0) <= now - known.read_at < REMEMBERED and now < known.expires_at
        return known.caller if fresh else None

    async def _look(self, token: str, address: str | None) -> Caller:
        # Taken before the database is asked: what is ended meanwhile is not remembered as good.
        now, changes = self._services.clock.now(), self._services.merchant_cache.changes
        owner = await owner_of(self._services, token, address=address)
        if owner is None:
            self._known.pop(token, None)
            if not self._services.request_limits.knows(address, self._services.people_clock.now()):
                await admit(self._services, Limited.REFUSED_CALL, address)
            raise unauthorized()
        self._services.request_limits.remember(address, self._services.people_clock.now())
        if len(self._known) >= REMEMBERED_MAX:
            self._known.clear()
        caller = Caller(owner.merchant_id, owner.api_key, owner.scopes)
        self._known[token] = _Remembered(now, owner.expires_at, caller, changes)
        return caller


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
