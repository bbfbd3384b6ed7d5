"""What the pytest plugin gives, over a gateway and a simulator in this process: quick, and no other than the plugin's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET, DEMO_CODE
from maedal.testing.running import Dev, Server, served_by
from maedal.testing.shop import Shop
from tests.support.world import world

CONTROL_KEY = "a-key-of-this-run"


@pytest.fixture(scope="module")
def dev(all_databases, tmp_path_factory) -> Iterator[Dev]:
    """What `maedal dev` runs, and what it would print with `--json`."""
    folder: Path = tmp_path_factory.mktemp("kit")
    options = {"control_key": CONTROL_KEY}
    with world(all_databases.url("sqlite"), folder, travels=True, gateway_options=options) as running:
        yield Dev(
            {
                "gateway": running.gateway,
                "script": f"{running.gateway}/v1/iamport.js",
                "simulator": running.sandbox,
                "control": {"url": f"{running.gateway}/_dev", "key": CONTROL_KEY},
                "log": str(folder / "no.log"),
                "identification_code": DEMO_CODE,
                "api_key": DEMO_API_KEY,
                "api_secret": DEMO_API_SECRET,
                "pg": {"one_time": "kakaopay.TC0ONETIME", "recurring": "kakaopay.TCSUBSCRIP"},
            }
        )


@pytest.fixture(scope="module")
def server(dev: Dev) -> Iterator[Server]:
    with served_by(dev) as server:
        yield server


@pytest.fixture
def shop(server: Server) -> Iterator[Shop]:
    """What the fixture `maedal` of the plugin is."""
    with server.new_shop() as shop:
        yield shop
