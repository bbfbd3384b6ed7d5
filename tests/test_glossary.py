"""One word for one thing: names and pages use the words of the glossary in docs/architecture.md, and none that it has retired."""

from __future__ import annotations

import io
import re
import tokenize
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = frozenset({
    "deed", "deeds", "told", "whose", "elsewhere", "hear", "town", "towns", "nursery", "keyring", "desk", "wish", "wishes",
    "wished", "user", "users",
})  # fmt: skip
"""In a name of several words, too: `deed_of`, `DeliveryFilter`, `desk_items`."""
USERS_OF_OTHERS = re.compile(
    r"user_agents?|user_code|(?:pg|partner)_user_id|userVerification|user_verification", re.IGNORECASE
)
"""A browser, a field of the SDK, whom KakaoPay knows, and WebAuthn's word: no operators."""
NAMES = frozenset({"given", "Parts", "Act", "ActKind", "Turns", "Lookup", "Outage"})
"""Alone: `given_back` is English."""
PROSE = r"\b(?:towns?|nursery|keyring|deeds?|(?:the|The) desk|[Pp]lanned charges?)\b"
"""In documents, where other words of the list are English."""

PUBLISHED = {
    "told": (
        "src/maedal/demo/*", "src/maedal/storage/migrations/*", "src/maedal/console/webhooks/log_pages.py",
        "src/maedal/console/webhooks/files.py",
    ),
    "desk": ("src/maedal/storage/migrations/*",),
    "user": (
        "src/maedal/storage/migrations/*",
        # The field `user` of log events.
        "src/maedal/flows/invite_operator.py", "src/maedal/flows/passkeys.py", "src/maedal/flows/sign_in.py",
        # What a driver is given as `partner_user_id`.
        "src/maedal/pg/*", "src/maedal/flows/approve.py", "src/maedal/flows/charge.py", "src/maedal/flows/check_channel.py",
        "src/maedal/flows/open_window.py", "src/kakaopay_sandbox/*", "tests/sandbox/*",
        # Fields of a library, and who logs in to PostgreSQL or runs a process.
        "src/maedal/vault/passkeys.py", "src/maedal/outbound/addresses.py", "src/maedal/backup/postgres.py", "tests/deploy/*",
        "tests/storage/test_pgbouncer.py", "tests/storage/test_serving_role.py", "tests/support/*",
    ),
    "users": (
        "src/maedal/storage/migrations/*", "src/maedal/cli/installation.py", "tests/support/pgbouncer.py",
        # `/users/getToken` and `/users/pg`, whose users are shops.
        "src/maedal/rest/*", "tests/rest/*",
    ),
}  # fmt: skip
"""What keeps its name: a column of the demo shop's file, migrations, and a field of the webhook log's address; and where
`user` is somebody else than an operator."""


def retired(name: str) -> set[str]:
    """Return what is retired of a name."""
    own = USERS_OF_OTHERS.sub("", name)
    parts = {part.lower() for word in own.split("_") for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", word)}
    return (parts & PARTS) | ({name} & NAMES)


def names_of(path: Path) -> set[str]:
    """Return the identifiers of a file, but for its scenarios, whose names are sentences."""
    source = path.read_text()
    found = {t.string for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type == tokenize.NAME}
    # Hypothesis' own.
    found -= {"given"} if re.search(r"^from hypothesis import .*\bgiven\b", source, re.MULTILINE) else set()
    return {name for name in found if not name.startswith("test_")}


def files(*suffixes: str) -> list[Path]:
    return [p for root in ("src", "tests") for p in sorted((ROOT / root).rglob("*")) if p.suffix in suffixes]


@pytest.mark.parametrize("package", ["src/maedal", "src/kakaopay_sandbox", "tests"])
def test_no_name_uses_a_retired_word(package):
    broken = [
        f"{where}: {name} ({word})"
        for path in files(".py")
        if (where := path.relative_to(ROOT).as_posix()).startswith(package) and path.name != "test_glossary.py"
        for name in sorted({*names_of(path), path.stem.removeprefix("test_")})
        for word in sorted(retired(name))
        if not any(fnmatch(where, pattern) for pattern in PUBLISHED.get(word, ()))
    ]
    assert broken == []


def test_no_page_uses_a_retired_word():
    pages = [p for p in ROOT.glob("docs/**/*.md") if p.relative_to(ROOT).parts[1] not in {"wire", "decisions"}]
    broken = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path in [*pages, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
        for line in path.read_text().splitlines()
        # The glossary itself names what it has retired.
        if not (path == ROOT / "docs/architecture.md" and line.startswith("| ") and line.count("|") == 6)
        for found in re.finditer(PROSE, line)
    ]
    assert broken == []


def test_every_retired_word_is_in_the_glossary_or_the_decision():
    # By how it begins: `deeds` and `requested` are there as `OperatorAuditEntry` and `criteria`.
    written = (ROOT / "docs/architecture.md").read_text() + (ROOT / "docs/decisions/0072-plain-names.md").read_text()
    assert [word for word in sorted(PARTS | NAMES) if not re.search(rf"\b{word[:4]}", written, re.IGNORECASE)] == []
