"""The version and the changelog: what is unreleased becomes a version.

    python -m tools.release 0.2.0                    dated today
    python -m tools.release 0.2.0 --date 2027-01-31

The version stands in pyproject.toml alone; everything that tells it reads the installed package. This writes it there,
and a heading into CHANGELOG.md; it commits nothing. docs/releasing.md has the steps around it.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT, CHANGELOG = "pyproject.toml", "CHANGELOG.md"
UNRELEASED = "## [Unreleased]"
KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
"""Keep a Changelog knows these, and no others."""
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_RELEASED = re.compile(r"\[([^]]+)\] - (\S+)")
_LINE = re.compile(r'^version = "([^"]+)"$', re.MULTILINE)


class ReleaseError(Exception):
    """What was asked cannot be a release; the text is one line that says why."""


def version_of(project: str) -> str:
    """Return the version that the text of pyproject.toml has."""
    found: str = tomllib.loads(project)["project"]["version"]
    return found


def number(version: str) -> tuple[int, ...]:
    """Return a version as numbers, which compare as versions do."""
    if not _VERSION.fullmatch(version):
        raise ReleaseError(f"{version!r} is no version; MAJOR.MINOR.PATCH is expected, such as 0.2.0")
    return tuple(int(part) for part in version.split("."))


def sections(changelog: str) -> dict[str, str]:
    """Return what stands below each heading of a version, newest first; what is unreleased is 'Unreleased'."""
    parts = _HEADING.split(changelog)
    found = {}
    for heading, text in zip(parts[1::2], parts[2::2], strict=True):
        released = _RELEASED.fullmatch(heading)
        found[released[1] if released else heading.strip("[]")] = text.strip()
    return found


def complaints(changelog: str, version: str) -> list[str]:
    """Say what is wrong with the changelog of a project that has this version."""
    headings = _HEADING.findall(changelog)
    found = [] if headings[:1] == ["[Unreleased]"] else [f"{UNRELEASED} does not come first"]
    known = []
    for heading in headings[1:]:
        released = _RELEASED.fullmatch(heading)
        try:
            known.append((number(released[1]), date.fromisoformat(released[2])) if released else None)
        except (ReleaseError, ValueError):
            known.append(None)
        if known[-1] is None:
            found.append(f"'## {heading}' is not '## [1.2.3] - 2026-01-31'")
    dated = [one for one in known if one is not None]
    if dated != sorted(dated, reverse=True) or len({number for number, _ in dated}) != len(dated):
        found.append("the versions do not stand newest first, each once")
    numbers = [one for one, _ in dated]
    unreleased = bool(sections(changelog).get("Unreleased"))
    if number(version) not in numbers and not unreleased:
        found.append(f"{version} has no heading, and nothing unreleased can be it")
    if numbers and numbers[0] > number(version):
        found.append(f"the newest heading is newer than {version}, the version of {PROJECT}")
    found += [
        f"'### {kind}' is none of {', '.join(KINDS)}"
        for kind in re.findall(r"^### (.+)$", changelog, re.MULTILINE)
        if kind not in KINDS
    ]
    return found


def released(project: str, changelog: str, version: str, day: date) -> tuple[str, str]:
    """Return both texts as they are once what is unreleased is `version`."""
    before = version_of(project)
    known = sections(changelog)
    if version in known:
        raise ReleaseError(f"{CHANGELOG} has {version} already")
    # The very first release may be the version that the project began with.
    if number(version) < number(before) or (version == before and len(known) > 1):
        raise ReleaseError(f"{version} does not come after {before}, the version of {PROJECT}")
    if not known.get("Unreleased"):
        raise ReleaseError(f"nothing is unreleased in {CHANGELOG}; what would {version} be?")
    project, count = _LINE.subn(f'version = "{version}"', project)
    if count != 1:
        raise ReleaseError(f"{PROJECT} has {count} lines 'version = …', not one")
    heading = f"## [{version}] - {day.isoformat()}"
    return project, changelog.replace(UNRELEASED + "\n", f"{UNRELEASED}\n\n{heading}\n", 1)


def main() -> int:
    """Write both files."""
    words = argparse.ArgumentParser(prog="python -m tools.release", description="Make what is unreleased a version.")
    words.add_argument("version", help="the version, MAJOR.MINOR.PATCH")
    words.add_argument("--date", type=date.fromisoformat, default=datetime.now(UTC).date(), help="its day (today)")
    wish = words.parse_args()
    project, changelog = ROOT / PROJECT, ROOT / CHANGELOG
    try:
        texts = released(project.read_text(), changelog.read_text(), wish.version, wish.date)
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    project.write_text(texts[0])
    changelog.write_text(texts[1])
    print(f"{PROJECT} and {CHANGELOG} are of {wish.version}; read the diff, then: make install check")
    return 0


if __name__ == "__main__":
    sys.exit(main())
