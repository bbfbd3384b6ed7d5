"""Opens a ZIP sealed with AES-256 by WinZip's description (AE-1 and AE-2), with none of the code that writes ours."""

from __future__ import annotations

import hashlib
import hmac
import io
import struct
import zipfile
import zlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

SALT, CHECK, MAC, KEY = 16, 2, 10, 32
ITERATIONS = 1000


class WrongPassphrase(Exception):
    """It does not open with this one."""


def open_sealed(archive: bytes, passphrase: str) -> dict[str, bytes]:
    """Return the files of an archive by name, each proved by its code."""
    with zipfile.ZipFile(io.BytesIO(archive)) as directory:
        return {one.filename: _opened(archive, one, passphrase) for one in directory.infolist()}


def _opened(archive: bytes, entry: zipfile.ZipInfo, passphrase: str) -> bytes:
    assert entry.flag_bits & 1, "it is sealed"
    assert entry.compress_type == 99, "with AES"
    kind, size, version, vendor, strength, method = _extra(entry.extra)
    assert (kind, size, vendor, strength) == (0x9901, 7, b"AE", 3), "with 256 bits"
    assert version in {1, 2}
    names = struct.unpack("<HH", archive[entry.header_offset + 26 : entry.header_offset + 30])
    start = entry.header_offset + 30 + sum(names)
    stored = archive[start : start + entry.compress_size]
    salt, check, body, code = stored[:SALT], stored[SALT : SALT + CHECK], stored[SALT + CHECK : -MAC], stored[-MAC:]
    keys = hashlib.pbkdf2_hmac("sha1", passphrase.encode(), salt, ITERATIONS, 2 * KEY + CHECK)
    if not hmac.compare_digest(keys[-CHECK:], check):
        raise WrongPassphrase
    assert hmac.new(keys[KEY : 2 * KEY], body, "sha1").digest()[:MAC] == code, "nothing was changed"
    plain = _counted(keys[:KEY], body)
    return zlib.decompress(plain, -15) if method == 8 else plain


def _extra(extra: bytes) -> tuple[int, int, int, bytes, int, int]:
    while extra:
        kind, size = struct.unpack("<HH", extra[:4])
        if kind == 0x9901:
            version, vendor, strength, method = struct.unpack("<H2sBH", extra[4 : 4 + size])
            return kind, size, version, vendor, strength, method
        extra = extra[4 + size :]
    raise AssertionError("it does not say how it is sealed")


def _counted(key: bytes, body: bytes) -> bytes:
    """Return what AES in counter mode makes of it; WinZip's counter begins at 1, its smallest byte first."""
    blocks = (len(body) + 15) // 16
    counters = b"".join((n + 1).to_bytes(16, "little") for n in range(blocks))
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    stream = encryptor.update(counters)[: len(body)]
    return (int.from_bytes(body, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(body), "big")
