"""The part of the control API that makes calls go wrong (docs/wire/kakaopay.md, 14.12 and 14.19)."""

from typing import Any

from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from kakaopay_sandbox.clock import next_midnight
from kakaopay_sandbox.control_body import BadControl, Body
from kakaopay_sandbox.faults import (
    ASKING_OPERATIONS,
    EVERY_OPERATION,
    FILE_KINDS,
    FILE_OPERATION_NAMES,
    OPERATION_NAMES,
    Extras,
    Fault,
    Kind,
)
from kakaopay_sandbox.hangup import AnyRequest
from kakaopay_sandbox.sandbox import Sandbox

ALL_OPERATIONS = (*OPERATION_NAMES, *FILE_OPERATION_NAMES, EVERY_OPERATION)
TIMES_MAX = 1_000_000
DELAY_SECONDS_MAX = 3600
LEAST_CODE, GREATEST_CODE = -99_999, -1
FIELDS = (
    "operation",
    "kind",
    "times",
    "sid",
    "method_result_code",
    "delay_seconds",
    "delay_at",
    "error_code",
    "error_message",
    "extras",
    "until_midnight",
)


def fault_of(body: Body, now: int) -> Fault:
    """The fault that a request describes. Raises BadControl, whose text begins with the field."""
    operation = body.one_of("operation", ALL_OPERATIONS)
    kind = Kind(body.one_of("kind", tuple(known.value for known in Kind)))
    if kind is Kind.DECLINE and operation not in ASKING_OPERATIONS:
        raise BadControl(f"operation must be one of {', '.join(ASKING_OPERATIONS)}: no other can be declined")
    is_refusal = kind in {Kind.REFUSE, Kind.REFUSE_AFTER}
    if body.has("error_message") and not is_refusal:
        raise BadControl("error_message belongs to the kinds refuse and refuse_after")
    if body.has("extras") and kind is not Kind.DECLINE:
        raise BadControl("extras belongs to kind decline")
    if operation in FILE_OPERATION_NAMES and kind.value not in FILE_KINDS:
        raise BadControl(f"kind must be one of {', '.join(FILE_KINDS)} for {operation}")
    if kind is Kind.DELAY and not body.has("delay_seconds"):
        raise BadControl("delay_seconds is missing")
    if body.has("delay_seconds") and kind is not Kind.DELAY:
        raise BadControl("delay_seconds belongs to kind delay; a delay combines with another fault by itself")
    is_until_midnight = body.has("until_midnight") and body.flag("until_midnight")
    return Fault(
        operation=operation,
        kind=kind,
        times=body.number("times", 1, TIMES_MAX, 1),
        sid=body.text("sid"),
        method_result_code=body.text("method_result_code"),
        delay_seconds=body.seconds("delay_seconds", DELAY_SECONDS_MAX),
        delay_at=body.one_of("delay_at", ("before", "after"), "before"),
        error_code=body.number("error_code", LEAST_CODE, GREATEST_CODE) if is_refusal else None,
        error_message=body.text("error_message"),
        extras=Extras(body.one_of("extras", tuple(known.value for known in Extras), Extras.PRESENT)),
        ends_at=next_midnight(now) if is_until_midnight else None,
    )


def fault_handlers(sandbox: Sandbox) -> list[HTTPRouteHandler]:
    @post("/_sim/faults", status_code=201)
    async def add_fault(request: AnyRequest) -> dict[str, Any]:
        """Make the next calls of an operation go wrong."""
        fault = fault_of(await Body.of(request, *FIELDS), sandbox.clock.now())
        sandbox.faults.add(fault)
        return fault.shown()

    @get("/_sim/faults")
    async def list_faults() -> list[dict[str, Any]]:
        """Faults that still wait for a call."""
        return [fault.shown() for fault in sandbox.faults.waiting(sandbox.clock.now())]

    @delete("/_sim/faults", status_code=200)
    async def clear_faults() -> dict[str, int]:
        return {"cleared": sandbox.faults.clear()}

    @delete("/_sim/faults/{fault_id:str}", status_code=200)
    async def remove_fault(fault_id: FromPath[str]) -> dict[str, int]:
        """Forget one fault, by the `id` it was given."""
        if not (fault_id.isascii() and fault_id.isdigit() and sandbox.faults.remove(int(fault_id))):
            raise BadControl(f"id {fault_id} is no fault that waits", 404)
        return {"cleared": 1}

    return [add_fault, list_faults, clear_faults, remove_fault]
