"""Which channel a page means, and which settings go together."""

from __future__ import annotations

import pytest

from maedal.merchants.channel import Channel, ChannelKind, UnknownPg, check_settings, choose
from maedal.merchants.errors import ChannelMisconfigured, ChannelNotFound, NoChannel
from maedal.pg.kakaopay.driver import KakaoPay
from tests.support.builders import a_channel

RULES = KakaoPay.abilities.accounts
ALL = {"kakaopay": RULES}
ONE_TIME = a_channel(id="channel-key-1", pg_merchant_id="TC0ONETIME", kind=ChannelKind.ONE_TIME, default=True)
RECURRING = a_channel(id="channel-key-2", default=False)
LIVE = a_channel(id="channel-key-3", pg_merchant_id="CA12345678", test_mode=False, sealed_secret=b"x", default=False)
CHANNELS = [ONE_TIME, RECURRING, LIVE]


def pick(channels=CHANNELS, *, channel_key=None, pg=None, recurring=False) -> Channel:
    return choose(channels, ALL, channel_key=channel_key, pg=pg, recurring=recurring)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"pg": "kakaopay.TCSUBSCRIP"}, RECURRING),
        ({"pg": "kakaopay.TC0ONETIME"}, ONE_TIME),
        ({"pg": "kakaopay.CA12345678", "recurring": True}, LIVE),
        ({"pg": "kakaopay"}, ONE_TIME),
        ({"pg": "kakaopay", "recurring": True}, RECURRING),
        ({"pg": "kakao", "recurring": True}, RECURRING),
        ({"pg": "KAKAOPAY"}, ONE_TIME),
        ({"pg": " KakaoPay . tcsubscrip "}, RECURRING),
        ({"pg": "kakaopay."}, ONE_TIME),
        ({"recurring": True}, RECURRING),
        ({}, ONE_TIME),
        ({"channel_key": "channel-key-2", "pg": "kakaopay.TC0ONETIME"}, RECURRING),
        # A recurring channel may take a plain payment.
        ({"pg": "kakaopay.TCSUBSCRIP", "recurring": False}, RECURRING),
        # An unknown CID falls back to the provider.
        ({"pg": "kakaopay.CX00000000"}, ONE_TIME),
    ],
)
def test_a_page_gets_the_channel_that_it_means(asked, expected):
    assert pick(**asked) is expected


def test_a_test_window_never_turns_into_a_live_one():
    with pytest.raises(ChannelMisconfigured):
        pick([ONE_TIME, LIVE], pg="kakaopay", recurring=True)


def test_a_key_on_a_one_time_channel_is_refused_at_once():
    with pytest.raises(ChannelMisconfigured, match="one-time"):
        pick(pg="kakaopay.TC0ONETIME", recurring=True)


def test_another_pg_is_refused_unless_the_merchant_chose_the_old_way():
    with pytest.raises(ChannelNotFound):
        pick(pg="html5_inicis")
    lenient = a_channel(id="channel-key-1", unknown_pg=UnknownPg.DEFAULT)
    assert pick([lenient], pg="html5_inicis") is lenient


def test_no_channel_and_an_unknown_key_are_told_apart():
    with pytest.raises(NoChannel):
        pick([])
    with pytest.raises(ChannelNotFound):
        pick(channel_key="channel-key-9")


@pytest.mark.parametrize(
    ("cid", "test_mode", "secret", "says"),
    [
        ("CA12345678", True, None, "test CIDs only"),
        ("TCSUBSCRIP", True, "PRD0000000000000000000000000000000000000", "live secret key"),
        ("TCSUBSCRIP", False, "PRD0000000000000000000000000000000000000", "is a test CID"),
        ("CA12345678", False, None, "needs a secret key"),
        ("CA12345678", False, "", "needs a secret key"),
        ("CA12345678", False, "DEV0000000000000000000000000000000000000", "dev secret key"),
        ("too-long-for-a-cid", False, "PRD0", "is no CID"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(cid, test_mode, secret, says):
    kind = RULES.test_ids.get(cid, ChannelKind.RECURRING)
    with pytest.raises(ChannelMisconfigured, match=says):
        check_settings(RULES, pg_merchant_id=cid, test_mode=test_mode, secret=secret, kind=kind)


@pytest.mark.parametrize(
    ("cid", "test_mode", "secret"),
    [
        ("TCSUBSCRIP", True, None),
        ("TC0ONETIME", True, "DEV0000000000000000000000000000000000000"),
        ("CA12345678", False, "PRD0000000000000000000000000000000000000"),
    ],
)
def test_settings_that_go_together_are_taken(cid, test_mode, secret):
    kind = RULES.test_ids.get(cid, ChannelKind.RECURRING)
    check_settings(RULES, pg_merchant_id=cid, test_mode=test_mode, secret=secret, kind=kind)


def test_a_test_cid_says_itself_what_it_is_for():
    with pytest.raises(ChannelMisconfigured, match="one_time"):
        check_settings(RULES, pg_merchant_id="TC0ONETIME", test_mode=True, secret=None, kind=ChannelKind.RECURRING)
