"""Which program this is: a digest of its own files, so that evidence about one state of it is not taken for another."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
KINDS = frozenset({".py", ".sql", ".js", ".html", ".css"})


@cache
def code_digest() -> str:
    """Return the digest of every file of the installed package, the same wherever it is installed."""
    digest = hashlib.sha256()
    for path in sorted(HERE.rglob("*")):
        if path.suffix in KINDS and path.is_file():
            content = path.read_bytes()
            digest.update(f"{path.relative_to(HERE).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
