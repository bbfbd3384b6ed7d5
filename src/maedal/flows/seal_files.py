"""Files that leave sealed: which passphrase is good enough for one that anybody may try, as often as they like."""

from __future__ import annotations

from maedal.flows.services import ServicesWithoutStore
from maedal.operators.operator import Operator, check_password, draw_password
from maedal.payments.errors import InvalidParameter

FILE_GUESSES_MIN = 10**14
"""A hundred thousand times what a password needs: a file waits for nobody, and a ZIP stretches passphrases little."""


def draw_passphrase() -> str:
    """Return a random passphrase of about 100 bits, to be shown once and kept nowhere."""
    return draw_password()


async def check_passphrase(services: ServicesWithoutStore, operator: Operator, passphrase: str) -> None:
    """Raise InvalidParameter unless a file may be sealed with this: the rule for passwords, and harder to guess.

    ASCII alone, for programs that open files do not agree how other letters are bytes.
    """
    if not passphrase.isascii():
        raise InvalidParameter("passphrase", "a passphrase for a file has letters without accents, digits and signs")
    try:
        check_password(passphrase, operator.name)
    except InvalidParameter as error:
        raise InvalidParameter("passphrase", error.message) from error
    if await services.passwords.is_easy(passphrase, operator.name, "maedal", guesses_min=FILE_GUESSES_MIN):
        raise InvalidParameter(
            "passphrase", "the passphrase is too easy for a file that anybody may try; take a longer one"
        )
