"""Key rings as files: of the first version, and with a key more."""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path

import tink
from tink import aead, json_proto_keyset_format, secret_key_access

from maedal.vault.ring import RingKey, new_key, parse, replace_file, text_of


def write_first_version(path: Path) -> None:
    """Write a key file as maedal made them before there were rings."""
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    content = {
        "version": 1,
        "aead": json.loads(json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN)),
        "mac": [base64.b64encode(secrets.token_bytes(32)).decode()],
    }
    path.touch(0o600)
    path.write_text(json.dumps(content))


def add_key(path: Path) -> RingKey:
    """Add a key to the ring at `path`, as `maedal keys add` does."""
    key = new_key()
    replace_file(path, text_of([*parse(path.read_text(), "the ring"), key]))
    return key
