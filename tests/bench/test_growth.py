"""`make bench ARGS=--growth` works on both engines and loses nothing. Nothing here looks at how quick it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_small_run_asks_for_all_work_and_every_page_of_each_database(tmp_path):
    numbers = tmp_path / "numbers.json"
    options = ["--quick", "--sizes", "1000", "--sqlite", "1000", "--json", str(numbers), "--results", str(tmp_path)]
    command = [sys.executable, "-m", "bench", "--growth", *options]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=580, check=False)
    assert numbers.exists(), ran.stdout + ran.stderr
    found = json.loads(numbers.read_text())
    assert set(found["spent"]) == {"PostgreSQL 1,000", "SQLite 1,000"}
    for kinds in found["spent"].values():
        assert set(kinds) == {"again", "planned charge", "token", "lookup"}
    # How quick a page is and what CPU grew is the machine's to say, and here both are chance.
    assert [text for text in found["complaints"] if "takes" not in text] == []
    for pages in found["pages"].values():
        assert {"home", "payments, all time, hundredth page", "REST: paid, page 100"} <= set(pages)
    assert (tmp_path / "growth-quick.json").exists()
    assert "no result of growth-quick was kept" in ran.stdout


def test_a_size_that_is_none_is_refused_by_name():
    command = [sys.executable, "-m", "bench", "--growth", "--sizes", "10^7"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert ran.returncode == 2
    assert "sizes are whole numbers" in ran.stderr
