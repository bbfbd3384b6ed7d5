"""Races on one unpaid month, enumerated: the button, the retry by rule, and a window that registers another method.

Played as in test_races, in every order of their steps: whoever comes first takes the money, and nobody else does.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from maedal.dunning.unpaid import Unpaid, digest_of, draw_token, token_context
from maedal.errors import GatewayError
from maedal.flows.approve import approve
from maedal.flows.pay_unpaid import find_unpaid, pay_now, register_anew
from maedal.flows.recovery import set_rule
from maedal.flows.run_schedule import claim_due, run_schedule
from maedal.flows.schedule_charges import schedule_charges
from maedal.payments.attempt import DeclineReason
from maedal.payments.failure_causes import FailureCause
from maedal.payments.payment import KeyUse
from maedal.payments.window import Device
from maedal.storage.channels.writes import PutChannel
from maedal.storage.dunning.writes import AddUnpaid
from maedal.storage.merchants.writes import AddMerchant
from tests.flows.test_races import CUSTOMER, PLANNED, Case, Meeting, meeting
from tests.support.builders import a_channel, a_merchant, an_api_key, an_order
from tests.support.databases import ENGINES
from tests.support.interleaving import every_order

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

AMOUNT = 800
CASES = (
    Case(("press", "press"), telling=True),
    Case(("press", "try"), 3, telling=True),
    Case(("press", "window")),
    Case(("try", "window")),
    Case(("press", "try", "window"), 1),
)


class PayMeeting(Meeting):
    """The same meeting about a month that failed, with its link, its next try due, and a window in which was agreed."""

    async def _prepare(self, case):
        self.plays += 1
        self.log_read += len(self._log())
        self.merchant = f"imp{self.plays:08}"
        services, clock = self.services[0], self.clock
        # The PG tells whole seconds: each play begins with one, so that the same steps come to the same ends.
        clock.add(121 - clock.now().microsecond / 1_000_000)
        # What the play before still had under a lease ends here, and is claimed by nobody in this one.
        for schedule in await claim_due(services, 20):
            await run_schedule(services, schedule)
        await services.store.write(
            AddMerchant(a_merchant(self.merchant), an_api_key(self.merchant, f"{self.plays:016}"))
        )
        await services.store.write(PutChannel(a_channel(id=f"channel-{self.plays}", merchant_id=self.merchant)))
        await set_rule(services, self.merchant, DeclineReason.BALANCE, (timedelta(hours=1),))
        clock.add(3)
        await approve(services, *await self._agreed("first", registered=True))
        clock.add(7)
        key = await services.store.billing_keys.find(self.merchant, CUSTOMER)
        order = an_order(PLANNED, AMOUNT, customer_uid=CUSTOMER, key_use=KeyUse.SCHEDULED)
        await schedule_charges(services, key, [(order, clock.now() + timedelta(seconds=7))])
        clock.add(8)
        await self.pg.fault("subscription", "decline", method_result_code="LACK_BALANCE")
        for schedule in await claim_due(services, 20):
            await run_schedule(services, schedule)
        failed = await services.store.schedules.find(self.merchant, PLANNED)
        assert failed.next_try is not None
        token, now = draw_token(), clock.now()
        sealed = services.vault.seal(token, *token_context(PLANNED, self.merchant))
        unpaid = Unpaid(
            self.merchant, PLANNED, failed.imp_uid, FailureCause.BALANCE, AMOUNT, True, digest_of(token), sealed, now,
            now + timedelta(days=7),
        )  # fmt: skip
        assert await services.store.write(AddUnpaid(unpaid, ()))
        self.token = token
        clock.add(3_601)
        self.seen = (await find_unpaid(services, token)).seen
        self.agreed = {}
        if "window" in case.flows:
            page = await find_unpaid(services, token)
            opened = await register_anew(services, page, device=Device.PC, nonce="n" * 16, buyer_address=None)
            payment = await services.store.payments.find(self.merchant, opened.payment.imp_uid)
            self.agreed = {"window": (payment, opened.window, await self.pg.agree(payment.pg_tid))}

    async def _work(self, services, flow, number):
        try:
            match flow:
                case "press":
                    page = await find_unpaid(services, self.token)
                    return await pay_now(services, page, self.seen)
                case "window":
                    return await approve(services, *self.agreed["window"])
                case "try":
                    for schedule in await claim_due(services, 20):
                        await run_schedule(services, schedule)
                    return None
        except GatewayError as error:
            return error
        raise AssertionError(flow)

    def _wrong(self, tables, log, sid_of, unended):
        yield from super()._wrong(tables, log, sid_of, unended)
        taken = [line for line in log if line["outcome"] == "approved" and line["amount"] == AMOUNT]
        paid = [p for p in tables["payments"] if p["merchant_uid"] == PLANNED and p["status"] == "paid"]
        if len(taken) > 1 or len(paid) > 1:
            yield f"the month was taken {len(taken)} times, and is paid {len(paid)} times"
        self.paid = len(paid)

    async def play(self, case, script):
        race = await super().play(case, script)
        assert self.paid == 1, race.story()
        return race


ON_BOTH = [(case, engine) for case in CASES for engine in ENGINES if engine == "sqlite" or case.telling]


@pytest.mark.parametrize(("case", "database_url"), ON_BOTH, ids=str, indirect=["database_url"])
async def test_in_every_order_of_their_steps_an_unpaid_month_is_taken_once(
    case, database_url, tmp_path, record_property
):
    async with meeting(database_url, tmp_path, PayMeeting) as met:
        orders = await every_order(lambda script: met.play(case, script))
    record_property("interleavings", (f"{case}|{met.engine}", orders))
    assert orders > len(case.flows)
