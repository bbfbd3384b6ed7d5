"""What a test can make go wrong, once or several times (docs/wire/kakaopay.md, 14.12). Forgotten at restart."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

OPERATION_NAMES = ("ready", "approve", "subscription", "inactive", "status", "order", "cancel")
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


@dataclass(slots=True)
class Fault:
    """Waits for the next `times` calls of `operation`, of `sid` alone if one is named.

    A `delay` holds the call before it is performed, or with `delay_at` "after" only its answer.
    """

    operation: str
    kind: Kind
    times: int = 1
    sid: str | None = None
    method_result_code: str | None = None
    delay_seconds: float = 0.0
    delay_at: str = "before"
    error_code: int | None = None

    def suits(self, operation: str, sid: str | None) -> bool:
        return self.times > 0 and self.operation == operation and self.sid in {None, sid}

    def shown(self) -> dict[str, Any]:
        return {
            "operation": self.operation,
            "kind": self.kind.value,
            "times": self.times,
            "sid": self.sid,
            "method_result_code": self.method_result_code,
            "delay_seconds": self.delay_seconds,
            "delay_at": self.delay_at,
            "error_code": self.error_code,
        }


class Faults:
    """A queue: a call takes the first fault that suits it, and besides that the first suiting delay."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def clear(self) -> int:
        count = len(self._waiting)
        self._waiting.clear()
        return count

    def waiting(self) -> list[Fault]:
        return list(self._waiting)

    def take_delay(self, operation: str, sid: str | None) -> Fault | None:
        return self._take(operation, sid, delay=True)

    def take(self, operation: str, sid: str | None) -> Fault | None:
        return self._take(operation, sid, delay=False)

    def give_back(self, fault: Fault) -> None:
        """Undo a take: the call never came to the point where the fault acts."""
        if fault.times == 0 and not any(known is fault for known in self._waiting):
            self._waiting.insert(0, fault)
        fault.times += 1

    def _take(self, operation: str, sid: str | None, *, delay: bool) -> Fault | None:
        for fault in self._waiting:
            if (fault.kind is Kind.DELAY) == delay and fault.suits(operation, sid):
                fault.times -= 1
                if fault.times == 0:
                    self._waiting = [known for known in self._waiting if known is not fault]
                return fault
        return None
