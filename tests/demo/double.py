"""A contract double of the payment server: the documented REST answers, over real HTTP, and a list of what was asked.

Source: docs/wire/portone-v1-rest.md sections 1, 2, 4.2, 4.3, 4.5.1 and 4.6.
"""

import itertools
from typing import Any, Self

from aiohttp import web

Json = dict[str, Any]


def ok(response: Any) -> web.Response:
    return web.json_response({"code": 0, "message": None, "response": response})


def no(code: int, message: str, status: int = 200) -> web.Response:
    return web.json_response({"code": code, "message": message, "response": None}, status=status)


class PaymentServer:
    """`payments` is what the server knows; `next_charge` decides what the next charge comes to."""

    def __init__(self) -> None:
        self.payments: dict[str, Json] = {}
        self.keys: dict[str, str] = {}
        self.asked: list[tuple[str, str, Json]] = []
        self.next_charge = "paid"
        self.plans: dict[str, Json] = {}
        self.next_plan = "taken"
        self._numbers = itertools.count(1)
        self._tokens = 0
        self.good_token = ""
        self.app = web.Application()
        self.app.add_routes(
            [
                web.post("/users/getToken", self._token),
                web.get("/payments/find/{merchant_uid}", self._find),
                web.get("/payments/{imp_uid}", self._payment),
                web.post("/payments/cancel", self._cancel),
                web.post("/subscribe/payments/again", self._again),
                web.post("/subscribe/payments/schedule", self._schedule),
                web.post("/subscribe/payments/unschedule", self._unschedule),
                web.get("/subscribe/payments/schedule/{merchant_uid}", self._planned),
                web.get("/subscribe/customers/{customer_uid}", self._customer),
                web.delete("/subscribe/customers/{customer_uid}", self._delete),
            ]
        )

    async def __aenter__(self) -> Self:
        self._runner = web.AppRunner(self.app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def pays(self, order: Json, **changes: Any) -> str:
        """The buyer went through the window; answers the imp_uid."""
        imp_uid = f"imp_{next(self._numbers):012}"
        self.payments[imp_uid] = {
            "imp_uid": imp_uid,
            "merchant_uid": order["merchant_uid"],
            "amount": order["amount"],
            "currency": "KRW",
            "customer_uid": order["customer_uid"],
            "status": "paid",
            "fail_reason": None,
            "cancel_reason": None,
            "pay_method": "point",
            "receipt_url": None,
        } | changes
        if order["customer_uid"] and self.payments[imp_uid]["status"] == "paid":
            self.keys[order["customer_uid"]] = "카카오페이머니"
        return imp_uid

    def asked_for(self, method: str, start: str) -> list[Json]:
        return [body for verb, path, body in self.asked if verb == method and path.startswith(start)]

    async def _heard(self, request: web.Request) -> web.Response | Json:
        body: Json = await request.json() if request.can_read_body else {}
        self.asked.append((request.method, request.path, body))
        if request.headers.get("Authorization") != f"Bearer {self.good_token}":
            return no(-1, "Unauthorized", 401)
        return body

    async def _token(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(("POST", request.path, body))
        if body["imp_secret"] != "secret-of-the-shop":
            return no(-1, "인증에 실패하였습니다. API키와 secret을 확인하세요.", 401)
        self._tokens += 1
        self.good_token = f"{self._tokens:040x}"
        return ok({"access_token": self.good_token, "now": 1_700_000_000, "expired_at": 1_700_001_800})

    async def _payment(self, request: web.Request) -> web.Response:
        body = await self._heard(request)
        if isinstance(body, web.Response):
            return body
        payment = self.payments.get(request.match_info["imp_uid"])
        return ok(payment) if payment else no(-1, "존재하지 않는 결제정보입니다.", 404)

    async def _find(self, request: web.Request) -> web.Response:
        body = await self._heard(request)
        if isinstance(body, web.Response):
            return body
        uid = request.match_info["merchant_uid"]
        found = [payment for payment in self.payments.values() if payment["merchant_uid"] == uid]
        return ok(found[-1]) if found else no(-1, "존재하지 않는 결제정보입니다.", 404)

    async def _cancel(self, request: web.Request) -> web.Response:
        body = await self._heard(request)
        if isinstance(body, web.Response):
            return body
        payment = self.payments[body["imp_uid"]]
        payment |= {"status": "cancelled", "cancel_reason": body["reason"]}
        return ok(payment)

    async def _again(self, request: web.Request) -> web.Response:
        body = await self._heard(request)
        if isinstance(body, web.Response):
            return body
        if body["customer_uid"] not in self.keys:
            return no(1, "등록되지 않은 구매자입니다.")
        match self.next_charge:
            case "paid":
                return ok(self.payments[self.pays(body)])
            case "other amount":
                return ok(self.payments[self.pays(body | {"amount": 1})])
            case "unknown":
                self.pays(body, status="ready", pay_method=None)
                return no(-1, "결제 결과를 확인하고 있습니다.")
            case "garbled":
                self.pays(body)
                return web.Response(status=502, text="<html>")
            case "lost":
                return web.Response(status=502, text="<html>")
            case reason:
                return ok(self.payments[self.pays(body, status="failed", fail_reason=reason)])

    async def _schedule(self, request: web.Request) -> web.Response:
        body = await self._heard(request)
        if isinstance(body, web.Response):
            return body
        match self.next_plan:
            case "lost":
                return web.Response(status=502, text="<html>")
            case "refused":
                return no(1, "등록되지 않은 구매자입니다.")
        for charge in body["schedules"]:
            self.plans[charge["merchant_uid"]] = charge | {"customer_uid": body["customer_uid"]}
        if self.next_plan == "garbled":
            return web.Response(status=502, text="<html>")
        return ok(body["schedules"])

    async def _unschedule(self, request: web.Request) -> web.Response:
        body = await self._heard(request)
        if isinstance(body, web.Response):
            return body
        return ok([self.plans.pop(body["merchant_uid"])])

    async def _planned(self, request: web.Request) -> web.Response:
        body = await self._heard(request)
        if isinstance(body, web.Response):
            return body
        plan = self.plans.get(request.match_info["merchant_uid"])
        return ok(plan) if plan else no(1, "예약결제 정보를 찾을 수 없습니다.", 404)

    async def _customer(self, request: web.Request) -> web.Response:
        body = await self._heard(request)
        if isinstance(body, web.Response):
            return body
        uid = request.match_info["customer_uid"]
        if uid not in self.keys:
            return no(1, f"요청하신 customer_uid({uid})로 등록된 정보를 찾을 수 없습니다.")
        return ok({"customer_uid": uid, "card_name": self.keys[uid]})

    async def _delete(self, request: web.Request) -> web.Response:
        body = await self._heard(request)
        if isinstance(body, web.Response):
            return body
        uid = request.match_info["customer_uid"]
        if uid not in self.keys:
            return no(1, f"요청하신 customer_uid({uid})로 등록된 정보를 찾을 수 없습니다.")
        return ok({"customer_uid": uid, "card_name": self.keys.pop(uid)})
