"""The way of a call: key, body, fault, operation, log, answer (docs/wire/kakaopay.md, 14)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from litestar import Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.types import Method

from kakaopay_sandbox.call import Call
from kakaopay_sandbox.call_log import Entry
from kakaopay_sandbox.errors import Arranged, InternalError, NoSuchAddress, NotSwitchedOn, Refusal
from kakaopay_sandbox.faults import Fault, Kind
from kakaopay_sandbox.hangup import AnyRequest, Hangup
from kakaopay_sandbox.operations.approve import approve
from kakaopay_sandbox.operations.cancel import cancel
from kakaopay_sandbox.operations.order import look_up
from kakaopay_sandbox.operations.ready import ready
from kakaopay_sandbox.operations.subscription import charge, deactivate, status
from kakaopay_sandbox.sandbox import Sandbox
from kakaopay_sandbox.wire import fields
from kakaopay_sandbox.wire.families import CURRENT, LEGACY, Family

log = structlog.get_logger("kakaopay_sandbox")

MEDIA_TYPE = "application/json;charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Operation:
    """One path; `works_on` names the field that only one call at a time may work on."""

    name: str
    known: tuple[fields.Field, ...]
    perform: Callable[[Sandbox, Call], dict[str, Any]]
    works_on: str | None = None


OPERATIONS = {
    "/ready": Operation("ready", fields.READY, ready),
    "/approve": Operation("approve", fields.APPROVE, approve, works_on="tid"),
    "/subscription": Operation("subscription", fields.SUBSCRIPTION, charge, works_on="sid"),
    "/manage/subscription/inactive": Operation("inactive", fields.OF_A_SID, deactivate),
    "/manage/subscription/status": Operation("status", fields.OF_A_SID, status),
    "/order": Operation("order", fields.ORDER, look_up),
    "/cancel": Operation("cancel", fields.CANCEL, cancel, works_on="tid"),
}


def wire_handlers(sandbox: Sandbox, origin_of: Callable[[AnyRequest], str]) -> list[HTTPRouteHandler]:
    """The handlers of both families; `origin_of` tells where redirect URLs point."""
    methods: list[Method] = ["GET", "POST", "PUT", "PATCH", "DELETE"]

    @route("/online/v1/payment/{path:path}", http_method=methods, include_in_schema=False, name="current")
    async def current(request: AnyRequest, path: FromPath[str]) -> Response[Any]:
        return await _Way(sandbox, CURRENT, request, origin_of(request)).go(path)

    @route("/v1/payment/{path:path}", http_method=methods, include_in_schema=False, name="legacy")
    async def legacy(request: AnyRequest, path: FromPath[str]) -> Response[Any]:
        return await _Way(sandbox, LEGACY, request, origin_of(request)).go(path)

    return [current, legacy]


class _Way:
    """One call on its way."""

    def __init__(self, sandbox: Sandbox, family: Family, request: AnyRequest, origin: str) -> None:
        self.sandbox = sandbox
        self.family = family
        self.request = request
        self.origin = origin

    async def go(self, path: str) -> Response[Any]:
        operation = OPERATIONS.get(path)
        entry = Entry(operation=operation.name if operation else path, family=self.family.name)
        try:
            if operation is None or self.request.method != "POST":
                raise NoSuchAddress
            headers = self.request.headers
            key = self.family.key(headers.get("authorization"), self.sandbox.settings.secret_keys)
            if key in self.sandbox.settings.inactive_keys:
                raise NotSwitchedOn
            body = self.family.body(
                headers.get("content-type", ""),
                await self.request.body(),
                self.request.scope["query_string"].decode("latin-1"),
            )
        except Refusal as refusal:
            return self._refused(refusal, entry)
        _note(entry, body)
        sid = self._sid_concerned(body)
        faults, now = self.sandbox.faults, self.sandbox.clock.now()
        delay, fault = faults.take_delay(operation.name, sid, now), faults.take(operation.name, sid, now)
        taken = [one.kind.value for one in (delay, fault) if one is not None and one.kind is not Kind.DECLINE]
        entry.fault = "+".join(taken) or None
        return await self._under_faults(operation, entry, key, body, delay, fault)

    async def _under_faults(
        self,
        operation: Operation,
        entry: Entry,
        key: str,
        body: dict[str, Any],
        delay: Fault | None,
        fault: Fault | None,
    ) -> Response[Any]:
        kind = None if fault is None else fault.kind
        in_work = f"{operation.works_on} {body.get(operation.works_on)}" if operation.works_on else None
        with self.sandbox.in_progress(in_work) as is_doubled:
            if delay is not None and delay.delay_at == "before":
                await asyncio.sleep(delay.delay_seconds)
            if fault is not None and kind in {
                Kind.DROP_BEFORE,
                Kind.ERROR_500_BEFORE,
                Kind.EMPTY_401,
                Kind.REFUSE,
            }:
                return self._not_performed(fault, entry)
            answer = self._perform(
                operation,
                body,
                Call(
                    fields={},
                    entry=entry,
                    key=key,
                    origin=self.origin,
                    now=self.sandbox.clock.now(),
                    is_legacy=self.family.is_legacy,
                    is_doubled=is_doubled,
                    decline=fault if kind is Kind.DECLINE else None,
                ),
            )
            if delay is not None and delay.delay_at == "after":
                await asyncio.sleep(delay.delay_seconds)
        if kind is Kind.DROP_AFTER:
            return Hangup()
        if fault is not None and kind is Kind.REFUSE_AFTER:
            return self._answer(*self.family.error(Arranged(fault.error_code or -500, fault.error_message)))
        if kind is Kind.ERROR_500_AFTER:
            return self._answer(*self.family.error(InternalError()))
        if kind is Kind.GARBLED_AFTER:
            return _garbled(answer)
        return answer

    def _perform(self, operation: Operation, body: dict[str, Any], call: Call) -> Response[Any]:
        """The operation and its line in the log, in one transaction; what a refusal has changed stays."""
        entry = call.entry
        try:
            with self.sandbox.database.transaction():
                try:
                    call.fields = fields.read_fields(operation.known, body)
                    answer = self._answer(200, operation.perform(self.sandbox, call))
                except Refusal as refusal:
                    if call.decline is not None and call.is_decline_used:
                        refusal.extras_form = call.decline.extras
                    answer = self._refusal_noted(refusal, entry)
                self.sandbox.call_log.write(entry, call.now)
        except Exception:
            log.exception("operation failed", operation=operation.name, tid=entry.tid)
            entry.outcome = "error"
            return self._refused(InternalError(), entry)
        finally:
            call.give_back_decline(self.sandbox.faults)
        return answer

    def _not_performed(self, fault: Fault, entry: Entry) -> Response[Any]:
        entry.outcome = "not_performed"
        if fault.kind is Kind.REFUSE:
            return self._refused(Arranged(fault.error_code or -500, fault.error_message), entry)
        if fault.kind is Kind.ERROR_500_BEFORE:
            return self._refused(InternalError(), entry)
        with self.sandbox.database.transaction():
            self.sandbox.call_log.write(entry, self.sandbox.clock.now())
        if fault.kind is Kind.EMPTY_401:
            return Response(b"", status_code=401, media_type=MEDIA_TYPE)
        return Hangup()

    def _sid_concerned(self, body: dict[str, Any]) -> str | None:
        """The SID a call is about, named by itself or by its order."""
        if isinstance(body.get("sid"), str):
            return str(body["sid"])
        if isinstance(body.get("tid"), str):
            row = self.sandbox.database.one("SELECT sid FROM orders WHERE tid = :tid", tid=body["tid"])
            return None if row is None else row["sid"]
        return None

    def _refused(self, refusal: Refusal, entry: Entry) -> Response[Any]:
        answer = self._refusal_noted(refusal, entry)
        with self.sandbox.database.transaction():
            self.sandbox.call_log.write(entry, self.sandbox.clock.now())
        return answer

    def _refusal_noted(self, refusal: Refusal, entry: Entry) -> Response[Any]:
        entry.error_code = refusal.code
        entry.method_result_code = refusal.method_result_code
        return self._answer(*self.family.error(refusal))

    @staticmethod
    def _answer(status_code: int, body: dict[str, Any]) -> Response[Any]:
        return Response(msgspec.json.encode(body), status_code=status_code, media_type=MEDIA_TYPE)


def _note(entry: Entry, body: dict[str, Any]) -> None:
    """Put what a call says about itself into its line, before anything is checked."""
    for name in ("cid", "tid", "sid", "partner_order_id", "partner_user_id"):
        value = body.get(name)
        if isinstance(value, str | int):
            setattr(entry, name, str(value)[:200])
    try:
        entry.amount = fields.number(body.get("total_amount", body.get("cancel_amount")))
    except ValueError:
        entry.amount = None


def _garbled(answer: Response[Any]) -> Response[Any]:
    """The first half of a reply under a status that promises a whole one."""
    whole = bytes(answer.content)
    return Response(whole[: len(whole) // 2], status_code=answer.status_code, media_type=MEDIA_TYPE)
