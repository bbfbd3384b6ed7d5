"""The callers: so many kept-alive connections, each with one request on the way at a time, in a process of their own.

Reads one `Task` as JSON from stdin, writes one `Measured` to stdout. What is not the measured section (building
requests, decoding answers, fetching everything again) happens before and after it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import deque
from typing import cast

import msgspec
import uvloop

from bench.proc import cpu_seconds, memory_kib


class Question(msgspec.Struct):
    """A request other than a charge."""

    method: str
    path: str
    body: str = ""


class Task(msgspec.Struct):
    """`first` numbers the first customer and order; the warm-up takes the first ones. `watched` names process ids.

    With `questions` these are asked in turn, as often as there would be charges, and each must answer code 0.
    """

    port: int
    token: str
    callers: int
    first: int
    warm_up: int
    count: int
    fetch_again: bool
    seconds_max: float
    watched: dict[str, int]
    questions: list[Question] = []


class Measured(msgspec.Struct):
    """`cpu` is in seconds over the measured section; `there` counts payments fetched again and found the same."""

    seconds: float
    latencies_ms: list[float]
    cpu: dict[str, float]
    memory_kib: dict[str, int]
    asked: int
    paid: int
    there: int
    complaints: list[str]


class Caller(asyncio.Protocol):
    """One connection that takes the next request from the queue as soon as its last is answered."""

    def __init__(self, requests: deque[tuple[int, bytes]], answers: dict[int, bytes], latencies: list[float]) -> None:
        self._requests, self._answers, self._latencies = requests, answers, latencies
        self._buffer = bytearray()
        self._needed = 0
        self._number = 0
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the server closed the connection"))

    def start(self) -> None:
        self.done = asyncio.get_running_loop().create_future()
        self._next()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _next(self) -> None:
        assert self._transport is not None
        if not self._requests:
            self.done.set_result(None)
            return
        self._number, request = self._requests.popleft()
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer
        buffer += data
        if not self._needed:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            at = buffer.lower().find(b"content-length:", 0, end)
            self._needed = end + 4 + int(buffer[at + 15 : buffer.find(b"\r\n", at)])
        if len(buffer) >= self._needed:
            self._latencies.append((time.perf_counter() - self._sent_at) * 1000)
            self._answers[self._number] = bytes(buffer[: self._needed])
            del buffer[: self._needed]
            self._needed = 0
            self._next()


class Callers:
    """All connections together."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._requests: deque[tuple[int, bytes]] = deque()
        self._callers: list[Caller] = []
        self.answers: dict[int, bytes] = {}
        self.latencies: list[float] = []

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(self._task.callers):
            _, caller = await loop.create_connection(
                lambda: Caller(self._requests, self.answers, self.latencies), "127.0.0.1", self._task.port
            )
            self._callers.append(caller)

    async def send(self, requests: list[tuple[int, bytes]]) -> float:
        """Send all requests, the connections taking turns as they become free; return the seconds it took."""
        self.answers.clear()
        self.latencies.clear()
        self._requests.extend(requests)
        started = time.perf_counter()
        async with asyncio.timeout(self._task.seconds_max):
            for caller in self._callers:
                caller.start()
            await asyncio.gather(*(caller.done for caller in self._callers))
        return time.perf_counter() - started

    def close(self) -> None:
        for caller in self._callers:
            caller.close()


def charge_request(task: Task, number: int, customer: int | None = None) -> bytes:
    """Return a charge as a shop's server sends it; each order is of a customer of its own, if none is named."""
    body = msgspec.json.encode(
        {
            "customer_uid": f"customer-{number if customer is None else customer}",
            "merchant_uid": f"order-{number}",
            "amount": 9_900,
            "name": "Monthly plan",
            "buyer_name": "홍길동",
            "buyer_email": "buyer@shop.example",
            "buyer_tel": "010-1234-5678",
            "custom_data": "plan=basic",
        }
    )
    return _request(task, b"POST", b"/subscribe/payments/again", body)


def _request_of(task: Task, number: int) -> bytes:
    if not task.questions:
        return charge_request(task, number)
    question = task.questions[number % len(task.questions)]
    return _request(task, question.method.encode(), question.path.encode(), question.body.encode())


def token_request(task: Task, api_key: str, api_secret: str) -> bytes:
    """Return the request for a token; a token that is over is of no account to it."""
    return _request(
        task, b"POST", b"/users/getToken", msgspec.json.encode({"imp_key": api_key, "imp_secret": api_secret})
    )


def _request(task: Task, method: bytes, path: bytes, body: bytes) -> bytes:
    return (
        b"%b %b HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %b\r\nUser-Agent: bench\r\n"
        b"Accept: application/json\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        % (method, path, task.port, task.token.encode(), len(body), body)
    )


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


async def run(task: Task) -> Measured:
    numbers = range(task.first, task.first + task.warm_up + task.count)
    requests = [(number, _request_of(task, number)) for number in numbers]
    watched = task.watched | {"callers": os.getpid()}
    callers = Callers(task)
    await callers.connect()
    await callers.send(requests[: task.warm_up])
    answers = dict(callers.answers)

    before = {name: cpu_seconds(pid) for name, pid in watched.items()}
    seconds = await callers.send(requests[task.warm_up :])
    cpu = {name: cpu_seconds(pid) - before[name] for name, pid in watched.items()}
    memory = {name: memory_kib(pid) for name, pid in watched.items()}

    answers |= callers.answers
    latencies = sorted(callers.latencies)
    complaints: list[str] = []
    paid = {}
    for number in numbers:
        answer = msgspec.json.decode(body_of(answers[number]))
        payment = answer.get("response") or {}
        if task.questions and answer.get("code") == 0:
            continue
        if payment.get("status") == "paid" and payment.get("merchant_uid") == f"order-{number}":
            paid[number] = payment
        else:
            complaints.append(f"order-{number}: {body_of(answers[number])[:300].decode(errors='replace')}")
    there = 0
    if task.fetch_again:
        fetches = [
            (number, _request(task, b"GET", f"/payments/{payment['imp_uid']}".encode(), b""))
            for number, payment in paid.items()
        ]
        await callers.send(fetches)
        for number, payment in paid.items():
            if msgspec.json.decode(body_of(callers.answers[number])).get("response") == payment:
                there += 1
            else:
                complaints.append(f"order-{number}: fetched again, it is not what the charge answered")
    callers.close()
    return Measured(seconds, latencies, cpu, memory, len(numbers), len(paid), there, complaints[:20])


if __name__ == "__main__":
    measured = uvloop.run(run(msgspec.json.decode(sys.stdin.buffer.read(), type=Task)))
    sys.stdout.buffer.write(msgspec.json.encode(measured))
