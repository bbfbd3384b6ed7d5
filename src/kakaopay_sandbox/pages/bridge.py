"""The waiting pages behind the three redirect URLs (docs/wire/kakaopay.md, 4.1, 5 and 10).

They poll until the buyer is done on the phone, then move on to the shop by themselves.
"""

import io
from typing import Any

import segno
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from kakaopay_sandbox.buyer import Buyer, way_back
from kakaopay_sandbox.errors import NotATalkUser
from kakaopay_sandbox.hangup import AnyRequest
from kakaopay_sandbox.operations.ready import REDIRECT_KINDS, redirect_kind
from kakaopay_sandbox.orders import Order
from kakaopay_sandbox.pages.page import OriginOf, Page, away, form_of, seconds_left
from kakaopay_sandbox.sandbox import Sandbox

PC = "pc"
DEVICES = (PC, "mobile-web", "mobile-app")
BRIDGE = "/mockup/bridge/{device:str}/pg/{kind:str}/{step:str}/{code:str}"


def qr_code(url: str) -> str:
    """An SVG that any phone can scan."""
    svg = io.BytesIO()
    segno.make(url, error="m", micro=False).save(svg, kind="svg", xmldecl=False, svgns=True, border=4, omitsize=True)
    return svg.getvalue().decode()


def bridge_path(device: str, order: Order) -> str:
    kind = redirect_kind(is_recurring=order.is_recurring, total=order.total)
    return f"/mockup/bridge/{device}/pg/{kind}/{order.page}"


def bridge_handlers(sandbox: Sandbox, buyer: Buyer, origin_of: OriginOf) -> list[HTTPRouteHandler]:
    def found(device: str, kind: str, step: str, code: str) -> Order | None:
        if device not in DEVICES or f"{kind}/{step}" not in REDIRECT_KINDS:
            return None
        return buyer.order_by_page(code)

    def show(request: AnyRequest, order: Order, device: str, **values: Any) -> Response[Any]:
        page = Page(request)
        problem = values.get("problem", "")
        is_by_message = problem == "no-talk" or request.query_params.get("way") == "message"
        phone_url = f"{origin_of(request)}/pay/mockup/{order.page}"
        return page.show(
            "bridge_pc.html" if device == PC else "bridge_mobile.html",
            order=order,
            device=device,
            path=bridge_path(device, order),
            phone_path=f"/pay/mockup/{order.page}",
            phone_url=phone_url,
            qr=qr_code(phone_url),
            seconds_left=seconds_left(order, sandbox.clock.now()),
            problem=problem,
            way="message" if is_by_message else "qr",
        )

    @get(BRIDGE)
    async def wait(
        request: AnyRequest, device: FromPath[str], kind: FromPath[str], step: FromPath[str], code: FromPath[str]
    ) -> Response[Any]:
        order = found(device, kind, step, code)
        if order is None:
            return Page(request).lost()
        # A browser without scripts comes here again and again, and leaves by this door.
        onward = way_back(order)
        if onward is not None:
            return away(onward)
        problem = "not-yet" if "notyet" in request.query_params else ""
        return show(request, order, device, problem=problem)

    @post(BRIDGE + "/{act:str}", status_code=200)
    async def act_on(
        request: AnyRequest,
        device: FromPath[str],
        kind: FromPath[str],
        step: FromPath[str],
        code: FromPath[str],
        act: FromPath[str],
    ) -> Response[Any]:
        form = await form_of(request)
        order = found(device, kind, step, code)
        page = Page(request)
        if order is None or act not in {"quit", "check", "message"}:
            return page.lost()
        if act == "quit":
            order = buyer.quit(order)
        elif act == "message":
            try:
                order = buyer.ask_for_message(order, form.get("number", ""))
            except NotATalkUser:
                return show(request, order, device, problem="no-talk")
            return page.go(bridge_path(device, order), way="message")
        query = {"notyet": "1"} if act == "check" and way_back(order) is None else {}
        return page.go(bridge_path(device, order), **query)

    @get("/mockup/state/{code:str}")
    async def state(code: FromPath[str]) -> Response[Any]:
        """What a waiting page asks for every second."""
        order = buyer.order_by_page(code)
        if order is None:
            return Response({"error": "no such order"}, status_code=404)
        return Response(
            {
                "status": order.status.value,
                "seconds_left": seconds_left(order, sandbox.clock.now()),
                "next_url": way_back(order),
            },
            headers={"cache-control": "no-store"},
        )

    return [wait, act_on, state]
