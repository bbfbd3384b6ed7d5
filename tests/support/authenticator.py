"""A device with passkeys, in software: it answers what a browser would be asked, and lies where a test wants it to."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url, encode_cbor

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One key pair of one device, for one origin."""

    origin: str
    rp_id: str = ""
    count: int = 0
    verifies: bool = True
    """Whether the device looks who is there."""
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: str | dict[str, Any]) -> str:
        """Answer what `navigator.credentials.create` is asked."""
        asked = json.loads(options) if isinstance(options, str) else options
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + encode_cbor(public)
        data = self._data(ATTESTED) + attested
        return self._answer(
            {
                "clientDataJSON": self._client("webauthn.create", asked["challenge"]),
                "attestationObject": encode_cbor({"fmt": "none", "attStmt": {}, "authData": data}),
            },
            transports=["internal", "hybrid"],
        )

    def get(self, options: str | dict[str, Any]) -> str:
        """Answer what `navigator.credentials.get` is asked."""
        asked = json.loads(options) if isinstance(options, str) else options
        client = self._client("webauthn.get", asked["challenge"])
        data = self._data(0)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer({"clientDataJSON": client, "authenticatorData": data, "signature": signature})

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _data(self, more: int) -> bytes:
        rp_id = self.rp_id or self.origin.partition("://")[2].partition(":")[0]
        flags = PRESENT | more | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _answer(self, response: dict[str, bytes], **more: Any) -> str:
        name = bytes_to_base64url(self.credential_id)
        spelt = {key: bytes_to_base64url(value) for key, value in response.items()}
        return json.dumps(
            {"id": name, "rawId": name, "type": "public-key", "response": spelt | more, "clientExtensionResults": {}}
        )
