"""The list of components of what is released, in CycloneDX: what requirements/runtime.txt pins, and what is vendored.

`make dist` writes it. The same tree gives the same bytes: it has no serial number, and its time is the commit's.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.utils import canonicalize_name

PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)(?: ; (.+?))? \\$")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
VIA = re.compile(r"^ +#(?: via |   )(\S+)")
VENDORED = re.compile(
    r"^\| `([^`]+)` \| `([^@`]+)@([^`]+)` \| `([^`]+)` \| (\S+) \| `([0-9a-f]{64})` \|$", re.MULTILINE
)
LICENCES = LicenseFactory()


@dataclass(frozen=True, slots=True)
class Pinned:
    """A requirement as it is pinned: its files' digests, and who wants it."""

    name: str
    version: str
    marker: str | None
    hashes: tuple[str, ...]
    via: tuple[str, ...]


def pinned(text: str) -> list[Pinned]:
    """Return the requirements of a file that `uv pip compile` wrote."""
    found: list[dict[str, Any]] = []
    for line in text.splitlines():
        if head := PINNED.match(line):
            found.append(
                {"name": canonicalize_name(head[1]), "version": head[2], "marker": head[3], "hashes": [], "via": []}
            )
        elif hashed := HASH.search(line):
            found[-1]["hashes"].append(hashed[1])
        elif via := VIA.match(line):
            found[-1]["via"].append(canonicalize_name(via[1]))
    return [
        Pinned(one["name"], one["version"], one["marker"], tuple(one["hashes"]), tuple(one["via"])) for one in found
    ]


def components_of(source: Path, when: int) -> str:
    """Return the list of a tree in CycloneDX' JSON; `when` is its time in epoch seconds."""
    project = tomllib.loads((source / "pyproject.toml").read_text())["project"]
    itself = Component(
        name=project["name"],
        version=project["version"],
        type=ComponentType.APPLICATION,
        bom_ref=project["name"],
        purl=PackageURL("pypi", name=project["name"], version=project["version"]),
        licenses=[LICENCES.make_from_string(project["license"])],
    )
    bom = Bom(metadata=BomMetaData(component=itself, timestamp=datetime.fromtimestamp(when, UTC)), serial_number=None)
    bom.serial_number = None  # type: ignore[assignment]
    requirements = pinned((source / "requirements" / "runtime.txt").read_text())
    known = {"maedal": itself}
    for one in requirements:
        purl = PackageURL("pypi", name=one.name, version=one.version)
        files = ExternalReference(
            type=ExternalReferenceType.DISTRIBUTION,
            url=XsUri(f"https://pypi.org/project/{one.name}/{one.version}/#files"),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in one.hashes],
        )
        known[one.name] = Component(
            name=one.name,
            version=one.version,
            type=ComponentType.LIBRARY,
            bom_ref=str(purl),
            purl=purl,
            description=f"installed where {one.marker}" if one.marker else None,
            external_references=[files],
        )
        bom.components.add(known[one.name])
    for one in requirements:
        for wants in one.via:
            bom.register_dependency(known[wants], [known[one.name]])
    for file, package, version, _, licence, digest in vendored(source):
        purl = PackageURL("npm", name=package, version=version, subpath=None)
        part = Component(
            name=f"{package}: {Path(file).name}",
            version=version,
            type=ComponentType.FILE,
            bom_ref=file,
            purl=purl,
            licenses=[LICENCES.make_from_string(licence)],
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
        )
        bom.components.add(part)
        bom.register_dependency(itself, [part])
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"


def vendored(source: Path) -> list[tuple[str, ...]]:
    """Return file, package, version, its file there, licence and digest of each file that others wrote."""
    page = source / "docs" / "vendored.md"
    # Commits from before the page have no list of them.
    return VENDORED.findall(page.read_text()) if page.exists() else []
