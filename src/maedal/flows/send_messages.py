"""Send messages: claim what is due, hand each over once, and keep what came of it and when to try again.

Before a text leaves by mail or to Slack, that it leaves is committed (`HandOver`). Who finds that mark without an end
knows that the text may have arrived, and ends the message as unknown: it is not sent again unless a person says so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Protocol

import structlog
from standardwebhooks import Webhook

from maedal import metrics
from maedal.flows.services import Answer, ServicesWith, ServicesWithoutStore
from maedal.flows.sign_webhook import signature_headers
from maedal.flows.unpaid_letters import unpaid_message
from maedal.messages.alert import Alert, Receiver, address_context, secret_context
from maedal.messages.alert_texts import alert_text, line, test_text
from maedal.messages.mail_server import Letter, MailRoute, password_context
from maedal.messages.message import ANSWER_CHARS_MAX, Handover, Message, MessageKind, Sent, Way, next_try
from maedal.messages.outgoing import Outgoing
from maedal.storage.dunning.reads import HasDunning
from maedal.storage.messages.reads import HasMessages
from maedal.storage.messages.writes import ClaimMessages, EndLostMessages, FinishMessage, HandOver
from maedal.storage.payments.reads import HasPayments
from maedal.storage.write import Writes

_log = structlog.get_logger()

LEASE = timedelta(minutes=10)
"""Longer than a mail server may take for all of its answers."""
CONNECT_TIMEOUT = timedelta(seconds=10)
READ_TIMEOUT = timedelta(seconds=30)
ALERTS_MAX = 500
"""So many alerts are written into one message; more than a text names one by one."""
LOST = "handed over by a process that ended before it heard the answer"
REMOVED = Sent(Handover.REFUSED, "the receiver was removed")


class SendMessagesStore(HasDunning, HasMessages, HasPayments, Writes, Protocol): ...


async def claim_messages(services: ServicesWith[SendMessagesStore], count_max: int) -> tuple[str, Sequence[Message]]:
    """Take up to `count_max` due messages for this worker alone; gives the lease and them.

    What somebody else handed over and never ended is ended as unknown on the way.
    """
    now = services.clock.now()
    lost = await services.store.write(EndLostMessages(now, LOST))
    if lost:
        metrics.MESSAGES.labels(Handover.UNKNOWN).inc(lost)
        _log.warning("messages_lost", count=lost)
    lease_id = services.ids.row(now)
    return lease_id, await services.store.write(ClaimMessages(lease_id, now, now + LEASE, count_max))


async def send_message(services: ServicesWith[SendMessagesStore], message: Message, lease_id: str) -> None:
    """Hand one claimed message over, keep what came of it, and plan the next try if it was certainly not taken."""
    written = await _written(services, message)
    sent = written if isinstance(written, Sent) else await _send(services, message, lease_id, written)
    now = services.clock.now()
    next_at = next_try(message, sent, now)
    if not await services.store.write(FinishMessage(message, lease_id, sent, now, next_at)):
        metrics.LEASES_LOST.labels("message").inc()
    metrics.MESSAGES.labels(sent.handover).inc()
    log = _log.info if sent.handover is Handover.TAKEN else _log.warning
    log("message_sent", message=message.id, way=message.way, handover=sent.handover, again_at=next_at)


async def _written(services: ServicesWith[SendMessagesStore], message: Message) -> Outgoing | Sent:
    """Return what a message says now; or why it is not to be sent at all."""
    if message.kind is MessageKind.UNPAID:
        return await unpaid_message(services, message)
    receiver = await services.store.messages.receiver(message.merchant_id, message.receiver_id)
    if receiver is None:
        return REMOVED
    merchant = await services.merchant_cache.merchant(message.merchant_id)
    console = f"{services.public_url}/console/merchants/{merchant.code}"
    alerts: Sequence[Alert] = ()
    if message.kind is MessageKind.TEST:
        text = test_text(merchant.name, receiver.language, console)
    else:
        alerts = await services.store.messages.alerts_of(message.merchant_id, message.id, ALERTS_MAX)
        text = alert_text(merchant.name, alerts, receiver.language, console)
    data: dict[str, object] = {
        "merchant": merchant.code,
        "text": text.text,
        "alerts": [
            {
                "kind": alert.kind.value,
                "happened_at": alert.happened_at.isoformat(),
                "text": line(alert, receiver.language),
                "facts": dict(alert.facts),
            }
            for alert in alerts
        ],
    }
    return Outgoing(
        _address(services, receiver),
        text.title,
        text.text,
        event=message.kind.value,
        data=data,
        secret=_secret(services, receiver),
    )


async def _send(services: ServicesWith[SendMessagesStore], message: Message, lease_id: str, written: Outgoing) -> Sent:
    async def leaves() -> bool:
        return await services.store.write(HandOver(message, lease_id, services.clock.now()))

    match message.way:
        case Way.MAIL:
            server = await services.store.messages.mail_server(message.merchant_id)
            if server is None:
                return Sent(Handover.NOT_TAKEN, "no mail server is set")
            password = ""
            if server.sealed_password is not None:
                password = services.vault.open(server.sealed_password, *password_context(server.merchant_id))
            route = MailRoute(server.host, server.port, server.encryption, server.login, password)
            letter = Letter(
                sender=server.sender,
                sender_name=server.sender_name,
                recipient=written.address,
                subject=written.subject,
                text=written.text,
                html=written.html,
                # The same for every try: whoever gets it twice all the same can tell.
                message_id=f"<{message.id}@{server.sender.rpartition('@')[2]}>",
                written_at=services.people_clock.now(),
            )
            return await services.mail.send(route, letter, leaves)
        case Way.SLACK:
            if not await leaves():
                return Sent(Handover.NOT_TAKEN, "somebody else sends it")
            body = json.dumps({"text": f"*{_escaped(written.subject)}*\n{_escaped(written.text)}"}, ensure_ascii=False)
            return _come_to(await _post(services, written.address, body, {}), once=True)
        case _:
            body = webhook_body(message, written)
            headers = await _signature(services, message, written, body)
            return _come_to(await _post(services, written.address, body, headers), once=False)


def webhook_body(message: Message, written: Outgoing) -> str:
    """Return the body of a message for a program: its type, its id, when it was made, and what it says."""
    content = {
        "type": written.event,
        "id": message.id,
        "timestamp": message.created_at.isoformat(),
        "data": dict(written.data),
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


async def _signature(
    services: ServicesWithoutStore, message: Message, written: Outgoing, body: str
) -> Mapping[str, str]:
    """Return the headers of Standard Webhooks: who sent a body, and by which id it is known again."""
    if message.way is Way.SHOP:
        merchant = await services.merchant_cache.merchant(message.merchant_id)
        return signature_headers(services, merchant, message.id, 1, body) or {"webhook-id": message.id}
    if written.secret is None:
        return {"webhook-id": message.id}
    now = services.people_clock.now()
    return {
        "webhook-id": message.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(written.secret).sign(message.id, now, body),
    }


async def _post(services: ServicesWithoutStore, address: str, body: str, headers: Mapping[str, str]) -> Answer:
    return await services.merchant_calls.post(
        address,
        "application/json",
        body,
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        headers=headers,
    )


def _come_to(answer: Answer, *, once: bool) -> Sent:
    text = "".join(c for c in answer.text if c.isprintable())[:ANSWER_CHARS_MAX]
    if answer.status is None:
        lost = once and not answer.unsent
        return Sent(Handover.UNKNOWN if lost else Handover.NOT_TAKEN, text)
    said = f"{answer.status} {text}".strip()
    if answer.status // 100 == 2:
        return Sent(Handover.TAKEN, said)
    return Sent(Handover.REFUSED if answer.status == HTTPStatus.GONE else Handover.NOT_TAKEN, said)


def _address(services: ServicesWithoutStore, receiver: Receiver) -> str:
    return services.vault.open(receiver.sealed_address, *address_context(receiver.id, receiver.merchant_id))


def _secret(services: ServicesWithoutStore, receiver: Receiver) -> str | None:
    if receiver.sealed_secret is None:
        return None
    return services.vault.open(receiver.sealed_secret, *secret_context(receiver.id, receiver.merchant_id))


def _escaped(text: str) -> str:
    """Write what Slack reads as marks so that it is shown (api.slack.com/reference/surfaces/formatting)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
