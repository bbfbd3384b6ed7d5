"""A database that is away is told once, and once when it is back."""

from __future__ import annotations

import time

import pytest
from structlog.testing import capture_logs

from maedal import metrics
from maedal.storage.migrate import migrate
from tests.support.postgres import TemporaryPostgres
from tests.support.world import world

pytestmark = pytest.mark.slow


def test_a_database_that_is_away_is_one_line_and_its_return_another(tmp_path):
    """Before, each refused call was a line, and nothing said since when, or that it was over."""
    with TemporaryPostgres(durable=False) as server:
        url = server.create_database("ledger")
        migrate(url)
        with world(url, tmp_path, clarify_wait_seconds=1.0, busy_wait_seconds=1.0) as running:
            running.token()
            with capture_logs() as log_lines:
                server.stop("immediate")
                for _ in range(5):
                    assert running.call("GET", "/payments/imp_000000000001").status_code == 503
                assert metrics.STORE_AWAY._value.get() == 1
                server.start()
                deadline = time.monotonic() + 60
                while metrics.STORE_AWAY._value.get() and time.monotonic() < deadline:
                    time.sleep(0.1)
            events = [line for line in log_lines if line["event"] in ("store_failed", "store_is_back")]
            assert [line["event"] for line in events] == ["store_failed", "store_is_back"]
            assert events[1]["refused"] == 5
            assert running.call("GET", "/payments/imp_000000000001").status_code == 404
