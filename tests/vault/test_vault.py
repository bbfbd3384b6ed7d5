"""Secrets open only where they were put."""

from __future__ import annotations

import json
import stat

import pytest
import tink

from maedal.vault import KeyFileError, create_key_file, load_key_file, tokens


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "keys.json"
    create_key_file(path)
    return path


@pytest.fixture
def vault(path):
    return load_key_file(path)


def test_a_key_file_is_for_its_owner_alone_and_never_overwritten(path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        create_key_file(path)


def test_a_sealed_secret_opens_in_its_own_place_only(vault):
    sealed = vault.seal("S0123456789abcdef012", "billing_keys.sealed_pg_key:a")
    assert b"S0123" not in sealed
    assert vault.open(sealed, "billing_keys.sealed_pg_key:a") == "S0123456789abcdef012"
    with pytest.raises(tink.TinkError):
        vault.open(sealed, "billing_keys.sealed_pg_key:b")


def test_sealing_twice_gives_different_text(vault):
    assert vault.seal("same", "x") != vault.seal("same", "x")


def test_a_file_open_to_others_is_refused_with_what_to_do(path):
    path.chmod(0o644)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_key_file(path)


def test_a_missing_or_damaged_file_is_named(path, tmp_path):
    with pytest.raises(KeyFileError, match="MAEDAL_KEY_FILE"):
        load_key_file(tmp_path / "none.json")
    content = json.loads(path.read_text())
    for damage in ("{", json.dumps(content | {"version": 9}), json.dumps(content | {"mac": []}), "[]"):
        path.write_text(damage)
        with pytest.raises(KeyFileError, match=r"restore|version"):
            load_key_file(path)


def test_hashes_match_under_earlier_keys_too(path):
    before = load_key_file(path).digest("api-secret", "s")
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"mac": ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", *content["mac"]]}))
    after = load_key_file(path)
    assert after.digest("api-secret", "s") != before
    assert after.matches("api-secret", "s", before)
    assert not after.matches("api-secret", "t", before)
    assert not after.matches("other", "s", before)


def test_a_token_gives_back_its_parts_for_its_purpose_only(vault):
    token = tokens.make(vault, "sdk", "imp00000000", "imp_123456789012")
    assert tokens.read(vault, "sdk", token) == ("imp00000000", "imp_123456789012")
    assert tokens.read(vault, "window", token) is None
    for forged in (token[:-1], token + "A", token[1:], "", "=", "한글", token.swapcase(), token + "="):
        assert tokens.read(vault, "sdk", forged) is None
