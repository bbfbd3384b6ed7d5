"""Files that leave the console sealed: a reader of other make opens them, and no more of them is in memory than a part."""

from __future__ import annotations

import random

import pytest

from maedal.console.frame.sealed_files import sealed
from maedal.flows.seal_files import FILE_GUESSES_MIN, draw_passphrase
from maedal.vault.passwords import Passwords
from tests.support.sealed_zip import WrongPassphrase, open_sealed

PASSPHRASE = "hat-9kwmz-lorry-vex4t"


async def whole(*parts, name="list.csv", passphrase=PASSPHRASE):
    async def source():
        for part in parts:
            yield part

    return b"".join([part async for part in sealed(name, source(), passphrase)])


@pytest.mark.parametrize("parts", [(), (b"",), (b"one\r\n",), ("가나다\r\n".encode() * 9_000, b"\0" * 100_000)])
async def test_a_reader_of_other_make_opens_it(parts):
    archive = await whole(*parts)
    assert open_sealed(archive, PASSPHRASE) == {"list.csv": b"".join(parts)}


async def test_it_opens_with_its_own_passphrase_alone_and_is_never_the_same_twice():
    archive, again = await whole(b"secret"), await whole(b"secret")
    assert archive != again
    assert b"secret" not in archive
    with pytest.raises(WrongPassphrase):
        open_sealed(archive, PASSPHRASE + " ")


async def test_of_a_long_list_only_a_part_is_in_memory():
    read = written = held_max = 0

    async def source():
        nonlocal read
        for number in range(400):
            # What cannot be made smaller, so that what was read and not written yet is held.
            part = random.Random(number).randbytes(10_000)
            read += len(part)
            yield part

    async for part in sealed("list.csv", source(), PASSPHRASE):
        held_max = max(held_max, read - written)
        written += len(part)
    assert written > read == 4_000_000
    assert held_max < 300_000


@pytest.mark.parametrize(
    ("passphrase", "easy"), [("coffee2026 shop", True), ("correct horse battery staple", False), (None, False)]
)
async def test_what_opens_a_file_is_harder_to_guess_than_what_opens_the_door(passphrase, easy):
    passwords = Passwords()
    passphrase = passphrase or draw_passphrase()
    assert await passwords.is_easy(passphrase, guesses_min=FILE_GUESSES_MIN) is easy
    assert not await passwords.is_easy(passphrase)
