"""The settings page on which everything begins: KakaoPay, test mode ON, CID TCSUBSCRIP."""

from __future__ import annotations

import re

import pytest

from maedal.app import DRIVERS
from maedal.console.channels.pages import CARD_NAMES
from maedal.merchants.audit_entry import AuditAction
from maedal.merchants.channel import CardLimits
from maedal.operators.role import Role
from maedal.payments.attempt import Method
from tests.console.people import Fields, asked, text_of

MERCHANT = "imp00000000"
CHANNELS = f"/console/merchants/{MERCHANT}/channels"
NEW = f"{CHANNELS}/new"
DEV_KEY, LIVE_KEY, LIVE_CID = "DEV0123456789abcdef", "PRD0123456789abcdef", "CA12345678"
HOSTILE = '"><script>alert(1)</script>{{ 7 * 7 }}'


def channel_of(answer) -> str:
    return re.search(r"channel-key-[0-9a-f-]{36}", str(answer.url))[0]


def newest_audit_entry(world):
    [audit_entry] = asked(world, lambda store: store.audit.entries(MERCHANT, 1))
    return audit_entry


def kept(world, channel_id):
    channels = asked(world, lambda store: store.channels.of_merchant(MERCHANT))
    return next(c for c in channels if c.id == channel_id)


def test_the_form_begins_with_kakaopay_test_mode_on_and_the_recurring_test_cid(owner):
    form = Fields(NEW)
    form.feed(owner.see(NEW))
    assert (form.found["pg"], form.found["test_mode"], form.found["cid"]) == ("kakaopay", "on", "TCSUBSCRIP")


def test_a_channel_is_added_as_the_form_stands_and_checked(site, owner):
    answer = owner.send(NEW)
    assert "채널을 추가했습니다." in answer.text
    channel = kept(site.world, channel_of(answer))
    assert (channel.pg_provider, channel.pg_merchant_id, channel.test_mode, channel.kind) == (
        "kakaopay", "TCSUBSCRIP", True, "recurring",
    )  # fmt: skip
    address = f"{CHANNELS}/{channel.id}"
    checked = owner.send(f"{address}/check", page=address)
    assert "정기결제(빌링키 발급)를 할 수 있습니다" in checked.text
    # What was found out is told once, and asking again is a button, not a reload.
    assert "정기결제(빌링키 발급)를 할 수 있습니다" not in owner.see(address)


def test_a_one_time_channel_is_checked_as_one(owner):
    address = f"{CHANNELS}/{channel_of(owner.send(NEW, cid='TC0ONETIME'))}"
    assert "일반결제만 할 수 있습니다" in owner.send(f"{address}/check", page=address).text


def test_a_check_that_the_pg_refuses_says_why(site, owner):
    address = f"{CHANNELS}/{channel_of(owner.send(NEW))}"
    site.world.fault("ready", "error_500_before", times=2)
    answer = owner.send(f"{address}/check", page=address)
    assert "PG사가 이 채널을 받지 않습니다" in answer.text
    assert 'role="alert"' in answer.text


def test_every_setting_of_the_command_line_is_on_the_page(site, owner):
    answer = owner.send(
        NEW, name="정기결제", cid="TCSUBSCRIP", secret_key=DEV_KEY, default="on", unknown_pg="default", replaced_keys="keep",
        origins="https://shop.example\nhttps://www.shop.example", app_schemes="MyApp://\nother", prepared_only="on", bucket="B000000001", file_key="5ca1ab1e" * 8,
    )  # fmt: skip
    channel = kept(site.world, channel_of(answer))
    assert (channel.name, channel.default, channel.unknown_pg, channel.replaced_keys) == (
        "정기결제",
        True,
        "default",
        "keep",
    )
    assert channel.allowed_origins == ("https://shop.example", "https://www.shop.example")
    assert (channel.app_schemes, channel.prepared_only) == (("myapp", "other"), True)
    assert channel.file_bucket == "B000000001"
    assert channel.sealed_secret
    assert channel.sealed_file_key


def test_a_secret_is_never_shown_again_and_stays_when_the_field_is_left_empty(site, owner):
    channel_id = channel_of(owner.send(NEW, secret_key=DEV_KEY))
    address = f"{CHANNELS}/{channel_id}"
    page = owner.see(address)
    assert DEV_KEY not in page
    assert "저장되어 있습니다" in page
    before = kept(site.world, channel_id)
    answer = owner.send(address, name="Renamed")
    assert "저장했습니다." in answer.text
    assert DEV_KEY not in answer.text
    after = kept(site.world, channel_id)
    assert after.name == "Renamed"
    assert before.sealed_secret
    assert after.sealed_secret
    refused = owner.send(address, cid="nonsense", secret_key="DEV-typed-again")
    assert "DEV-typed-again" not in refused.text


def test_test_mode_is_turned_off_with_cid_and_key_of_the_contract_and_on_again(site, owner):
    channel_id = channel_of(owner.send(NEW))
    address = f"{CHANNELS}/{channel_id}"
    owner.send(address, test_mode="off", cid=LIVE_CID, secret_key=LIVE_KEY, kind="recurring")
    channel = kept(site.world, channel_id)
    assert (channel.test_mode, channel.pg_merchant_id, bool(channel.sealed_secret)) == (False, LIVE_CID, True)
    owner.send(address, test_mode="on", cid="TCSUBSCRIP")
    channel = kept(site.world, channel_id)
    assert (channel.test_mode, channel.sealed_secret) == (True, None)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"cid": ""}, "가맹점코드(CID)를 입력해 주세요."),
        ({"cid": LIVE_CID}, "만 쓸 수 있습니다. 입력한 값: CA12345678"),
        ({"secret_key": LIVE_KEY}, "테스트 모드에는 운영용 비밀 키를 쓸 수 없습니다."),
        ({"test_mode": "off"}, "TCSUBSCRIP은(는) 테스트용 CID입니다."),
        ({"test_mode": "off", "cid": "CA1"}, "CID는 영문과 숫자 10자리입니다."),
        ({"test_mode": "off", "cid": LIVE_CID}, "실연동에는 비밀 키가 필요합니다."),
        (
            {"test_mode": "off", "cid": LIVE_CID, "secret_key": DEV_KEY},
            "실연동에는 개발용(DEV) 비밀 키를 쓸 수 없습니다.",
        ),
        ({"origins": "https://shop.example/path"}, "origin이 아닙니다."),
        ({"file_key": "abc"}, "버킷 id가 필요합니다."),
        ({"pg": "inicis"}, "inicis는 아직 연동할 수 없는 PG사입니다."),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason_and_nothing_is_kept(site, owner, fields, said):
    before = asked(site.world, lambda store: store.channels.of_merchant(MERCHANT))
    answer = owner.send(NEW, name="Typed before", **fields)
    assert answer.status_code == 422
    assert said in text_of(answer.text)
    assert 'value="Typed before"' in answer.text
    assert asked(site.world, lambda store: store.channels.of_merchant(MERCHANT)) == before


def test_names_are_shown_and_never_run(owner):
    answer = owner.send(NEW, name=HOSTILE)
    address = f"{CHANNELS}/{channel_of(answer)}"
    for page in (answer.text, owner.see(address), owner.see(CHANNELS)):
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7 * 7 }}" in page
    refused = owner.send(NEW, name=HOSTILE, cid=HOSTILE)
    assert "<script>alert" not in refused.text


def test_who_may_not_change_settings_sees_them_and_has_no_button(site, owner):
    address = f"{CHANNELS}/{channel_of(owner.send(NEW))}"
    page = site.person(Role.READ_ONLY).see(address)
    assert "TCSUBSCRIP" in page
    assert 'data-testid="save"' not in page
    assert 'data-testid="check"' not in page
    assert '<fieldset class="fields" disabled>' in page


# -- the audit log


def test_adding_a_channel_is_in_the_audit_log(site, owner):
    channel_id = channel_of(owner.send(NEW, secret_key=DEV_KEY, name="Kept"))
    audit_entry = newest_audit_entry(site.world)
    assert (audit_entry.kind, audit_entry.subject, audit_entry.who, audit_entry.before) == (
        AuditAction.ADD_CHANNEL,
        channel_id,
        "owner",
        "",
    )
    assert "name=Kept" in audit_entry.after
    assert "secret_key=set" in audit_entry.after
    assert DEV_KEY not in repr(audit_entry)


def test_a_change_is_kept_with_what_was_before_and_nothing_else(site, owner):
    address = f"{CHANNELS}/{channel_of(owner.send(NEW, name='Before'))}"
    site.person(Role.DEVELOPER).send(address, name="After")
    audit_entry = newest_audit_entry(site.world)
    assert (audit_entry.kind, audit_entry.who, audit_entry.before, audit_entry.after) == (
        AuditAction.CHANGE_CHANNEL,
        "developer",
        "name=Before",
        "name=After",
    )
    # Saving the page as it stands is no change.
    owner.send(address)
    assert newest_audit_entry(site.world) == audit_entry


def test_a_new_secret_is_in_the_log_as_that_and_no_more(site, owner):
    address = f"{CHANNELS}/{channel_of(owner.send(NEW, secret_key=DEV_KEY))}"
    owner.send(address, secret_key=f"{DEV_KEY}2")
    audit_entry = newest_audit_entry(site.world)
    assert (audit_entry.before, audit_entry.after) == ("secret_key=set", "secret_key=new")


def test_the_pair_of_channels_is_made_in_one_step_and_never_twice(site, owner):
    code = re.search(r"imp\d{8}", str(owner.send("/console/merchants/new", name="두 채널").url))[0]
    of = f"/console/merchants/{code}/channels"
    assert "CID" in owner.send(f"{of}/pair", test_mode="off", one_time_cid=LIVE_CID, secret_key=LIVE_KEY).text
    assert "서로 다릅니다" in owner.send(
        f"{of}/pair", test_mode="off", one_time_cid=LIVE_CID, recurring_cid=LIVE_CID, secret_key=LIVE_KEY
    ).text  # fmt: skip
    for _ in range(2):
        assert "채널이 있습니다" in owner.send(f"{of}/pair").text
    made = asked(site.world, lambda store: store.channels.of_merchant(code))
    assert [(c.pg_merchant_id, c.kind, c.default, c.name) for c in made] == [
        ("TC0ONETIME", "one_time", True, "일반결제 (테스트)"), ("TCSUBSCRIP", "recurring", False, "정기결제 (테스트)"),
    ]  # fmt: skip


def test_what_buyers_may_pay_with_is_limited_and_pages_cannot_widen_it(site, owner):
    address = f"{CHANNELS}/{channel_of(owner.send(NEW, cid='TC0ONETIME'))}"
    channel = kept(site.world, address.rpartition("/")[2])
    assert "할부를 지정할 수 없습니다" in owner.send(address, method="money", months="3").text
    assert "카드를 지정할 수 없습니다" in owner.send(address, cards="999").text
    owner.send(address, method="card", cards=["361", "381"], months="3", window="popup")
    shown = Fields(address)
    shown.feed(owner.see(address))
    assert (shown.found["method"], shown.found["months"], shown.found["window"]) == ("card", "3", "popup")
    assert "cards=361 381; months=3; window=popup" in newest_audit_entry(site.world).after

    def opened(**params):
        body = {"user_code": MERCHANT, "nonce": "n" * 20, "page": {"origin": "https://shop.example", "url": "https://shop.example/"},
                "params": {"channelKey": channel.id, "merchant_uid": f"limits_{len(params)}", "amount": 1000, **params}}  # fmt: skip
        return site.world.http.post(f"{site.world.gateway}/sdk/payments", json=body).json()

    assert opened()["next"]["kind"] == "popup"
    wider = opened(card={"detail": [{"card_code": "*", "enabled": False}, {"card_code": "366", "enabled": True}]})
    assert wider["error_msg"] == "이 채널에서 쓸 수 없는 카드입니다. (card)"
    assert "할부" in opened(display={"card_quota": [6]}, name="x")["error_msg"]
    both = CardLimits(Method.CARD, ("361", "381"), 3).and_also(CardLimits(None, ("381", "366"), None))
    assert both == CardLimits(Method.CARD, ("381",), 3)
    assert set(CARD_NAMES) == set(DRIVERS["kakaopay"].abilities.cards)
