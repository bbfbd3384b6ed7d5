from __future__ import annotations

import pytest

from maedal.app import open_gateway
from maedal.settings import Settings
from maedal.transfer.importing import Progress, import_file
from maedal.vault import create_key_file
from tests.transfer import files

QUIET = Progress(lambda _: None, lambda *_: None)
TABLES = (
    "merchants", "api_keys", "channels", "billing_keys", "payments", "payment_events", "attempts", "cancellations",
    "schedules", "prepared_amounts", "import_files", "import_payments", "import_cancellations",
    "import_billing_keys", "import_schedules", "import_prepared_amounts",
)  # fmt: skip


@pytest.fixture
def settings(database_url, tmp_path):
    create_key_file(tmp_path / "keys.json")
    return Settings(database_url=database_url, key_file=tmp_path / "keys.json", public_url="https://pay.example")


@pytest.fixture
async def gateway(settings):
    async with open_gateway(settings) as opened:
        yield opened


@pytest.fixture
def import_it(gateway, tmp_path):
    """Import what a file would say."""

    async def run(content, **more):
        path = files.write(tmp_path / "file.json", content)
        return await import_file(gateway.services, path, progress=QUIET, **more)

    return run


@pytest.fixture
def rows(gateway):
    """How many rows each table has; tables without any are left out."""

    async def count():
        found = {}
        for table in TABLES:
            (row,) = await gateway.store.engine.fetch(f"SELECT count(*) AS total FROM {table}")
            if row["total"]:
                found[table] = row["total"]
        return found

    return count
