"""The version stands in pyproject.toml alone; all that tell it tell the same, and the changelog knows it."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

from typer.testing import CliRunner

from kakaopay_sandbox.cli import program
from maedal.rest.api_document.document import document
from maedal.rest.language import Language
from tests.support.commands import Command
from tools import release

ROOT = Path(__file__).parents[1]
PROJECT = (ROOT / release.PROJECT).read_text()
VERSION = release.version_of(PROJECT)
PLACES = ("src", "tools", "deploy", "bench", "docs/manual", "docs/examples", ".ci")
FILES = ("Makefile", "mkdocs.yml", "README.md", "README.ko.md", "CONTRIBUTING.md", ".pre-commit-config.yaml")
TEXTS = {"", ".py", ".md", ".toml", ".yml", ".yaml", ".json", ".sql", ".html", ".js", ".css", ".env", ".in"}


def test_the_programs_tell_the_version_without_settings():
    assert Command()("--version") == f"maedal {VERSION}\n"
    reported = CliRunner().invoke(program, ["--version"])
    assert (reported.exit_code, reported.stdout) == (0, f"kakaopay-sandbox {VERSION}\n")


def test_the_api_document_tells_it_too():
    assert document(Language.ENGLISH)["info"]["version"] == VERSION


def test_the_installed_package_is_of_this_version():
    assert version("maedal") == VERSION, "run: make install"


def test_it_is_written_nowhere_else():
    written = re.compile(rf"(?<![\w.]){re.escape(VERSION)}(?![\w.]*\d)")
    files = [ROOT / name for name in FILES]
    files += [path for place in PLACES for path in (ROOT / place).rglob("*") if path.is_file()]
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        if path.suffix in TEXTS and "__pycache__" not in path.parts
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if written.search(line) or "__version__" in line
    ]
    assert found == []
    assert len(written.findall(PROJECT)) == 1


def test_the_changelog_has_its_heading_and_is_in_order():
    assert release.complaints((ROOT / release.CHANGELOG).read_text(), VERSION) == []
