"""KakaoPay's network as an object: answers as scripted, remembers what it was asked. The only thing that is faked."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta, timezone
from typing import Any

from maedal.clock import Clock
from maedal.pg.driver import PgReply, PgRequest

KST = timezone(timedelta(hours=9))


class ScriptedNetwork:
    """Approves charges and shows keys, unless `next_answer` says otherwise for one call of a path."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.next_answer: dict[str, Callable[[dict[str, Any]], PgReply]] = {}
        self.last_approved_at: str | None = None
        self.files: dict[str, dict[str, Any] | bytes] = {}
        """Files of past days, by day as yyyymmdd; other days have none."""
        self.files_asked: list[str] = []

    async def send(self, request: PgRequest) -> PgReply:
        if "/files/" in request.url:
            return self._file(request)
        path = request.url.partition("/payment/")[2]
        body = json.loads(request.body)
        self.asked.append((path, body))
        if path in self.next_answer:
            return self.next_answer.pop(path)(body)
        return getattr(self, f"_{path.rpartition('/')[2]}")(body)

    def count(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.asked)

    def approve_silently(self) -> None:
        """Let the PG approve something whose answer never comes back."""
        self.last_approved_at = self._now()

    def _now(self) -> str:
        return self._clock.now().astimezone(KST).strftime("%Y-%m-%dT%H:%M:%S")

    def _subscription(self, body: dict[str, Any]) -> PgReply:
        self.last_approved_at = self._now()
        number = f"{len(self.asked):019x}"
        return reply(
            {
                "aid": f"A{number}",
                "tid": f"T{number}",
                "cid": body["cid"],
                "sid": body["sid"],
                "partner_order_id": body["partner_order_id"],
                "payment_method_type": "MONEY",
                "amount": {"total": body["total_amount"]},
                "approved_at": self._now(),
            }
        )

    def _status(self, body: dict[str, Any]) -> PgReply:
        shown = {"sid": body["sid"], "status": "ACTIVE", "available": True, "payment_method_type": "MONEY"}
        return reply(shown | ({"last_approved_at": self.last_approved_at} if self.last_approved_at else {}))

    def _cancel(self, body: dict[str, Any]) -> PgReply:
        number = f"{len(self.asked):019x}"
        notices = {"aid": f"A{number}", "tid": body["tid"], "approved_cancel_amount": {"total": body["cancel_amount"]}}
        return reply(notices | {"canceled_at": self._now()})

    def _approve(self, body: dict[str, Any]) -> PgReply:
        """Approve the issuing of a key alone."""
        number = f"{len(self.asked):019x}"
        return reply(
            {
                "aid": f"A{number}",
                "tid": body["tid"],
                "cid": body["cid"],
                "sid": f"S{number}",
                "partner_order_id": body["partner_order_id"],
                "partner_user_id": body["partner_user_id"],
                "payment_method_type": "MONEY",
                "amount": {"total": 0},
                "approved_at": self._now(),
            }
        )

    def _order(self, _body: dict[str, Any]) -> PgReply:
        return reply({"error_code": -721, "error_message": "no such order"}, 400)

    def _file(self, request: PgRequest) -> PgReply:
        assert request.method == "GET"
        address, _, query = request.url.partition("?")
        if address.endswith("/history"):
            day = query.partition("target_date=")[2][:8]
            self.files_asked.append(day)
            if day not in self.files:
                return reply({"message": "no uploaded file!"}, 404)
            return reply({"url": f"http://elsewhere.test/files/{day}.json", "expires_at": self._now()})
        file = self.files[address.rpartition("/")[2].removesuffix(".json")]
        return reply(file) if isinstance(file, dict) else PgReply(200, file)

    def _inactive(self, body: dict[str, Any]) -> PgReply:
        return reply({"sid": body["sid"], "status": "INACTIVE"})


def reply(body: dict[str, Any], status: int = 200) -> PgReply:
    return PgReply(status, json.dumps(body).encode())
