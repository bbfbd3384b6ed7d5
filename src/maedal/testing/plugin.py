"""The pytest plugin: `maedal`, a merchant of its own for each test, on a `maedal dev` that the session shares.

    def test_a_subscriber_is_charged_every_month(maedal):
        customer = maedal.issue_key()
        maedal.schedule(customer, 9_900, "order_1")
        maedal.travel(days=31)
        assert maedal.webhooks.wait(merchant_uid="order_1").status == "paid"

Loaded by pytest wherever maedal is installed, so that it imports nothing until a test asks for a fixture. With
pytest-xdist each worker has a `maedal dev` of its own. `-p no:maedal` leaves the plugin out.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from maedal.testing.running import Server
    from maedal.testing.shop import Shop

_SERVER = pytest.StashKey["Server"]()
_LOGGED = pytest.StashKey[int]()
_LOG_SECONDS = 0.2
"""What a webhook came to is logged a moment after the shop has heard it, which is when a test may fail."""


@pytest.fixture(scope="session")
def maedal_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A gateway and a KakaoPay simulator on free ports until the tests are over; `gateway`, `script`, `simulator`."""
    from maedal.testing.running import serving

    with serving() as server:
        request.config.stash[_SERVER] = server
        yield server


@pytest.fixture
def maedal(request: pytest.FixtureRequest, maedal_server: Server) -> Iterator[Shop]:
    """A merchant that no other test knows, its webhooks, its buyer, KakaoPay's faults and the clock."""
    request.node.stash[_LOGGED] = maedal_server.dev.log_size()
    with maedal_server.new_shop() as shop:
        yield shop


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failed test what the gateway and the simulator logged meanwhile."""
    report = yield
    if report.failed and _LOGGED in item.stash and _SERVER in item.config.stash:
        time.sleep(_LOG_SECONDS)
        logged = item.config.stash[_SERVER].dev.log(item.stash[_LOGGED])
        if logged:
            report.sections.append((f"maedal during {call.when}", logged))
    return report
