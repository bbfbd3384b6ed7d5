"""Say whom the team's alerts go to, through which server mail goes out, and try both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from maedal.flows.merchant_entry import audit_entry_of
from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import MAEDAL, AuditAction, what_differs
from maedal.merchants.merchant import draw_webhook_secret
from maedal.messages.alert import (
    ADDRESS_MAX,
    AlertKind,
    Quiet,
    Receiver,
    When,
    address_context,
    check_mail_address,
    check_name,
    secret_context,
    shown_address,
)
from maedal.messages.mail_server import (
    LOGIN_MAX,
    SENDER_MAX,
    Encryption,
    MailServer,
    check_host,
    password_context,
)
from maedal.messages.message import Message, MessageKind, Way
from maedal.payments.errors import InvalidParameter
from maedal.storage.messages.reads import HasMessages
from maedal.storage.messages.writes import (
    AddMessage,
    DropMailServer,
    DropReceiver,
    PutMailServer,
    PutReceiver,
    SendMessageAgain,
)
from maedal.storage.write import Writes

RECEIVERS_MAX = 50
TEST_SECONDS = 10
"""A test button that is pressed twice sends once."""


class SetUpAlertsStore(HasMessages, Writes, Protocol): ...


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """What a person sets of a receiver. An empty `address` leaves the one that is there."""

    name: str
    way: Way
    address: str = field(repr=False)
    rules: Mapping[AlertKind, When]
    quiet: Quiet | None
    digest_hour: int
    language: str


async def put_receiver(
    services: ServicesWith[SetUpAlertsStore],
    merchant_id: str,
    settings: ReceiverSettings,
    receiver_id: str | None = None,
    *,
    who: str = MAEDAL,
) -> tuple[Receiver, str | None]:
    """Add a receiver, or change one; gives it, and the secret of a new webhook in the clear.

    Raises InvalidParameter; then nothing is changed.
    """
    now = services.clock.now()
    before = None if receiver_id is None else await services.store.messages.receiver(merchant_id, receiver_id)
    if receiver_id is not None and before is None:
        raise InvalidParameter("name", "there is no such receiver any more")
    if before is None and len(await services.store.messages.receivers(merchant_id)) >= RECEIVERS_MAX:
        raise InvalidParameter("name", f"there are {RECEIVERS_MAX} receivers, and no more fit")
    check_name(settings.name)
    if not 0 <= settings.digest_hour <= 23:
        raise InvalidParameter("digest_hour", "digest_hour must be a whole number from 0 to 23")
    way = settings.way if before is None else before.way
    if way is Way.SHOP:
        raise InvalidParameter("way", "way must be one of mail, slack, webhook")
    id_ = services.ids.row(now) if before is None else before.id
    secret = None
    if before is None or settings.address:
        address = _check_address(way, settings.address)
        sealed_address = services.vault.seal(address, *address_context(id_, merchant_id))
        shown = shown_address(way, address)
    else:
        sealed_address, shown = before.sealed_address, before.shown
    sealed_secret = None if before is None else before.sealed_secret
    if way is Way.WEBHOOK and sealed_secret is None:
        secret = draw_webhook_secret()
        sealed_secret = services.vault.seal(secret, *secret_context(id_, merchant_id))
    receiver = Receiver(
        merchant_id=merchant_id,
        id=id_,
        name=settings.name,
        way=way,
        sealed_address=sealed_address,
        shown=shown,
        sealed_secret=sealed_secret,
        rules=dict(settings.rules),
        quiet=settings.quiet,
        digest_hour=settings.digest_hour,
        language=settings.language,
        added_at=now if before is None else before.added_at,
        added_by=who if before is None else before.added_by,
        version=1 if before is None else before.version + 1,
    )
    facts = what_differs({} if before is None else _facts(before), _facts(receiver))
    entry = audit_entry_of(services, merchant_id, AuditAction.CHANGE_ALERTS, receiver.name, who, facts)
    if not await services.store.write(PutReceiver(receiver, entry)):
        raise InvalidParameter("name", "somebody else has changed it in this very moment; nothing was changed")
    return receiver, secret


async def remove_receiver(
    services: ServicesWith[SetUpAlertsStore], merchant_id: str, receiver_id: str, *, who: str = MAEDAL
) -> None:
    """Tell a receiver nothing more; what it was not told yet is told nobody in its place."""
    receiver = await services.store.messages.receiver(merchant_id, receiver_id)
    if receiver is None:
        return
    facts = (_written(_facts(receiver)), "")
    entry = audit_entry_of(services, merchant_id, AuditAction.CHANGE_ALERTS, receiver.name, who, facts)
    await services.store.write(DropReceiver(merchant_id, receiver_id, entry))


async def send_test(services: ServicesWith[SetUpAlertsStore], merchant_id: str, receiver_id: str) -> None:
    """Send a receiver a test, at any hour. Raises InvalidParameter when there is none."""
    receiver = await services.store.messages.receiver(merchant_id, receiver_id)
    if receiver is None:
        raise InvalidParameter("name", "there is no such receiver any more")
    now = services.clock.now()
    turn = f"{now:%Y%m%d%H%M}{now.second // TEST_SECONDS}"
    message = Message(
        merchant_id,
        services.ids.row(now),
        f"test:{receiver_id}:{turn}",
        MessageKind.TEST,
        receiver.way,
        receiver_id,
        "",
        now,
        now,
    )
    if await services.store.write(AddMessage(message)):
        services.message_waiting.set()


async def send_again(
    services: ServicesWith[SetUpAlertsStore], merchant_id: str, message_id: str, *, who: str = MAEDAL
) -> None:
    """Send a message that was given up, or that may not have arrived. Raises InvalidParameter for any other."""
    entry = audit_entry_of(services, merchant_id, AuditAction.RESEND_MESSAGE, message_id, who)
    if not await services.store.write(SendMessageAgain(merchant_id, message_id, services.clock.now(), entry)):
        raise InvalidParameter("message", "it is under way, or has arrived")
    services.message_waiting.set()


@dataclass(frozen=True, slots=True)
class MailServerSettings:
    """What a person sets of the mail server. Without a `password` the one that is there stays."""

    host: str
    port: int
    encryption: Encryption
    login: str
    password: str = field(repr=False)
    sender: str
    sender_name: str


async def set_mail_server(
    services: ServicesWith[SetUpAlertsStore], merchant_id: str, settings: MailServerSettings, *, who: str = MAEDAL
) -> MailServer:
    """Set through which server a merchant's mail goes out. Raises InvalidParameter; then nothing is changed."""
    check_host(settings.host)
    check_mail_address("sender", settings.sender)
    for name, text, most in (
        ("login", settings.login, LOGIN_MAX),
        ("password", settings.password, LOGIN_MAX),
        ("sender_name", settings.sender_name, SENDER_MAX),
    ):
        if len(text) > most or not text.isprintable():
            raise InvalidParameter(name, f"{name} must be a text of at most {most} printable characters")
    before = await services.store.messages.mail_server(merchant_id)
    sealed = None if before is None else before.sealed_password
    # A password goes to the host that it was typed for, and to no other.
    if before is not None and (before.host, before.login) != (settings.host, settings.login):
        sealed = None
    if settings.password:
        sealed = services.vault.seal(settings.password, *password_context(merchant_id))
    if settings.login and sealed is None:
        raise InvalidParameter("password", "a login needs its password")
    if settings.login and settings.encryption is Encryption.NONE:
        raise InvalidParameter("encryption", "a login needs an encrypted connection")
    server = MailServer(
        merchant_id=merchant_id,
        host=settings.host,
        port=settings.port,
        encryption=settings.encryption,
        login=settings.login,
        sealed_password=sealed if settings.login else None,
        sender=settings.sender,
        sender_name=settings.sender_name,
        changed_at=services.clock.now(),
    )
    facts = what_differs({} if before is None else _server_facts(before), _server_facts(server))
    entry = audit_entry_of(services, merchant_id, AuditAction.CHANGE_MAIL_SERVER, settings.host, who, facts)
    await services.store.write(PutMailServer(server, entry))
    return server


async def remove_mail_server(services: ServicesWith[SetUpAlertsStore], merchant_id: str, *, who: str = MAEDAL) -> None:
    """Send no more mail; what waits goes on waiting for a server until it is given up."""
    before = await services.store.messages.mail_server(merchant_id)
    if before is None:
        return
    facts = (_written(_server_facts(before)), "")
    entry = audit_entry_of(services, merchant_id, AuditAction.CHANGE_MAIL_SERVER, before.host, who, facts)
    await services.store.write(DropMailServer(merchant_id, entry))


def _check_address(way: Way, address: str) -> str:
    if way is Way.MAIL:
        return check_mail_address("address", address)
    if not address.startswith(("https://", "http://")) or len(address) > ADDRESS_MAX or not address.isprintable():
        raise InvalidParameter("address", "the address must start with http:// or https://")
    return address


def _facts(receiver: Receiver) -> dict[str, str]:
    quiet = receiver.quiet
    return {
        "way": receiver.way.value,
        # A person's own mail address is theirs, and the log is kept for ever.
        "address": "…" if receiver.way is Way.MAIL else receiver.shown,
        "rules": ", ".join(f"{k.value}: {v.value}" for k, v in sorted(receiver.rules.items()) if v is not When.NEVER),
        "quiet": "" if quiet is None else f"{_clock(quiet.begins)}-{_clock(quiet.ends)}",
        "digest_hour": str(receiver.digest_hour),
        "language": receiver.language,
    }


def _server_facts(server: MailServer) -> dict[str, str]:
    return {
        "host": f"{server.host}:{server.port}",
        "encryption": server.encryption.value,
        "login": "yes" if server.login else "no",
        "sender": server.sender,
    }


def _written(facts: Mapping[str, str]) -> str:
    return what_differs(facts, {})[0]


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
