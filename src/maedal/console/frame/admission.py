"""The one door of the console: every route says what it asks of a person, and nobody passes without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler

from maedal.console.frame.visit import (
    AnyRequest,
    Visit,
    is_same_origin,
    new_pre_session,
    pre_session_cookie,
    read_form,
    session_cookie,
)
from maedal.flows.sign_in import present
from maedal.merchants.errors import MerchantNotFound
from maedal.operators.operator import Owed
from maedal.operators.role import Permission
from maedal.storage.unknown_outcomes.reads import OpenCounts
from maedal.webhooks.webhook import GIVEN_UP_OPEN_FOR

REQUIRED = "maedal.permission"
SERVED = "maedal.served"
"""Of whom, that have something to do before anything else, a route is open for."""


class UndeclaredPermission(Exception):
    """A route of the console does not say what it asks of a person; the program does not start."""


class SignInNeeded(Exception):
    """Nobody is signed in, or the second step is still to come."""

    def __init__(self, *, half: bool) -> None:
        super().__init__("sign in first")
        self.half = half


class NotAllowed(Exception):
    """The person's role does not include this."""


class FormNotOurs(Exception):
    """The form does not come from a page that this browser was given: another site's, or one of an old session."""


class SomethingOwed(Exception):
    """The person must first change a drawn password or set up a second step."""

    def __init__(self, owed: Owed) -> None:
        super().__init__(f"first: {owed}")
        self.owed = owed


def requires(permission: Permission, *, even_owing: frozenset[Owed] = frozenset()) -> dict[str, Any]:
    """Return what a route says of itself: `opt=requires(...)`; it serves who owes something only if that is named."""
    return {REQUIRED: permission, SERVED: even_owing}


def checked(handlers: Sequence[BaseRouteHandler]) -> list[BaseRouteHandler]:
    """Return the handlers. Raises UndeclaredPermission for any that does not say what it asks of a person."""
    for handler in handlers:
        if not isinstance(handler.opt.get(REQUIRED), Permission):
            raise UndeclaredPermission(f"{handler} does not declare a permission: opt=requires(Permission.…)")
    return list(handlers)


async def admit(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let a request through to its route, or raise; what was found out about it is left in its state.

    Who is not signed in learns nothing but that, whatever they asked for. What changes something must come from our
    own page twice over: by the browser's word (Origin), and by a token that only a page of this session carries.
    """
    request: AnyRequest = connection  # type: ignore[assignment]
    state = request.app.state
    required: Permission = handler.opt[REQUIRED]
    visit = Visit(request, state.services, state.settings, None)
    visit.who = await present(visit.services, request.cookies.get(session_cookie(secure=visit.secure)))
    visit.pre_session = request.cookies.get(pre_session_cookie(secure=visit.secure), "") or new_pre_session()
    request.state.visit = visit
    if required is Permission.HALF_SIGNED_IN:
        if visit.who is None or not visit.who.session.half:
            raise SignInNeeded(half=False)
    elif required is not Permission.ANYBODY:
        if visit.who is None or visit.who.session.half:
            raise SignInNeeded(half=visit.who is not None)
        owed = visit.who.operator.owes()
        if owed is not None:
            # No merchant is looked up for them: there is nothing in the menu yet.
            if owed not in handler.opt[SERVED]:
                raise SomethingOwed(owed)
            await _check_form(visit)
            return
        # Before a role is looked at: the page that refuses has the same menu.
        operator = visit.who.operator
        visit.merchants = [one for one in await visit.services.store.merchants.all() if operator.sees(one.code)]
        code = request.path_params.get("code")
        if code is not None and not operator.sees(code):
            # As if it did not exist, whatever is asked of it.
            raise MerchantNotFound(f"no merchant has the identification code {code}")
        visit.open_items = await _open_items(visit)
        if not operator.may(required):
            raise NotAllowed
    await _check_form(visit)


async def _check_form(visit: Visit) -> None:
    request = visit.request
    if request.method not in {"GET", "HEAD"}:
        if not is_same_origin(request, visit.settings.public_url):
            raise FormNotOurs
        visit.form = await read_form(request)
        if not visit.form_is_ours():
            raise FormNotOurs


async def _open_items(visit: Visit) -> OpenCounts:
    """Return what is open on the desk of the merchant that an address names, or of the only one: the menu tells it."""
    alone = visit.merchants[0].code if len(visit.merchants) == 1 else ""
    code = visit.request.path_params.get("code", alone)
    if not any(merchant.code == code for merchant in visit.merchants):
        return OpenCounts()
    return await visit.services.store.unknown_outcomes.open_counts(
        code, visit.services.clock.now() - GIVEN_UP_OPEN_FOR, visit.test_mode
    )


def visit_of(request: AnyRequest) -> Visit:
    """Return what the guard found out."""
    visit: Visit = request.state.visit
    return visit
