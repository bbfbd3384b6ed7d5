"""Run the tests side by side, and what failed there once more by itself.

    python -m tools.run_tests [words for pytest]      status 0: every test passed, beside others or by itself

A machine with many things to do at once now and then fails a test that waits in real time. Such a test is run again,
alone, and named in the last lines with what it was; its first failure stands above. Nothing is run again when more than
FAILURES_MAX failed, or when a failure is about money: those are no matter of speed. docs/decisions/0131.

The module is also pytest's plugin that tells which tests failed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FAILURES_MAX = 10
FAILED_FILE = "TESTS_THAT_FAILED"
"""Environment variable: where the plugin writes what failed."""
TESTS_FAILED = 1
"""pytest's exit status for failed tests; others mean that it could not run."""
ABOUT_MONEY = re.compile(
    r"^E .*(Finding\(kind='(double|lost|without proof|asked twice|cancel|deleted|held|answer)'|invariant)"
    r"|Falsifying example",
    re.MULTILINE,
)
"""Findings of a torture on which money hangs, and counterexamples to a property."""
GROUP = re.compile(r"@[^\]]*$")
"""What pytest-xdist puts behind the name of a test of a group."""
COLLECTED_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that failed, by pytest's name for it."""

    test: str
    about_money: bool


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Write the failures to the file that the environment names."""
    if (path := os.environ.get(FAILED_FILE)) is None:
        return
    reports = [r for kind in ("failed", "error") for r in terminalreporter.stats.get(kind, ()) if hasattr(r, "nodeid")]
    failures = [Failure(name_of(r.nodeid), ABOUT_MONEY.search(r.longreprtext) is not None) for r in reports]
    # A test that failed, and then could not be put away, failed once.
    by_name = {failure.test: failure for failure in sorted(failures, key=lambda failure: failure.about_money)}
    Path(path).write_text(json.dumps([asdict(failure) for failure in by_name.values()]))


def name_of(reported: str) -> str:
    """Return the name by which pytest runs a test that was reported, alone or in a group."""
    return GROUP.sub("", reported)


def may_run_again(failures: Sequence[Failure]) -> bool:
    return 0 < len(failures) <= FAILURES_MAX and not any(failure.about_money for failure in failures)


def run(words: Sequence[str]) -> int:
    """Return the exit status: 0, or pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        failed = Path(folder) / "failed.json"
        status = _pytest(("-p", __spec__.name if __spec__ else "tools.run_tests", *words), {FAILED_FILE: str(failed)})
        if status != TESTS_FAILED or not failed.exists():
            return status
        failures = [Failure(**of) for of in json.loads(failed.read_text())]
    if not may_run_again(failures):
        return status
    names = [failure.test for failure in failures]
    print(f"\n{len(names)} failed beside others; each is run once more by itself.", flush=True)
    if still := [name for name in names if _pytest(("-p", "no:cacheprovider", name), {}) != 0]:
        print("\nFailed beside others and by themselves:", *still, sep="\n  ", flush=True)
        return status
    print("\nFailed beside others and passed by themselves (their first failures are above):", *names, sep="\n  ")
    return 0


def compile_tests() -> None:
    """Let two processes compile the tests' modules, where nothing is compiled yet, before many would do the same."""
    tests = ROOT / "tests"
    if next(_compiled(tests), None) is not None or sys.dont_write_bytecode:
        return
    folders = sorted(str(path) for path in tests.iterdir() if (path / "__init__.py").exists())
    parts = [folders[n::COLLECTED_AT_ONCE] for n in range(COLLECTED_AT_ONCE)]
    collecting = [
        subprocess.Popen(
            [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *part],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        for part in parts
    ]
    for process in collecting:
        process.wait()


def _compiled(folder: Path) -> Iterator[Path]:
    return folder.glob("*/__pycache__/*pytest*.pyc")


def _pytest(words: Sequence[str], environment: dict[str, str]) -> int:
    command = [sys.executable, "-m", "pytest", *words]
    return subprocess.run(command, env=os.environ | environment, check=False).returncode


if __name__ == "__main__":
    compile_tests()
    raise SystemExit(run(sys.argv[1:]))
