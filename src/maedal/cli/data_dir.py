"""`--data-dir`: the settings and the time of a `maedal dev`, from the folder that it keeps everything in."""

from __future__ import annotations

import json
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maedal.clock import Clock
    from maedal.settings import Settings

DATABASE_FILE, KEY_FILE, CLOCK_FILE = "maedal.db", "keys.json", "clock"
INFO_FILE = "dev.json"
"""In the folder while it runs: where it is, and the key of its control API."""
GATEWAY, SIMULATOR = "http://127.0.0.1:8080", "http://127.0.0.1:8081"
"""Where it is unless it was told another port, for what is written while it does not run."""

_chosen: ContextVar[Path | None] = ContextVar("data_dir", default=None)


def choose(folder: Path | None) -> None:
    """Let the command that runs now work on this folder, or on what the settings name."""
    _chosen.set(folder)


def chosen() -> Path | None:
    """Return the folder that the command was given."""
    return _chosen.get()


def settings_of(folder: Path) -> Settings:
    """Return the settings of the `maedal dev` of a folder. Raises SettingsError when none ever ran there."""
    from maedal.settings import SettingsError, load

    folder = folder.resolve()
    if not (folder / DATABASE_FILE).exists():
        raise SettingsError(f"no maedal dev has run on {folder} yet; start it with: maedal dev --data-dir {folder}")
    info = _info(folder)
    return load(
        database_url=f"sqlite:///{folder / DATABASE_FILE}",
        key_file=folder / KEY_FILE,
        public_url=info.get("gateway", GATEWAY),
        sandbox_url=info.get("simulator", SIMULATOR),
        allow_private_addresses=True,
    )


def clock() -> Clock | None:
    """Return the clock of the folder that the command was given: how far its world has travelled."""
    from maedal.clock import TravelClock

    folder = chosen()
    return None if folder is None else TravelClock(folder / CLOCK_FILE)


def _info(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / INFO_FILE).read_text("utf-8"))
    except (OSError, ValueError):  # it does not run, or is being written
        return {}
    return found if isinstance(found, dict) else {}
