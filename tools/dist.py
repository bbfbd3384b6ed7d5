"""Build what is released, from what is committed: the sdist, the wheel, the list of components and their digests.

    make dist                                the commit that is checked out, into dist/
    make dist ARGS="--commit v0.1.0"         another one
    make dist ARGS="--into /tmp/dist"        into another folder

Files that are changed or unknown to git are not in it. The same commit gives the same bytes on every machine with the
same requirements/build.txt: every time stamp in the files is the commit's.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tools import sbom

ROOT = Path(__file__).parents[1]
SUMS = "SHA256SUMS"
COMPONENTS = ".cdx.json"
BUILD_SECONDS_MAX = 280


class DistError(Exception):
    """The files could not be built; the text is one line that says why."""


def build(source: Path, folder: Path, when: int) -> tuple[Path, Path]:
    """Build the sdist and the wheel of the tree in `source` into `folder`, stamped with epoch seconds.

    The wheel is built from the tree; tests hold it against the one that is built from the sdist.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HATCH_")}
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(
        command,
        cwd=source,
        env=environment | {"SOURCE_DATE_EPOCH": str(when)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS_MAX,
        check=False,
    )
    if done.returncode != 0:
        raise DistError(f"hatchling could not build {source}: {(done.stdout + done.stderr).strip()}")
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


def committed(commit: str, repository: Path, folder: Path) -> int:
    """Write the files of a commit into `folder`; return the commit's time in epoch seconds."""
    when = _git(repository, "log", "-1", "--format=%ct", commit, "--").strip()
    archive = folder.with_suffix(".tar")
    _git(repository, "archive", "--format=tar", f"--output={archive}", commit)
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    return int(when)


def digests(files: list[Path]) -> str:
    """Return what `sha256sum --check` reads."""
    return "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(files))


def make(commit: str, repository: Path, target: Path) -> list[Path]:
    """Put sdist, wheel, components and digests of a commit into `target`, in place of older ones."""
    with tempfile.TemporaryDirectory(prefix="maedal-dist-") as folder:
        source, built = Path(folder) / "source", Path(folder) / "built"
        built.mkdir()
        when = committed(commit, repository, source)
        files = list(build(source, built, when))
        components = built / f"{files[0].name.removesuffix('.tar.gz')}{COMPONENTS}"
        components.write_text(sbom.components_of(source, when))
        files.append(components)
        (built / SUMS).write_text(digests(files))
        target.mkdir(parents=True, exist_ok=True)
        # An older version beside it would be uploaded too.
        for old in (*target.glob("*.tar.gz"), *target.glob("*.whl"), *target.glob(f"*{COMPONENTS}"), target / SUMS):
            old.unlink(missing_ok=True)
        return [Path(shutil.copy(file, target)) for file in (*files, built / SUMS)]


def _git(repository: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=repository, capture_output=True, text=True, check=False)
    except OSError as error:
        raise DistError(f"git cannot be run ({error.strerror}); a release is built from a commit") from error
    if done.returncode != 0:
        raise DistError(f"git {words[0]} failed: {done.stderr.strip()}")
    return done.stdout


def main() -> int:
    """Build, and print what was built."""
    words = argparse.ArgumentParser(prog="make dist", description="Build sdist and wheel of a commit.")
    words.add_argument("--commit", default="HEAD", help="the commit or tag to build (HEAD)")
    words.add_argument("--into", type=Path, default=ROOT / "dist", help="where to put the files (dist)")
    wish = words.parse_args()
    try:
        if wish.commit == "HEAD" and (changed := _git(ROOT, "status", "--porcelain").splitlines()):
            print(f"{len(changed)} changes are not committed and not in it", file=sys.stderr)
        files = make(wish.commit, ROOT, wish.into)
    except DistError as error:
        print(error, file=sys.stderr)
        return 1
    for file in files:
        print(file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
