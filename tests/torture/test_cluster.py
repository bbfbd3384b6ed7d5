"""`make torture ARGS=--cluster`, for one round of each mode: two failovers, and then all records are compared."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from .chaos import Score
from .cluster_chaos import MODES, Failovers, result_of, run_on_cluster
from .timeline import timeline_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("cluster")]

SECONDS = 1.0
"""A round is never cut short."""
SEED = 20_261_127


@pytest.mark.parametrize("mode", MODES)
def test_failovers_double_and_lose_nothing(mode: str) -> None:
    output = StringIO()
    score, failovers = Score(), Failovers()
    run_on_cluster(mode, SEED, SECONDS, Console(file=output, width=200), score, failovers)
    records = score.records
    # How soon charges flow again is measured where nothing else runs on the machine.
    found = [finding for _, finding in score.found if finding.kind != "late"]
    timelines = [f"{finding}\n{timeline_of(records, finding.subject)}" for finding in found[:5]] if records else []
    assert not found, "\n\n".join([output.getvalue(), *timelines])
    print(f"\ncluster | {mode} | {result_of(failovers)}")
    # A quiet run would prove nothing.
    assert failovers.total > 0
    assert score.kills > 5
    assert score.charges > 15
