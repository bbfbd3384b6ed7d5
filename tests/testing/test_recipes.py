"""The programs of the manual's page "Testing your shop", taken from the page and run as a developer would run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import manual, provide

KOREAN, ENGLISH = (manual.page_of("test-kit", language).read_text() for language in manual.LANGUAGES)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS_MAX = 240


def program(language: str) -> str:
    """Return the longest block of a language, which is its whole program."""
    return max((code for of, code in BLOCK.findall(ENGLISH) if of == language), key=len)


def run(folder: Path, *command: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_both_languages_of_the_page_have_the_same_programs():
    assert BLOCK.findall(KOREAN) == BLOCK.findall(ENGLISH)


@pytest.mark.slow
def test_the_shells_program_runs(tmp_path):
    (tmp_path / "test.sh").write_text(program("sh"))
    assert '"status": "paid"' in run(tmp_path, "sh", "test.sh")


@pytest.mark.slow
def test_the_program_of_node_runs(tmp_path):
    node = provide.node()
    (tmp_path / "subscription.test.mjs").write_text(program("js"))
    assert re.search(r"^# pass 1$", run(tmp_path, str(node), "--test", "--test-reporter=tap"), re.MULTILINE)


@pytest.mark.slow
def test_the_program_of_java_runs(tmp_path):
    (tmp_path / "SubscriptionTest.java").write_text(program("java"))
    run(tmp_path, str(provide.java()), "SubscriptionTest.java")


@pytest.mark.slow
def test_the_program_of_php_runs(tmp_path):
    (tmp_path / "subscription.php").write_text(program("php"))
    run(tmp_path, str(provide.php()), "subscription.php")
