"""Calls that are refused leave nothing behind in the gateway, however many there are."""

from __future__ import annotations

import gc
from types import TracebackType

import pytest

WRONG = {"Authorization": "Bearer 0123456789abcdef0123456789abcdef"}
CALLS = 60

REFUSED = {
    "no token": ("GET", "/payments/imps_000000000000", {"headers": {"Authorization": ""}}),
    "a wrong token": ("GET", "/payments/imps_000000000000", {"headers": WRONG}),
    "a token that is none": ("GET", "/payments/imps_000000000000", {"headers": {"Authorization": "x" * 5_000}}),
    "a wrong pair": ("POST", "/users/getToken", {"json": {"imp_key": "no", "imp_secret": "no"}}),
    "an unknown payment": ("GET", "/payments/imps_000000000000", {}),
    "an unknown path": ("GET", "/nothing/here", {}),
    "no JSON": (
        "POST",
        "/subscribe/payments/again",
        {"content": b"{", "headers": {"Content-Type": "application/json"}},
    ),
    "a key that is none": ("POST", "/payments/cancel", {"headers": {"Idempotency-Key": ""}, "json": {}}),
    "another method": ("DELETE", "/payments/prepare", {}),
}


def tracebacks() -> int:
    gc.collect()
    return sum(isinstance(one, TracebackType) for one in gc.get_objects())


@pytest.mark.parametrize("how", REFUSED)
def test_a_refusal_keeps_nothing_of_the_call(running, how):
    method, path, more = REFUSED[how]

    def ask(times: int) -> None:
        for _ in range(times):
            assert running.call(method, path, **more).json()["code"] != 0

    ask(3)
    before = tracebacks()
    ask(CALLS)
    assert tracebacks() - before < CALLS // 2
