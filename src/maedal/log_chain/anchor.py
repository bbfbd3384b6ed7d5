"""Anchors: what the newest block was, a line each outside the database, so that its end cannot be cut off unseen."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class LineKind(StrEnum):
    """What a line of the file of anchors says."""

    ANCHOR = "anchor"
    RESTORED = "restored"  # an older copy of the database took over: anchors of later blocks count no more


@dataclass(frozen=True, slots=True)
class AnchorLine:
    """One line. Of a restore `number` is the last block that both histories have; `who` and `reason` answer for it."""

    kind: LineKind
    number: int
    digest: bytes
    at: datetime
    who: str | None = None
    reason: str | None = None

    def text(self) -> str:
        """Return the line, without its end."""
        content = {
            "kind": self.kind,
            "block": self.number,
            "digest": self.digest.hex(),
            "at": self.at.astimezone(UTC).isoformat(timespec="seconds"),
            **({"who": self.who, "reason": self.reason} if self.kind is LineKind.RESTORED else {}),
        }
        return json.dumps(content, ensure_ascii=False)


class AnchorFileError(Exception):
    """The file of anchors cannot be read or added to, or a line of it is none; the text says what and where."""


def read_lines(lines: Iterable[str]) -> list[AnchorLine]:
    """Return what the lines say, in their order. Raises AnchorFileError."""
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            content = json.loads(line)
            found.append(
                AnchorLine(
                    LineKind(content["kind"]),
                    int(content["block"]),
                    bytes.fromhex(content["digest"]),
                    datetime.fromisoformat(content["at"]),
                    content.get("who"),
                    content.get("reason"),
                )
            )
        except (ValueError, KeyError, TypeError) as error:
            raise AnchorFileError(f"line {number} of the file of anchors is none") from error
    return found


def standing_anchors(lines: Iterable[AnchorLine]) -> list[AnchorLine]:
    """Return the anchors that count: not those of blocks that went with a restore which somebody answered for."""
    standing: list[AnchorLine] = []
    for line in lines:
        if line.kind is LineKind.RESTORED:
            standing = [anchor for anchor in standing if anchor.number <= line.number]
        else:
            standing.append(line)
    return standing
