"""What a request to the control API says, read field by field, and what it is told when that cannot be done."""

import math
from typing import Any

import msgspec
from litestar import Response

from kakaopay_sandbox.hangup import AnyRequest


class BadControl(Exception):
    """A request to the control API that cannot be done; the text names the field."""

    def __init__(self, text: str, status_code: int = 400) -> None:
        self.status_code = status_code
        super().__init__(text)


def bad_control(request: AnyRequest, mistake: BadControl) -> Response[dict[str, str]]:
    del request
    return Response({"error": str(mistake)}, status_code=mistake.status_code)


class Body:
    """The JSON object of a control request, read field by field."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    @classmethod
    async def of(cls, request: AnyRequest, *known: str) -> "Body":
        raw = await request.body()
        try:
            values = msgspec.json.decode(raw or b"{}")
        except (msgspec.MsgspecError, UnicodeDecodeError) as unreadable:
            raise BadControl("the body must be JSON") from unreadable
        if not isinstance(values, dict):
            raise BadControl("the body must be a JSON object")
        for name in values:
            if name not in known:
                raise BadControl(f"{name} is not a field of this request; known are {', '.join(known) or 'none'}")
        return cls(values)

    def has(self, name: str) -> bool:
        return self._values.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str | None:
        value = self._values.get(name)
        if value is None:
            return default
        if not isinstance(value, str) or not value:
            raise BadControl(f"{name} must be a text that is not empty")
        return value

    def needed_text(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise BadControl(f"{name} is missing")
        return value

    def one_of(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        value = self.text(name, default)
        if value not in allowed:
            raise BadControl(f"{name} must be one of {', '.join(allowed)}")
        return value

    def number(self, name: str, least: int, most: int, default: int | None = None) -> int:
        value = self._values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise BadControl(f"{name} must be a whole number from {least} to {most}")
        return value

    def seconds(self, name: str, most: int) -> float:
        value = self._values.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most or math.isnan(value):
            raise BadControl(f"{name} must be a number from 0 to {most}")
        return float(value)

    def some_of(self, name: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        """Some of the allowed texts, in a list; all of them when nothing is said."""
        values = self._values.get(name)
        if values is None:
            return allowed
        if not isinstance(values, list) or not values or any(value not in allowed for value in values):
            raise BadControl(f"{name} must be a list of some of {', '.join(allowed)}")
        return tuple(one for one in allowed if one in values)

    def flag(self, name: str) -> bool:
        value = self._values.get(name)
        if not isinstance(value, bool):
            raise BadControl(f"{name} must be true or false")
        return value
