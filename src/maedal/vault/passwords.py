"""Passwords, kept as Argon2id hashes."""

from __future__ import annotations

import asyncio
import secrets

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE_MAX = 2
"""Each takes 64 MiB for a moment; a flood of tries must not take the memory that charges need."""


class Passwords:
    """Hashes and checks passwords beside the event loop, a few at a time."""

    def __init__(self, hasher: argon2.PasswordHasher | None = None) -> None:
        # The library's default is RFC 9106's choice for servers without gigabytes to spare.
        self._hasher = hasher or argon2.PasswordHasher()
        self._turns = asyncio.Semaphore(AT_ONCE_MAX)
        self._of_nobody: str | None = None

    async def hash(self, password: str) -> str:
        """Return a salted hash of the password that says itself how it was made."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Return whether the hash was made of the password; None is nobody's, and takes as long to say so."""
        if password_hash is None:
            if self._of_nobody is None:
                self._of_nobody = await self.hash(secrets.token_urlsafe())
            password_hash = self._of_nobody
        async with self._turns:
            return await asyncio.to_thread(self._matches, password_hash, password)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
