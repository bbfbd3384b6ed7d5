"""Passwords, kept as Argon2id hashes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE_MAX = 2
"""Each takes 64 MiB for a moment; a flood of tries must not take the memory that charges need."""
NICENESS = 10
"""Nor the processor: whoever guesses has every core busy for a tenth of a second with each guess. People wait, charges
do not; yet on a machine at its limit people must come in within seconds, so theirs is a tenth of a usual share. Linux
has a niceness for each thread; the threads that Argon2 starts have that of the one they come from."""

GUESSES_MIN = 10**9
"""Who guesses at the door makes some hundred tries a day; this is what a stolen table of hashes must cost at least."""
JUDGED_CHARS = 72
"""What comes behind adds nothing to the judgement, and its time grows with the square of the length."""


_T = TypeVar("_T")


def _give_way() -> None:
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


class Passwords:
    """Hashes and checks passwords beside the event loop, a few at a time and behind everything else."""

    def __init__(self, hasher: argon2.PasswordHasher | None = None) -> None:
        # The library's default is RFC 9106's choice for servers without gigabytes to spare.
        self._hasher = hasher or argon2.PasswordHasher()
        self._beside = ThreadPoolExecutor(AT_ONCE_MAX, "passwords", initializer=_give_way)
        self._of_nobody: str | None = None

    async def hash(self, password: str) -> str:
        """Return a salted hash of the password that says itself how it was made."""
        return await self._run(lambda: self._hasher.hash(password))

    async def is_easy(self, password: str, *words: str, guesses_min: int = GUESSES_MIN) -> bool:
        """Return whether the password is among those that are guessed first; `words` are what a guesser knows anyway.

        It is judged by zxcvbn: lists of common passwords and names, keys side by side, dates, repetition.
        """
        # In Python all the way: a thread that gives way would hold on to the interpreter lock meanwhile.
        return await asyncio.to_thread(_is_easy, password, words, guesses_min)

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Return whether the hash was made of the password; None is nobody's, and takes as long to say so."""
        if password_hash is None:
            if self._of_nobody is None:
                self._of_nobody = await self.hash(secrets.token_urlsafe())
            password_hash = self._of_nobody
        return await self._run(lambda: self._matches(password_hash, password))

    async def _run(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._beside, work)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def _is_easy(password: str, words: tuple[str, ...], guesses_min: int) -> bool:
    # Its lists are read once a password is chosen, not with every command.
    from zxcvbn import zxcvbn

    judged = zxcvbn(password[:JUDGED_CHARS], [word.casefold() for word in words])
    guesses: Decimal = judged["guesses"]
    return guesses < guesses_min
