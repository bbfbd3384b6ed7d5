"""The way to live mode: a line is done only when there is evidence, on the page and at the command line."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from maedal.app import open_gateway
from maedal.cli.keys import app as keys_app
from maedal.code_digest import code_digest
from maedal.flows.allowed_addresses import allow_address
from maedal.flows.go_live import ADVICE, CARE, call_and_look, look
from maedal.flows.manage_api_keys import renew_api_secret
from maedal.flows.set_up_channel import ChannelSettings, add_channel, change_channel
from maedal.flows.set_up_merchant import create_merchant
from maedal.flows.set_webhook import set_webhook
from maedal.korean_messages import in_korean
from maedal.merchants.go_live import KeptCheck, Point, Readiness, ready
from maedal.storage.merchants.writes import KeepChecks
from maedal.vault import create_key_file, load_key_file
from tests.console.people import text_of
from tests.support.receiver import receiver

MERCHANT = "imp00000000"
PAGE = f"/console/merchants/{MERCHANT}/go-live"


def reported(page, point):
    """Return what the page says of a line."""
    return text_of(re.search(rf'data-point="{point}">(.*?)</li>', page, re.DOTALL)[1])


def test_each_line_is_done_only_with_evidence(site, owner):
    page = owner.see(PAGE)
    assert "아직 확인하지 않았습니다" in reported(page, "clock")
    assert "실연동(테스트 모드 OFF) 정기결제 채널이 없습니다" in reported(page, "channel")
    assert "누구나 아는 데모 API 키" in reported(page, "secret")
    assert "장애 시험의 결과 파일을 지정하지 않았습니다" in reported(page, "torture")
    assert "할 일이" in owner.send(PAGE).text
    page = owner.see(PAGE)
    # A busy machine may send its Date late, by less than what counts.
    assert re.search(r"시뮬레이터와 [01]\.\d초 차이", reported(page, "clock"))
    assert re.search(r"확인 20\d\d-", reported(page, "clock"))
    assert "실결제를 알릴 웹훅 주소가 없습니다" in reported(page, "webhook")


def test_a_backup_is_confirmed_by_the_fingerprint_of_the_copy(site, owner, tmp_path):
    other, copy = tmp_path / "other.json", tmp_path / "copy.json"
    create_key_file(other)
    copy.write_bytes(site.world.settings.key_file.read_bytes())
    copy.chmod(0o600)
    printed = [CliRunner().invoke(keys_app, ["fingerprint", str(path)]).output.strip() for path in (other, copy)]
    assert printed[1] not in owner.see(PAGE)
    wrong = owner.send(f"{PAGE}/backup", page=PAGE, fingerprint=printed[0])
    assert (wrong.status_code, "지문이 아닙니다" in wrong.text) == (422, True)
    assert "백업을 확인했습니다" in owner.send(f"{PAGE}/backup", page=PAGE, fingerprint=printed[1].upper()).text
    assert f"지문이 {printed[1][:9]}…인 복사본" in reported(owner.see(PAGE), "key_backup")


@pytest.fixture
async def shop(site):
    """A gateway at hand with a merchant of its own."""
    async with open_gateway(site.world.settings, serving=False) as gateway:
        made = await create_merchant(gateway.services, "A shop")
        yield gateway, made


async def test_a_merchant_that_has_done_everything_is_ready(shop, tmp_path):
    gateway, made = shop
    services, code = gateway.services, made.merchant.code
    site = replace(
        gateway.installation,
        public_url="https://pay.shop.example",
        sqlite=False,
        torture_result=tmp_path / "torture.json",
    )
    result = {"finished_at": datetime.now(UTC).isoformat(), "version": "0.1", "code": code_digest(), "minutes": 10.0,
              "charges": 812, "findings": {"double": 0, "other": 0}}  # fmt: skip
    now = services.clock.now()

    async def standing(point):
        merchant = await services.store.merchants.find(code)
        return next((c.standing, c.evidence) for c in await look(services, site, merchant) if c.point is point)

    assert (await standing(Point.SECRET))[0] is Readiness.TODO
    await renew_api_secret(services, code, made.api_key, overlap=timedelta(hours=1))
    assert (await standing(Point.SECRET))[0] is Readiness.CAREFUL
    await renew_api_secret(services, code, made.api_key)
    await allow_address(services, code, "203.0.113.7", "")
    for changes, expected, words in (
        ({"code": "0" * 64}, Readiness.TODO, "another state"),
        ({"findings": {"double": 1}}, Readiness.TODO, "found 1 defects"),
        ({"minutes": 0.5}, Readiness.CAREFUL, "found nothing"),
        ({"finished_at": "2020-01-01T00:00:00+00:00"}, Readiness.CAREFUL, "found nothing"),
        ({"finished_at": "lately"}, Readiness.TODO, "cannot be read"),
        ({}, Readiness.DONE, "10 minutes with 812 charges"),
    ):
        site.torture_result.write_text(json.dumps(result | changes))
        found, evidence = await standing(Point.TORTURE)
        assert (found, words in evidence) == (expected, True), evidence
    # What a live contract and another machine would tell.
    kept = [
        KeptCheck(code, Point.CLOCK, Readiness.DONE, "this machine's clock is 0.0 seconds from KakaoPay's", now),
        KeptCheck(code, Point.WEBHOOK, Readiness.DONE, "https://shop.example/hook answered 200 after 12 ms", now),
        KeptCheck("", Point.KEY_BACKUP, Readiness.DONE, site.fingerprint, now),
    ]
    await services.store.write(KeepChecks(tuple(kept)))
    await set_webhook(services, code, live="https://shop.example/hook", test=None, body=None)
    checks = await look(services, site, await services.store.merchants.find(code))
    assert [c.point for c in checks if c.standing is not Readiness.DONE] == [Point.CHANNEL, Point.PAGES]
    assert not ready(checks)
    await services.store.write(KeepChecks((replace(kept[0], checked_at=now - timedelta(days=31)),)))
    assert (await standing(Point.CLOCK))[0] is Readiness.CAREFUL


async def test_it_is_said_when_pages_of_any_site_may_open_windows_of_a_live_channel(shop):
    gateway, made = shop
    services, code = gateway.services, made.merchant.code

    async def pages():
        merchant = await services.store.merchants.find(code)
        found = next(c for c in await look(services, gateway.installation, merchant) if c.point is Point.PAGES)
        return found.standing, found.evidence

    settings = ChannelSettings(cid="CA12345678", test_mode=False, secret="PRD0123456789abcdef")
    channel = await add_channel(services, code, settings)
    assert await pages() == (
        Readiness.CAREFUL,
        "pages of any site may open windows with 1 of 1 live channels",
    )
    assert in_korean((await pages())[1])
    await change_channel(services, code, channel.id, ChannelSettings(allowed_origins=("https://shop.example",)))
    assert (await pages())[0] is Readiness.DONE
    assert in_korean((await pages())[1])


async def test_the_live_webhook_is_called_and_its_answer_is_the_evidence(shop):
    gateway, made = shop
    services, code = gateway.services, made.merchant.code
    with receiver() as listening:
        for answer, expected in ((200, Readiness.DONE), (500, Readiness.TODO)):
            url = listening.answer("/hook", answer, b"OK")
            await set_webhook(services, code, live=url, test=None, body=None)
            checks = await call_and_look(services, gateway.installation, await services.store.merchants.find(code))
            found = next(check for check in checks if check.point is Point.WEBHOOK)
            assert (found.standing, f"answered {answer}" in found.evidence) == (expected, True)


def test_every_advice_has_its_korean():
    assert [text for text in (*ADVICE.values(), *CARE.values()) if in_korean(text) is None] == []
    assert set(ADVICE) == set(Point)


def test_a_copy_of_a_key_file_has_its_fingerprint_and_another_file_has_not(tmp_path):
    create_key_file(tmp_path / "one.json")
    create_key_file(tmp_path / "two.json")
    one, two = (load_key_file(tmp_path / f"{name}.json").fingerprint for name in ("one", "two"))
    assert one != two
    assert re.fullmatch(r"([0-9a-f]{4}-){7}[0-9a-f]{4}", one)
