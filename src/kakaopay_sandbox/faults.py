"""What a test can make go wrong, once or several times (docs/wire/kakaopay.md, 14.12). Forgotten at restart."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import Any

from kakaopay_sandbox.clock import zoned_time

OPERATION_NAMES = ("ready", "approve", "subscription", "inactive", "status", "order", "cancel")
# Stands for all seven: a wrong key or an address that is not allowed concerns every call.
EVERY_OPERATION = "any"
# The two calls of the file API, which takes every fault but those of a payment's own answers.
FILE_OPERATION_NAMES = ("files", "file")
FILE_KINDS = ("drop_before", "drop_after", "delay", "error_500_before", "error_500_after", "garbled_after")
# Operations that ask a payment method, which alone can decline.
ASKING_OPERATIONS = ("approve", "subscription", "cancel")


class Kind(StrEnum):
    """`before` means that nothing was performed, `after` that all was performed and only the reply suffers."""

    DECLINE = "decline"
    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    DELAY = "delay"
    ERROR_500_BEFORE = "error_500_before"
    ERROR_500_AFTER = "error_500_after"
    GARBLED_AFTER = "garbled_after"
    EMPTY_401 = "empty_401"
    REFUSE = "refuse"
    REFUSE_AFTER = "refuse_after"


class Extras(StrEnum):
    """How a decline tells what the payment method answered: wholly, or one of the ways in which it may tell nothing."""

    PRESENT = "given"
    ABSENT = "absent"
    NULL = "null"
    EMPTY = "empty"
    WITHOUT_CODE = "without_code"
    EMPTY_CODE = "empty_code"


@dataclass(slots=True)
class Fault:
    """Waits for the next `times` calls of `operation`, of `sid` alone if one is named.

    A `delay` holds the call before it is performed, or with `delay_at` "after" only its answer. With `ends_at`, in
    seconds since the epoch, it is over then, however many calls are left.
    """

    operation: str
    kind: Kind
    times: int = 1
    sid: str | None = None
    method_result_code: str | None = None
    delay_seconds: float = 0.0
    delay_at: str = "before"
    error_code: int | None = None
    error_message: str | None = None
    extras: Extras = Extras.PRESENT
    ends_at: int | None = None
    id: int = 0
    struck: int = 0
    """How many calls it has met."""

    def suits(self, operation: str, sid: str | None) -> bool:
        is_meant = self.operation == operation or (self.operation == EVERY_OPERATION and operation in OPERATION_NAMES)
        return self.times > 0 and is_meant and self.sid in {None, sid}

    def is_over(self, now: int) -> bool:
        return self.ends_at is not None and now >= self.ends_at

    def shown(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "operation": self.operation,
            "kind": self.kind.value,
            "times": self.times,
            "struck": self.struck,
            "sid": self.sid,
            "method_result_code": self.method_result_code,
            "delay_seconds": self.delay_seconds,
            "delay_at": self.delay_at,
            "error_code": self.error_code,
            "error_message": self.error_message,
            "extras": self.extras.value,
            "ends_at": None if self.ends_at is None else zoned_time(self.ends_at),
        }


class Faults:
    """A queue: a call takes the first fault that suits it, and besides that the first suiting delay."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._ids = count(1)

    def add(self, fault: Fault) -> None:
        """Append a fault to the queue; it gets a number of its own."""
        fault.id = next(self._ids)
        self._waiting.append(fault)

    def remove(self, fault_id: int) -> bool:
        """Forget one fault; False when it waits no more."""
        before = len(self._waiting)
        self._waiting = [fault for fault in self._waiting if fault.id != fault_id]
        return len(self._waiting) < before

    def clear(self) -> int:
        count = len(self._waiting)
        self._waiting.clear()
        return count

    def waiting(self, now: int) -> list[Fault]:
        self._waiting = [fault for fault in self._waiting if not fault.is_over(now)]
        return list(self._waiting)

    def take_delay(self, operation: str, sid: str | None, now: int) -> Fault | None:
        return self._take(operation, sid, now, delay=True)

    def take(self, operation: str, sid: str | None, now: int) -> Fault | None:
        return self._take(operation, sid, now, delay=False)

    def give_back(self, fault: Fault) -> None:
        """Undo a take: the call never came to the point where the fault acts."""
        if fault.times == 0 and not any(known is fault for known in self._waiting):
            self._waiting.insert(0, fault)
        fault.times += 1
        fault.struck -= 1

    def _take(self, operation: str, sid: str | None, now: int, *, delay: bool) -> Fault | None:
        for fault in self.waiting(now):
            if (fault.kind is Kind.DELAY) == delay and fault.suits(operation, sid):
                fault.times -= 1
                fault.struck += 1
                if fault.times == 0:
                    self._waiting = [known for known in self._waiting if known is not fault]
                return fault
        return None
