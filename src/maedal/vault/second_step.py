"""Codes of an authenticator app (TOTP, RFC 6238), for the second step of signing in."""

from __future__ import annotations

from datetime import datetime

import pyotp
from pyotp.utils import strings_equal

ISSUER = "maedal"


class SecondStep:
    """Draws secrets and checks codes: six digits, a new one every 30 seconds."""

    def draw(self) -> str:
        """Return a new secret of 160 bits, in base 32 as apps take it."""
        return pyotp.random_base32()

    def address(self, secret: str, name: str) -> str:
        """Return the `otpauth://` address that a QR code shows to the app."""
        return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)

    def step_of(self, secret: str, code: str, now: datetime) -> int | None:
        """Return which step the code belongs to: the present one, or its neighbours for clocks that differ."""
        totp = pyotp.TOTP(secret)
        present = totp.timecode(now)
        for step in (present, present - 1, present + 1):
            if strings_equal(totp.generate_otp(step), code):
                return step
        return None
