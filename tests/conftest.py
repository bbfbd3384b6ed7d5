"""What most tests lean on."""

from __future__ import annotations

import pytest

from tests.support.databases import ENGINES, databases


@pytest.fixture(scope="session")
def all_databases(tmp_path_factory):
    with databases(tmp_path_factory.mktemp("databases")) as provider:
        yield provider


@pytest.fixture(params=ENGINES)
def database_url(request, all_databases) -> str:
    """A fresh, migrated database; every test that asks for it runs on both engines."""
    return all_databases.url(request.param)
