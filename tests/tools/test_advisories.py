"""What is pinned is held against known holes from a dump, without a network, and nothing fails because time goes by."""

from __future__ import annotations

import json
import zipfile
from datetime import date, timedelta

import pytest
from tools.advisories import KEPT, Pin, concerning, holes, is_affected, main, newest, pins, records_of

TAKEN = date(2026, 11, 20)


def record(name="jinja2", number="GHSA-1", ecosystem="PyPI", modified="2026-11-20T08:00:00Z", **more):
    """A record as OSV has it: everything before 3.1.5, unless something else is said."""
    span = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.1.5"}]}
    affected = {"package": {"ecosystem": ecosystem, "name": name}, "ranges": [span]} | more.pop("affected", {})
    return {"id": number, "modified": modified, "summary": "a sandbox that is none", "affected": [affected]} | more


@pytest.mark.parametrize(
    ("affected", "version", "yes"),
    [
        ({"versions": ["3.1", "3.1.2"]}, "3.1.2", True),
        ({"versions": ["3.1", "3.1.2"]}, "3.1.0", True),
        ({"versions": ["3.1.2"]}, "3.1.3", False),
        ({"ranges": [("introduced 0", "fixed 3.1.5")]}, "3.1.4", True),
        ({"ranges": [("introduced 0", "fixed 3.1.5")]}, "3.1.5", False),
        ({"ranges": [("introduced 0", "fixed 3.1.5")]}, "3.1.5rc1", True),
        ({"ranges": [("introduced 2.0", "last_affected 2.4")]}, "2.4", True),
        ({"ranges": [("introduced 2.0", "last_affected 2.4")]}, "2.4.1", False),
        ({"ranges": [("introduced 2.0", "last_affected 2.4")]}, "1.9", False),
        ({"ranges": [("introduced 1.0", "fixed 1.2", "introduced 2.0", "fixed 2.3")]}, "1.5", False),
        ({"ranges": [("introduced 1.0", "fixed 1.2", "introduced 2.0", "fixed 2.3")]}, "2.1", True),
        ({"ranges": [("introduced 1.0", "fixed 1.2"), ("introduced 2.0", "fixed 2.3")]}, "2.1", True),
        ({"ranges": [("introduced 10.0", "fixed 10.2")]}, "9.9", False),
        ({"ranges": [("introduced 0",)], "versions": []}, "7", True),
        ({}, "7", True),
    ],
)
def test_a_version_is_affected_as_the_format_says(affected, version, yes):
    spans = affected.get("ranges", [])
    named = [{"type": "ECOSYSTEM", "events": [dict([event.split()]) for event in events]} for events in spans]
    assert is_affected(affected | ({"ranges": named} if named else {}), version) is yes


def test_a_range_of_commits_says_nothing_of_versions():
    commits = {"type": "GIT", "events": [{"introduced": "0"}, {"fixed": "f" * 40}]}
    assert not is_affected({"ranges": [commits], "versions": ["1.0"]}, "2.0")
    assert is_affected({"ranges": [commits], "versions": ["1.0"]}, "1.0")


def test_only_what_concerns_us_is_kept_and_names_are_compared_as_the_index_does():
    records = [
        record("Jinja2"), record("requests", "GHSA-2"), record("jinja2", "GHSA-3", ecosystem="npm"),
        record("jinja2", "GHSA-4", withdrawn="2026-01-01T00:00:00Z"),
        record("pyasn1_modules", "GHSA-5", details="a long story", credits=[{"name": "somebody"}]),
    ]  # fmt: skip
    kept = concerning(records, {"jinja2", "pyasn1-modules"})
    assert [one["id"] for one in kept] == ["GHSA-1", "GHSA-5"]
    assert set(kept[1]) == {"id", "modified", "summary", "affected"}
    [hole] = holes(kept, [Pin("jinja2", "3.1.4", "runtime.txt"), Pin("jinja2", "3.1.6", "dev.txt")])
    assert (hole.pin.file, hole.id, hole.fixed, hole.why_accepted) == ("runtime.txt", "GHSA-1", ("3.1.5",), None)
    assert newest(records) == TAKEN


@pytest.fixture
def repository(tmp_path):
    """A folder of requirements that pin one version, with a file of advisories as ours."""
    folder = tmp_path / "requirements"
    folder.mkdir()
    (folder / "runtime.txt").write_text(f"jinja2==3.1.4 \\\n    --hash=sha256:{'0' * 64}\n    # via maedal\n")
    (folder / "advisories.json").write_text(KEPT.read_text())
    return folder / "advisories.json"


@pytest.fixture(params=["zip", "folder", "list", "one"])
def dump(request, tmp_path):
    path = tmp_path / request.param
    first, second = record(), record("requests", "GHSA-2")
    match request.param:
        case "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("GHSA-1.json", json.dumps(first))
                archive.writestr("GHSA-2.json", json.dumps(second))
        case "folder":
            path.mkdir()
            (path / "GHSA-1.json").write_text(json.dumps(first))
        case "list":
            path.write_text(json.dumps([first, second]))
        case "one":
            path.write_text(json.dumps(first))
    return path


def test_a_hole_in_what_is_pinned_fails_names_it_and_says_what_mends_it(repository, dump, capsys):
    assert main([str(dump)], kept=repository, today=TAKEN) == 1
    said = capsys.readouterr().out
    assert "HOLE: jinja2 3.1.4 in runtime.txt: GHSA-1 a sandbox that is none; mended in 3.1.5" in said
    assert "1 pinned versions held against records up to 2026-11-20" in said
    assert "warning" not in said


def test_what_is_kept_is_compared_without_the_dump_until_somebody_accepts_it(repository, dump, capsys):
    assert main([str(dump), "--keep"], kept=repository, today=TAKEN) == 1
    bundle = json.loads(repository.read_text())
    assert (bundle["taken"], [one["id"] for one in bundle["advisories"]]) == ("2026-11-20", ["GHSA-1"])
    assert main([], kept=repository, today=TAKEN) == 1
    bundle["accepted"] = [{"id": "GHSA-1", "package": "Jinja2", "why": "nobody writes templates here"}]
    repository.write_text(json.dumps(bundle))
    capsys.readouterr()
    assert main([], kept=repository, today=TAKEN) == 0
    assert "accepted: jinja2 3.1.4" in capsys.readouterr().out


def test_an_old_dump_is_told_of_and_fails_nothing(repository, tmp_path, capsys):
    path = tmp_path / "old.json"
    path.write_text(json.dumps(record("requests")))
    assert main([str(path)], kept=repository, today=TAKEN + timedelta(days=31)) == 0
    assert "warning: the newest record is 31 days old" in capsys.readouterr().out
    assert main([str(path)], kept=repository, today=TAKEN + timedelta(days=30)) == 0
    assert "warning" not in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "[]", "{}", "[1]", "not json"])
def test_what_is_no_dump_is_not_taken_for_one_without_holes(repository, tmp_path, text, capsys):
    path = tmp_path / "no-dump"
    path.write_text(text)
    assert main([str(path)], kept=repository, today=TAKEN) == 2
    assert "advisories: " in capsys.readouterr().err
    assert json.loads(repository.read_text()) == json.loads(KEPT.read_text())


def test_without_a_dump_it_says_that_nothing_was_compared(repository, capsys):
    bundle = json.loads(repository.read_text()) | {"taken": None, "advisories": []}
    repository.write_text(json.dumps(bundle))
    assert main([], kept=repository) == 0
    assert "nothing was compared" in capsys.readouterr().out


def test_no_pinned_version_has_a_hole_that_the_kept_file_knows():
    """Whether it knows any is in the file: `taken` says up to when it was looked, and null that nobody has."""
    bundle = json.loads(KEPT.read_text())
    assert set(bundle) == {"taken", "source", "fetch", "accepted", "advisories"}
    assert (bundle["taken"] is None) is (bundle["advisories"] == [] and "no advisories" in bundle["source"])
    assert [hole for hole in holes(bundle["advisories"], pins(), bundle["accepted"]) if hole.why_accepted is None] == []
    assert {pin.file for pin in pins()} >= {"runtime.txt", "dev.txt", "build.txt"}
    assert all(one["why"] and one["id"] and one["package"] for one in bundle["accepted"])


def test_a_folder_of_records_is_read_whole(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.json").write_text(json.dumps(record(number=f"GHSA-{number}")))
    assert [one["id"] for one in records_of(tmp_path)] == ["GHSA-0", "GHSA-1", "GHSA-2"]
