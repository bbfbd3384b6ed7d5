"""Everybody who means no good, in a process of their own.

`python -m bench.attackers PORT USER_CODE REQUESTS_PER_SECOND KINDS`, with kinds after commas, or nothing for all

They come from addresses of their own (127.0.1.x), hold on to connections, and send what costs most; what may be sent
over and over is sent so many times a second together. At the end of the input they stop and write what was answered.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
import sys
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import quote

IDLE = 200
SLOW_HEADS = 100
SLOW_BODIES = 50
ADDRESSES = 40
SECONDS_MAX = 30.0
HUGE = 4 << 20


def sent_over_and_over(port: int, user_code: str) -> Iterator[tuple[str, bytes]]:
    """Yield kind and request in turn, without end."""
    cookie, token = sign_in_form(port)
    for number in itertools.count():
        yield "window", post("/sdk/payments", _window(user_code, number))
        yield "percent", post("/users/getToken", b"imp_key=" + b"%" * 15_000, FORM)
        yield "wrong token", get(f"/payments/imp_{number:012}", Authorization=f"Bearer {random.randbytes(20).hex()}")
        guess = {"imp_key": f"{random.randrange(10**16):016}", "imp_secret": random.randbytes(40).hex()}
        yield "guessed secret", post("/users/getToken", json.dumps(guess).encode())
        password = f"form_token={token}&next=&name=owner&password={quote(f'guess {number}')}".encode()
        said = {"Origin": f"http://127.0.0.1:{port}", "Cookie": cookie}
        yield "guessed password", post("/console/sign-in", password, FORM, **said)
        yield "malformed", post("/users/getToken", b'{"imp_key":' + b"[" * 10_000)
        yield "odd bytes", b"GET /\xff\xfe%zz HTTP/1.1\r\nHost: x\r\nX-\x80: \xff\r\n\r\n"
        yield "head of 1 MiB", b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: " + b"a" * (1 << 20) + b"\r\n\r\n"
        yield "many fields", b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: a\r\n" * 20_000 + b"\r\n"
        yield "body of 4 MiB", post("/users/getToken", b"x" * HUGE)


def sign_in_form(port: int) -> tuple[str, str]:
    """Return what a browser has after it has opened the page: its cookie, and the token of the form."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/console/sign-in", timeout=SECONDS_MAX) as answer:
        cookies = [value.partition(";")[0] for value in answer.headers.get_all("Set-Cookie", [])]
        found = re.search(r'name="form_token" value="([^"]+)"', answer.read().decode())
    assert found is not None, "the page of signing in has a form"
    return "; ".join(cookies), quote(found[1])


FORM = "application/x-www-form-urlencoded"


def post(path: str, body: bytes, kind: str = "application/json", **fields: str) -> bytes:
    named = {"Content-Type": kind, "Content-Length": str(len(body)), **fields}
    return _head("POST", path, named) + body


def get(path: str, **fields: str) -> bytes:
    return _head("GET", path, fields)


def _head(method: str, path: str, fields: dict[str, str]) -> bytes:
    named = {"Host": fields.get("Origin", "http://127.0.0.1").removeprefix("http://"), "Connection": "close"} | fields
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items()), "", ""]
    return "\r\n".join(lines).encode()


def _window(user_code: str, number: int) -> bytes:
    params = {"pg": "kakaopay", "merchant_uid": f"flood-{number}", "amount": 100, "name": "x", "buyer_name": "a" * 200}
    page = {"origin": "http://shop.test", "url": "http://shop.test/pay"}
    call = {"user_code": user_code, "nonce": "0" * 16, "device": "pc", "presentation": "frame"}
    return json.dumps(call | {"page": page, "params": params}).encode()


class Attack:
    """All attackers on one gateway, and what they were answered."""

    def __init__(self, port: int, user_code: str, per_second: float, kinds: str) -> None:
        self._port, self._user_code, self._per_second = port, user_code, per_second
        self._kinds = set(filter(None, kinds.split(",")))
        self.answers: Counter[str] = Counter()
        self._address = 0

    async def run(self, over: asyncio.Event) -> None:
        slow = [("idle", b"")] * IDLE + [("slow head", b"GET / HTTP/1.1\r\n")] * SLOW_HEADS
        body = _head("POST", "/users/getToken", {"Content-Type": "application/json", "Content-Length": "2000"})
        slow += [("slow body", body)] * SLOW_BODIES
        tasks: set[asyncio.Task[None]] = {
            asyncio.create_task(self._hold(kind, first)) for kind, first in slow if self._means(kind)
        }
        requests = sent_over_and_over(self._port, self._user_code)
        while not over.is_set():
            kind, request = next(requests)
            if not self._means(kind):
                await asyncio.sleep(0)
                continue
            tasks.add(task := asyncio.create_task(self._send(kind, request)))
            task.add_done_callback(tasks.discard)
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), random.expovariate(self._per_second))
        for task in (left := set(tasks)):
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _means(self, kind: str) -> bool:
        return not self._kinds or kind in self._kinds

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self._address = self._address % ADDRESSES + 1
        return await asyncio.open_connection("127.0.0.1", self._port, local_addr=(f"127.0.1.{self._address}", 0))

    async def _send(self, kind: str, request: bytes) -> None:
        answer = b"nothing"
        try:
            async with asyncio.timeout(SECONDS_MAX):
                reader, writer = await self._connect()
                try:
                    writer.write(request)
                    with suppress(OSError):
                        await writer.drain()
                    answer = (await reader.read(12))[9:] or b"closed"
                finally:
                    writer.transport.abort()
        except TimeoutError:
            answer = b"no answer"
        except OSError:
            answer = b"reset"
        self.answers[f"{kind}: {answer.decode()}"] += 1

    async def _hold(self, kind: str, first: bytes) -> None:
        """Keep one connection open with next to nothing on it, and open it anew when the server closes it."""
        while True:
            try:
                reader, writer = await self._connect()
                try:
                    writer.write(first)
                    while not reader.at_eof():
                        with suppress(TimeoutError):
                            async with asyncio.timeout(2):
                                if not await reader.read(1000):
                                    break
                        if first:
                            writer.write(b"a")
                finally:
                    writer.transport.abort()
            except OSError:
                pass
            self.answers[f"{kind}: closed"] += 1
            await asyncio.sleep(1)


async def main() -> None:
    port, user_code, per_second, kinds = sys.argv[1:]
    attack = Attack(int(port), user_code, float(per_second), kinds)
    over, loop = asyncio.Event(), asyncio.get_running_loop()

    def wait() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=wait, daemon=True).start()
    await attack.run(over)
    print(json.dumps(attack.answers), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
