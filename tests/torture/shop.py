"""A shop of the testbed and its buyers: what they do when an answer does not come is what the real ones would do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

from maedal.rest.idempotency import LEASE, STILL_RUNNING

from .testbed import CODE, PATIENCE_SECONDS, Reply, Testbed

ONE_REQUEST = "torture, once:"
"""How the reason of a cancel begins that was asked for under an Idempotency-Key."""


class Shop:
    """Calls one gateway of the testbed, and the next one when nothing comes, as behind a load balancer.

    `tag` begins every merchant_uid, so that a finding names its story.
    """

    def __init__(self, testbed: Testbed, tag: str, node: int = 0) -> None:
        self.testbed, self.tag, self.node = testbed, tag, node
        self._count = 0

    def uid(self, what: str = "o") -> str:
        self._count += 1
        return f"{self.tag}.{what}{self._count}"

    def _next_node(self) -> None:
        self.node = (self.node + 1) % len(self.testbed.ports)

    # -- the page and the buyer

    def open_window(self, merchant_uid: str, amount: int, customer_uid: str | None = None) -> dict[str, Any] | None:
        """Press the button; once more when nothing comes."""
        params = {"pg": "kakaopay", "merchant_uid": merchant_uid, "amount": amount, "name": "Monthly plan"}
        if customer_uid is not None:
            params["customer_uid"] = customer_uid
        body = {
            "user_code": CODE,
            "nonce": "0123456789abcdef",
            "device": "pc",
            "presentation": "frame",
            "page": {"origin": "http://shop.test", "url": "http://shop.test/pay"},
            "params": params,
        }
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            reply = self.testbed.once("POST", "/sdk/payments", body, node=self.node, token=False)
            if reply.status is not None and reply.status < 500:
                return reply.body if reply.body.get("token") else None
            self._next_node()
            time.sleep(0.1)
        return None

    def agree(self, opened: dict[str, Any], method: str = "MONEY") -> None:
        """Agree on the phone, and come back; the buyer reloads a page that does not come."""
        payment = self.testbed.ask(f"/payments/{opened['imp_uid']}").response
        if payment is None:
            return  # an asynchronous standby was promoted, and has forgotten the window
        tid = payment["pg_tid"]
        opened_page = self.testbed.sim("POST", f"orders/{tid}/authenticate", {"payment_method_type": method})
        if "approval_url" not in opened_page:
            return
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                if self.testbed.http.get(opened_page["approval_url"]).status_code < 500:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)

    def end_window(self, opened: dict[str, Any], **more: str) -> Reply:
        body = {"token": opened["token"]} | more
        return self.testbed.once("POST", f"/sdk/payments/{opened['imp_uid']}/close", body, node=self.node, token=False)

    def result(self, opened: dict[str, Any]) -> Reply:
        """Ask as the page does; what it is told of the payment is held against the records."""
        path = f"/sdk/payments/{opened['imp_uid']}?token={opened['token']}"
        return self.testbed.keep(self.tag, "page", opened, self.testbed.ask(path, token=False))

    def issue_key(
        self, customer_uid: str, amount: int = 0, method: str = "MONEY", merchant_uid: str | None = None
    ) -> dict[str, Any] | None:
        opened = self.open_window(merchant_uid or self.uid("k"), amount, customer_uid)
        if opened is not None:
            self.agree(opened, method)
            self.result(opened)
        return opened

    # -- the merchant's server

    def register(self, merchant_uid: str, amount: int, customer_uid: str) -> None:
        """Say beforehand what a window will ask for: then the key that it issues ends the one before at KakaoPay."""
        request = {"merchant_uid": merchant_uid, "amount": amount, "customer_uid": customer_uid}
        assert self.testbed.once("POST", "/payments/prepare", request, node=self.node).status == 200

    def again(self, customer_uid: str, amount: int = 3_000, merchant_uid: str | None = None) -> Reply:
        """Charge; when nothing comes, look whether it was charged, and only otherwise call again."""
        request = {"customer_uid": customer_uid, "merchant_uid": merchant_uid or self.uid(), "amount": amount}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            reply = self.testbed.once("POST", "/subscribe/payments/again", request, node=self.node)
            self.testbed.keep(self.tag, "again", request, reply)
            if reply.status is not None and reply.status < 500:
                return reply
            found = self.testbed.ask(f"/payments/find/{request['merchant_uid']}")
            if found.response is not None:
                return found
            assert time.monotonic() < deadline, "the charge never got through"
            self._next_node()
            time.sleep(0.05)

    def cancel(self, imp_uid: str, amount: int | None = None) -> Reply:
        """Give back once; a cancel that is not answered is not repeated but looked at."""
        request: dict[str, Any] = {"imp_uid": imp_uid, "reason": "torture"}
        if amount is not None:
            request["amount"] = amount
        reply = self.testbed.once("POST", "/payments/cancel", request, node=self.node)
        return self.testbed.keep(self.tag, "cancel", request, reply)

    def insist(self, action: str, path: str, request: dict[str, Any], key: str | None = None) -> Reply:
        """Call under one Idempotency-Key until an answer comes, without ever looking whether it was done.

        Time is moved on for it, so it must be alone: what is under way at the simulator would arrive hours late.
        """
        key = key or self.uid("key")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            reply = self._ask_once(action, path, request, key)
            if reply.status is not None and reply.status < 500 and reply.status != STILL_RUNNING.status:
                return reply
            assert time.monotonic() < deadline, "the call never got through"
            # Whoever was carrying it out, and died, leaves a lease behind.
            self.testbed.advance(LEASE.total_seconds() + 1)
            self._next_node()
            time.sleep(0.05)

    def begin_to_insist(self, action: str, path: str, request: dict[str, Any]) -> Callable[[], Reply] | None:
        """Call once under an Idempotency-Key; without an answer, give what goes on with that later."""
        key = self.uid("key")
        reply = self._ask_once(action, path, request, key)
        if reply.status is not None and reply.status < 500:
            return None
        return lambda: self.insist(action, path, request, key)

    def _ask_once(self, action: str, path: str, request: dict[str, Any], key: str) -> Reply:
        return self.testbed.keep(
            self.tag, action, request, self.testbed.once("POST", path, request, node=self.node, key=key)
        )

    def charge_request(self, customer_uid: str, amount: int = 3_000) -> tuple[str, str, dict[str, Any]]:
        request = {"customer_uid": customer_uid, "merchant_uid": self.uid(), "amount": amount}
        return "again", "/subscribe/payments/again", request

    def cancel_request(self, imp_uid: str, amount: int) -> tuple[str, str, dict[str, Any]]:
        """Give a part back; the reason names this one request, so that the records show whether it was granted twice."""
        reason = f"{ONE_REQUEST} {self.uid('request')}"
        return "cancel", "/payments/cancel", {"imp_uid": imp_uid, "amount": amount, "reason": reason}

    def schedule(self, customer_uid: str, in_seconds: float, amount: int = 4_000) -> str | None:
        """Plan a charge and return its merchant_uid; ask whether it was planned when nothing comes."""
        merchant_uid = self.uid("s")
        entry = {
            "merchant_uid": merchant_uid,
            "schedule_at": int(self.testbed.clock.now().timestamp() + in_seconds),
            "amount": amount,
        }
        request = {"customer_uid": customer_uid, "schedules": [entry]}
        for _ in range(100):
            reply = self.testbed.once("POST", "/subscribe/payments/schedule", request, node=self.node)
            self.testbed.keep(self.tag, "schedule", request, reply)
            if reply.status is not None and reply.status < 500:
                return merchant_uid if reply.body["code"] == 0 else None
            if self.planned(merchant_uid) is not None:
                return merchant_uid
            self._next_node()
            time.sleep(0.1)
        return None

    def planned(self, merchant_uid: str) -> Any:
        return self.testbed.ask(f"/subscribe/payments/schedule/{merchant_uid}").response

    def unschedule(self, customer_uid: str, *merchant_uids: str) -> Reply:
        request = {"customer_uid": customer_uid, "merchant_uid": list(merchant_uids)}
        reply = self.testbed.once("POST", "/subscribe/payments/unschedule", request, node=self.node)
        return self.testbed.keep(self.tag, "unschedule", request, reply)

    def delete_key(self, customer_uid: str) -> Reply:
        reply = self.testbed.once("DELETE", f"/subscribe/customers/{customer_uid}", node=self.node)
        return self.testbed.keep(self.tag, "delete", {"customer_uid": customer_uid}, reply)

    def has_key(self, customer_uid: str) -> bool:
        return self.testbed.ask(f"/subscribe/customers/{customer_uid}").response is not None

    def payment(self, merchant_uid: str) -> Any:
        return self.testbed.ask(f"/payments/find/{merchant_uid}").response

    def wait_for(self, merchant_uid: str, *statuses: str, seconds: float = 6, or_still: bool = True) -> Any:
        """Return the payment once it has one of these statuses, or as it is when the time is up.

        With `or_still` also as it is when nothing moves any more until the clock does.
        """
        deadline = time.monotonic() + seconds
        with self.testbed.stillness(merchant_uid) as look:
            while time.monotonic() < deadline:
                status, still = look()
                if status in statuses or (still and or_still):
                    break
                time.sleep(0.05)
        return self.payment(merchant_uid)
