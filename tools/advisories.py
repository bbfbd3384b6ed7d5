"""Hold what requirements/*.txt pin against known holes, without a network: from a dump in the OSV format.

    python -m tools.advisories               against what requirements/advisories.json keeps
    python -m tools.advisories all.zip       against a dump: a ZIP or a folder of records, or a file with one or a list
    python -m tools.advisories all.zip --keep    and keep what concerns our packages in requirements/advisories.json

Status 1: a pinned version has a hole that nobody has accepted. A dump that is older than --days (30) is only told of:
nothing fails because time goes by. docs/releasing.md says where a dump comes from and what the kept file holds.
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from tools.sbom import pinned

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "requirements" / "advisories.json"
ECOSYSTEM = "PyPI"
DAYS = 30
RECORD = ("id", "modified", "aliases", "summary")
"""What is kept of a record, besides whom it concerns."""

Record = Mapping[str, Any]


class NotRead(Exception):
    """What was given is no dump; the text is one line that says why."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A pinned version, and the file that pins it."""

    name: str
    version: str
    file: str


@dataclass(frozen=True, slots=True)
class Hole:
    """A record that concerns a pinned version."""

    pin: Pin
    id: str
    summary: str
    fixed: tuple[str, ...]
    """Versions that have it no more."""
    why_accepted: str | None = None


def pins(folder: Path = ROOT / "requirements") -> list[Pin]:
    """Return everything that is pinned."""
    return [
        Pin(one.name, one.version, file.name)
        for file in sorted(folder.glob("*.txt"))
        for one in pinned(file.read_text())
    ]


def records_of(path: Path) -> Iterator[Record]:
    """Give the records of a dump. Raises NotRead."""
    try:
        for text in _texts(path):
            found = json.loads(text)
            for record in found if isinstance(found, list) else [found]:
                if not isinstance(record, dict) or not isinstance(record.get("id"), str):
                    raise NotRead(f"{path} holds something that is no OSV record")
                yield record
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise NotRead(f"{path} cannot be read: {error}") from error


def _texts(path: Path) -> Iterator[bytes]:
    if path.is_dir():
        for file in sorted(path.glob("**/*.json")):
            yield file.read_bytes()
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as dump:
            for name in dump.namelist():
                if name.endswith(".json"):
                    yield dump.read(name)
    else:
        yield path.read_bytes()


def concerning(records: Iterable[Record], names: set[str]) -> list[Record]:
    """Return the records about packages of these names, with only what is needed; withdrawn ones are left out."""
    kept = []
    for record in records:
        affected = [
            {key: one[key] for key in ("package", "versions", "ranges") if key in one}
            for one in record.get("affected", [])
            if _name(one) in names
        ]
        if affected and not record.get("withdrawn"):
            kept.append({key: record[key] for key in RECORD if key in record} | {"affected": affected})
    return sorted(kept, key=lambda one: one["id"])


def holes(records: Iterable[Record], pinned_versions: Sequence[Pin], accepted: Sequence[Record] = ()) -> list[Hole]:
    """Return which records concern the versions that are pinned."""
    reasons = {(one["id"], canonicalize_name(one["package"])): one["why"] for one in accepted}
    found = []
    for record in records:
        for pin in pinned_versions:
            here = [
                one for one in record.get("affected", []) if _name(one) == pin.name and is_affected(one, pin.version)
            ]
            if here and not record.get("withdrawn"):
                fixed = {event["fixed"] for one in here for _, event in _events(one) if "fixed" in event}
                why = reasons.get((record["id"], pin.name))
                found.append(Hole(pin, record["id"], record.get("summary", ""), tuple(sorted(fixed)), why))
    return found


def is_affected(affected: Record, version: str) -> bool:
    """Return whether a version is one of those that a record names, by list or by range, as OSV's own page says.

    One that names no versions at all concerns every one.
    """
    wanted = Version(version)
    listed = affected.get("versions", [])
    if any(_version(one) == wanted for one in listed):
        return True
    spans: dict[int, list[Mapping[str, str]]] = {}
    for number, event in _events(affected):
        spans.setdefault(number, []).append(event)
    if not spans:
        return not listed
    return any(_within(events, wanted) for events in spans.values())


def _within(events: Sequence[Mapping[str, str]], wanted: Version) -> bool:
    inside = False
    for kind, at in sorted(
        ((kind, at) for event in events for kind, text in event.items() if (at := _version(text)) is not None),
        key=lambda one: one[1],
    ):
        match kind:
            case "introduced" if at <= wanted:
                inside = True
            case "fixed" | "limit" if at <= wanted:
                inside = False
            case "last_affected" if at < wanted:
                inside = False
    return inside


def _events(affected: Record) -> Iterator[tuple[int, Mapping[str, str]]]:
    for number, span in enumerate(affected.get("ranges", [])):
        if span.get("type") != "GIT":  # commits say nothing of what is released
            for event in span.get("events", []):
                yield number, event


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _name(affected: Record) -> str | None:
    package = affected.get("package", {})
    return canonicalize_name(package["name"]) if package.get("ecosystem") == ECOSYSTEM else None


def newest(records: Iterable[Record]) -> date | None:
    """Return the day of the newest record: so old is a dump at the least."""
    days = [datetime.fromisoformat(one["modified"]).astimezone(UTC).date() for one in records if "modified" in one]
    return max(days, default=None)


def main(words: Sequence[str] | None = None, *, kept: Path = KEPT, today: date | None = None) -> int:
    """Run the command; return its status."""
    parser = argparse.ArgumentParser(description="Hold what is pinned against known holes, from a dump of OSV records.")
    parser.add_argument("dump", nargs="?", type=Path, help="a ZIP, a folder or a file of OSV records")
    parser.add_argument("--keep", action="store_true", help="keep what concerns our packages, with its date")
    parser.add_argument("--days", type=int, default=DAYS, help="tell when the dump is older")
    asked = parser.parse_args(words)
    bundle = json.loads(kept.read_text())
    wanted = pins(kept.parent)
    if asked.dump is None:
        records, taken = bundle["advisories"], date.fromisoformat(bundle["taken"]) if bundle["taken"] else None
        if taken is None:
            print(f"nothing was compared: {bundle['source']}\n{bundle['fetch']}")
            return 0
    else:
        try:
            everything = list(records_of(asked.dump))
        except NotRead as error:
            print(f"advisories: {error}", file=sys.stderr)
            return 2
        records, taken = concerning(everything, {pin.name for pin in wanted}), newest(everything)
        if not everything or taken is None:
            print(f"advisories: {asked.dump} holds no record", file=sys.stderr)
            return 2
        if asked.keep:
            bundle |= {"taken": taken.isoformat(), "source": f"{len(everything)} records of {asked.dump.name}"}
            kept.write_text(json.dumps(bundle | {"advisories": records}, indent=1, ensure_ascii=False) + "\n")
    found = holes(records, wanted, bundle["accepted"])
    _tell(found, wanted, taken, today or datetime.now(UTC).date(), asked.days)
    return 1 if any(hole.why_accepted is None for hole in found) else 0


def _tell(found: Sequence[Hole], wanted: Sequence[Pin], taken: date, today: date, days: int) -> None:
    for hole in found:
        mark = "accepted" if hole.why_accepted is not None else "HOLE"
        mended = f"; mended in {', '.join(hole.fixed)}" if hole.fixed else ""
        why = f" ({hole.why_accepted})" if hole.why_accepted is not None else ""
        print(f"{mark}: {hole.pin.name} {hole.pin.version} in {hole.pin.file}: {hole.id} {hole.summary}{mended}{why}")
    print(f"{len({(pin.name, pin.version) for pin in wanted})} pinned versions held against records up to {taken}")
    if (today - taken).days > days:
        print(f"warning: the newest record is {(today - taken).days} days old; take a newer dump (docs/releasing.md)")


if __name__ == "__main__":
    sys.exit(main())
