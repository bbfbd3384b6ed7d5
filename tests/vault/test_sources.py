"""The key ring comes from a file, a variable or a command; what goes wrong is told, and nothing of the keys."""

from __future__ import annotations

import shlex
import sys

import pytest

from maedal.settings import Settings, SettingsError, load
from maedal.vault import KeyFileError, create_key_file, load_key_file, source_of

SECRET = "hunter2"


def by_command(command):
    return source_of(file=None, ring=None, command=command)


def python(program):
    return shlex.join([sys.executable, "-c", program])


@pytest.fixture
def path(tmp_path):
    create_key_file(tmp_path / "keys.json")
    return tmp_path / "keys.json"


def test_the_same_ring_from_each_source_is_the_same(path):
    of_file = source_of(file=path, ring=None, command=None).load()
    of_variable = source_of(file=None, ring=path.read_text(), command=None).load()
    of_command = by_command(shlex.join(["cat", str(path)])).load()
    assert of_file.fingerprint == of_variable.fingerprint == of_command.fingerprint == load_key_file(path).fingerprint


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (f"/nowhere/kms --token {SECRET}", "kms"),
        (python(f"import sys; print('{SECRET}'); sys.exit('{SECRET}')"), "status 1"),
        (python("pass"), "printed nothing"),
        (python(f"print('{SECRET}')"), "damaged"),
        (f"kms '{SECRET}", "quotation mark"),
        ("", "empty"),
    ],
)
def test_a_command_that_fails_is_told_without_its_words_and_what_it_printed(command, said):
    with pytest.raises(KeyFileError, match=said) as refused:
        by_command(command).load()
    assert SECRET not in str(refused.value)
    assert "MAEDAL_KEY_COMMAND" in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_variable_that_is_no_ring_is_told_without_it():
    source = source_of(file=None, ring=SECRET, command=None)
    with pytest.raises(KeyFileError, match="MAEDAL_KEY_RING") as refused:
        source.load()
    assert SECRET not in f"{refused.value}{source!r}"


def test_a_credential_of_systemd_may_have_rights_of_its_group(path, monkeypatch):
    # systemd lets the unit's user read it by an access list, of which the group's rights are the mask.
    path.chmod(0o440)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_key_file(path)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(path.parent))
    assert load_key_file(path).primary
    path.chmod(0o444)
    with pytest.raises(KeyFileError, match="read by others"):
        load_key_file(path)


def test_the_settings_name_one_source_and_show_none():
    base = {"MAEDAL_DATABASE_URL": "sqlite:///x.db", "MAEDAL_PUBLIC_URL": "https://pay.example"}
    with pytest.raises(SettingsError, match=r"MAEDAL_KEY_FILE is not set.*MAEDAL_KEY_RING, MAEDAL_KEY_COMMAND"):
        load(base)
    with pytest.raises(SettingsError, match="MAEDAL_KEY_FILE and MAEDAL_KEY_COMMAND are set"):
        load(base | {"MAEDAL_KEY_FILE": "a", "MAEDAL_KEY_COMMAND": "b"})
    settings = load(base | {"MAEDAL_KEY_RING": SECRET})
    assert SECRET not in repr(settings)
    assert isinstance(settings, Settings)
