"""A mail server of the test, by aiosmtpd: keeps what it takes, and answers or breaks off as it is told."""

from __future__ import annotations

import asyncio
import email
import socket
import warnings
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.smtp import SMTP, AuthResult


class MailServer:
    """Listens on loopback in the running loop. `answers` are given to the next letters, one each."""

    def __init__(self, *, tls=None, starttls=None, login=None):
        self._tls, self._starttls, self._login = tls, starttls, login
        self.letters: list[EmailMessage] = []
        self.answers: list[str] = []
        self.before_data = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._server = None

    async def start(self):
        """Begin to listen; a server that was down comes back under the same port."""

        def session():
            with warnings.catch_warnings():
                # It knows of TLS only what STARTTLS began, and warns of a login without.
                warnings.simplefilter("ignore", UserWarning)
                return SMTP(
                    self,
                    tls_context=self._starttls,
                    require_starttls=self._starttls is not None,
                    authenticator=self._authenticate if self._login else None,
                    auth_required=self._login is not None,
                    auth_require_tls=self._tls is None,
                )

        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(session, "127.0.0.1", self.port, ssl=self._tls, reuse_address=True)

    async def stop(self):
        if self._server is not None:
            self._server.close()
            self._server = None

    async def __aenter__(self):
        await self.start()
        return self

    async def __aexit__(self, *_):
        await self.stop()

    def _authenticate(self, server, session, envelope, mechanism, data):
        del server, session, envelope, mechanism
        fine = (data.login.decode(), data.password.decode()) == self._login
        return AuthResult(success=fine, handled=False)

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 - aiosmtpd's name
        del server, session, options
        if address.startswith("nobody@"):
            return f"550 5.1.1 {address} unknown"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        del session
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer == "451 later":
            return answer
        letter = email.message_from_bytes(envelope.content, policy=default)
        letter["X-Recipient"] = envelope.rcpt_tos[0]
        self.letters.append(letter)
        if answer == "lost":
            # It has the letter, and nobody hears so.
            server.transport.abort()
        return answer


def text_of(letter: EmailMessage) -> str:
    """Return what a letter says to people."""
    part = letter.get_body(("plain",))
    assert part is not None
    return part.get_content()
