"""`maedal serve` in front of a primary with a synchronous standby, and a failover in the middle of a charge."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.processes import serving
from tests.support.standby import StandbyPair

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("standby")]


@pytest.mark.parametrize("end", ["read-only", "crash", "cancel"])
def test_a_charge_whose_beginning_only_the_lost_primary_knew_is_made_once(tmp_path, end):
    """Before, KakaoPay was called on it, and called again when the shop asked the new primary for the same order."""
    with StandbyPair() as pair, serving(pair.url, tmp_path, clarify_wait_seconds=1) as testbed:
        testbed.issue_key("c_1")
        shop = testbed.worlds[0]
        pair.catch_up()
        pair.demand_standby()
        pair.standby.stop()
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(shop.again, "c_1", "m_1", settles=False)
            pair.wait_for_hanging()
            if end == "read-only":
                # The new primary is not reached yet: there the charge would rightly begin and be made.
                pair.fail_over(lead=False)
                pair.return_read_only()
            elif end == "crash":
                pair.primary.restart()
            else:
                pair.end_waits("cancel")
            time.sleep(4)
            assert shop.log(operation="subscription", outcome="approved") == []
            if end == "read-only":
                pair.switch.to(pair.standby.port)
            else:
                pair.fail_over()
            asked.result()
        deadline = time.monotonic() + 60
        while _status(shop) != "paid" and time.monotonic() < deadline:
            shop.again("c_1", "m_1")
            time.sleep(0.5)
        assert _status(shop) == "paid"
        assert len(shop.log(operation="subscription", outcome="approved")) == 1


def _status(shop):
    found = shop.call("GET", "/payments/find/m_1").json()["response"]
    return found and found["status"]
