"""A gateway whose merchant signs its webhooks, and hands to change how and where they are sent."""

from __future__ import annotations

import time

from maedal.app import open_gateway
from maedal.flows import resend_webhooks
from maedal.flows.set_webhook import set_webhook
from maedal.merchants.merchant import DEMO_CODE
from maedal.storage.webhooks.reads import DeliveryFilter, DeliverySearch
from tests.support import rows
from tests.support.world import World, _run_in_thread


class WebhookSender:
    """The gateway and one shop's receiver beside it."""

    def __init__(self, running: World, secret: str) -> None:
        self.world, self.secret = running, secret

    def do(self, work):
        """Do something with the gateway's parts, as `maedal webhook` does."""
        found = []

        async def carry_out():
            async with open_gateway(self.world.settings, serving=False) as gateway:
                found.append(await work(gateway.services))

        _run_in_thread(carry_out())
        return found[0]

    def change(self, work):
        """Do something with the merchant, and wait until the gateway, which remembers it for two seconds, has seen it."""
        changed = self.do(work)
        time.sleep(2.1)
        return changed

    def tell(self, url: str, body: str) -> None:
        self.change(lambda services: set_webhook(services, DEMO_CODE, live=None, test=url, body=body))

    def charge(self, merchant_uid: str) -> str:
        paid = self.world.again("c_1", merchant_uid)["response"]
        assert paid["status"] == "paid"
        return paid["imp_uid"]

    def answers(self, imp_uid: str, count: int = 1) -> list[int | None]:
        """Return what the receiver answered to each try of a payment's webhooks, once there were so many."""
        query = (
            "SELECT t.answer_status FROM webhook_deliveries d JOIN webhook_tries t ON t.delivery_id = d.id"
            f" WHERE d.imp_uid = '{imp_uid}' ORDER BY d.id, t.number"
        )
        deadline = time.monotonic() + 60
        while len(found := rows.fetch(self.world.settings.database_url, query)) < count and time.monotonic() < deadline:
            time.sleep(0.05)
        return [row["answer_status"] for row in found]

    def resend(self, imp_uid: str) -> None:
        """Send the first news of a payment again."""

        async def again(services):
            logs = await services.store.webhooks.deliveries(DEMO_CODE, DeliveryFilter(10, imp_uid=imp_uid))
            first = min(logs, key=lambda one: one.delivery.sequence).delivery
            wanted = DeliverySearch(1, delivery_ids=[first.id])
            return await resend_webhooks.resend_webhooks(services, DEMO_CODE, wanted, to_current=False, who="test")

        assert self.do(again) == 1
