"""Tables that leave the console: nothing in them is carried out by a spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest

from maedal.console.frame.spreadsheets import as_csv

HARMLESS = ("", "plain", "봄맞이 정기구독", "a=1; b=-2", "1 + 1", " blank", "'=1", "2026-03-02 12:00:05", 0, -5)


async def csv_of(*cells):
    async def parts():
        yield [cells]

    text = b"".join([part async for part in as_csv(["=head"], parts())]).decode("utf-8-sig")
    head, row = csv.reader(io.StringIO(text, newline=""))
    assert head == ["'=head"]
    return row


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize("blank", ["", " ", "   ", "\t", "\r", "\n", " \t ", "\u00a0", "\u3000"])
async def test_what_a_spreadsheet_would_calculate_is_only_text(blank, sign):
    assert await csv_of(f"{blank}{sign}1+1") == [f"'{blank}{sign}1+1"]


@pytest.mark.parametrize("first", ["\t", "\r", "\n", "\r\n", " \t", "\0"])
async def test_what_begins_with_a_control_character_is_only_text(first):
    assert await csv_of(f"{first}text") == [f"'{first}text"]


async def test_everything_else_is_left_as_it_is():
    assert await csv_of(*HARMLESS) == [str(cell) for cell in HARMLESS]
