"""A PG that always approves, in KakaoPay's shape (docs/wire/kakaopay.md 7.1), after a set time. Raw asyncio.

It prepares windows too (5), in which no buyer ever does anything: their orders stay READY.

`POST /bench/start/{milliseconds}` forgets what was charged and sets the time that an answer takes; `GET /bench/seen`
tells how many charges there were since, and of how many orders and keys.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta, timezone
from typing import Any, cast

import msgspec
import uvloop

KST = timezone(timedelta(hours=9))
CHARGE = b"/online/v1/payment/subscription"
READY = b"/online/v1/payment/ready"
ORDER = b"/online/v1/payment/order"


class Seen:
    """What the PG was asked to do."""

    def __init__(self) -> None:
        self.start(0)

    def start(self, delay_ms: int) -> None:
        self.delay_seconds = delay_ms / 1000
        self.charges = 0
        self.orders: set[str] = set()
        self.keys: set[str] = set()
        self.windows: dict[str, dict[str, Any]] = {}

    def counts(self) -> dict[str, int]:
        return {"charges": self.charges, "orders": len(self.orders), "keys": len(self.keys)}

    def charge(self, ask: dict[str, Any]) -> dict[str, Any]:
        """Take the money: every request counts, as it does at KakaoPay."""
        self.charges += 1
        self.orders.add(ask["partner_order_id"])
        self.keys.add(ask["sid"])
        now = datetime.now(KST).strftime("%Y-%m-%dT%H:%M:%S")
        return {
            "aid": f"A{self.charges:019x}",
            "tid": f"T{self.charges:019x}",
            "cid": ask["cid"],
            "sid": ask["sid"],
            "partner_order_id": ask["partner_order_id"],
            "partner_user_id": ask["partner_user_id"],
            "payment_method_type": "MONEY",
            "item_name": ask["item_name"],
            "quantity": ask["quantity"],
            "amount": {
                "total": ask["total_amount"],
                "tax_free": ask["tax_free_amount"],
                "vat": ask["vat_amount"],
                "point": 0,
                "discount": 0,
                "green_deposit": 0,
            },
            "created_at": now,
            "approved_at": now,
        }

    def prepare(self, ask: dict[str, Any]) -> dict[str, Any]:
        """Prepare a window."""
        tid = f"W{len(self.windows):019x}"
        self.windows[tid] = ask
        pages = ("next_redirect_pc_url", "next_redirect_mobile_url", "next_redirect_app_url")
        created_at = datetime.now(KST).strftime("%Y-%m-%dT%H:%M:%S")
        return {"tid": tid, "created_at": created_at} | dict.fromkeys(pages, f"http://127.0.0.1/{tid}")

    def order(self, ask: dict[str, Any]) -> dict[str, Any]:
        """Tell of a window's order."""
        window = self.windows[ask["tid"]]
        amount = {"total": window["total_amount"], "tax_free": 0, "vat": 0, "point": 0, "discount": 0}
        known = {name: window[name] for name in ("cid", "partner_order_id", "partner_user_id", "item_name", "quantity")}
        return known | {"tid": ask["tid"], "status": "READY", "amount": amount}


class Connection(asyncio.Protocol):
    """One kept-alive connection; one request at a time, as the gateway's client sends them."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if len(rest) >= length:
            self._buffer = rest[length:]
            self._serve(head.split(b" ", 2)[1], rest[:length])

    def _serve(self, path: bytes, body: bytes) -> None:
        seen = self._seen
        answering = {CHARGE: seen.charge, READY: seen.prepare, ORDER: seen.order}.get(path)
        if answering is not None:
            reply = answering(msgspec.json.decode(body))
            if seen.delay_seconds:
                asyncio.get_running_loop().call_later(seen.delay_seconds, self._answer, reply)
            else:
                self._answer(reply)
            return
        if path.startswith(b"/bench/start/"):
            seen.start(int(path.rpartition(b"/")[2]))
        self._answer(seen.counts())

    def _answer(self, reply: dict[str, Any]) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        body = msgspec.json.encode(reply)
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: %d\r\n\r\n%b"
            % (len(body), body)
        )


async def serve(port: int) -> None:
    seen = Seen()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(seen), "127.0.0.1", port, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
