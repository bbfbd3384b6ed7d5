"""Secrets open only where they were put."""

from __future__ import annotations

import json
import stat

import pytest

from maedal.vault import KeyFileError, MustNotSeal, NotOpened, create_key_file, load_key_file, tokens
from maedal.vault.ring import replace_file, text_of, without
from tests.support.key_rings import add_key, write_first_version


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "keys.json"
    create_key_file(path)
    return path


@pytest.fixture
def old_path(tmp_path):
    path = tmp_path / "old.json"
    write_first_version(path)
    return path


@pytest.fixture
def vault(path):
    return load_key_file(path)


def test_a_key_file_is_for_its_owner_alone_and_never_overwritten(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        create_key_file(path)


def test_a_sealed_secret_opens_in_its_own_place_only(vault):
    sealed = vault.seal("S0123456789abcdef012", "billing_keys.sealed_pg_key:a", "imp_1", "c_1")
    assert b"S0123" not in sealed
    assert vault.open(sealed, "billing_keys.sealed_pg_key:a", "imp_1", "c_1") == "S0123456789abcdef012"
    place = "billing_keys.sealed_pg_key"
    for context in ((f"{place}:b", "imp_1", "c_1"), (f"{place}:a", "imp_1", "c_2"), (f"{place}:a", "imp_1c", "_1")):
        with pytest.raises(NotOpened):
            vault.open(sealed, *context)


def test_sealing_twice_gives_different_text(vault):
    assert vault.seal("same", "x") != vault.seal("same", "x")


def test_what_is_kept_of_a_secret_is_good_for_its_own_row_only(vault):
    kept = vault.keep("api-secret", "s", "imp_1", "key_1")
    assert kept != vault.keep("api-secret", "s", "imp_1", "key_1")
    assert vault.matches("api-secret", "s", kept, "imp_1", "key_1")
    assert not vault.matches("api-secret", "t", kept, "imp_1", "key_1")
    assert not vault.matches("api-secret", "s", kept, "imp_2", "key_1")
    assert not vault.matches("other", "s", kept, "imp_1", "key_1")
    assert not vault.matches("api-secret", "s", None, "imp_1", "key_1")
    assert not vault.matches("nobody", "", None, "nobody")


def test_a_row_is_sealed_as_it_was(vault):
    seal = vault.seal("", "users.row_seal:1", "owner", "$argon2id$x")
    assert vault.is_in_place(seal, "users.row_seal:1", "owner", "$argon2id$x")
    assert not vault.is_in_place(seal, "users.row_seal:1", "owner", "$argon2id$y")
    assert not vault.is_in_place(None, "users.row_seal:1", "owner", "$argon2id$x")


def test_a_key_of_the_first_version_seals_and_opens_as_it_did_and_binds_nothing(old_path):
    old = load_key_file(old_path)
    # Nodes of the version before must read what this one seals while they are replaced one after the other.
    sealed = old.seal("secret", "place", "imp_1")
    assert old.open(sealed, "place") == old.open(sealed, "place", "imp_2") == "secret"
    assert old.keep("api-secret", "s", "imp_1") == old.digest("api-secret", "s")
    assert old.is_in_place(None, "users.row_seal:1")
    assert (old.binds, old.takes_unbound) == (False, True)


def test_with_a_newer_key_what_the_older_one_made_goes_on_working(old_path):
    old = load_key_file(old_path)
    made = old.seal("secret", "place"), old.digest("api-secret", "s"), tokens.make(old, "sdk", "imp_1")
    sealed, kept, token = made
    add_key(old_path)
    both = load_key_file(old_path)
    assert (both.binds, both.takes_unbound) == (True, True)
    assert both.open(sealed, "place", "imp_1") == "secret"
    assert both.matches("api-secret", "s", kept, "imp_1")
    assert both.is_outdated(kept)
    assert kept in both.digests("api-secret", "s", "imp_1")
    assert tokens.read(both, "sdk", token) == ("imp_1",)
    assert both.key_of(sealed) == old.primary != both.primary
    assert both.key_of(both.seal("secret", "place")) == both.primary
    with pytest.raises(NotOpened) as refused:
        old.open(both.seal("secret", "place"), "place")
    assert refused.value.missing_key == both.primary


def test_what_a_dropped_key_has_written_stays_provable_and_lets_nobody_in(path):
    old = load_key_file(path)
    written, let_in = old.digest("log", "a block"), old.digest("token", "t")
    add_key(path)
    replace_file(path, text_of(without(load_key_file(path).keys, old.primary)))
    after = load_key_file(path)
    assert after.proves("log", "a block", written)
    assert not after.proves("log", "another block", written)
    assert not after.matches("token", "t", let_in)
    assert old.primary not in after.fingerprints
    # Once more, and through a second drop.
    second = after.primary
    add_key(path)
    replace_file(path, text_of(without(load_key_file(path).keys, second)))
    assert load_key_file(path).proves("log", "a block", written)


def test_a_retired_key_opens_and_seals_nothing(vault):
    sealed = vault.seal("secret", "place")
    vault.use(vault.primary, retired=True)
    assert vault.open(sealed, "place") == "secret"
    with pytest.raises(MustNotSeal):
        vault.seal("secret", "place")


def test_a_fingerprint_is_of_the_keys_and_a_confirmed_backup_of_the_first_version_stays_confirmed(path, old_path):
    before = load_key_file(path)
    key = add_key(path)
    after = load_key_file(path)
    assert before.fingerprint != after.fingerprint == load_key_file(path).fingerprint
    assert after.fingerprints == before.fingerprints | {key.id: key.fingerprint}
    first, text = load_key_file(old_path), old_path.read_text()
    assert first.fingerprint not in first.fingerprints.values()
    assert not any(len(part) > 4 and part in text for one in first.fingerprints.values() for part in one.split("-"))


def test_a_file_open_to_others_is_refused_with_what_to_do(path):
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_key_file(path)


def test_a_missing_or_damaged_file_is_named_and_nothing_of_it_is_told(path, old_path, tmp_path):
    with pytest.raises(KeyFileError, match="MAEDAL_KEY_FILE"):
        load_key_file(tmp_path / "none.json")
    content, old = json.loads(path.read_text()), json.loads(old_path.read_text())
    [key] = content["keys"]
    twice = content | {"keys": [key, key]}
    short = content | {"keys": [key | {"mac": ["c2VjcmV0"]}]}
    for damage in (
        "{", "[]", "null", "\0", *map(json.dumps, (content | {"version": 9}, old | {"mac": []}, content | {"keys": []})),
        *map(json.dumps, (twice, short, content | {"keys": [key | {"aead": {}}]})), path.read_text()[:-40],
    ):  # fmt: skip
        path.write_text(damage)
        with pytest.raises(KeyFileError, match=r"restore|version") as refused:
            load_key_file(path)
        assert key["mac"][0] not in str(refused.value)
        assert "c2VjcmV0" not in str(refused.value)


def test_a_token_gives_back_its_parts_for_its_purpose_only(vault):
    token = tokens.make(vault, "sdk", "imp00000000", "imp_123456789012")
    assert tokens.read(vault, "sdk", token) == ("imp00000000", "imp_123456789012")
    assert tokens.read(vault, "window", token) is None
    for forged in (token[:-1], token + "A", token[1:], "", "=", "한글", token.swapcase(), token + "="):
        assert tokens.read(vault, "sdk", forged) is None
