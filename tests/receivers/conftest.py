from __future__ import annotations

from collections.abc import Iterator

import pytest

from maedal.flows import sign_webhook
from maedal.merchants.merchant import DEMO_CODE
from tests.receivers.webhook_sender import WebhookSender
from tests.support.world import world


@pytest.fixture(scope="module")
def sender(all_databases, tmp_path_factory) -> Iterator[WebhookSender]:
    folder = tmp_path_factory.mktemp("testbed")
    with world(all_databases.url("sqlite"), folder, webhook_url="http://127.0.0.1:9/", monthly_limit=1_000) as running:
        made = WebhookSender(running, "")
        made.secret = made.do(lambda services: sign_webhook.new_secret(services, DEMO_CODE))
        running.issue_key("c_1")
        yield made
