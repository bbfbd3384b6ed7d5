"""Alerts and mail over hours, with the clock in hand, to a real mail server and receivers of the test."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from maedal.clock import SystemClock
from maedal.flows.charge import charge
from maedal.flows.deliver_webhook import claim_due, deliver
from maedal.flows.raise_alerts import AlertWatch, gather_alerts
from maedal.flows.send_messages import claim_messages, send_message
from maedal.flows.services import Answer
from maedal.flows.set_up_alerts import (
    MailServerSettings,
    ReceiverSettings,
    put_receiver,
    remove_receiver,
    send_again,
    send_test,
    set_mail_server,
)
from maedal.flows.set_webhook import set_webhook
from maedal.maintenance.pause import Pause, Source
from maedal.messages.alert import AlertKind, Quiet, When
from maedal.messages.mail_server import Encryption
from maedal.messages.message import MessageState, Way
from maedal.outbound.mail import SmtpMail
from maedal.payments.errors import InvalidParameter
from maedal.pg.driver import AnswerLost
from maedal.storage.invariants.reads import Invariant, Violation
from maedal.storage.maintenance.writes import NotePause
from maedal.storage.messages.reads import MessageFilter
from maedal.storage.messages.writes import HandOver
from tests.flows.test_recovery import fail
from tests.support.builders import MERCHANT, NOW, an_order
from tests.support.mail import MailServer, text_of

EVERYTHING = dict.fromkeys(AlertKind, When.AT_ONCE)
BROKEN = Violation(Invariant.UNKNOWN_ENDS, MERCHANT, "imps_1")
TEAM = "team@shop.test"


class Receivers:
    """Whatever the guarded client would post to; an answer each, 200 when none is set."""

    def __init__(self):
        self.taken, self.answers = [], []

    async def post(self, url, media_type, body, *, headers, **_):
        answer = self.answers.pop(0) if self.answers else Answer(200, "ok")
        if answer.status == 200 or answer.text == "lost":
            self.taken.append((url, headers, body))
        return answer


@pytest.fixture
async def mail(flows):
    async with MailServer() as server:
        flows.services = replace(
            flows.services,
            mail=SmtpMail(allow_private=True),
            merchant_calls=Receivers(),
            public_url="https://pay.shop.test",
            # Whoever checks a signature compares its time with the machine's.
            people_clock=SystemClock(),
        )
        settings = MailServerSettings("127.0.0.1", server.port, Encryption.NONE, "", "", "pay@shop.test", "우리 상점")
        await set_mail_server(flows.services, MERCHANT, settings)
        yield server


async def a_receiver(flows, way=Way.MAIL, address=TEAM, *, rules=EVERYTHING, quiet=None, language="ko"):
    settings = ReceiverSettings("Team", way, address, rules, quiet, 9, language)
    return await put_receiver(flows.services, MERCHANT, settings)


async def send_due(flows):
    """Do one round of a worker; gives how many messages were due."""
    await gather_alerts(flows.services)
    lease_id, claimed = await claim_messages(flows.services, 20)
    for message in claimed:
        await send_message(flows.services, message, lease_id)
    return len(claimed)


async def states(flows):
    page = await flows.store.messages.page(MERCHANT, MessageFilter(50))
    return [message.state for message in page.rows]


async def an_unknown_charge(flows):
    def lost(_):
        raise AnswerLost("the connection broke")

    await flows.issue_key()
    flows.clock.add(60)
    flows.network.next_answer["subscription"] = lost
    return await charge(flows.services, MERCHANT, an_order("m_1"))


async def test_what_happened_is_told_by_mail_once_however_many_look(flows, mail):
    await a_receiver(flows)
    for _ in range(3):
        await AlertWatch(flows.services).look([BROKEN])
        await send_due(flows)
    [letter] = mail.letters
    assert letter["To"] == TEAM
    assert letter["Subject"] == "[A shop] 불변 조건 위반"
    assert "우리 상점" in letter["From"]
    assert "unknown_ends" in text_of(letter)
    assert f"https://pay.shop.test/console/merchants/{MERCHANT}" in text_of(letter)
    assert await states(flows) == [MessageState.SENT]


async def test_a_mail_server_that_is_down_for_hours_gets_everything_once(flows, mail):
    await a_receiver(flows, language="en")
    await mail.stop()
    for hour in range(4):
        await AlertWatch(flows.services).look([replace(BROKEN, subject=f"imps_{hour}")])
        await send_due(flows)
        flows.clock.add(3_600)
    assert await states(flows) == [MessageState.WAITING] * 4
    await mail.start()
    for _ in range(4):
        await send_due(flows)
        flows.clock.add(3_600)
    texts = "".join(text_of(letter) for letter in mail.letters)
    assert [texts.count(f"of imps_{hour}.") for hour in range(4)] == [1, 1, 1, 1]
    assert await states(flows) == [MessageState.SENT] * 4


async def test_a_letter_that_is_put_off_is_sent_later_and_one_that_is_refused_is_not(flows, mail):
    receiver, _ = await a_receiver(flows)
    mail.answers = ["451 later"]
    await send_test(flows.services, MERCHANT, receiver.id)
    await send_due(flows)
    assert await states(flows) == [MessageState.WAITING]
    flows.clock.add(11)
    await send_due(flows)
    assert await states(flows) == [MessageState.SENT]
    nobody, _ = await a_receiver(flows, address="nobody@shop.test")
    await send_test(flows.services, MERCHANT, nobody.id)
    await send_due(flows)
    page = await flows.store.messages.page(MERCHANT, MessageFilter(50, MessageState.FAILED))
    # The server's words held the address.
    assert [message.answer for message in page.rows] == ["550 from the mail server"]


async def test_a_letter_whose_answer_was_lost_is_unknown_and_sent_again_by_a_person_alone(flows, mail):
    receiver, _ = await a_receiver(flows)
    mail.answers = ["lost"]
    await send_test(flows.services, MERCHANT, receiver.id)
    await send_due(flows)
    flows.clock.add(86_400)
    assert await send_due(flows) == 0
    assert await states(flows) == [MessageState.UNKNOWN]
    [message] = (await flows.store.messages.page(MERCHANT, MessageFilter(1))).rows
    await send_again(flows.services, MERCHANT, message.id, who="Kim")
    await send_due(flows)
    assert await states(flows) == [MessageState.SENT]
    first, second = mail.letters
    assert first["Message-ID"] == second["Message-ID"]
    with pytest.raises(InvalidParameter):
        await send_again(flows.services, MERCHANT, message.id, who="Kim")


async def test_what_a_dead_worker_had_handed_over_is_unknown_and_what_it_only_claimed_is_sent(flows, mail):
    receiver, _ = await a_receiver(flows)
    await send_test(flows.services, MERCHANT, receiver.id)
    flows.clock.add(30)
    await send_test(flows.services, MERCHANT, receiver.id)
    lease_id, claimed = await claim_messages(flows.services, 20)
    assert len(claimed) == 2
    assert await flows.store.write(HandOver(claimed[0], lease_id, flows.clock.now()))
    assert await send_due(flows) == 0
    flows.clock.add(601)
    assert not await flows.store.write(HandOver(claimed[1], lease_id, flows.clock.now()))
    assert await send_due(flows) == 1
    assert sorted(await states(flows)) == [MessageState.SENT, MessageState.UNKNOWN]
    assert len(mail.letters) == 1


async def test_slack_is_not_told_twice_and_a_webhook_is_sent_until_it_is_taken_under_one_id(flows, mail):
    slack, webhook = "https://hooks.slack.test/T1/B1/secretsecret", "https://ops.shop.test/alerts"
    await a_receiver(flows, Way.SLACK, slack)
    _, secret = await a_receiver(flows, Way.WEBHOOK, webhook)
    calls = flows.services.merchant_calls
    calls.answers = [Answer(None, "lost"), Answer(None, "lost")]
    await AlertWatch(flows.services).look([BROKEN])
    await send_due(flows)
    flows.clock.add(11)
    await send_due(flows)
    by_slack = [(url, headers, body) for url, headers, body in calls.taken if url == slack]
    assert len(by_slack) == 1
    assert "불변 조건 위반" in json.loads(by_slack[0][2])["text"]
    first, second = [(headers, body) for url, headers, body in calls.taken if url == webhook]
    assert first[0]["webhook-id"] == second[0]["webhook-id"]
    content = Webhook(secret).verify(second[1], dict(second[0]))
    assert [alert["kind"] for alert in content["data"]["alerts"]] == ["invariant_broken"]
    assert sorted(await states(flows)) == [MessageState.SENT, MessageState.UNKNOWN]
    kept = await flows.store.engine.fetch("SELECT * FROM alert_receivers")
    assert "secretsecret" not in str([dict(row) for row in kept])


async def test_a_slack_that_was_certainly_not_reached_is_tried_again(flows, mail):
    await a_receiver(flows, Way.SLACK, "https://hooks.slack.test/T1/B1/x")
    calls = flows.services.merchant_calls
    calls.answers = [Answer(None, "the address could not be reached", unsent=True), Answer(503, "busy")]
    await AlertWatch(flows.services).look([BROKEN])
    for _ in range(3):
        await send_due(flows)
        flows.clock.add(61)
    assert len(calls.taken) == 1


async def test_a_digest_comes_at_its_hour_and_nothing_comes_in_the_quiet_time(flows, mail):
    # It is 10:00 in Seoul. The digest is at 9:00, quiet is from 22:00 to 8:00.
    digest = {AlertKind.INVARIANT_BROKEN: When.DIGEST, AlertKind.PG_CLOSED: When.AT_ONCE}
    await a_receiver(flows, rules=digest, quiet=Quiet(22 * 60, 8 * 60))
    watch = AlertWatch(flows.services)
    await watch.look([BROKEN])
    await watch.look([BROKEN, replace(BROKEN, subject="imps_2")])
    assert await send_due(flows) == 0
    flows.clock.add(13 * 3_600)
    now = flows.clock.now()
    closed = Pause("p_1", "kakaopay", Source.ANSWERED, now, now + timedelta(hours=12), "")
    await flows.store.write(NotePause(closed))
    await watch.look()
    assert await send_due(flows) == 0
    flows.clock.add(9 * 3_600)
    await send_due(flows)
    assert [letter["Subject"] for letter in mail.letters] == ["[A shop] PG사 점검"]
    flows.clock.add(3_600)
    await send_due(flows)
    assert mail.letters[1]["Subject"] == "[A shop] 불변 조건 위반 (+1)"
    assert text_of(mail.letters[1]).count("imps_") == 2


async def test_an_unknown_outcome_is_told_after_ten_minutes(flows, mail):
    await a_receiver(flows, language="en")
    payment = await an_unknown_charge(flows)
    watch = AlertWatch(flows.services)
    assert await watch.look() == 0
    flows.clock.add(600)
    await watch.look()
    await send_due(flows)
    assert payment.imp_uid in text_of(mail.letters[0])


async def test_webhooks_that_were_given_up_are_told_once_an_hour_for_each_server(flows, mail):
    await a_receiver(flows, language="en")
    await set_webhook(flows.services, MERCHANT, live=None, test="https://shop.test/hook", body=None)
    flows.clock.add(10)
    await flows.issue_key()
    for number in range(2):
        flows.clock.add(60)
        await charge(flows.services, MERCHANT, an_order(f"m_{number}"))
    flows.services.merchant_calls.answers = [Answer(500, "broken")] * 2
    lease_id, claimed = await claim_due(flows.services, 10, ())
    for delivery in claimed:
        await deliver(flows.services, delivery, lease_id)
    for _ in range(2):
        await AlertWatch(flows.services).look()
        await send_due(flows)
    [letter] = mail.letters
    assert "Webhooks to shop.test given up: 2" in text_of(letter)


async def test_failed_renewals_are_told_once_a_day_with_their_sum(flows, mail):
    await a_receiver(flows, language="en", rules={AlertKind.FAILED_RENEWALS: When.DIGEST})
    await fail(flows)
    watch, counts = AlertWatch(flows.services), []
    for _ in range(3 * 24):
        await watch.look()
        counts.append(await send_due(flows))
        flows.clock.add(3_600)
    assert sum(counts) == 1
    # It is 10:00 in Seoul when all begins, and told at 9:00.
    assert counts.index(1) == 23
    assert ": 1, 9,900 won together." in text_of(mail.letters[0])


async def test_a_certificate_is_told_twice_before_it_is_over(flows, mail):
    await a_receiver(flows, language="en")
    end = NOW + timedelta(days=20)

    async def certificate_end():
        return end

    flows.services = replace(flows.services, certificate_end=certificate_end)
    watch = AlertWatch(flows.services)
    counts = []
    for _ in range(20):
        await watch.look()
        counts.append(await send_due(flows))
        flows.clock.add(86_400)
    assert [day for day, count in enumerate(counts) if count] == [6, 17]


async def test_a_private_mail_server_is_not_called(flows, mail):
    receiver, _ = await a_receiver(flows)
    flows.services = replace(flows.services, mail=SmtpMail(allow_private=False))
    await send_test(flows.services, MERCHANT, receiver.id)
    await send_due(flows)
    assert await states(flows) == [MessageState.WAITING]
    assert mail.letters == []
    flows.services = replace(flows.services, mail=SmtpMail(allow_private=False, relays=["127.0.0.1"]))
    flows.clock.add(11)
    await send_due(flows)
    assert len(mail.letters) == 1


async def test_whoever_was_removed_is_told_nothing(flows, mail):
    receiver, _ = await a_receiver(flows)
    await AlertWatch(flows.services).look([BROKEN])
    await remove_receiver(flows.services, MERCHANT, receiver.id, who="Kim")
    assert await send_due(flows) == 0
    assert mail.letters == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"way": Way.MAIL, "address": "no address"}, "address"),
        ({"way": Way.MAIL, "address": "a@b\r\nBcc: x@y"}, "address"),
        ({"way": Way.SLACK, "address": "ftp://x"}, "address"),
        ({"name": ""}, "name"),
        ({"digest_hour": 24}, "digest_hour"),
    ],
)
async def test_a_receiver_that_cannot_be_names_its_field(flows, changes, field):
    good = ReceiverSettings("Team", Way.MAIL, TEAM, EVERYTHING, None, 9, "ko")
    with pytest.raises(InvalidParameter) as refused:
        await put_receiver(flows.services, MERCHANT, replace(good, **changes))
    assert refused.value.field == field
    assert await flows.store.messages.receivers(MERCHANT) == []
