"""The age keys of an export: to whom billing keys are sealed, and what opens them again."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maedal.cli.running import give_up

MAKE_ONE = "make a pair with: age-keygen"
FILE_BYTES_MAX = 1 << 20
_PLUGIN = re.compile(r"(?:age1|AGE-PLUGIN-)([A-Za-z0-9+.\-]*?)-?1[0-9A-Za-z]+")
_LOCKED = (b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
"""What editors and shells of Windows put in front of a text."""


def recipient_of(text: str) -> Any:
    """Return the public key `--seal-to` names, or end with the reason why it cannot be sealed to."""
    import pyrage

    text = text.strip()
    if text.upper().startswith("AGE-SECRET-KEY-"):
        give_up(
            "--seal-to takes the public key (age1…), and this is the secret one: your shell may keep it in its "
            "history, so make a new pair and use that"
        )
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        give_up(f"--seal-to: {_why_not(text)}")


def _why_not(text: str) -> str:
    if text.startswith(("age1pq1", "age1tagpq1")):
        return f"a post-quantum public key (age1pq…) cannot be sealed to yet, only an age1… of X25519 ({MAKE_ONE})"
    if text.startswith("ssh-"):
        return f"an SSH key cannot be sealed to, only an age public key age1… ({MAKE_ONE})"
    if text.startswith("age1") and (plugin := _PLUGIN.fullmatch(text)) and plugin[1]:
        return f"a key of age-plugin-{plugin[1]} cannot be sealed to, only an age1… of X25519 ({MAKE_ONE})"
    if re.fullmatch(r"age1[0-9a-z]{20,}", text, re.IGNORECASE):
        return f"this age public key is incomplete or mistyped; copy the whole of it ({MAKE_ONE})"
    return f"an age public key age1… is expected ({MAKE_ONE})"


def identities_of(path: Path) -> Sequence[Any]:
    """Return every identity of the file `--open-with` names, or end with the reason why there is none."""
    import pyrage

    found, others = [], set()
    for number, line in enumerate(_text_of(path).splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith(("AGE-SECRET-KEY-PQ-", "AGE-PLUGIN-")):
            plugin = _PLUGIN.fullmatch(text)
            others.add(f"age-plugin-{plugin[1].lower()}" if plugin and plugin[1] else "post-quantum")
            continue
        try:
            found.append(pyrage.x25519.Identity.from_str(text))
        except pyrage.IdentityError:
            # Never what stands there: it may be a secret with one letter wrong.
            give_up(f"{path}: line {number} is no age identity (AGE-SECRET-KEY-1…), or one with a letter wrong")
    if not found and others:
        kinds = ", ".join(sorted(others))
        give_up(f"{path} holds no identity that can be used here (AGE-SECRET-KEY-1…), only of another kind: {kinds}")
    if not found:
        give_up(f"{path} holds no age identity (AGE-SECRET-KEY-1…)")
    return found


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX)
    except OSError as error:
        give_up(f"cannot read {path} ({error.strerror})")
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    if content.removeprefix(codecs.BOM_UTF8).lstrip().startswith(_LOCKED):
        give_up(
            f"{path} is locked with a passphrase; unlock it for the import into a file that only you may read: "
            f"(umask 077; age -d -o identity.txt {path}), and delete that file afterwards"
        )
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        give_up(f"{path} is no text, so it holds no age identity (AGE-SECRET-KEY-1…)")
