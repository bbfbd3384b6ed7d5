"""The manual is complete: every setting and every command with its options has an entry."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
import typer

from maedal.cli.main import app
from maedal.settings import NOT_OURS, PREFIX, Settings, load

DOCS = Path(__file__).parents[2] / "docs"
SETTINGS, COMMANDS = (DOCS / "settings.md").read_text(), (DOCS / "cli.md").read_text()
ROW = re.compile(r"^\| `(MAEDAL_\w+)` \| `(\w+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
KOREAN = re.compile(r"[가-힣]{2}")


def commands(group, *before):
    """Return every command that can be run, by its words."""
    found = {}
    for name, command in group.commands.items():
        words = (*before, name)
        found |= commands(command, *words) if hasattr(command, "commands") else {" ".join(words): command}
    return found


ALL = commands(typer.main.get_command(app), "maedal")


def entry(command):
    found = re.search(rf"^## `{command}`\n(.*?)(?=^## |\Z)", COMMANDS, re.MULTILINE | re.DOTALL)
    assert found, f"docs/cli.md has no entry ## `{command}`"
    return found[1]


def test_every_setting_has_a_row_and_every_row_is_a_setting():
    rows = {name: in_file for name, in_file, *_ in ROW.findall(SETTINGS)}
    assert rows == {PREFIX + field.name.upper(): field.name for field in fields(Settings)}


@pytest.mark.parametrize("row", ROW.findall(SETTINGS), ids=lambda row: row[0])
def test_a_settings_row_says_its_default_and_its_meaning_in_both_languages(row):
    _, name, default, english, korean = row
    field = next(field for field in fields(Settings) if field.name == name)
    shown = {"none, needed": field.default_factory, "none": None}.get(default.strip(), default.strip().strip("`"))
    stored = f"{field.default:g}" if isinstance(field.default, float) else field.default
    stored = str(stored).lower() if isinstance(stored, int) else stored
    assert shown == stored
    assert len(english) > 15
    assert KOREAN.search(korean)


@pytest.mark.parametrize(
    "field", [f for f in fields(Settings) if f.default not in {None, MISSING}], ids=lambda f: f.name
)
def test_a_setting_that_is_read_is_of_its_type(field):
    # What the environment says is text; a setting that `load` does not know how to read would stay one.
    needed = {
        f.name: "sqlite:///x" if f.name == "database_url" else "http://x"
        for f in fields(Settings)
        if f.default is MISSING
    }
    source = {"key_file": "keys.json"}
    read = getattr(load({}, **needed | source | {field.name: str(field.default)}), field.name)
    assert (read, type(read)) == (field.default, type(field.default)), f"settings.py: _typed reads {field.name} as text"


def test_the_names_that_are_no_settings_are_told():
    assert all(name in SETTINGS for name in NOT_OURS)


def test_every_command_has_an_entry_and_every_entry_is_a_command():
    assert set(re.findall(r"^## `(maedal [^`]+)`$", COMMANDS, re.MULTILINE)) == set(ALL)


@pytest.mark.parametrize("command", ALL)
def test_an_entry_names_every_option_shows_an_example_and_speaks_korean(command):
    text = entry(command)
    missing = [
        option.opts[0]
        for option in ALL[command].params
        if option.param_type_name == "option" and f"`{option.opts[0]}`" not in text
    ]
    assert missing == []
    assert f"{command}" in text.partition("```sh")[2]
    assert KOREAN.search(text)
    assert ALL[command].help.replace("`", "").split(".")[0] in " ".join(text.replace("`", "").split())
