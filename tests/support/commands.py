"""Commands of `maedal`, run in the test's own process: as a program of its own each would take a second to start."""

from __future__ import annotations

import os

import pytest
from typer.testing import CliRunner

from maedal.cli.main import app


class Command:
    """Runs commands with settings of their own; nothing of the real environment reaches them."""

    def __init__(self, **settings):
        self._runner = CliRunner()
        self.settings = settings

    def run(self, *words, stdin=None, prog_name="maedal", **changes):
        values = {name: value for name, value in (self.settings | changes).items() if value is not None}
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("MAEDAL_")]:
                patch.delenv(name)
            for name, value in values.items():
                patch.setenv(f"MAEDAL_{name.upper()}", str(value))
            return self._runner.invoke(app, words, input=stdin, prog_name=prog_name)

    @classmethod
    def of(cls, running, **settings):
        """Return commands that speak of the installation of a running world."""
        names = ("database_url", "key_file", "public_url", "sandbox_url")
        return cls(**{name: getattr(running.settings, name) for name in names} | settings)

    def __call__(self, *words, **more):
        """Run a command that must succeed; gives what it says."""
        result = self.run(*words, **more)
        assert result.exit_code == 0, (result.stdout, result.stderr)
        return result.stdout

    def refuses(self, *words, **more):
        """Run a command that must refuse in one line and with status 1; gives the line."""
        result = self.run(*words, **more)
        lines = result.stderr.splitlines()
        assert result.exit_code == 1, (result.stdout, result.stderr, result.exception)
        assert len(lines) == 1, lines
        assert lines[0].startswith("maedal: ")
        assert "Traceback" not in result.output
        return lines[0]
