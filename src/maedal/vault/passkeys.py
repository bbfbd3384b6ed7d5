"""Passkeys (WebAuthn), for the second step of signing in: what the browser is asked, and whether its answer holds."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from urllib.parse import urlsplit

RP_NAME = "maedal"
TIMEOUT_MILLISECONDS = 120_000
TRANSPORTS = frozenset({"ble", "hybrid", "internal", "nfc", "smart-card", "usb"})
"""How browsers reach a key; whatever else they name is not kept."""


class Passkeys:
    """Asks and checks for one address, the public one: a key that was made for it signs for no other."""

    def __init__(self, public_url: str) -> None:
        parts = urlsplit(public_url)
        self._rp_id = parts.hostname or ""
        self._origin = public_url

    @property
    def available(self) -> bool:
        """Whether browsers know passkeys at this address: a host's name, encrypted unless it is this machine."""
        if not self._rp_id or _is_address(self._rp_id):
            return False
        here = self._rp_id == "localhost" or self._rp_id.endswith(".localhost")
        return here or self._origin.startswith("https://")

    def to_add(self, challenge: bytes, operator_id: str, name: str, known: Sequence[bytes]) -> str:
        """Return what `navigator.credentials.create` is given, as JSON; `known` are keys that must not be added again.

        The person must show to their device that it is they; who made the device is not asked.
        """
        from webauthn import generate_registration_options, options_to_json
        from webauthn.helpers import structs

        required = structs.UserVerificationRequirement.REQUIRED
        options = generate_registration_options(
            rp_id=self._rp_id,
            rp_name=RP_NAME,
            user_id=operator_id.encode(),
            user_name=name,
            challenge=challenge,
            timeout=TIMEOUT_MILLISECONDS,
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.PREFERRED, user_verification=required
            ),
            exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=one) for one in known],
        )
        return options_to_json(options)

    def to_use(self, challenge: bytes, known: Sequence[tuple[bytes, Sequence[str]]]) -> str:
        """Return what `navigator.credentials.get` is given, as JSON; `known` are the keys of which one must sign."""
        from webauthn import generate_authentication_options, options_to_json
        from webauthn.helpers import structs

        options = generate_authentication_options(
            rp_id=self._rp_id,
            challenge=challenge,
            timeout=TIMEOUT_MILLISECONDS,
            allow_credentials=[
                structs.PublicKeyCredentialDescriptor(
                    id=one, transports=[structs.AuthenticatorTransport(name) for name in transports] or None
                )
                for one, transports in known
            ],
            user_verification=structs.UserVerificationRequirement.REQUIRED,
        )
        return options_to_json(options)

    def challenge_of(self, answer: str) -> bytes:
        """Return the challenge that an answer names. Raises whatever comes of an answer that is none."""
        from webauthn.helpers import base64url_to_bytes, parse_client_data_json

        return parse_client_data_json(base64url_to_bytes(json.loads(answer)["response"]["clientDataJSON"])).challenge

    def added(self, answer: str, challenge: bytes) -> tuple[bytes, bytes, int, tuple[str, ...]]:
        """Return the id of a new key, its public half, its count and how it is reached.

        Raises what the library raises when the answer is not one to this challenge, at our address, by a person who
        showed who they are.
        """
        from webauthn import verify_registration_response
        from webauthn.helpers.parse_registration_credential_json import parse_registration_credential_json

        verified = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=self._rp_id,
            expected_origin=self._origin,
            require_user_verification=True,
        )
        said = parse_registration_credential_json(answer).response.transports or []
        reached = tuple(sorted({str(one.value) for one in said} & TRANSPORTS))
        return verified.credential_id, verified.credential_public_key, verified.sign_count, reached

    def credential_of(self, answer: str) -> bytes:
        """Return the id of the key that an answer names. Raises whatever comes of an answer that is none."""
        from webauthn.helpers.parse_authentication_credential_json import parse_authentication_credential_json

        return parse_authentication_credential_json(answer).raw_id

    def used(self, answer: str, challenge: bytes, public_key: bytes) -> int:
        """Return how often the key says that it has signed, this time included. Raises as `added` does.

        Whether that number may be is not judged here: the library's own refusal does not say that it was this.
        """
        from webauthn import verify_authentication_response

        verified = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=self._rp_id,
            expected_origin=self._origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
        return verified.new_sign_count


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
