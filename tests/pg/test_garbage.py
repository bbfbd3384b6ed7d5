"""A PG that talks nonsense: thousands of torn, twisted and swapped replies, and none is taken for what it does not say."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Container
from typing import Any

import pytest

from maedal.payments.attempt import LOST, Outcome, Result
from maedal.payments.cancellation import CancelSplit
from maedal.pg.driver import CancelParams, OrderState, PgReply, Unreadable
from maedal.pg.kakaopay import codes
from tests.pg.test_kakaopay_driver import ACCOUNT, APPROVE, APPROVED, CHARGE, CHARGED, DRIVER, SID

SEEDS = 1_000
TID = CHARGED["tid"]
CANCEL = CancelParams(TID, CancelSplit(4_900, 0, 445), 9_900)
CANCELLED = {
    "aid": "A5b04e1907c22d9f41b2", "tid": TID, "cid": "TCSUBSCRIP", "status": "PART_CANCEL_PAYMENT",
    "partner_order_id": "ord-20261001-0001", "approved_cancel_amount": {"total": 4_900, "tax_free": 0, "vat": 445},
    "canceled_at": "2026-10-02T09:00:02",
}  # fmt: skip
ORDER = {
    "tid": TID, "cid": "TCSUBSCRIP", "status": "SUCCESS_PAYMENT", "partner_order_id": "ord-20261001-0001",
    "payment_method_type": "MONEY", "amount": {"total": 9_900}, "approved_at": "2026-10-01T09:00:02",
    "canceled_amount": {"total": 0}, "cancel_available_amount": {"total": 9_900},
}  # fmt: skip
KEY = {
    "sid": SID, "cid": "TCSUBSCRIP", "status": "ACTIVE", "available": True, "payment_method_type": "MONEY",
    "last_approved_at": "2026-10-01T09:00:02",
}  # fmt: skip
ENDED = {"cid": "TCSUBSCRIP", "sid": SID, "status": "INACTIVE", "inactivated_at": "2026-10-01T09:00:02"}

JUNK: tuple[Any, ...] = (
    None, 0, -1, 1.5, 1e30, 2**63, True, False, [], {}, [1], {"total": 9_901}, {"total": "9900"}, {"total": True}, "", " ",
    "x", "9900", "SUCCESS", "2026-13-45T99:99:99", "1970-01-01T00:00:00", "T" * 5_000, "\0", "\ud800", {"a": {"b": [{}] * 50}},
)  # fmt: skip
WORDS = (
    b"", b"null", b"true", b"[]", b"{}", b'""', b"OK", b"<html><body>200 OK</body></html>", b"\xff\xfe\x00", b"NaN",
    b'{"error_code": -780, "error_message": "approval failed"}', b'{"error_code": "-780"}', b'{"error_code": true}',
    b'{"error_code": -780, "extras": {"method_result_code": 7}}', b'{"error_code": -99999, "error_message": "new"}',
    b"[" * 100_000, b"{" * 1_000, b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
)  # fmt: skip
STATUSES = (
    200,
    200,
    200,
    200,
    200,
    200,
    201,
    204,
    301,
    302,
    400,
    401,
    404,
    409,
    422,
    429,
    499,
    500,
    502,
    503,
    504,
    599,
)


def garbage(good: dict[str, Any], seed: int) -> PgReply:
    """Return a reply with something torn, dropped, retyped, swapped, doubled, hidden or replaced."""
    rng = random.Random(seed)
    body = json.loads(json.dumps(good))
    status = rng.choice(STATUSES)
    match rng.randrange(9):
        case 0:
            text = json.dumps(body).encode()
            return PgReply(status, text[: rng.randrange(len(text))])
        case 1:
            return PgReply(status, rng.choice(WORDS))
        case 2:
            for field in rng.sample(sorted(body), rng.randint(1, 3)):
                del body[field]
        case 3:
            body[rng.choice(sorted(body))] = rng.choice(JUNK)
        case 4:
            part = rng.choice([name for name, value in body.items() if isinstance(value, dict)] or ["amount"])
            body[part] = {"total": rng.choice(JUNK)}
        case 5:
            # Another order's, another key's, another contract's.
            field = rng.choice([name for name in ("tid", "sid", "cid", "partner_order_id") if name in body])
            body[field] = rng.choice(["another", body[field] + "0", body[field][:-1], body[field].lower()])
        case 6:
            text = bytearray(json.dumps(body).encode())
            for _ in range(rng.randint(1, 4)):
                text[rng.randrange(len(text))] = rng.randrange(256)
            return PgReply(status, bytes(text))
        case 7:
            body = rng.choice([[body], {"data": body}, {"result": body, "code": 0}, json.dumps(body)])
        case _:
            # The money in another currency, or in hundredths.
            body["currency"] = rng.choice(["USD", "JPY", None])
            for value in body.values():
                if isinstance(value, dict) and "total" in value:
                    value["total"] = rng.choice([value["total"] * 100, value["total"] / 100, str(value["total"])])
    return PgReply(status, json.dumps(body).encode())


def facts(reply: PgReply) -> dict[str, Any] | None:
    """Return what a reply says when it is an object with status 200, read by other means than the driver's."""
    try:
        body = json.loads(reply.body.decode())
    except (ValueError, RecursionError):
        return None
    return body if reply.status == 200 and isinstance(body, dict) else None


def total(body: dict[str, Any], part: str) -> object:
    inside = body.get(part)
    amount = inside.get("total") if isinstance(inside, dict) else None
    return amount if type(amount) is int else None


def says(good: dict[str, Any], part: str | None, *fields: str) -> Callable[[dict[str, Any]], bool]:
    """Return a test of whether a reply says of these fields, and of the amount, just what the good one says."""

    def test(body: dict[str, Any]) -> bool:
        same = all(body.get(name) == good[name] and type(body[name]) is type(good[name]) for name in fields)
        return same and (part is None or total(body, part) == good[part]["total"])

    return test


def proves_a_refusal(reply: PgReply, nothing_happened: Container[int], method_answered: Container[int]) -> bool:
    """Return whether a reply is an error with a number that the table calls a proof, or turned us away at the door."""
    if reply.status in {401, 403, 404, 429}:
        return True
    try:
        body = json.loads(reply.body.decode())
    except (ValueError, RecursionError):
        return False
    number = body.get("error_code") if isinstance(body, dict) else None
    if type(number) is not int:
        return False
    if number in nothing_happened:
        return 400 <= reply.status < 500
    # Old lists give HTTP 500 for what the method answered (docs/wire/kakaopay.md 8.2).
    return number in method_answered and (400 <= reply.status < 500 or reply.status == 500)


READERS: dict[str, tuple[dict[str, Any], Callable[[PgReply], Result], Callable[[dict[str, Any]], bool], Any]] = {
    "charge": (
        CHARGED,
        lambda reply: DRIVER.read_charge(ACCOUNT, CHARGE, reply),
        says(CHARGED, "amount", "cid", "sid", "partner_order_id"),
        (codes.NOTHING_TAKEN, codes.METHOD_ANSWERED),
    ),
    "approve": (
        APPROVED,
        lambda reply: DRIVER.read_approve(ACCOUNT, APPROVE, reply),
        says(APPROVED, "amount", "tid", "cid", "partner_order_id"),
        (codes.NOTHING_TAKEN, codes.METHOD_ANSWERED),
    ),
    "cancel": (
        CANCELLED,
        lambda reply: DRIVER.read_cancel(CANCEL, reply),
        says(CANCELLED, "approved_cancel_amount", "tid"),
        (codes.NOTHING_CANCELLED, codes.CANCEL_ANSWERED),
    ),
    "deactivate": (
        ENDED,
        lambda reply: DRIVER.read_deactivate(SID, reply),
        says(ENDED, None, "sid", "status"),
        (codes.NOTHING_TAKEN, ()),
    ),
}


@pytest.mark.parametrize("verb", READERS)
def test_nothing_is_approved_or_declined_that_the_reply_does_not_say(verb):
    good, read, tells, numbers = READERS[verb]
    assert read(PgReply(200, json.dumps(good).encode())).outcome is Outcome.APPROVED
    seen: Counter[Outcome] = Counter()
    for seed in range(SEEDS):
        reply = garbage(good, seed)
        try:
            result = read(reply)
        except Unreadable:
            result = LOST
        seen[result.outcome] += 1
        if result.outcome is Outcome.APPROVED:
            body = facts(reply)
            assert body is not None, seed
            assert tells(body), (seed, body)
        elif result.outcome is Outcome.DECLINED:
            assert proves_a_refusal(reply, *numbers), (seed, reply.status, reply.body[:200])
        else:
            assert result.outcome is Outcome.UNKNOWN, seed
    # Neither all of it is nonsense nor none.
    assert seen[Outcome.UNKNOWN] > SEEDS // 2
    assert seen[Outcome.APPROVED] > 0


def test_no_nonsense_tells_of_an_order_that_it_was_paid():
    assert DRIVER.read_order(TID, PgReply(200, json.dumps(ORDER).encode())).state is OrderState.APPROVED
    same = says(ORDER, "amount", "tid", "status")
    for seed in range(SEEDS):
        reply = garbage(ORDER, seed)
        try:
            read = DRIVER.read_order(TID, reply)
        except Unreadable:
            continue
        body = facts(reply)
        assert body is not None, seed
        assert body["tid"] == TID
        assert (read.pg_state, read.order_id, read.total) == (
            body["status"], body["partner_order_id"], total(body, "amount"),
        ), seed  # fmt: skip
        assert read.state is OrderState.APPROVED or not same(body), seed


def test_no_nonsense_tells_when_a_key_was_last_charged():
    right = DRIVER.read_key(SID, PgReply(200, json.dumps(KEY).encode())).last_approved_at
    assert right is not None
    for seed in range(SEEDS):
        reply = garbage(KEY, seed)
        try:
            read = DRIVER.read_key(SID, reply)
        except Unreadable:
            continue
        body = facts(reply)
        assert body is not None, seed
        assert body["sid"] == SID
        if read.last_approved_at is None:
            # No time is a fact too: nothing was charged yet. It must be said, by silence or by an empty value.
            assert not body.get("last_approved_at"), (seed, body)
        elif body.get("last_approved_at") == KEY["last_approved_at"]:
            assert read.last_approved_at == right
        else:
            assert isinstance(body["last_approved_at"], str), (seed, body)
