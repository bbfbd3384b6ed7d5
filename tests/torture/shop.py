"""A shop of the town and its buyers: what they do when an answer does not come is what the real ones would do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

from maedal.rest.idempotency import LEASE, STILL_RUNNING

from .testbed import CODE, PATIENCE_SECONDS, Said, Town

ONE_WISH = "torture, once:"
"""How the reason of a cancel begins that was asked for under an Idempotency-Key."""


class Shop:
    """Calls one gateway of the town, and the next one when nothing comes, as behind a load balancer.

    `tag` begins every merchant_uid, so that a finding names its story.
    """

    def __init__(self, town: Town, tag: str, node: int = 0) -> None:
        self.town, self.tag, self.node = town, tag, node
        self._count = 0

    def uid(self, what: str = "o") -> str:
        self._count += 1
        return f"{self.tag}.{what}{self._count}"

    def _elsewhere(self) -> None:
        self.node = (self.node + 1) % len(self.town.ports)

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
            said = self.town.once("POST", "/sdk/payments", body, node=self.node, token=False)
            if said.status is not None and said.status < 500:
                return said.body if said.body.get("token") else None
            self._elsewhere()
            time.sleep(0.1)
        return None

    def agree(self, opened: dict[str, Any], method: str = "MONEY") -> None:
        """Agree on the phone, and come back; the buyer reloads a page that does not come."""
        payment = self.town.ask(f"/payments/{opened['imp_uid']}").response
        if payment is None:
            return  # an asynchronous standby was promoted, and has forgotten the window
        tid = payment["pg_tid"]
        told = self.town.sim("POST", f"orders/{tid}/authenticate", {"payment_method_type": method})
        if "approval_url" not in told:
            return
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                if self.town.http.get(told["approval_url"]).status_code < 500:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)

    def end_window(self, opened: dict[str, Any], **more: str) -> Said:
        body = {"token": opened["token"]} | more
        return self.town.once("POST", f"/sdk/payments/{opened['imp_uid']}/close", body, node=self.node, token=False)

    def result(self, opened: dict[str, Any]) -> Said:
        """Ask as the page does; what it is told of the payment is held against the books."""
        path = f"/sdk/payments/{opened['imp_uid']}?token={opened['token']}"
        return self.town.keep(self.tag, "page", opened, self.town.ask(path, token=False))

    def issue_key(self, customer_uid: str, amount: int = 0, method: str = "MONEY") -> dict[str, Any] | None:
        opened = self.open_window(self.uid("k"), amount, customer_uid)
        if opened is not None:
            self.agree(opened, method)
            self.result(opened)
        return opened

    # -- the merchant's server

    def again(self, customer_uid: str, amount: int = 3_000, merchant_uid: str | None = None) -> Said:
        """Charge; when nothing comes, look whether it was charged, and only otherwise call again."""
        asked = {"customer_uid": customer_uid, "merchant_uid": merchant_uid or self.uid(), "amount": amount}
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            said = self.town.once("POST", "/subscribe/payments/again", asked, node=self.node)
            self.town.keep(self.tag, "again", asked, said)
            if said.status is not None and said.status < 500:
                return said
            found = self.town.ask(f"/payments/find/{asked['merchant_uid']}")
            if found.response is not None:
                return found
            assert time.monotonic() < deadline, "the charge never got through"
            self._elsewhere()
            time.sleep(0.05)

    def cancel(self, imp_uid: str, amount: int | None = None) -> Said:
        """Give back once; a cancel that is not answered is not repeated but looked at."""
        asked: dict[str, Any] = {"imp_uid": imp_uid, "reason": "torture"}
        if amount is not None:
            asked["amount"] = amount
        said = self.town.once("POST", "/payments/cancel", asked, node=self.node)
        return self.town.keep(self.tag, "cancel", asked, said)

    def insist(self, act: str, path: str, asked: dict[str, Any], key: str | None = None) -> Said:
        """Call under one Idempotency-Key until an answer comes, without ever looking whether it was done.

        Time is moved on for it, so it must be alone: what is under way at the simulator would arrive hours late.
        """
        key = key or self.uid("key")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            said = self._ask_once(act, path, asked, key)
            if said.status is not None and said.status < 500 and said.status != STILL_RUNNING.status:
                return said
            assert time.monotonic() < deadline, "the call never got through"
            # Whoever was carrying it out, and died, leaves a lease behind.
            self.town.advance(LEASE.total_seconds() + 1)
            self._elsewhere()
            time.sleep(0.05)

    def begin_to_insist(self, act: str, path: str, asked: dict[str, Any]) -> Callable[[], Said] | None:
        """Call once under an Idempotency-Key; without an answer, give what goes on with that later."""
        key = self.uid("key")
        said = self._ask_once(act, path, asked, key)
        if said.status is not None and said.status < 500:
            return None
        return lambda: self.insist(act, path, asked, key)

    def _ask_once(self, act: str, path: str, asked: dict[str, Any], key: str) -> Said:
        return self.town.keep(self.tag, act, asked, self.town.once("POST", path, asked, node=self.node, key=key))

    def wish_of_charge(self, customer_uid: str, amount: int = 3_000) -> tuple[str, str, dict[str, Any]]:
        asked = {"customer_uid": customer_uid, "merchant_uid": self.uid(), "amount": amount}
        return "again", "/subscribe/payments/again", asked

    def wish_of_cancel(self, imp_uid: str, amount: int) -> tuple[str, str, dict[str, Any]]:
        """Give a part back; the reason names this one wish, so that the books show whether it was granted twice."""
        reason = f"{ONE_WISH} {self.uid('wish')}"
        return "cancel", "/payments/cancel", {"imp_uid": imp_uid, "amount": amount, "reason": reason}

    def schedule(self, customer_uid: str, in_seconds: float, amount: int = 4_000) -> str | None:
        """Plan a charge and return its merchant_uid; ask whether it was planned when nothing comes."""
        merchant_uid = self.uid("s")
        entry = {
            "merchant_uid": merchant_uid,
            "schedule_at": int(self.town.clock.now().timestamp() + in_seconds),
            "amount": amount,
        }
        asked = {"customer_uid": customer_uid, "schedules": [entry]}
        for _ in range(100):
            said = self.town.once("POST", "/subscribe/payments/schedule", asked, node=self.node)
            self.town.keep(self.tag, "schedule", asked, said)
            if said.status is not None and said.status < 500:
                return merchant_uid if said.body["code"] == 0 else None
            if self.planned(merchant_uid) is not None:
                return merchant_uid
            self._elsewhere()
            time.sleep(0.1)
        return None

    def planned(self, merchant_uid: str) -> Any:
        return self.town.ask(f"/subscribe/payments/schedule/{merchant_uid}").response

    def unschedule(self, customer_uid: str, *merchant_uids: str) -> Said:
        asked = {"customer_uid": customer_uid, "merchant_uid": list(merchant_uids)}
        said = self.town.once("POST", "/subscribe/payments/unschedule", asked, node=self.node)
        return self.town.keep(self.tag, "unschedule", asked, said)

    def delete_key(self, customer_uid: str) -> Said:
        said = self.town.once("DELETE", f"/subscribe/customers/{customer_uid}", node=self.node)
        return self.town.keep(self.tag, "delete", {"customer_uid": customer_uid}, said)

    def has_key(self, customer_uid: str) -> bool:
        return self.town.ask(f"/subscribe/customers/{customer_uid}").response is not None

    def payment(self, merchant_uid: str) -> Any:
        return self.town.ask(f"/payments/find/{merchant_uid}").response

    def wait_for(self, merchant_uid: str, *statuses: str, seconds: float = 6) -> Any:
        """Return the payment once it has one of these statuses, or as it is when the time is up."""
        deadline = time.monotonic() + seconds
        while True:
            payment = self.payment(merchant_uid)
            if (payment is not None and payment["status"] in statuses) or time.monotonic() > deadline:
                return payment
            time.sleep(0.05)
