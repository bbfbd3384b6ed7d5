"""The tests of the storage on the oldest and the newest PostgreSQL that is supported.

They run once more in a process of their own, on a server of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from maedal.storage.engine import standing
from tests.support.postgres import TemporaryPostgres
from tools import postgres_versions, provide

ROOT = Path(__file__).parents[2]
SUITE = ["test_store.py", "test_two_nodes.py", "test_holds.py"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("versions")]


def bin_of(which: str) -> Path:
    try:
        return postgres_versions.bin_of(which)
    except provide.Missing as error:
        pytest.skip(str(error))


def run_on(server_url: str, files: list[str]) -> str:
    """Run tests of the storage against a server, and return how they ended."""
    words = ["-q", "-p", "no:cacheprovider", "-n", "0", "-k", "postgresql or node", "--timeout", "300"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *words, *(f"tests/storage/{name}" for name in files)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        | {"MAEDAL_TEST_DATABASE_URL": server_url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-1000:]
    return ran.stdout


def test_the_versions_that_are_said_to_be_supported_are_those_that_are_tested():
    assert {"oldest": standing.OLDEST_VERSION, "newest": standing.NEWEST_VERSION} == postgres_versions.VERSIONS


@pytest.mark.parametrize("which", postgres_versions.VERSIONS)
def test_the_storage_works_on(which, monkeypatch):
    folder = bin_of(which)
    monkeypatch.setattr(provide, "postgres_bin", lambda: folder)
    with TemporaryPostgres(durable=False) as server:
        assert postgres_versions.major_of(folder) == postgres_versions.VERSIONS[which]
        assert " passed" in run_on(server.url, SUITE)
