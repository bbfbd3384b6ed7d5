"""Reading the settings for a command."""

from __future__ import annotations

from maedal.cli import data_dir
from maedal.cli.running import give_up
from maedal.settings import Settings, SettingsError, load


def read() -> Settings:
    """Return the settings, or end the command with what is wrong with them."""
    try:
        folder = data_dir.chosen()
        return load() if folder is None else data_dir.settings_of(folder)
    except SettingsError as error:
        give_up(error)
