"""The key ring: the keys that seal, open and hash, as a JSON text that a file, a variable or a command gives.

Each key is a Tink keyset of AES-256-GCM and a key for hashes. What was sealed says itself with which key, in its
first five bytes (Tink's prefix: a 1, then the key's id). A key of version 1, from before there were rings, seals under
the place alone; every later one also binds what it seals to the facts of the row (`binds`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import tink
from tink import aead, json_proto_keyset_format, secret_key_access

from maedal.private_files import make_private_folder

aead.register()

VERSION = 2
KEYS_MAX = 100
PREFIX_BYTES = 5


class KeyFileError(Exception):
    """The key ring is missing, unreadable, or open to others; the text says what to do, and nothing of the keys."""


@dataclass(frozen=True, slots=True)
class RingKey:
    """One key of the ring, with everything that is made of it."""

    id: str
    """The id that Tink puts before whatever the key seals: eight hexadecimal digits."""
    binds: bool
    keyset: str = field(repr=False)
    macs: tuple[bytes, ...] = field(repr=False)
    aead: aead.Aead = field(repr=False, compare=False)
    ids: frozenset[str] = field(compare=False)
    """The ids of all keys in the keyset: more than one only in files of version 1 that somebody changed by hand."""
    past_macs: tuple[bytes, ...] = field(default=(), repr=False)
    """Of keys that were dropped from the ring: what the chain over the logs was made with stays provable."""

    @property
    def prefix(self) -> bytes:
        """What everything begins with that the key seals."""
        return prefix_of(self.id)

    @property
    def fingerprint(self) -> str:
        """Say which key it is: a keyed hash under its own 256 random bits, which tells nothing of them to anybody."""
        rest = "\0".join(("maedal key", self.keyset, *(key.hex() for key in self.macs[1:])))
        return grouped(hmac.digest(self.macs[0], rest.encode(), hashlib.sha256).hex()[:32])

    def entry(self) -> dict[str, Any]:
        """Return the key as the ring's text has it."""
        return {
            "id": self.id,
            "binds": self.binds,
            "aead": json.loads(self.keyset),
            "mac": [base64.b64encode(key).decode() for key in self.macs],
        } | ({"past_mac": [base64.b64encode(key).decode() for key in self.past_macs]} if self.past_macs else {})


def prefix_of(key_id: str) -> bytes:
    """Return what everything begins with that the key of this id seals."""
    return b"\x01" + bytes.fromhex(key_id)


def grouped(digits: str) -> str:
    """Return hexadecimal digits in groups of four, to be read aloud and compared."""
    return "-".join(digits[n : n + 4] for n in range(0, len(digits), 4))


def new_key() -> RingKey:
    """Draw a key."""
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    content = json.loads(json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN))
    return _key_of(content, [secrets.token_bytes(32)], binds=True)


def parse(text: str, where: str) -> list[RingKey]:
    """Return the keys of a ring's text, the oldest first. Raises KeyFileError, which names `where` it came from."""
    try:
        content = json.loads(text)
        version = content["version"]
        if version == 1:
            keys = [_key_of(content["aead"], _macs(content["mac"]), binds=False)]
        elif version == VERSION:
            keys = [
                replace(
                    _key_of(one["aead"], _macs(one["mac"]), binds=bool(one["binds"])),
                    past_macs=tuple(_macs(one.get("past_mac", []))),
                )
                for one in content["keys"][:KEYS_MAX]
            ]
        else:
            raise KeyFileError(f"{where} is of version {int(version)}; this maedal reads 1 and {VERSION}")
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, tink.TinkError) as error:
        # Never the text of the error: it may quote what stands there.
        raise KeyFileError(f"{where} is damaged ({type(error).__name__}); restore its backup") from None
    if not keys or any(not key.macs for key in keys):
        raise KeyFileError(f"{where} holds no whole key; restore its backup")
    if len({key_id for key in keys for key_id in key.ids}) != sum(len(key.ids) for key in keys):
        raise KeyFileError(f"{where} holds a key twice; restore its backup")
    return keys


def without(keys: Sequence[RingKey], key_id: str) -> list[RingKey]:
    """Return the ring without a key; the newest of the others keeps what proves the logs of its time."""
    gone = next(one for one in keys if one.id == key_id)
    *rest, newest = (one for one in keys if one.id != key_id)
    return [*rest, replace(newest, past_macs=(*newest.past_macs, *gone.past_macs, *gone.macs))]


def text_of(keys: Iterable[RingKey]) -> str:
    """Return the ring's text."""
    return json.dumps({"version": VERSION, "keys": [key.entry() for key in keys]}, indent=1)


def write_new(path: Path, text: str) -> None:
    """Write a file that only its owner may read (mode 0600). Raises FileExistsError rather than overwrite."""
    make_private_folder(path.parent)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    # Whatever the umask: it may have taken the owner's rights as well.
    os.fchmod(descriptor, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, text: str) -> None:
    """Put a ring in the place of the one at `path`, whole or not at all. Raises OSError."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    owner = path.stat()
    write_new(beside, text)
    try:
        if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(beside, owner.st_uid, owner.st_gid)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def create_key_file(path: Path) -> None:
    """Write a new key file of one key that only its owner may read. Raises FileExistsError rather than overwrite."""
    write_new(path, text_of([new_key()]))


def _macs(texts: list[str]) -> list[bytes]:
    keys = [base64.b64decode(text, validate=True) for text in texts]
    if any(len(key) < 16 for key in keys):
        raise ValueError("too short for a key")
    return keys


def _key_of(keyset: dict[str, Any], macs: list[bytes], *, binds: bool) -> RingKey:
    text = json.dumps(keyset, sort_keys=True)
    handle = json_proto_keyset_format.parse(text, secret_key_access.TOKEN)
    ids = frozenset(f"{int(one['keyId']):08x}" for one in keyset["key"])
    primary = f"{int(keyset['primaryKeyId']):08x}"
    return RingKey(primary, binds, text, tuple(macs), handle.primitive(aead.Aead), ids)
