"""One switch restricts whatever the console shows to live or test channels, for a session."""

from __future__ import annotations

import time
import uuid

import pytest

OF = "/console/merchants/imp00000000"


@pytest.fixture(scope="module")
def tested(site):
    """What a test channel has: a key, a payment and something planned."""
    uid = f"mode_{uuid.uuid4().hex[:8]}"
    site.world.issue_key(uid)
    site.world.again(uid, f"order_{uid}", 9_900, name=uid)
    planned = {"merchant_uid": f"plan_{uid}", "schedule_at": int(time.time()) + 90_000, "amount": 9_900, "name": uid}
    site.world.call("POST", "/subscribe/payments/schedule", json={"customer_uid": uid, "schedules": [planned]})
    return uid


LISTS = ("payments?span=all", "payments?span=all&mode=test", "billing-keys?standing=all", "customers", "schedules?tab=all",
         "upcoming?span=week")  # fmt: skip


def test_the_switch_comes_before_what_a_link_asks_for(owner, tested):
    for page in LISTS:
        assert tested in owner.see(f"{OF}/{page}"), page
    answer = owner.send("/console/mode", page=OF, mode="live", back=f"{OF}/payments?span=all")
    assert str(answer.url).endswith(f"{OF}/payments?span=all")
    for page in LISTS:
        assert tested not in owner.see(f"{OF}/{page}"), page
    # Its days are counted without it, and the switch stands on every page.
    assert "9,900" not in owner.see(f"{OF}/schedules/calendar")
    for page in (OF, f"{OF}/desk", f"{OF}/webhook-log", f"{OF}/channels", "/console/account"):
        assert 'value="live" aria-pressed="true"' in owner.see(page), page
    owner.send("/console/mode", page=OF, mode="test", back=OF)
    for page in LISTS:
        assert tested in owner.see(f"{OF}/{page}"), page


def test_all_is_shown_again_by_the_switch_and_to_who_signs_in(site, tested):
    person = site.person()
    person.send("/console/mode", page=OF, mode="live", back=OF)
    person.send("/console/mode", page=OF, mode="everything", back=OF)
    assert 'value="" aria-pressed="true"' in person.see(OF)
    person.send("/console/mode", page=OF, mode="live", back="//evil.example/")
    assert person.see("/console/account").count('value="live" aria-pressed="true"') == 1
    person.send("/console/sign-out", page="/console/account")
    assert not person.http.cookies.get("maedal_mode")
