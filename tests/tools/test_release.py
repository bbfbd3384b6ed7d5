"""What is unreleased becomes a version, and what cannot be one is told."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from tools.release import ReleaseError, complaints, released, sections

from tools import dist

PROJECT = '[project]\nname = "maedal"\nversion = "0.1.0"\n\n[tool.ruff]\ntarget-version = "py311"\n'
FRESH = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- Charges\n"
LATER = (
    "# Changelog\n\n## [Unreleased]\n\n### Fixed\n\n- A repair\n\n## [0.1.0] - 2026-11-28\n\n### Added\n\n- Charges\n"
)
DAY = date(2027, 1, 31)


def test_what_is_unreleased_gets_a_heading_and_nothing_is_lost():
    project, changelog = released(PROJECT, LATER, "0.2.0", DAY)
    assert project == PROJECT.replace("0.1.0", "0.2.0")
    assert changelog.replace("\n## [0.2.0] - 2027-01-31\n", "", 1) == LATER
    assert sections(changelog) == {
        "Unreleased": "",
        "0.2.0": "### Fixed\n\n- A repair",
        "0.1.0": "### Added\n\n- Charges",
    }
    assert complaints(changelog, "0.2.0") == []


def test_the_first_release_may_be_the_version_that_the_project_began_with():
    project, changelog = released(PROJECT, FRESH, "0.1.0", DAY)
    assert project == PROJECT
    assert sections(changelog)["0.1.0"] == "### Added\n\n- Charges"


@pytest.mark.parametrize(
    ("changelog", "version", "words"),
    [
        (LATER, "0.1.0", "has 0.1.0 already"),
        (LATER, "0.0.9", "does not come after 0.1.0"),
        (LATER, "0.2", "'0.2' is no version"),
        (LATER, "0.02.0", "'0.02.0' is no version"),
        (LATER.replace("### Fixed\n\n- A repair\n\n", ""), "0.2.0", "nothing is unreleased"),
    ],
)
def test_what_cannot_be_a_release_is_told(changelog, version, words):
    with pytest.raises(ReleaseError, match=words):
        released(PROJECT, changelog, version, DAY)


@pytest.mark.parametrize(
    ("changelog", "version", "words"),
    [
        (LATER.replace("## [Unreleased]\n", ""), "0.1.0", "does not come first"),
        (LATER.replace(" - 2026-11-28", ""), "0.1.0", "is not '## [1.2.3] - 2026-01-31'"),
        (LATER.replace("2026-11-28", "28 November"), "0.1.0", "is not '## [1.2.3] - 2026-01-31'"),
        (LATER + "\n## [0.2.0] - 2027-01-31\n", "0.2.0", "newest first"),
        (LATER, "0.0.9", "newer than 0.0.9"),
        (LATER.replace("### Fixed\n\n- A repair\n\n", ""), "0.2.0", "0.2.0 has no heading"),
        (LATER.replace("### Fixed", "### Repaired"), "0.1.0", "'### Repaired' is none of"),
    ],
)
def test_a_changelog_out_of_order_is_told(changelog, version, words):
    assert any(words in text for text in complaints(changelog, version))


def test_a_version_that_is_not_released_yet_needs_no_heading():
    assert complaints(FRESH, "0.1.0") == []
    assert complaints(LATER, "0.2.0") == []


def test_a_release_without_its_commit_is_told_in_one_line(tmp_path):
    with pytest.raises(dist.DistError, match="git log failed"):
        dist.make("HEAD", tmp_path, tmp_path / "dist")


def test_only_what_is_committed_is_built_and_an_older_release_is_removed(tmp_path):
    repository, target = tmp_path / "repository", tmp_path / "dist"
    small_project(repository)
    (repository / "src" / "small" / "unknown.py").write_text("")
    target.mkdir()
    (target / "small-0.9.tar.gz").write_text("")
    (target / "notes").write_text("")
    files = dist.make("HEAD", repository, target)
    assert [file.name for file in files] == [
        "small-1.0.tar.gz",
        "small-1.0-py3-none-any.whl",
        "small-1.0.cdx.json",
        "SHA256SUMS",
    ]
    assert {file.name for file in target.iterdir()} == {file.name for file in files} | {"notes"}
    assert b"unknown.py" not in files[1].read_bytes()


def small_project(folder: Path) -> None:
    (folder / "src" / "small").mkdir(parents=True)
    (folder / "src" / "small" / "__init__.py").write_text("")
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "small"\nversion = "1.0"\nlicense = "MIT"\nrequires-python = ">=3.11"\n'
    )
    (folder / "requirements").mkdir()
    (folder / "requirements" / "runtime.txt").write_text("")
    name = ["-c", "user.name=A", "-c", "user.email=a@example"]
    for words in (["init", "-q"], ["add", "."], [*name, "commit", "-q", "-m", "All"]):
        subprocess.run(["git", *words], cwd=folder, check=True)


def test_the_command_changes_nothing_when_it_refuses():
    done = subprocess.run(
        [sys.executable, "-m", "tools.release", "0.0.1"],
        cwd=dist.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
