"""The simulation of a drain: what bounds it, what late charges cost, and how it is held against what was measured."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tools.scaling import SUBSCRIBERS, Drain, bounds, main, simulate

AT_ONCE = Drain(charges=4_000, pg_ms=0.0, commit_ms=0.0, asks_when_late=False)


def test_a_drain_without_waiting_is_as_quick_as_its_busiest_part():
    of_gateway = simulate(replace(AT_ONCE, gateway_ms=2.0, database_ms=0.5))
    assert of_gateway.per_second == pytest.approx(500, rel=0.05)
    assert of_gateway.gateway_busy == pytest.approx(1.0, abs=0.05)
    of_database = simulate(replace(AT_ONCE, gateway_ms=0.5, database_ms=4.0, database_cores=2))
    assert of_database.per_second == pytest.approx(500, rel=0.05)


def test_a_slow_pg_bounds_a_drain_by_the_places():
    slow = replace(AT_ONCE, pg_ms=2_000.0, gateway_ms=0.1, database_ms=0.1)
    found = simulate(slow)
    assert found.per_second == pytest.approx(100, rel=0.1)
    assert found.under_way <= slow.places
    assert simulate(replace(slow, charges=12_000, places=400)).per_second == pytest.approx(200, rel=0.1)


def test_a_second_gateway_helps_until_something_else_is_busy():
    one = replace(AT_ONCE, gateway_ms=2.0, database_ms=0.5, database_cores=2)
    assert simulate(replace(one, gateways=2)).per_second == pytest.approx(1_000, rel=0.05)
    shared = replace(one, gateways=2, shared_cores=1)
    assert simulate(shared).per_second == pytest.approx(400, rel=0.05)


def test_answers_that_differ_take_longer_on_average_than_their_median():
    steady = replace(AT_ONCE, pg_ms=1_000.0, gateway_ms=0.1, database_ms=0.1)
    spread = replace(steady, pg_spread=0.8)
    assert simulate(spread).per_second < 0.85 * simulate(steady).per_second


def test_webhooks_take_the_time_of_charges():
    alone = replace(AT_ONCE, gateway_ms=1.0, database_ms=0.1)
    assert simulate(replace(alone, webhooks=1, webhook_ms=1.0)).per_second == pytest.approx(500, rel=0.05)


def test_what_is_late_by_a_minute_costs_a_second_call():
    drain = Drain(charges=100_000, pg_ms=200.0, gateway_ms=1.0, database_ms=0.5)
    asking = simulate(drain)
    assert asking.calls > 1.4 * drain.charges
    never = simulate(replace(drain, asks_when_late=False))
    assert never.calls == drain.charges
    assert asking.seconds > never.seconds
    assert simulate(replace(drain, charges=1_000)).calls == 1_000, "nothing is late in a short drain"


def test_the_pace_lies_just_below_the_least_of_the_bounds():
    for drain in (replace(AT_ONCE, pg_ms=200.0), replace(AT_ONCE, gateways=2, database_ms=2.0, pg_ms=50.0)):
        least = min(bounds(drain).values())
        assert 0.75 * least <= simulate(drain).per_second <= 1.05 * least


def test_a_measured_drain_is_held_against_the_simulation(tmp_path, capsys):
    file = tmp_path / "numbers.json"
    one = {
        "engine": "PostgreSQL",
        "pg_ms": 0,
        "count": 2_000,
        "per_second": 480.0,
        "cpu_ms": 2.0,
        "database_cpu_ms": 1.0,
    }
    file.write_text(json.dumps({"drains": [one]}))
    assert main(["check", "--commit-ms", "0", str(file)]) == 0
    assert "PostgreSQL, PG 0 ms" in capsys.readouterr().out
    file.write_text(json.dumps({"drains": [one | {"per_second": 200.0}]}))
    assert main(["check", "--commit-ms", "0", str(file)]) == 1
    assert "further off than 25%" in capsys.readouterr().err


def test_the_table_names_every_number_of_subscribers(capsys):
    assert main(["table", "--gateway-ms", "2", "--database-ms", "1"]) == 0
    shown = capsys.readouterr().out
    assert all(f"{subscribers:,}" in shown for subscribers in SUBSCRIBERS)


def test_one_drain_says_what_bounds_it(capsys):
    assert main(["drain", "--charges", "2000", "--pg-ms", "100"]) == 0
    assert "at most" in capsys.readouterr().out
