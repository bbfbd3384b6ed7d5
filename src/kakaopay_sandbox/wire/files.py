"""The file API over HTTP (docs/wire/kakaopay.md, 12): an address first, the file behind it second."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from kakaopay_sandbox.call_log import Entry
from kakaopay_sandbox.clock import wire_time
from kakaopay_sandbox.faults import Kind
from kakaopay_sandbox.files import FileKind, is_day
from kakaopay_sandbox.hangup import AnyRequest, Hangup
from kakaopay_sandbox.sandbox import Sandbox

MEDIA_TYPE = "application/json;charset=UTF-8"
NO_FILE = "no uploaded file!"


def file_handlers(sandbox: Sandbox, origin_of: Callable[[AnyRequest], str]) -> list[HTTPRouteHandler]:
    """The handlers of both steps; `origin_of` tells where the file's address points."""

    @get("/files/v1/{kind:str}/history", include_in_schema=False)
    async def history(request: AnyRequest, kind: FromPath[str]) -> Response[Any]:
        if kind not in set(FileKind):
            raise NotFoundException

        def answer() -> tuple[int, dict[str, Any]]:
            target_date = request.query_params.get("target_date", "")
            if not is_day(target_date):
                return 400, {"message": "target_date must be yyyyMMdd"}
            now = sandbox.clock.now()
            bucket_id = request.query_params.get("bucket_id", "")
            if not sandbox.files.is_there(FileKind(kind), target_date, bucket_id, now):
                return 404, {"message": NO_FILE}
            name, expires_at = sandbox.files.hand_out(FileKind(kind), target_date, now)
            return 200, {"url": f"{origin_of(request)}/files/{name}.json", "expires_at": wire_time(expires_at)}

        key = request.headers.get("authorization")
        is_known = key == f"PG_BIZAPI_KEY {sandbox.settings.file_key}"
        return await _answer(sandbox, "files", answer if is_known else _unknown_key)

    @get("/files/{name:str}", include_in_schema=False)
    async def file(name: FromPath[str]) -> Response[Any]:
        def answer() -> tuple[int, dict[str, Any]]:
            found = sandbox.files.read(name.removesuffix(".json"), sandbox.clock.now())
            return (403, {"message": "the address is unknown or over"}) if found is None else (200, found)

        # Known merchants fetch it with their key and without: the address is what opens it.
        return await _answer(sandbox, "file", answer)

    return [history, file]


def _unknown_key() -> tuple[int, dict[str, Any]]:
    return 401, {"message": "PG_BIZAPI_KEY is missing or not valid."}


async def _answer(sandbox: Sandbox, operation: str, answer: Callable[[], tuple[int, dict[str, Any]]]) -> Response[Any]:
    """One call: what a test has made go wrong, its answer, its line in the log."""
    entry = Entry(operation=operation)
    now = sandbox.clock.now()
    delay, fault = sandbox.faults.take_delay(operation, None, now), sandbox.faults.take(operation, None, now)
    entry.fault = "+".join(one.kind.value for one in (delay, fault) if one is not None) or None
    kind = None if fault is None else fault.kind
    if delay is not None:
        await asyncio.sleep(delay.delay_seconds)
    is_dropped = kind in {Kind.DROP_BEFORE, Kind.DROP_AFTER}
    with sandbox.database.transaction():
        if kind in {Kind.DROP_BEFORE, Kind.ERROR_500_BEFORE}:
            entry.outcome = "not_performed"
            status_code, body = 500, {"message": "internal error."}
        else:
            status_code, body = answer()
            entry.outcome = "answered" if status_code == 200 else "refused"
        sandbox.call_log.write(entry, sandbox.clock.now())
    if is_dropped:
        return Hangup()
    if kind is Kind.ERROR_500_AFTER:
        status_code, body = 500, {"message": "internal error."}
    whole = msgspec.json.encode(body)
    if kind is Kind.GARBLED_AFTER:
        whole = whole[: len(whole) // 2]
    return Response(whole, status_code=status_code, media_type=MEDIA_TYPE)
