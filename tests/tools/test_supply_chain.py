"""What others wrote: each runtime dependency has its reason, each vendored file its digest, and a release its list of both."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import sbom

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WANTED = {canonicalize_name(Requirement(one).name) for one in PROJECT["project"]["dependencies"]}
REASONS = (ROOT / "docs" / "decisions" / "0002-libraries.md").read_text()
PINNED = sbom.pinned((ROOT / "requirements" / "runtime.txt").read_text())
WHEN = 1_700_000_000
LONG_LINE = 2_000
"""People do not write lines like that."""


def test_every_runtime_dependency_has_its_reason_and_every_reason_its_dependency():
    table = REASONS.partition("In the browser, vendored")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("| `")]
    reasons = {canonicalize_name(row[0].strip("`")): row for row in rows}
    assert set(reasons) == WANTED
    assert [name for name, cells in reasons.items() if len(cells) != 5 or not all(cells)] == []


def test_everything_that_is_pinned_is_wanted_and_has_digests():
    names = {one.name for one in PINNED} | {"maedal"}
    assert {one.name for one in PINNED} >= WANTED
    assert [one.name for one in PINNED if not one.hashes] == []
    assert [one.name for one in PINNED if not one.via or not names.issuperset(one.via)] == []


def test_every_vendored_file_is_what_its_row_says():
    rows = sbom.vendored(ROOT)
    found = {row[0]: hashlib.sha256((ROOT / "src" / "maedal" / row[0]).read_bytes()).hexdigest() for row in rows}
    assert found == {row[0]: row[5] for row in rows}
    assert len(rows) == 5


@pytest.mark.parametrize("package", ["maedal", "kakaopay_sandbox"])
def test_no_file_that_others_wrote_is_without_a_row(package):
    rows = {ROOT / "src" / "maedal" / row[0] for row in sbom.vendored(ROOT)}
    files = [path for path in (ROOT / "src" / package).rglob("*") if path.suffix in {".js", ".css", ".woff2", ".wasm"}]
    strange = [path for path in files if max(map(len, path.read_bytes().splitlines()), default=0) > LONG_LINE]
    strange += [path for path in files if ".min." in path.name or path.suffix in {".woff2", ".wasm"}]
    assert set(strange) <= rows


def test_the_list_of_components_is_valid_whole_and_the_same_twice():
    text = sbom.components_of(ROOT, WHEN)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert text == sbom.components_of(ROOT, WHEN)
    listed = json.loads(text)
    assert listed["metadata"]["timestamp"].startswith("2023-11-14T22:13:20")
    versions = {(one["name"], one["version"]) for one in listed["components"] if one["type"] == "library"}
    assert versions == {(one.name, one.version) for one in PINNED}
    (roots,) = [one["dependsOn"] for one in listed["dependencies"] if one["ref"] == "maedal"]
    assert {re.split("[/@]", ref)[1] for ref in roots if ref.startswith("pkg:pypi/")} >= WANTED
    assert sum(ref in {row[0] for row in sbom.vendored(ROOT)} for ref in roots) == 5


def test_a_tree_without_vendored_files_has_a_list_too(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    assert len(json.loads(sbom.components_of(tmp_path, WHEN))["components"]) == len(PINNED)


def test_security_rules_of_the_linter_are_on_for_all_that_runs_with_keys():
    rules = PROJECT["tool"]["ruff"]["lint"]
    assert rules["select"] == ["ALL"]
    off = {one for one in rules["ignore"] if re.fullmatch(r"S\d*", one)}
    # Addresses to listen on are an operator's; SQL is made of constants; an assertion that fails is our bug.
    assert off == {"S104", "S608", "S101"}
    narrowed = {path: codes for path, codes in rules["per-file-ignores"].items() if "S" in codes}
    assert set(narrowed) == {"tests/**", "bench/**", "docs/examples/**", "tools/**"}
