"""What most tests lean on."""

from __future__ import annotations

import pytest
import structlog

from tests.support.databases import ENGINES, databases
from tests.support.endpoints import forget_calls, never_called

SUMMARIES = {
    "crash_matrix": "crash matrix: steps at which each flow was killed",
    "interleavings": "races on one customer_uid: orders of steps that were played",
}


@pytest.fixture(scope="session")
def all_databases(tmp_path_factory):
    with databases(tmp_path_factory.mktemp("databases")) as provider:
        yield provider


@pytest.fixture(params=ENGINES)
def database_url(request, all_databases) -> str:
    """A fresh, migrated database; every test that asks for it runs on both engines."""
    return all_databases.url(request.param)


@pytest.fixture
def quiet_gateway():
    """Keep what a gateway in this process logs out of what a command in this process says."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    yield
    structlog.reset_defaults()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Fail a test that docs/endpoints.md names for an endpoint which it never calls."""
    forget_calls()
    found = yield
    file, _, name = item.nodeid.removeprefix("tests/").partition("::")
    missing = never_called(f"{file}::{name.partition('[')[0]}")
    assert not missing, f"docs/endpoints.md has this test show {', '.join(missing)}, but it does not call that"
    return found


def pytest_collection_modifyitems(items) -> None:
    """Let tests that last minutes begin first, so that no worker is alone with one in the end."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


def pytest_terminal_summary(terminalreporter) -> None:
    """Print for each flow at how many steps it was stopped on each database, and in how many orders flows have met."""
    for name, title in SUMMARIES.items():
        counts = dict(
            value
            for report in terminalreporter.getreports("passed")
            for of, value in getattr(report, "user_properties", ())
            if of == name
        )
        if not counts:
            continue
        terminalreporter.section(title)
        for row in sorted({row for row, _ in map(_cell, counts)}):
            cells = "".join(f"{counts.get(f'{row}|{engine}', '-'):>12}" for engine in ENGINES)
            terminalreporter.write_line(f"{row:<32}{cells}")
        terminalreporter.write_line(f"{'':<32}" + "".join(f"{engine:>12}" for engine in ENGINES))


def _cell(name: str) -> tuple[str, str]:
    life, _, engine = name.partition("|")
    return life, engine
