"""The control API for tests, under `/_sim/`, outside KakaoPay's own addresses (docs/wire/kakaopay.md, 14)."""

from collections.abc import Callable
from typing import Any

from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from kakaopay_sandbox.buyer import Buyer, Impossible, with_pg_token
from kakaopay_sandbox.call_log import FILTERS
from kakaopay_sandbox.clock import month_of, wire_time, zoned_time
from kakaopay_sandbox.control_body import BadControl, Body
from kakaopay_sandbox.control_faults import fault_handlers
from kakaopay_sandbox.control_kakaopay import kakaopay_handlers
from kakaopay_sandbox.hangup import AnyRequest
from kakaopay_sandbox.ids import new_sid
from kakaopay_sandbox.methods import CARD, METHOD_TYPES, MONEY, WALLET_CARDS
from kakaopay_sandbox.orders import Order
from kakaopay_sandbox.sandbox import Sandbox
from kakaopay_sandbox.settings import CidKind
from kakaopay_sandbox.sids import Sid

SIDS_AT_ONCE_MAX = 100_000
ADVANCE_SECONDS_MAX = 100 * 366 * 24 * 3600


def control_handlers(sandbox: Sandbox, buyer: Buyer, origin_of: Callable[[AnyRequest], str]) -> list[HTTPRouteHandler]:
    return [
        *_order_handlers(sandbox, buyer, origin_of),
        *fault_handlers(sandbox),
        *_clock_handlers(sandbox),
        *_sid_handlers(sandbox, buyer),
        *_buyer_handlers(sandbox),
        *_log_handlers(sandbox),
        *kakaopay_handlers(sandbox, buyer),
    ]


def _order_handlers(sandbox: Sandbox, buyer: Buyer, origin_of: Callable[[AnyRequest], str]) -> list[HTTPRouteHandler]:
    def found(tid: str) -> Order:
        order = buyer.order(tid)
        if order is None:
            raise BadControl(f"tid {tid} is unknown", 404)
        return order

    @post("/_sim/orders/{tid:str}/authenticate", status_code=200)
    async def authenticate(request: AnyRequest, tid: FromPath[str]) -> dict[str, str]:
        """Choose a method and enter the right PIN; answers where the browser would go."""
        body = await Body.of(request, "payment_method_type", "card", "use_points")
        use_points = body.has("use_points") and body.flag("use_points")
        order = found(tid)
        if order.page is None:
            raise BadControl(f"tid {tid} is a charge of a SID; the buyer has no part in it", 409)
        method_type = body.one_of("payment_method_type", METHOD_TYPES, order.method_allowed or MONEY)
        card = body.text("card")
        if card is not None and card not in [known.id for known in WALLET_CARDS]:
            raise BadControl(f"card must be one of {', '.join(known.id for known in WALLET_CARDS)}")
        try:
            order = buyer.authenticate(order, method_type, card, use_points=use_points)
        except Impossible as impossible:
            status_code = 400 if impossible.code == "method" else 409
            name = "payment_method_type" if impossible.code == "method" else "tid"
            raise BadControl(f"{name}: {impossible}", status_code) from impossible
        return {"approval_url": with_pg_token(order.approval_url or "", order.pg_token or "")}

    @post("/_sim/orders/{tid:str}/quit", status_code=200)
    async def quit_order(tid: FromPath[str]) -> dict[str, str | None]:
        """The buyer leaves; answers where the browser would go."""
        order = found(tid)
        if not order.is_open:
            raise BadControl(f"tid: the order is {order.status} and cannot be quit", 409)
        order = buyer.quit(order)
        return {"status": order.status.value, "cancel_url": order.cancel_url}

    @get("/_sim/orders/{tid:str}")
    async def show_order(request: AnyRequest, tid: FromPath[str]) -> dict[str, Any]:
        return _shown_order(sandbox, found(tid), origin_of(request))

    @get("/_sim/orders")
    async def list_orders(request: AnyRequest) -> list[dict[str, Any]]:
        """The latest 100 orders, newest first."""
        with sandbox.database.transaction():
            latest = sandbox.orders.latest(100, sandbox.clock.now())
        return [_shown_order(sandbox, order, origin_of(request)) for order in latest]

    return [authenticate, quit_order, show_order, list_orders]


def _shown_order(sandbox: Sandbox, order: Order, origin: str) -> dict[str, Any]:
    times = {
        name: None if (at := getattr(order, name)) is None else zoned_time(at)
        for name in ("created_at", "expires_at", "approved_at", "canceled_at")
    }
    return {
        "tid": order.tid,
        "kind": order.kind,
        "status": order.status.value,
        "is_expired": bool(order.is_expired),
        "cid": order.cid,
        "sid": order.sid,
        "partner_order_id": order.partner_order_id,
        "partner_user_id": order.partner_user_id,
        "item_name": order.item_name,
        "quantity": order.quantity,
        "amount": order.amount.on_the_wire(),
        "canceled_amount": order.canceled.on_the_wire(),
        "payment_method_type": order.payment_method_type,
        "card": order.card_id,
        "install_month": order.install_month,
        "phone_url": None if order.page is None else f"{origin}/pay/mockup/{order.page}",
        "approval_url": order.approval_url,
        "cancel_url": order.cancel_url,
        "fail_url": order.fail_url,
        **times,
        "way": [{"status": status, "at": zoned_time(at)} for status, at in sandbox.orders.way(order.tid)],
        "actions": [
            {
                "aid": action.aid,
                "payment_action_type": action.action_type,
                "payment_detail_action_type": action.detail_type,
                "amount": action.total,
                "point_amount": action.point,
                "discount_amount": action.discount,
                "payload": action.payload,
                "at": zoned_time(action.at),
            }
            for action in sandbox.actions.of_order(order.tid)
        ],
    }


def _clock_handlers(sandbox: Sandbox) -> list[HTTPRouteHandler]:
    def state() -> dict[str, Any]:
        now = sandbox.clock.now()
        return {
            "now": zoned_time(now),
            "wire": wire_time(now),
            "epoch_seconds": now,
            "advanced_seconds": sandbox.clock.advanced_seconds,
        }

    @get("/_sim/clock")
    async def show_clock() -> dict[str, Any]:
        return state()

    @post("/_sim/clock", status_code=200)
    async def advance_clock(request: AnyRequest) -> dict[str, Any]:
        body = await Body.of(request, "advance_seconds")
        sandbox.advance_clock(body.number("advance_seconds", 0, ADVANCE_SECONDS_MAX))
        return state()

    return [show_clock, advance_clock]


def _sid_handlers(sandbox: Sandbox, buyer: Buyer) -> list[HTTPRouteHandler]:
    def found(sid: str) -> Sid:
        known = sandbox.sids.find(sid)
        if known is None:
            raise BadControl(f"sid {sid} is unknown", 404)
        return known

    def shown(sid: Sid) -> dict[str, Any]:
        times = {
            name: None if (at := getattr(sid, name)) is None else zoned_time(at)
            for name in ("created_at", "last_approved_at", "inactivated_at")
        }
        return {
            "sid": sid.sid,
            "cid": sid.cid,
            "partner_user_id": sid.partner_user_id,
            "payment_method_type": sid.payment_method_type,
            "card": sid.card_id,
            "item_name": sid.item_name,
            "status": sid.status,
            **times,
            "ended_by": sid.ended_by,
            "month": month_of(sandbox.clock.now()),
            "charges_in_month": sid.charges_in_month(sandbox.clock.now()),
            "monthly_limit": sandbox.settings.monthly_limit,
        }

    @get("/_sim/sids")
    async def list_sids(request: AnyRequest) -> list[dict[str, Any]]:
        query = request.query_params
        sids = sandbox.sids.all(cid=query.get("cid"), partner_user_id=query.get("partner_user_id"))
        return [shown(sid) for sid in sids]

    @get("/_sim/sids/{sid:str}")
    async def show_sid(sid: FromPath[str]) -> dict[str, Any]:
        return shown(found(sid))

    @post("/_sim/sids/{sid:str}/end-by-buyer", status_code=200)
    async def end_by_buyer(sid: FromPath[str]) -> dict[str, Any]:
        """The buyer disconnects automatic payment in the phone; the merchant hears nothing."""
        return shown(buyer.end_automatic_payment(found(sid)))

    @post("/_sim/sids", status_code=201)
    async def seed_sids(request: AnyRequest) -> dict[str, Any]:
        """Issue SIDs without an order, for benches and tests that start later in the story."""
        body = await Body.of(request, "cid", "partner_user_id", "payment_method_type", "item_name", "card", "count")
        cid = sandbox.settings.cid(body.needed_text("cid"))
        if cid is None or cid.kind is not CidKind.RECURRING:
            raise BadControl("cid must be one that issues SIDs")
        method_type = body.one_of("payment_method_type", METHOD_TYPES, MONEY)
        card_ids = tuple(card.id for card in WALLET_CARDS)
        card_id = body.one_of("card", card_ids, card_ids[0]) if method_type == CARD else None
        user, item = body.needed_text("partner_user_id"), body.text("item_name", "정기 결제") or ""
        seeded = [new_sid() for _ in range(body.number("count", 1, SIDS_AT_ONCE_MAX, 1))]
        with sandbox.database.transaction():
            for sid in seeded:
                sandbox.sids.add(
                    sid=sid,
                    cid=cid.code,
                    partner_user_id=user,
                    payment_method_type=method_type,
                    card_id=card_id,
                    item_name=item,
                    at=sandbox.clock.now(),
                    last_approved_at=None,
                )
        return {"sid": seeded[0]} | ({"sids": seeded} if body.has("count") else {})

    return [list_sids, show_sid, end_by_buyer, seed_sids]


def _buyer_handlers(sandbox: Sandbox) -> list[HTTPRouteHandler]:
    def state() -> dict[str, Any]:
        wallet = sandbox.wallet
        return {
            "balance": wallet.balance,
            "auto_top_up": wallet.auto_top_up,
            "points": wallet.points,
            "use_points": wallet.use_points,
            "discount": wallet.discount,
            "pin": wallet.pin,
            "cards": [
                {
                    "card": card.id,
                    "code": card.code,
                    "name": card.name,
                    "card_type": card.card_type,
                    "decline_code": card.decline_code,
                }
                for card in wallet.cards()
            ],
        }

    @get("/_sim/buyer")
    async def show_buyer() -> dict[str, Any]:
        return state()

    @post("/_sim/buyer", status_code=200)
    async def change_buyer(request: AnyRequest) -> dict[str, Any]:
        """Set the Money balance, automatic top-up, the points and whether automatic payments use them.

        Also the discount that KakaoPay grants off each payment, or how one card declines (null makes it good again).
        """
        names = ("balance", "auto_top_up", "points", "use_points", "discount", "card", "decline_code")
        body = await Body.of(request, *names)
        card_ids = tuple(card.id for card in WALLET_CARDS)
        with sandbox.database.transaction():
            if body.has("balance"):
                sandbox.wallet.set_balance(body.number("balance", 0, 10**12))
            if body.has("auto_top_up"):
                sandbox.wallet.set_auto_top_up(body.flag("auto_top_up"))
            if body.has("points"):
                sandbox.wallet.set_points(body.number("points", 0, 10**12))
            if body.has("use_points"):
                sandbox.wallet.set_use_points(body.flag("use_points"))
            if body.has("discount"):
                sandbox.wallet.set_discount(body.number("discount", 0, 10**12))
            if body.has("card"):
                code = body.text("decline_code")
                if code is not None and len(code) != 4:
                    raise BadControl("decline_code must have four characters, such as 0002")
                sandbox.wallet.set_decline_code(body.one_of("card", card_ids), code)
            elif body.has("decline_code"):
                raise BadControl("card is missing: decline_code belongs to one card")
        return state()

    return [show_buyer, change_buyer]


def _log_handlers(sandbox: Sandbox) -> list[HTTPRouteHandler]:
    @get("/_sim/log")
    async def read_log(request: AnyRequest) -> list[dict[str, object]]:
        """Every call and every act of the buyer, oldest first; any column filters, `after` and `limit` page."""
        filters = dict(request.query_params.items())
        page = {"after": 0, "limit": -1}
        for name in page:
            value = filters.pop(name, None)
            if value is not None:
                if not value.isascii() or not value.isdigit() or len(value) > 15:
                    raise BadControl(f"{name} must be a whole number")
                page[name] = int(value)
        for name in filters:
            if name not in FILTERS:
                raise BadControl(f"{name} is not a column of the log; columns are {', '.join(FILTERS)}")
        return sandbox.call_log.read(filters, after=page["after"], limit=page["limit"])

    @get(["/_sim/healthz", "/healthz"])
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return [read_log, healthz]
