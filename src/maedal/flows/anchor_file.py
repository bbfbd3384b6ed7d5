"""The file of anchors, outside the database: a line is added, and none is ever changed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from maedal.log_chain.anchor import AnchorFileError, AnchorLine, read_lines


class AnchorFile:
    """The lines of a file; without one, those of this process, which end with it."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._lines: list[AnchorLine] = []

    async def lines(self) -> Sequence[AnchorLine]:
        """Return every line, in order; none while there is no file yet. Raises AnchorFileError."""
        if self.path is None:
            return tuple(self._lines)
        return await asyncio.to_thread(self._read, self.path)

    async def add(self, line: AnchorLine) -> None:
        """Add a line, and have it on the disk. Raises AnchorFileError."""
        if self.path is None:
            self._lines.append(line)
            return
        await asyncio.to_thread(self._append, self.path, line.text())

    @staticmethod
    def _read(path: Path) -> list[AnchorLine]:
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise AnchorFileError(f"the file of anchors {path} cannot be read ({error})") from error
        return read_lines(text.splitlines())

    @staticmethod
    def _append(path: Path, text: str) -> None:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise AnchorFileError(f"the file of anchors {path} cannot be added to ({error.strerror})") from error
        try:
            # Together, so that two processes that add at once do not mix their lines.
            os.write(descriptor, f"{text}\n".encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
