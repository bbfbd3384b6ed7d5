"""`make torture` for three minutes: a minute and a half of chaos on each database."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from .__main__ import run
from .timeline import timeline_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SECONDS = 90.0
SEED = 20_261_124


@pytest.mark.parametrize(
    "engine",
    [pytest.param(name, marks=pytest.mark.xdist_group(f"chaos-{name}")) for name in ("sqlite", "postgresql")],
)
def test_chaos_loses_and_doubles_nothing(engine: str) -> None:
    output = StringIO()
    chaos = run(engine, SEED, SECONDS, Console(file=output, width=200))
    score, records = chaos.score, chaos.score.records
    timelines = (
        [f"{finding}\n{timeline_of(records, finding.subject)}" for _, finding in score.found[:5]] if records else []
    )
    assert not score.found, "\n\n".join([output.getvalue(), *timelines])
    # A quiet run would prove nothing.
    assert score.kills > 20
    assert score.faults > 20
    assert score.charges > 15
