"""Whoever guesses passwords takes no processor from charges."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from maedal.vault.passwords import NICENESS, Passwords


class Hasher:
    """Says how nice the thread is in which it works."""

    def hash(self, _: str) -> str:
        return str(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere niceness is a process's, not a thread's")
async def test_a_password_is_hashed_behind_everything_else():
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert await Passwords(Hasher()).hash("a password") == str(NICENESS)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
