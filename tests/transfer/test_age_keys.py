"""The age keys of an export: every kind that people have is either used or told what it is, and never shown."""

from __future__ import annotations

import pyrage
import pytest
import typer

from maedal.cli.age_keys import identities_of, recipient_of

PAIR = pyrage.x25519.Identity.generate()
PUBLIC, SECRET = str(PAIR.to_public()), str(PAIR)


def output(capsys, work, argument):
    with pytest.raises(typer.Exit):
        work(argument)
    printed = capsys.readouterr()
    return " ".join((printed.out + printed.err).split())


@pytest.mark.parametrize("text", [PUBLIC, f" {PUBLIC}\n"], ids=["as it is", "with blanks"])
def test_an_x25519_key_is_sealed_to(text):
    assert str(recipient_of(text)) == PUBLIC


KINDS = [
    ("age1pq1" + "q" * 1_000, "post-quantum"),
    ("age1tagpq1" + "q" * 1_000, "post-quantum"),
    ("age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t", "age-plugin-yubikey"),
    ("age1se1qgg72x2qfk9wg3wh0qg9u0v7l5dkq4jx69fv80p6wdus3ftg6flwg5dz2dp", "age-plugin-se"),
    ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI", "SSH"),
    (PUBLIC[:-3], "incomplete or mistyped"),
    (SECRET, "the secret one"),
    ("", "age public key age1… is expected"),
    ("hello", "age public key age1… is expected"),
]


@pytest.mark.parametrize(("text", "why"), KINDS, ids=[why for _, why in KINDS])
def test_any_other_key_is_told_what_it_is(capsys, text, why):
    message = output(capsys, recipient_of, text)
    assert why in message
    assert SECRET not in message


def written(tmp_path, content):
    path = tmp_path / "identity.txt"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_identity_of_a_file_is_taken_whatever_wrote_it(tmp_path, encoding, end):
    more = [str(pyrage.x25519.Identity.generate()) for _ in range(2)]
    lines = ["# public key: …", SECRET, "", *more, "AGE-PLUGIN-SE-1QQQQ"]
    found = identities_of(written(tmp_path, (end.join(lines) + end).encode(encoding)))
    assert [str(one) for one in found] == [SECRET, *more]


WRONG = [
    (pyrage.passphrase.encrypt(SECRET.encode(), "secret"), "locked with a passphrase"),
    (b"\n-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n", "locked with a passphrase"),
    (b"# nothing\n", "holds no age identity"),
    (b"", "holds no age identity"),
    (b"AGE-PLUGIN-YUBIKEY-1GKZQ5QYZL97HWDC0F94PR\n", "age-plugin-yubikey"),
    (b"AGE-SECRET-KEY-PQ-1QQQQQQ\n", "post-quantum"),
    ((SECRET[:-2] + "\n").encode(), "line 1 is no age identity"),
    (f"# a\n{PUBLIC}\n".encode(), "line 2 is no age identity"),
    (b"\xff\x00\xfe", "no text"),
]


@pytest.mark.parametrize(("content", "why"), WRONG, ids=[why for _, why in WRONG])
def test_a_file_without_an_identity_says_what_it_is_and_shows_nothing_of_it(capsys, tmp_path, content, why):
    message = output(capsys, identities_of, written(tmp_path, content))
    assert why in message
    assert SECRET[:30] not in message


def test_a_file_that_is_not_there_is_named(capsys, tmp_path):
    assert "cannot read" in output(capsys, identities_of, tmp_path / "nothing")
