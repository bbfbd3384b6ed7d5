"""What most tests lean on."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator

import argon2
import hypothesis
import pytest
import structlog

from maedal.vault.passwords import Passwords
from tests.support.databases import ENGINES, databases
from tests.support.endpoints import forget_calls, never_called
from tests.support.memory import in_memory

# How long an example takes is the machine's affair.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

SUMMARIES = {
    "crash_matrix": "crash matrix: steps at which each flow was killed",
    "interleavings": "races on one customer_uid: orders of steps that were played",
}


# Before pytest's own, which makes the folder.
@pytest.hookimpl(tryfirst=True)
def pytest_configure(config) -> None:
    """Let the tests' folders lie in memory, unless the command names another place: thousands of small databases."""
    if config.option.basetemp is None and not hasattr(config, "workerinput") and (memory := in_memory()) is not None:
        config.option.basetemp = tempfile.mkdtemp(prefix="maedal-tests-", dir=memory)
        config.add_cleanup(lambda: shutil.rmtree(config.option.basetemp, ignore_errors=True))


def pytest_addoption(parser) -> None:
    parser.addoption(
        "--serving-role",
        action="store_true",
        help="reach PostgreSQL as a role that owns nothing, as `maedal migrate --serving-role` leaves it",
    )


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """The time that a password takes is for those who guess, not for the tests."""
    usual = Passwords.__init__
    quick = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    Passwords.__init__ = lambda self, hasher=None: usual(self, hasher or quick)
    yield
    Passwords.__init__ = usual


@pytest.fixture(scope="session")
def all_databases(request, tmp_path_factory):
    by_serving_role = request.config.getoption("--serving-role")
    with databases(tmp_path_factory.mktemp("databases"), by_serving_role=by_serving_role) as provider:
        yield provider


@pytest.fixture(params=ENGINES)
def database_url(request, all_databases) -> Iterator[str]:
    """A fresh, migrated database; every test that asks for it runs on both engines."""
    url = all_databases.url(request.param)
    yield url
    all_databases.drop(url)


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


# Before xdist's own, which reads the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items) -> None:
    """Keep tests that share what takes long to build on one worker, and let groups begin first.

    Otherwise each worker would build it anew, and one would be alone with a long group in the end.
    """
    for item in items:
        if item.get_closest_marker("xdist_group") is None and (shared := _shared(item)) is not None:
            item.add_marker(pytest.mark.xdist_group(shared))
    items.sort(
        key=lambda item: (item.get_closest_marker("xdist_group") is None, item.get_closest_marker("slow") is None)
    )


def _shared(item) -> str | None:
    """Return a name for what a test shares with others of its module, such as a gateway; None when it shares nothing."""
    fixtures = item._fixtureinfo.name2fixturedefs
    names = sorted(name for name, known in fixtures.items() if known[-1].scope in {"module", "package"})
    if not names:
        return None
    supplied = item.callspec.params if hasattr(item, "callspec") else {}
    return "-".join([item.nodeid.partition("::")[0], *(str(supplied[name]) for name in names if name in supplied)])


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
            terminalreporter.write_line(f"{row:<40}{cells}")
        terminalreporter.write_line(f"{'':<40}" + "".join(f"{engine:>12}" for engine in ENGINES))


def _cell(name: str) -> tuple[str, str]:
    life, _, engine = name.partition("|")
    return life, engine
