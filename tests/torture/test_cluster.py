"""`make torture ARGS=--cluster`, for one round of each mode: two failovers, and then every book is compared."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from .chaos import Score
from .cluster_chaos import MODES, Failovers, run_on_cluster, told
from .timeline import story

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("cluster")]

SECONDS = 1.0
"""A round is never cut short."""
SEED = 20_261_127


@pytest.mark.parametrize("mode", MODES)
def test_failovers_double_and_lose_nothing(mode: str) -> None:
    said = StringIO()
    score, failovers = Score(), Failovers()
    run_on_cluster(mode, SEED, SECONDS, Console(file=said, width=200), score, failovers)
    books = score.books
    # How soon charges flow again is measured where nothing else runs on the machine.
    found = [finding for _, finding in score.found if finding.kind != "late"]
    stories = [f"{finding}\n{story(books, finding.subject)}" for finding in found[:5]] if books else []
    assert not found, "\n\n".join([said.getvalue(), *stories])
    print(f"\ncluster | {mode} | {told(failovers)}")
    # A quiet run would prove nothing.
    assert failovers.total > 0
    assert score.kills > 5
    assert score.charges > 15
