#!/usr/bin/env python3
"""Fill machines.env into the files of this folder: one folder a machine, laid out as its file system is.

    python3 fill.py machines.env OUT      OUT/db1 … db3, OUT/etcd1 … etcd3, OUT/gateway, OUT/backup, OUT/prometheus

{{NAME}} stands for a line NAME=VALUE of the settings; values may hold it too. {{MACHINE}} is the machine's own name,
and {{OWN}}, {{OWN_POSTGRES}} … are its settings: on db1, those of DB1 and DB1_POSTGRES. Scripts are copied as they are.
Needs Python alone. Writes nothing when a name is missing, a password is still "change-me" or holds what a file cannot.
"""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLACEHOLDER = re.compile(r"\{\{([A-Z][A-Z0-9_]*)\}\}")
PASSWORD = re.compile(r"[A-Za-z0-9_-]+")
MACHINES = {
    **{f"db{number}": "database" for number in (1, 2, 3)},
    **{f"etcd{number}": "etcd" for number in (1, 2, 3)},
    "gateway": "gateway",
    "backup": "backup",
    "prometheus": "prometheus",
}
"""The machines, and the folder here that each is filled from."""
DEPTH_MAX = 5


class Refused(Exception):
    """The settings cannot be filled in; the text is one line that says why."""


def read(text: str) -> dict[str, str]:
    """Return the settings of NAME=VALUE lines; comments and empty lines are skipped."""
    settings: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, sign, value = line.partition("=")
        if not sign or not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
            raise Refused(f"line {number} is not NAME=VALUE: {line}")
        if name in settings:
            raise Refused(f"line {number} gives {name} a second value")
        settings[name] = value.strip()
    for name, value in settings.items():
        if not name.endswith("_PASSWORD"):
            continue
        if value == "change-me":
            raise Refused(f"{name} is still change-me; make one: openssl rand -hex 24")
        if not PASSWORD.fullmatch(value):
            raise Refused(f"{name} may hold letters, digits, - and _ only")
    return settings


def own(settings: Mapping[str, str], machine: str) -> dict[str, str]:
    """Return the settings as `machine` sees them, its own under OWN too."""
    prefix = machine.upper()
    mine = {"OWN" + name.removeprefix(prefix): value for name, value in settings.items() if name.startswith(prefix)}
    return {**settings, "MACHINE": machine, **mine}


def fill(text: str, settings: Mapping[str, str], where: str) -> str:
    """Return the text with every {{NAME}} replaced, those within values too."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in settings:
            raise Refused(f"{where} asks for {found[1]}, which the settings lack")
        return settings[found[1]]

    for _ in range(DEPTH_MAX):
        if not PLACEHOLDER.search(text):
            return text
        text = PLACEHOLDER.sub(value, text)
    raise Refused(f"{where}: a value names itself")


def filled(settings: Mapping[str, str]) -> dict[Path, tuple[str, bool]]:
    """Return what is written: path below OUT → text, and whether it is a script."""
    files: dict[Path, tuple[str, bool]] = {}
    for machine, folder in MACHINES.items():
        seen = own(settings, machine)
        for path in sorted((HERE / folder).rglob("*")):
            if path.is_file():
                script = os.access(path, os.X_OK)
                place = path.relative_to(HERE / folder)
                text = path.read_text() if script else fill(path.read_text(), seen, f"{folder}/{place}")
                files[machine / place] = (text, script)
    return files


def write(files: Mapping[Path, tuple[str, bool]], out: Path) -> None:
    """Write the files; they hold passwords, so only their owner may read them."""
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True, mode=0o700)
    for place, (text, script) in files.items():
        path = out / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o755 if script else 0o600)
        path.write_text(text)


def main(words: list[str]) -> int:
    if len(words) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        files = filled(read(Path(words[0]).read_text()))
    except (OSError, Refused) as error:
        print(f"fill.py: {error}", file=sys.stderr)
        return 1
    write(files, Path(words[1]))
    print(f"{len(files)} files for {len(MACHINES)} machines in {words[1]}; they hold passwords")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
