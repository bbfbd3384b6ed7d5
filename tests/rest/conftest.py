"""One gateway for a whole module where rows need not be fresh; a fresh one where the clock is moved by hand."""

from __future__ import annotations

import pytest

from tests.support.clock import HandClock
from tests.support.world import world


@pytest.fixture(scope="module")
def running(all_databases, tmp_path_factory):
    with world(all_databases.url("sqlite"), tmp_path_factory.mktemp("world")) as everything:
        everything.token()
        yield everything


@pytest.fixture(scope="module")
def clock():
    return HandClock()


@pytest.fixture(scope="module")
def in_hand(all_databases, tmp_path_factory, clock):
    """A gateway whose clock stands still until the test moves it."""
    folder = tmp_path_factory.mktemp("world")
    with world(
        all_databases.url("sqlite"), folder, gateway_options={"clock": clock, "with_worker": False}
    ) as everything:
        yield everything
