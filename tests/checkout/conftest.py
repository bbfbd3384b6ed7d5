"""One gateway with its simulator for a module's windows."""

from __future__ import annotations

import pytest

from tests.support.world import world


@pytest.fixture(scope="module")
def running(all_databases, tmp_path_factory):
    with world(all_databases.url("sqlite"), tmp_path_factory.mktemp("checkout")) as everything:
        yield everything
