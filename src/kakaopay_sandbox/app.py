"""The one place that puts the simulator together as an ASGI app."""

import functools
from typing import Any

from litestar import MediaType, Response
from litestar.exceptions import HTTPException

from kakaopay_sandbox.buyer import Buyer
from kakaopay_sandbox.callers import callers_only
from kakaopay_sandbox.control import control_handlers
from kakaopay_sandbox.control_body import BadControl, bad_control
from kakaopay_sandbox.errors import NoSuchAddress
from kakaopay_sandbox.hangup import AnyRequest, HangupLitestar
from kakaopay_sandbox.pages.account import account_handlers
from kakaopay_sandbox.pages.bridge import bridge_handlers
from kakaopay_sandbox.pages.faults import faults_handlers
from kakaopay_sandbox.pages.page import Page
from kakaopay_sandbox.pages.phone import phone_handlers
from kakaopay_sandbox.pages.receipt import receipt_handlers
from kakaopay_sandbox.pages.site import site_handlers
from kakaopay_sandbox.sandbox import Sandbox
from kakaopay_sandbox.settings import Settings
from kakaopay_sandbox.wire.families import CURRENT
from kakaopay_sandbox.wire.files import file_handlers
from kakaopay_sandbox.wire.routes import wire_handlers


def create_app(settings: Settings | None = None) -> HangupLitestar:
    """A simulator of its own, ready for uvicorn; `app.state.sandbox` is the simulator without HTTP.

    Run it in one process: its memory has one writer, and calls in progress are known to it alone.
    """
    sandbox = Sandbox(settings or Settings())
    buyer = Buyer(sandbox)

    def origin_of(request: AnyRequest) -> str:
        """The origin that a browser reaches the simulator at."""
        if sandbox.settings.public_url:
            return sandbox.settings.public_url.rstrip("/")
        return str(request.base_url).rstrip("/")

    app = HangupLitestar(
        route_handlers=[
            *wire_handlers(sandbox, origin_of),
            *file_handlers(sandbox, origin_of),
            *control_handlers(sandbox, buyer, origin_of),
            *bridge_handlers(sandbox, buyer, origin_of),
            *phone_handlers(sandbox, buyer),
            *account_handlers(sandbox, buyer),
            *receipt_handlers(sandbox, buyer),
            *faults_handlers(sandbox, buyer),
            *site_handlers(sandbox),
        ],
        middleware=[functools.partial(callers_only, sandbox.settings)],
        exception_handlers={BadControl: bad_control, HTTPException: _plain_error},
        logging_config=None,
        on_shutdown=[sandbox.close],
    )
    app.state.sandbox = sandbox
    return app


def _plain_error(request: AnyRequest, error: HTTPException) -> Response[Any]:
    """Addresses nobody serves, in the words of whoever was asked."""
    if request.url.path.startswith("/online/"):
        status_code, body = CURRENT.error(NoSuchAddress())
        return Response(body, status_code=status_code)
    if request.url.path.startswith(("/_sim/", "/v1/", "/files/")):
        return Response({"error": error.detail}, status_code=error.status_code)
    if error.status_code == 404:
        return Page(request).lost()
    return Response(f"{error.status_code} {error.detail}\n", status_code=error.status_code, media_type=MediaType.TEXT)
