"""Lists written as files for spreadsheets, a part at a time: CSV as it is read, XLSX kept on the disk until whole.

Every table that leaves the console goes through here, because what a spreadsheet takes for a formula it carries out.
"""

from __future__ import annotations

import asyncio
import csv
import io
import re
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path

from xlsxwriter import Workbook

from maedal.console.frame.days import KOREA, when

CHUNK_BYTES = 256 * 1024
ROWS_OF_SHEET_MAX = 1_000_000
"""A sheet of Excel has a few more; then comes the next."""


class MonthCell(date):
    """A month: written as 2026-03, and in a workbook its first day, shown the same."""


FORMULA = re.compile(r"\s*[-=+@－＝＋＠]| *[\t\r\n\0]")
"""How a formula begins: with a sign, also a full-width one as East Asian keyboards type it, and also behind blanks."""
Cell = str | int | float | date | datetime
"""Moments are aware; files show them in Korean time. A float is a part of a whole, such as 0.25, shown as 25.0%."""
Lines = AsyncIterator[Sequence[Sequence[Cell]]]


def escape_formula(cell: Cell) -> Cell:
    """Return a cell that no spreadsheet takes for a formula: what a shop or a buyer typed may look like one."""
    return f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell


async def as_csv(head: Sequence[str], parts: Lines) -> AsyncIterator[bytes]:
    """Give the file in parts. It begins with a mark by which Excel knows that Korean is UTF-8."""
    yield b"\xef\xbb\xbf" + _csv([head])
    async for lines in parts:
        yield _csv(lines)


def _csv(lines: Iterable[Sequence[Cell]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([_written(cell) for cell in line] for line in lines)
    return text.getvalue().encode()


def _written(cell: Cell) -> Cell:
    if isinstance(cell, datetime):
        return when(cell)
    if isinstance(cell, MonthCell):
        return f"{cell:%Y-%m}"
    if isinstance(cell, date):
        return cell.isoformat()
    return f"{cell:.1%}" if isinstance(cell, float) else escape_formula(cell)


async def as_xlsx(head: Sequence[str], parts: Lines) -> AsyncIterator[bytes]:
    """Give the file in parts, once it is whole; until then its rows are on the disk, not in memory."""
    with tempfile.TemporaryDirectory(prefix="maedal-xlsx-") as folder:
        path = Path(folder, "list.xlsx")
        # Text stays text: nothing that somebody typed becomes a formula, a link or a number.
        book = Workbook(
            str(path),
            {"constant_memory": True, "tmpdir": folder, "strings_to_formulas": False, "strings_to_urls": False},
        )
        writer = _Sheets(book, head)
        async for lines in parts:
            await asyncio.to_thread(writer.write, lines)
        await asyncio.to_thread(book.close)
        with await asyncio.to_thread(path.open, "rb") as file:
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                yield chunk


class _Sheets:
    """Rows of a workbook, over as many sheets as they need."""

    def __init__(self, book: Workbook, head: Sequence[str]) -> None:
        self._book, self._head = book, head
        self._bold = book.add_format({"bold": True})
        self._won = book.add_format({"num_format": "#,##0"})
        self._moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._month = book.add_format({"num_format": "yyyy-mm"})
        self._part = book.add_format({"num_format": "0.0%"})
        self._begin()

    def _begin(self) -> None:
        self._sheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, len(self._head) - 1, 20)
        for number, name in enumerate(self._head):
            self._sheet.write_string(0, number, name, self._bold)
        self._row = 1

    def write(self, lines: Sequence[Sequence[Cell]]) -> None:
        for line in lines:
            if self._row > ROWS_OF_SHEET_MAX:
                self._begin()
            for number, cell in enumerate(line):
                if isinstance(cell, int):
                    self._sheet.write_number(self._row, number, cell, self._won)
                elif isinstance(cell, datetime):
                    # Excel knows no time zones: it is given what a clock in Korea shows.
                    local = cell.astimezone(KOREA).replace(tzinfo=None, microsecond=0)
                    self._sheet.write_datetime(self._row, number, local, self._moment)
                elif isinstance(cell, date):
                    day = datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001 - a day of the calendar
                    form = self._month if isinstance(cell, MonthCell) else self._day
                    self._sheet.write_datetime(self._row, number, day, form)
                elif isinstance(cell, float):
                    self._sheet.write_number(self._row, number, cell, self._part)
                else:
                    self._sheet.write_string(self._row, number, cell)
            self._row += 1


FORMATS = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", as_xlsx),
}
"""By its ending, the media type of a file and how it is written."""
