"""One suite for both engines."""

import pytest

from maedal.storage.channels.writes import PutChannel
from maedal.storage.merchants.writes import AddMerchant
from maedal.storage.open import create_store
from tests.support.builders import a_channel, a_merchant, an_api_key


@pytest.fixture
async def store(database_url):
    store = create_store(database_url)
    await store.open()
    await store.write(AddMerchant(a_merchant(), an_api_key()))
    await store.write(PutChannel(a_channel()))
    yield store
    await store.close()
