"""A run ends with a plot and a table against the last result of its kind."""

from __future__ import annotations

import io

from bench.results import Group, Kept, Value, numbers, show
from rich.console import Console

MACHINE = {"cpu": "a machine"}


def shown(folder, charge_ms, per_second, *, cpu="a machine", kind="drain"):
    """Show a result as a run does at its end, and return what was printed."""
    out = Console(file=io.StringIO(), width=120, color_system=None)
    groups = [
        Group("CPU", [Value("a charge", charge_ms)], limit=1.0),
        Group("pace", [Value("charges", per_second, "/s", more=True)]),
    ]
    show(out, kind, groups, Kept({"cpu": cpu}, "2026-11-28T16:00:00+00:00", dict(numbers(groups))), folder)
    return out.file.getvalue()


def test_the_first_run_says_that_it_has_nothing_to_be_compared_with(tmp_path):
    said = shown(tmp_path, 0.5, 400.0)
    assert "CPU" in said
    assert "0.500 ms" in said
    assert "no result of drain was kept" in said


def test_the_next_run_is_compared_by_ratio(tmp_path):
    shown(tmp_path, 0.5, 400.0)
    said = shown(tmp_path, 0.6, 800.0)
    assert "against the result of 2026-11-28T16:00:00+00:00" in said
    assert "1.20" in said
    assert "2.00" in said
    assert "another machine" not in said
    again = shown(tmp_path, 0.6, 800.0)
    assert "1.00" in again, "what is kept is the last result, not the first"


def test_a_result_of_another_machine_or_kind_is_told_apart(tmp_path):
    shown(tmp_path, 0.5, 400.0)
    assert "on another machine: a machine" in shown(tmp_path, 0.5, 400.0, cpu="a new one")
    assert "no result of charges was kept" in shown(tmp_path, 0.5, 400.0, kind="charges")


def test_a_kept_result_that_cannot_be_read_is_none(tmp_path):
    (tmp_path / "drain.json").write_text("{")
    assert "no result of drain was kept" in shown(tmp_path, 0.5, 400.0)
