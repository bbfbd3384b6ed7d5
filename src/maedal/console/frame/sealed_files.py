"""A file sealed with a passphrase while it is written: a ZIP with AES-256, which the usual programs open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

from litestar.response import Stream

from maedal.console.frame.page import HEADERS

MEDIA_TYPE = "application/zip"
SEALED = "AES-256 ZIP"
"""What the audit log calls it."""


def as_file(
    name: str, media_type: str, parts: AsyncIterator[bytes], passphrase: str | None, *, shown_name: str = ""
) -> Stream:
    """Return a download of this name while it is written; with a passphrase, sealed in a ZIP.

    `shown_name` is what browsers call it, in any letters; `name` is of ASCII, for whatever knows no others.
    """
    if passphrase is not None:
        parts = sealed(shown_name or name, parts, passphrase)
        name, shown_name, media_type = f"{name}.zip", shown_name and f"{shown_name}.zip", MEDIA_TYPE
    disposition = f'attachment; filename="{name}"'
    if shown_name:  # RFC 6266
        disposition += f"; filename*=UTF-8''{quote(shown_name, safe='')}"
    return Stream(parts, media_type=media_type, status_code=200, headers=HEADERS | {"Content-Disposition": disposition})


async def sealed(name: str, parts: AsyncIterator[bytes], passphrase: str) -> AsyncIterator[bytes]:
    """Give a ZIP with one sealed file of this name, a part at a time; what was written is not kept."""
    # With its ciphers it takes a tenth of a process's start, and most processes never seal a file.
    import pyzipper

    sink = _Sink()
    archive = pyzipper.AESZipFile(sink, "w", compression=pyzipper.ZIP_DEFLATED)
    archive.setpassword(passphrase.encode("ascii"))
    archive.setencryption(pyzipper.WZ_AES, nbits=256)
    # It is not known beforehand whether it grows beyond four gigabytes.
    entry = archive.open(name, "w", force_zip64=True)
    async for part in parts:
        await asyncio.to_thread(entry.write, part)
        if written := sink.take():
            yield written
    await asyncio.to_thread(entry.close)
    archive.close()
    yield sink.take()


class _Sink:
    """Where the archive is written to: what cannot be gone back in, and is taken away as it comes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def take(self) -> bytes:
        """Return what has been written since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken
