"""docs/threat-model.md: what it names as proof is there, and no row of it is without one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "threat-model.md").read_text()
TEST = re.compile(r"`([\w/]+\.py)(?:::(\w+))?`")
DOORS, STANDARD = (part.partition("\n## ")[0] for part in re.split(r"\n## (?:Doors|OWASP ASVS 5, level 2)\n", PAGE)[1:])
STANDINGS = {"met", "part", "not here"}


def rows(part: str) -> list[list[str]]:
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[1:]]


def scenarios_of(file: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_")
    }


@pytest.mark.parametrize(("file", "test"), sorted(set(TEST.findall(PAGE))))
def test_a_test_that_is_named_is_there(file: str, test: str) -> None:
    found = scenarios_of(ROOT / "tests" / file)
    assert found
    assert not test or test in found


@pytest.mark.parametrize("row", rows(DOORS), ids=lambda row: row[0])
def test_every_door_has_who_comes_what_stops_them_and_tests(row: list[str]) -> None:
    assert len(row) == 5
    assert all(row[:3])
    assert TEST.search(row[3])


@pytest.mark.parametrize("row", rows(STANDARD), ids=lambda row: row[0])
def test_every_section_of_the_standard_has_its_standing_and_what_it_rests_on(row: list[str]) -> None:
    assert len(row) == 3
    assert row[1] in STANDINGS
    assert row[2]
    assert row[1] != "met" or TEST.search(row[2]) or re.search(r"\]\(decisions/\d{4}-[\w-]+\.md\)", row[2])


def test_every_chapter_of_the_standard_is_there() -> None:
    chapters = {int(found) for found in re.findall(r"^\| V(\d+)\b", STANDARD, re.MULTILINE)}
    assert chapters == set(range(1, 18))
