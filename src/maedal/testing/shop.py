"""What a test says of a merchant, its buyers and KakaoPay, each done for real over the public interfaces."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from maedal.testing.http import Answer, ask
from maedal.testing.receiver import Inbox

Json = dict[str, Any]

NAME = "월간 이용권"
PAGE_ORIGIN = "http://shop.test"
BALANCE = 10_000_000
"""What the simulated buyer has at the beginning of a test, in won."""
DONE_SECONDS_MAX = 60.0
LOOK_SECONDS = 0.05
OPERATIONS = {"window": "ready", "charge": "subscription", "key_end": "inactive"}
"""In a shop's words; `approve`, `cancel`, `status` and `order` are the simulator's own."""
KINDS = {
    "declined": "decline",
    "lost": "drop_after",
    "unreachable": "drop_before",
    "error": "error_500_before",
    "garbled": "garbled_after",
    "slow": "delay",
}
"""In a shop's words; the simulator's own kinds (docs/wire/kakaopay.md 14.12) are taken too."""
DEFAULT_DECLINE = "NOT_ENOUGH_BALANCE"


class Refused(Exception):
    """The gateway answered with a `code` other than 0: V1's own refusal, in V1's own words."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(f"HTTP {status}, code {code}: {message}")
        self.status, self.code, self.message = status, code, message


class Broken(Exception):
    """Something that a test leans on did not answer as it always does; the text says what came."""


@dataclass(frozen=True, slots=True)
class Window:
    """A payment window that is open."""

    imp_uid: str
    merchant_uid: str
    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Control:
    """The control API of a running `maedal dev`."""

    url: str
    key: str = field(repr=False)

    def __call__(self, method: str, path: str, body: Json | None = None) -> Json:
        """Ask it. Raises Broken with its own words when it refuses."""
        headers = {"Authorization": f"Bearer {self.key}"}
        # A journey of a year, with all that happens on the way, takes its time.
        answer = ask(method, self.url + path, body=body, headers=headers, seconds=1800)
        content: Json = answer.json()
        if answer.status not in {200, 201, 409}:
            raise Broken(f"{method} {path}: {content.get('error', content)}")
        return content


_orders = itertools.count(1)


def new_id(prefix: str) -> str:
    """Return an order number or customer that no other test has used."""
    return f"{prefix}_{secrets.token_hex(4)}_{next(_orders)}"


class Shop:
    """A merchant of its own in a running `maedal dev`, with the hands of its server, its page and its buyer.

    Methods raise `Refused` where the gateway refuses. A declined payment is none: look at `status` and `fail_reason`.
    """

    def __init__(self, addresses: Mapping[str, Any], merchant: Mapping[str, Any], control: Control) -> None:
        self.gateway: str = addresses["gateway"]
        """The REST API: what a shop has instead of `https://api.iamport.kr`."""
        self.script: str = addresses["script"]
        """The browser SDK: what a page loads instead of PortOne's."""
        self.simulator: str = addresses["simulator"]
        """KakaoPay's simulator; its first page is the buyer's phone."""
        self.identification_code: str = merchant["identification_code"]
        """For `IMP.init`."""
        self.api_key: str = merchant["api_key"]
        self.api_secret: str = merchant["api_secret"]
        self.webhook_secret: str | None = merchant.get("webhook_secret")
        """The secret that signs webhooks as Standard Webhooks says; None when they are not signed."""
        self.pg: dict[str, str] = dict(merchant["pg"])
        """`one_time` and `recurring`: what a page names as `pg`."""
        self.webhooks = Inbox()
        """What this merchant was sent."""
        self.control = control
        self._token: tuple[str, float] | None = None

    # -- the merchant's server

    def token(self) -> str:
        """Return an access token, fetched anew once the gateway's clock has passed its end."""
        if self._token is None or self.now.timestamp() > self._token[1] - 30:
            pair = {"imp_key": self.api_key, "imp_secret": self.api_secret}
            answer = _response(ask("POST", f"{self.gateway}/users/getToken", body=pair))
            self._token = (answer["access_token"], float(answer["expired_at"]))
        return self._token[0]

    def call(self, method: str, path: str, body: Json | None = None) -> Any:
        """Call the REST API and return its `response`. Raises Refused."""
        return _response(ask(method, self.gateway + path, body=body, headers={"Authorization": self.token()}))

    def charge(self, customer_uid: str, amount: int = 1_000, merchant_uid: str | None = None, **more: Any) -> Json:
        """Charge a billing key (`POST /subscribe/payments/again`) and return the payment, `paid` or `failed`."""
        body = {"customer_uid": customer_uid, "merchant_uid": merchant_uid or new_id("order"), "amount": amount}
        payment: Json = self.call("POST", "/subscribe/payments/again", {"name": NAME, **body, **more})
        return payment

    def schedule(
        self,
        customer_uid: str,
        amount: int = 1_000,
        merchant_uid: str | None = None,
        *,
        at: datetime | float | None = None,
        after: timedelta = timedelta(days=30),
        **more: Any,
    ) -> Json:
        """Plan a charge `at` a time, or so long `after` now by the gateway's clock, and return it."""
        when = self.now + after if at is None else at
        seconds = when.timestamp() if isinstance(when, datetime) else when
        entry = {"merchant_uid": merchant_uid or new_id("plan"), "schedule_at": int(seconds), "amount": amount}
        body = {"customer_uid": customer_uid, "schedules": [{"name": NAME, **entry, **more}]}
        planned: list[Json] = self.call("POST", "/subscribe/payments/schedule", body)
        return planned[0]

    def planned(self, merchant_uid: str) -> Json:
        """Return a scheduled charge: `schedule_status` is `scheduled`, `executed` or `revoked`."""
        found: Json = self.call("GET", f"/subscribe/payments/schedule/{quote(merchant_uid, safe='')}")
        return found

    def unschedule(self, customer_uid: str, merchant_uid: str | None = None) -> list[Json]:
        """Take back one scheduled charge of a customer, or all."""
        body = {"customer_uid": customer_uid} | ({} if merchant_uid is None else {"merchant_uid": merchant_uid})
        revoked: list[Json] = self.call("POST", "/subscribe/payments/unschedule", body)
        return revoked

    def cancel(self, merchant_uid: str, amount: int | None = None, reason: str = "test", **more: Any) -> Json:
        """Give back all or a part of a payment, and return it. `enable_webhook=True` has it told by webhook."""
        part = {} if amount is None else {"amount": amount}
        body = {"merchant_uid": merchant_uid, "reason": reason, **part, **more}
        payment: Json = self.call("POST", "/payments/cancel", body)
        return payment

    def payment(self, merchant_uid: str | None = None, *, imp_uid: str | None = None) -> Json:
        """Return a payment, by order number or by `imp_uid`. Raises Refused when there is none."""
        path = f"/payments/{imp_uid}?include_sandbox=true"
        if imp_uid is None:
            path = f"/payments/find/{quote(merchant_uid or '', safe='')}"
        payment: Json = self.call("GET", path)
        return payment

    def customer(self, customer_uid: str) -> Json:
        """Return a billing key. Raises Refused when there is none."""
        found: Json = self.call("GET", f"/subscribe/customers/{quote(customer_uid, safe='')}")
        return found

    def delete_key(self, customer_uid: str) -> Json:
        """End a billing key, at KakaoPay too."""
        ended: Json = self.call("DELETE", f"/subscribe/customers/{quote(customer_uid, safe='')}")
        return ended

    # -- the page and the buyer

    def open_window(
        self, amount: int = 1_000, merchant_uid: str | None = None, *, pg: str | None = None, **params: Any
    ) -> Window:
        """Do what the SDK does when a page calls `IMP.request_pay`. Raises Refused with what the callback would get."""
        pg = pg or self.pg["recurring" if params.get("customer_uid") else "one_time"]
        order = {"pg": pg, "merchant_uid": merchant_uid or new_id("order"), "amount": amount, "name": NAME}
        call = {
            "user_code": self.identification_code,
            "tier_code": None,
            "nonce": secrets.token_hex(16),
            "device": "pc",
            "ios": False,
            "presentation": "frame",
            "has_callback": True,
            "page": {"origin": PAGE_ORIGIN, "url": f"{PAGE_ORIGIN}/pay"},
            "params": {"pay_method": "card", **order, **params},
        }
        answer = ask("POST", f"{self.gateway}/sdk/payments", body=call, headers={"Origin": PAGE_ORIGIN})
        opened: Json = answer.json()
        if "next" not in opened:
            raise Refused(answer.status, -1, f"{opened.get('error_code')}: {opened.get('error_msg')}")
        return Window(opened["imp_uid"], opened["merchant_uid"], opened["next"]["url"], opened["token"])

    def buyer_pays(self, window: Window | str, method: str = "MONEY", card: str | None = None) -> Json:
        """Let the buyer agree in a window, named by its `imp_uid` too, and come back; gives the payment as it ended.

        `method` is `MONEY` or `CARD`, with `card` one of the simulated wallet's.
        """
        imp_uid = window if isinstance(window, str) else window.imp_uid
        body = {"payment_method_type": method} | ({} if card is None else {"card": card})
        way = self.simulate("POST", f"/orders/{self._tid(imp_uid)}/authenticate", body)
        ask("GET", way["approval_url"])
        return self._ended(imp_uid)

    def buyer_leaves(self, window: Window | str) -> Json:
        """Let the buyer stop in the KakaoPay app and come back; gives the payment, `failed`."""
        imp_uid = window if isinstance(window, str) else window.imp_uid
        way = self.simulate("POST", f"/orders/{self._tid(imp_uid)}/quit")
        ask("GET", way["cancel_url"])
        return self._ended(imp_uid)

    def pay(
        self, amount: int = 1_000, merchant_uid: str | None = None, *, method: str = "MONEY", **params: Any
    ) -> Json:
        """Pay once in the window and return the payment, `paid` or `failed`."""
        return self.buyer_pays(self.open_window(amount, merchant_uid, **params), method)

    def issue_key(
        self,
        customer_uid: str | None = None,
        *,
        amount: int = 0,
        method: str = "MONEY",
        settle: bool = True,
        **params: Any,
    ) -> str:
        """Register a billing key in the window, with a first payment if `amount` is not 0; gives the customer_uid.

        A key is charged only once its approval has settled for a few seconds; `settle` lets them pass on the clock.
        Raises Refused when the payment failed.
        """
        customer_uid = customer_uid or new_id("customer")
        window = self.open_window(amount, customer_uid=customer_uid, **params)
        payment = self.buyer_pays(window, method)
        if payment["status"] != "paid":
            raise Refused(200, -1, f"no key was issued: {payment['fail_reason']}")
        if settle:
            self.settle()
        return customer_uid

    def buyer_ends_key(self, customer_uid: str) -> None:
        """Let the buyer end automatic payment in the KakaoPay app, of which a shop hears nothing."""
        self.simulate("POST", f"/sids/{self._sid_of(customer_uid)}/end-by-buyer")

    # -- KakaoPay

    def fail_next(
        self,
        kind: str = "declined",
        *,
        operation: str = "charge",
        times: int = 1,
        code: str | None = None,
        seconds: float | None = None,
        customer_uid: str | None = None,
    ) -> str:
        """Let the next calls to KakaoPay go wrong, or those of one customer's key alone; gives the fault's id.

        `kind` is `declined` (with the payment method's `code`, a Money account without balance if none is given),
        `lost` (done, and the answer is lost), `unreachable`, `error` (500, nothing done), `garbled`, or `slow` (for
        `seconds`). `operation` is `charge`, `approve`, `window`, `cancel`, `key_end`, `status` or `order`.
        """
        fault: Json = {
            "operation": OPERATIONS.get(operation, operation),
            "kind": KINDS.get(kind, kind),
            "times": times,
        }
        if fault["kind"] == "decline":
            fault["method_result_code"] = code or DEFAULT_DECLINE
        if seconds is not None:
            fault["delay_seconds"] = seconds
        if customer_uid is not None:
            fault["sid"] = self._sid_of(customer_uid)
        return str(self.simulate("POST", "/faults", fault)["id"])

    def simulate(self, method: str, path: str, body: Json | None = None) -> Any:
        """Call the simulator's own control (`/_sim/`, docs/wire/kakaopay.md 14). Raises Broken."""
        # Of use where the simulator runs on another machine.
        headers = {"Authorization": f"Bearer {self.control.key}"}
        answer = ask(method, f"{self.simulator}/_sim{path}", body=body, headers=headers)
        if answer.status not in {200, 201}:
            raise Broken(f"the simulator refused {method} {path}: {answer.content.decode('utf-8', 'replace')}")
        return answer.json()

    def calm(self) -> None:
        """Take back every fault, and give the buyer a full account and good cards."""
        self.simulate("DELETE", "/faults")
        buyer = self.simulate("POST", "/buyer", {"balance": BALANCE, "auto_top_up": False, "points": 0, "discount": 0})
        for card in buyer["cards"]:
            if card["decline_code"] is not None:
                self.simulate("POST", "/buyer", {"card": card["card"], "decline_code": None})

    # -- time

    @property
    def now(self) -> datetime:
        """What time it is for gateway, simulator and shop."""
        return datetime.fromtimestamp(self.control("GET", "/clock")["now"], UTC)

    def travel(self, *, to: datetime | None = None, **by: float) -> datetime:
        """Travel `to` a time or by `days=31`, `hours=…`, `minutes=…`, `seconds=…`; gives the time of arrival.

        What is due on the way happens at its time: scheduled charges, retries, webhooks, the ends of windows. Time goes
        forward only, for the whole session of tests.
        """
        way = {"to": to.timestamp()} if to is not None else {"seconds": timedelta(**by).total_seconds()}
        return datetime.fromtimestamp(self.control("POST", "/travel", way)["now"], UTC)

    def settle(self) -> None:
        """Let so much time pass that keys which were approved just now can be charged at once."""
        self.control("POST", "/travel", {"settle": True})

    # -- its webhooks

    def webhooks_go_to(self, url: str) -> None:
        """Have the gateway send this merchant's webhooks straight to an address; `webhooks` then gets none."""
        self.set_webhook(url=url)

    def set_webhook(self, **change: Any) -> str | None:
        """Change `url`, `type` (json, form), `retry` (none, few, patient) or `failures`; gives the url before."""
        code = self.identification_code
        before: str | None = self.control("PUT", f"/merchants/{code}/webhook", change)["before"]
        return before

    def end(self) -> None:
        """Take back what is planned and send nothing more: the test is over."""
        self.control("DELETE", f"/merchants/{self.identification_code}/plans")
        self.set_webhook(url="")

    def _tid(self, imp_uid: str) -> str:
        tid: str = self.payment(imp_uid=imp_uid)["pg_tid"]
        return tid

    def _ended(self, imp_uid: str) -> Json:
        deadline = time.monotonic() + DONE_SECONDS_MAX
        while (payment := self.payment(imp_uid=imp_uid))["status"] == "ready":
            if time.monotonic() > deadline:
                raise Broken(f"{imp_uid} is still ready after {DONE_SECONDS_MAX:g} seconds")
            time.sleep(LOOK_SECONDS)
        return payment

    def _sid_of(self, customer_uid: str) -> str:
        sid: str = self.simulate("GET", f"/orders/{self._issue_of(customer_uid)['pg_tid']}")["sid"]
        return sid

    def _issue_of(self, customer_uid: str) -> Json:
        path = f"/subscribe/customers/{quote(customer_uid, safe='')}/payments"
        for payment in self.call("GET", path)["list"]:
            if payment["status"] == "paid" and payment["channel"] != "api":
                issue: Json = payment
                return issue
        raise Broken(f"no payment in the window has issued a key to {customer_uid}")


def _response(answer: Answer) -> Any:
    try:
        content = answer.json()
        code, message = content["code"], content["message"]
    except (ValueError, LookupError, TypeError):
        raise Broken(f"HTTP {answer.status}, and no answer of V1 in it") from None
    if code != 0:
        raise Refused(answer.status, code, message)
    return content["response"]
