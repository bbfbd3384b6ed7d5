"""Mail, handed to a merchant's own server: aiosmtplib over a connection to an address that we may call."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime

import aiosmtplib

from maedal.messages.mail_server import Encryption, Letter, MailRoute
from maedal.messages.message import ANSWER_CHARS_MAX, Handover, Sent
from maedal.outbound.addresses import AddressRefused, GuardedResolver

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0
DATA_SECONDS = 120.0
"""A server may look long at what it was given. RFC 5321, 4.5.3.2.6 wants ten minutes; a lease must outlive this."""
FOR_GOOD = 500
"""From here on an answer is for good (RFC 5321, 4.2.1)."""


class SmtpMail:
    """Hands letters to servers that merchants named; private addresses only where the operator allows them.

    `relays` are hosts that may have private addresses: a relay of the operator's own.
    """

    def __init__(self, *, allow_private: bool, relays: Collection[str] = (), tls: ssl.SSLContext | None = None) -> None:
        self._allow_private = allow_private
        self._relays = frozenset(host.lower() for host in relays)
        self._tls = tls

    async def send(self, route: MailRoute, letter: Letter, leaves: Callable[[], Awaitable[bool]]) -> Sent:
        """Hand a letter over and return what came of it; never raises for anything that the server does.

        `leaves` is asked right before the text leaves, when sender and recipient have been taken; if it says False,
        nothing leaves. From then on an answer that does not come is an outcome that nobody knows.
        """
        content = written(letter)
        handed = False
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                connection = await self._connect(route)
        except AddressRefused as error:
            return Sent(Handover.NOT_TAKEN, str(error))
        except (TimeoutError, OSError):
            return Sent(Handover.NOT_TAKEN, "the mail server could not be reached")
        client = aiosmtplib.SMTP(
            hostname=route.host,
            sock=connection,
            use_tls=route.encryption is Encryption.TLS,
            start_tls=route.encryption is Encryption.STARTTLS,
            tls_context=self._tls or (None if route.encryption is Encryption.NONE else ssl.create_default_context()),
            local_hostname=_greeting(letter.sender),
            timeout=ANSWER_SECONDS,
        )
        try:
            await client.connect()
            if route.login:
                await client.login(route.login, route.password)
            await client.mail(letter.sender)
            await client.rcpt(letter.recipient)
            if not await leaves():
                return Sent(Handover.NOT_TAKEN, "somebody else sends it")
            handed = True
            answer = await client.data(content, timeout=DATA_SECONDS)
            return Sent(Handover.TAKEN, _cut(f"{answer.code} {answer.message}"))
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError) as error:
            for_good = error.code >= FOR_GOOD
            # The words of a refusal often hold the address, which is a person's.
            return Sent(Handover.REFUSED if for_good else Handover.NOT_TAKEN, f"{error.code} from the mail server")
        except aiosmtplib.SMTPResponseException as error:
            return Sent(Handover.NOT_TAKEN, f"{error.code} from the mail server before the letter ({_kind(error)})")
        except (aiosmtplib.SMTPException, OSError, ValueError, ssl.SSLError) as error:
            if handed:
                return Sent(Handover.UNKNOWN, f"the mail server's answer was lost ({_kind(error)})")
            return Sent(Handover.NOT_TAKEN, f"the mail server broke off before the letter ({_kind(error)})")
        finally:
            client.close()

    async def _connect(self, route: MailRoute) -> socket.socket:
        """Connect to the first address of the host that we may call and that answers."""
        allow = self._allow_private or route.host.lower() in self._relays
        found = await GuardedResolver(allow_private=allow).resolve(route.host, route.port)
        problem: OSError = OSError("the host has no address")
        for one in found:
            connection = socket.socket(one["family"], socket.SOCK_STREAM)
            connection.setblocking(False)
            try:
                await asyncio.get_running_loop().sock_connect(connection, (one["host"], one["port"]))
            except BaseException as error:
                connection.close()
                if not isinstance(error, OSError):
                    raise
                problem = error
            else:
                return connection
        raise problem


def written(letter: Letter) -> bytes:
    """Return a letter as it goes over the wire (RFC 5322), in ASCII alone, so that every server takes it."""
    local_part, _, domain = letter.sender.rpartition("@")
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["From"] = Address(letter.sender_name, local_part, domain)
    mail["To"] = letter.recipient
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(letter.written_at)
    mail["Message-ID"] = letter.message_id
    # Nobody's automatic answer is wanted (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    for name, value in letter.headers:
        mail[name] = value
    mail.set_content(letter.text, cte="base64")
    if letter.html is not None:
        mail.add_alternative(letter.html, subtype="html", cte="base64")
    return mail.as_bytes()


def _greeting(sender: str) -> str:
    """Name ourselves by the sender's domain: the name of this machine is nobody's business."""
    return sender.rpartition("@")[2] or "localhost"


def _kind(error: Exception) -> str:
    return type(error).__name__


def _cut(text: str) -> str:
    return "".join(c for c in text.replace("\0", "") if c.isprintable() or c == " ")[:ANSWER_CHARS_MAX]
