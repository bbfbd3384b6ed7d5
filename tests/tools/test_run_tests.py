"""What failed beside others gets one more run by itself: not where money is at stake, and not when much failed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.run_tests import FAILURES_MAX, name_of, run

ONCE = """
from pathlib import Path

def test_{n}():
    seen = Path(__file__).with_suffix(".{n}")
    first = not seen.exists()
    seen.touch()
    assert not first, {text!r}
"""
NEVER = "def test_never():\n    assert False\n"
QUIET = ("-q", "-p", "no:cacheprovider")


@pytest.fixture
def run_on(tmp_path, monkeypatch):
    """Run a file of tests, and give the exit status."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    # What this run of tests tells its own processes is not for those.
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_CURRENT_TEST"):
        monkeypatch.delenv(name, raising=False)

    def runs(text: str) -> int:
        file: Path = tmp_path / "test_some.py"
        file.write_text(text)
        return run((*QUIET, "-c", str(tmp_path / "pytest.ini"), str(file)))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    return runs


def test_what_passes_by_itself_is_named_and_no_failure(run_on, capfd):
    assert run_on(ONCE.format(n=1, text="waited 61 s")) == 0
    printed = capfd.readouterr().out
    assert "passed by themselves" in printed
    assert "test_some.py::test_1" in printed.rpartition("passed by themselves")[2]
    assert "waited 61 s" in printed


@pytest.mark.parametrize(
    "text",
    [
        NEVER,
        ONCE.format(n=1, text="Finding(kind='double', subject='m', text='two approvals')"),
        "".join(ONCE.format(n=n, text="late") for n in range(FAILURES_MAX + 1)),
        ONCE.format(n=1, text="late") + NEVER,
    ],
    ids=["fails again", "about money", "too many", "one of two"],
)
def test_what_is_no_matter_of_speed_stays_a_failure(run_on, text):
    assert run_on(text) == 1


def test_what_pytest_cannot_run_is_no_success(run_on):
    assert run_on("import nothing_of_this_name\n") == 2


@pytest.mark.parametrize(
    ("reported", "name"),
    [
        ("tests/a.py::test_x@guards-off", "tests/a.py::test_x"),
        ("tests/a.py::test_x[sqlite]@tests/a.py-sqlite", "tests/a.py::test_x[sqlite]"),
        ("tests/a.py::test_x[a@b.test]", "tests/a.py::test_x[a@b.test]"),
        ("tests/a.py::test_x", "tests/a.py::test_x"),
    ],
)
def test_a_test_of_a_group_is_run_by_its_own_name(reported, name):
    assert name_of(reported) == name
