"""The file as a stream: it is never in memory as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import ijson

from maedal.transfer.fields import FileRefused

HEADER = ("merchants", "channels")
"""Short lists that every entry refers to; read first, wherever they stand."""
SECTIONS = ("billing_keys", "payments", "schedules", "prepared")
HEADER_MAX = 1000
FORMAT = 1


class _Counted:
    """A file that is hashed as it is read."""

    def __init__(self, file: BinaryIO, progress: Callable[[int], None]) -> None:
        self._file = file
        self._progress = progress
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self.digest.update(block)
        self._progress(len(block))
        return block


def survey(path: Path, progress: Callable[[int], None]) -> tuple[str, dict[str, int]]:
    """Read the whole file once; return its SHA-256 and how many entries each of its lists has.

    `progress` is called with the number of bytes read. Raises FileRefused when it is no complete JSON or has a list we
    do not know.
    """
    counts: dict[str, int] = {}
    with path.open("rb") as file:
        counted = _Counted(file, progress)
        try:
            version = _count(counted, counts)
            while counted.read(1 << 16):
                pass
        except (ijson.JSONError, UnicodeDecodeError) as error:
            raise FileRefused(f"the file is no complete JSON ({str(error).splitlines()[0]})") from error
    if version != FORMAT:
        raise FileRefused(f'maedal: the file must say "maedal": {FORMAT}, the format this version reads')
    for section in HEADER:
        if counts.get(section, 0) > HEADER_MAX:
            raise FileRefused(f"{section}: at most {HEADER_MAX} are expected")
    if not counts.get("merchants"):
        raise FileRefused("merchants: the file has none")
    return counted.digest.hexdigest(), counts


def _count(file: Any, counts: dict[str, int]) -> Any:
    depth, section, version = 0, "", None
    for event, value in ijson.basic_parse(file):
        if depth == 2 and event in {"start_map", "start_array", "string", "number", "boolean", "null"}:
            counts[section] += 1
        if depth <= 1:
            if depth == 0 and event != "start_map":
                raise FileRefused("the file must be one JSON object")
            if event == "map_key":
                section = value
                if section in counts or (section not in HEADER + SECTIONS and section != "maedal"):
                    raise FileRefused(f"{section}: {'it is there twice' if section in counts else 'unknown'}")
                counts[section] = 0
            elif depth == 1 and section == "maedal":
                version = value
            elif depth == 1 and event not in {"start_array", "end_map"}:
                raise FileRefused(f"{section}: a list is expected")
        if event in {"start_map", "start_array"}:
            depth += 1
        elif event in {"end_map", "end_array"}:
            depth -= 1
    return version


def entries(path: Path, section: str, skipped: int = 0) -> Iterator[tuple[int, Any]]:
    """Return the entries of one list with their numbers, from the one numbered `skipped` on."""
    with path.open("rb") as file:
        for index, entry in enumerate(ijson.items(file, f"{section}.item")):
            if index >= skipped:
                yield index, entry
