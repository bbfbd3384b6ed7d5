"""By how much times that KakaoPay tells later differ from those of the first reply (docs/wire/kakaopay.md, 2)."""

import random
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from kakaopay_sandbox.clock import wire_time
from kakaopay_sandbox.database import Database

PLACES = ("status", "order", "cancel", "file")
SECONDS_MAX = 10


@dataclass(frozen=True, slots=True)
class Offset:
    """Times told in `of` are `seconds` off, and by up to `spread` more either way, drawn anew for each reply.

    A row of a file keeps what was drawn for it, since a file is written once.
    """

    seconds: int = 0
    spread: int = 0
    of: tuple[str, ...] = PLACES
    seed: int = 0

    def shown(self) -> dict[str, Any]:
        return asdict(self) | {"of": list(self.of)}


class TimeOffsets:
    """What has happened stays stored with its true time; only what is told of it moves. Survives a restart."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.offset = msgspec.json.decode(database.recall("time_offset", "{}"), type=Offset)
        self._draws = random.Random(self.offset.seed)  # noqa: S311  a test's dice, not a secret

    def change(self, offset: Offset) -> None:
        self._database.remember("time_offset", msgspec.json.encode(offset).decode())
        self.offset = offset
        self._draws = random.Random(offset.seed)  # noqa: S311

    def seconds_of_reply(self, place: str) -> int:
        """By how many seconds one reply tells its times off."""
        if place not in self.offset.of:
            return 0
        return self.offset.seconds + self._draws.randint(-self.offset.spread, self.offset.spread)

    def seconds_of_row(self, aid: str) -> int:
        """The same of a file's row, always the same for one action."""
        if "file" not in self.offset.of:
            return 0
        draw = random.Random(f"{self.offset.seed} {aid}")  # noqa: S311
        return self.offset.seconds + draw.randint(-self.offset.spread, self.offset.spread)


def offset_time(at: int, seconds_off: int) -> str:
    return wire_time(at + seconds_off)
