"""The key file and what is done with it.

Secrets that we must be able to read again are sealed with Tink's AEAD under associated data naming their row and
column, so that a sealed value copied elsewhere does not open. Secrets that we only compare are kept as keyed hashes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

import tink
from tink import aead, json_proto_keyset_format, secret_key_access

from maedal.private_files import make_private_folder

aead.register()

_VERSION = 1


class KeyFileError(Exception):
    """The key file is missing, unreadable, or open to others; the text says what to do."""


class Vault:
    """Seals, opens and hashes with the keys of one key file."""

    fingerprint: str
    """Of the keys themselves: the same for every copy of the key file, and of no use for opening anything."""

    def __init__(self, aead_keyset: str, mac_keys: list[bytes]) -> None:
        whole = "\0".join(("maedal key file", aead_keyset, *(key.hex() for key in mac_keys)))
        digest = hashlib.sha256(whole.encode()).hexdigest()[:32]
        self.fingerprint = "-".join(digest[n : n + 4] for n in range(0, len(digest), 4))
        handle = json_proto_keyset_format.parse(aead_keyset, secret_key_access.TOKEN)
        self._aead = handle.primitive(aead.Aead)
        self._mac_keys = mac_keys

    def seal(self, secret: str, context: str) -> bytes:
        """Return `secret` sealed under `context`, which names the row and column it is kept in."""
        sealed: bytes = self._aead.encrypt(secret.encode(), context.encode())
        return sealed

    def open(self, sealed: bytes, context: str) -> str:
        """Return the secret. Raises tink.TinkError when `sealed` was made with other keys or for another place."""
        opened: bytes = self._aead.decrypt(sealed, context.encode())
        return opened.decode()

    def digest(self, purpose: str, text: str) -> bytes:
        """Return a keyed hash of 32 bytes; equal for equal text, of no use without the key file."""
        return self._digest(self._mac_keys[0], purpose, text)

    def digests(self, purpose: str, text: str) -> list[bytes]:
        """Return the keyed hashes of `text` under the present and every earlier key, to look a stored one up."""
        return [self._digest(key, purpose, text) for key in self._mac_keys]

    def matches(self, purpose: str, text: str, digest: bytes) -> bool:
        """Return whether `digest` was made of `text`, with the present or an earlier key, in constant time."""
        results = [hmac.compare_digest(self._digest(key, purpose, text), digest) for key in self._mac_keys]
        return any(results)

    @staticmethod
    def _digest(key: bytes, purpose: str, text: str) -> bytes:
        return hmac.digest(key, f"{purpose}\0{text}".encode(), hashlib.sha256)


def create_key_file(path: Path) -> None:
    """Write a new key file that only its owner may read (mode 0600). Raises FileExistsError rather than overwrite."""
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    content = {
        "version": _VERSION,
        "aead": json.loads(json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN)),
        "mac": [base64.b64encode(secrets.token_bytes(32)).decode()],
    }
    make_private_folder(path.parent)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def load_key_file(path: Path) -> Vault:
    """Return the vault of the key file at `path`. Raises KeyFileError with what to do when it cannot be used."""
    try:
        mode = path.stat().st_mode
        text = path.read_text()
    except OSError as error:
        raise KeyFileError(
            f"cannot read the key file {path} ({error.strerror}); set MAEDAL_KEY_FILE to yours, or make one: "
            "maedal keys create"
        ) from error
    if mode & 0o077:
        raise KeyFileError(f"the key file {path} can be read by others; run: chmod 600 {path}")
    try:
        content = json.loads(text)
        if content["version"] != _VERSION:
            raise KeyFileError(f"the key file {path} is of version {content['version']}; this maedal reads {_VERSION}")
        mac_keys = [base64.b64decode(key, validate=True) for key in content["mac"]]
        if not mac_keys:
            raise KeyFileError(f"the key file {path} holds no mac key; restore it from its backup")
        return Vault(json.dumps(content["aead"], sort_keys=True), mac_keys)
    except (ValueError, KeyError, TypeError, binascii.Error, tink.TinkError) as error:
        raise KeyFileError(f"the key file {path} is damaged ({type(error).__name__}); restore its backup") from error
