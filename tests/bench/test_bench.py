"""`make bench` works and loses nothing. Nothing here looks at a time: what is fast is for the run itself to say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_quick_run_charges_once_and_finds_every_payment_again(tmp_path):
    numbers = tmp_path / "numbers.json"
    command = [sys.executable, "-m", "bench", "--quick", "--json", str(numbers)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = json.loads(numbers.read_text())
    echo, *charged = found["lines"]
    assert [line["name"] for line in charged] == [
        "SQLite, PG 0 ms",
        "PostgreSQL, PG 0 ms",
        "SQLite, PG 20 ms",
        "PostgreSQL, PG 20 ms",
    ]
    assert all(line["there"] == line["asked"] == 128 for line in charged)
    assert echo["cpu_ms"] > 0
    assert found["complaints"] == []
