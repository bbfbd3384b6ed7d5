"""Everything running, on a fresh database of either kind."""

import pytest

from tests.support.world import world


@pytest.fixture
def running(database_url, tmp_path):
    with world(database_url, tmp_path) as everything:
        yield everything
