"""Whom the team's alerts go to, through which server, and what was sent: the pages and what they keep."""

from __future__ import annotations

import re

from maedal.merchants.audit_entry import AuditAction
from tests.console.people import asked, once
from tests.support.receiver import receiver

MERCHANT = "imp00000000"
OF = f"/console/merchants/{MERCHANT}"


def test_a_receiver_is_added_tried_changed_and_removed(site, owner):
    with receiver() as ops:
        added = owner.send(
            f"{OF}/alerts", name="Ops", way="webhook", address=f"{ops.url}/alerts", rule_pg_closed="digest"
        )
        [secret] = once(added.text)
        assert secret.startswith("whsec_")
        one = str(added.url.path)
        assert re.fullmatch(f"{OF}/alerts/[0-9a-z]{{26}}", one)
        assert secret not in owner.see(one)
        assert "시험 알림을 보냅니다" in owner.send(f"{one}/test", one).text
        assert owner.send(one, quiet_begins="22:00", quiet_ends="25:00").status_code == 422
        owner.send(one, name="Night", quiet_begins="22:00", quiet_ends="08:00")
        page = owner.see(f"{OF}/alerts")
        assert "Night" in page
        assert "127.0.0.1" in page
        [received] = ops.wait_for("/alerts")
        assert received.headers["webhook-id"]
        assert '"type":"test"' in received.body
        assert "보냄" in owner.see(f"{OF}/messages?state=sent") or "대기" in owner.see(f"{OF}/messages")
    owner.send(f"{one}/remove", one)
    assert owner.open(one).status_code == 404
    entries = asked(site.world, lambda store: store.audit.entries(MERCHANT, 3))
    assert {entry.kind for entry in entries} == {AuditAction.CHANGE_ALERTS}
    assert secret not in repr(entries)


def test_a_receiver_that_cannot_be_keeps_what_was_typed(owner):
    refused = owner.send(f"{OF}/alerts", name="Team", way="mail", address="no address")
    assert refused.status_code == 422
    assert "team@example.com과 같은" in refused.text
    assert 'value="Team"' in refused.text
    # A Slack address is a secret and is typed again.
    slack = owner.send(f"{OF}/alerts", name="", way="slack", address="https://hooks.slack.test/T/B/secret")
    assert slack.status_code == 422
    assert "T/B/secret" not in slack.text


def test_a_mail_server_is_set_and_its_password_never_shown(site, owner):
    page = f"{OF}/mail-server"
    fields = {"host": "smtp.shop.test", "port": "465", "login": "shop", "sender": "pay@shop.test"}
    assert owner.send(page, **fields, encryption="none", password="hushhush").status_code == 422
    assert owner.send(page, **fields, encryption="tls").status_code == 422
    saved = owner.send(page, **fields, encryption="tls", password="hushhush")
    assert saved.status_code == 200
    assert "hushhush" not in saved.text
    assert 'value="smtp.shop.test"' in owner.see(page)
    # To another host the password of the first does not go along.
    assert owner.send(page, **fields | {"host": "smtp.evil.test"}, encryption="tls").status_code == 422
    owner.send(f"{page}/remove", page)
    assert asked(site.world, lambda store: store.messages.mail_server(MERCHANT)) is None
    entries = asked(site.world, lambda store: store.audit.entries(MERCHANT, 2))
    assert {entry.kind for entry in entries} == {AuditAction.CHANGE_MAIL_SERVER}
    assert "hushhush" not in repr(entries)


def test_a_message_that_is_under_way_is_not_sent_again(owner):
    answer = owner.http.post(
        f"{OF}/messages/nothing/again", data={"form_token": owner.token()}, headers={"Origin": owner.origin}
    )
    assert answer.status_code == 422
    assert "이미 도착했습니다" in answer.text
