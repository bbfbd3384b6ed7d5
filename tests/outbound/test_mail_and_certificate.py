"""Mail over encrypted connections with a login, and the end of a certificate as it is seen from outside."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from maedal.messages.mail_server import Encryption, Letter, MailRoute
from maedal.messages.message import Handover
from maedal.outbound.certificate import certificate_end
from maedal.outbound.mail import SmtpMail
from tests.support.mail import MailServer

LOGIN = ("shop", "hush")
LETTER = Letter(
    "pay@shop.test",
    "우리 상점",
    "team@shop.test",
    "제목",
    "본문",
    None,
    "<1@shop.test>",
    datetime(2026, 9, 1, tzinfo=UTC),
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A certificate of this machine's name, for two days, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *words.split(), *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, ssl.create_default_context(cafile=str(certificate))


async def leaves():
    return True


@pytest.mark.parametrize("encryption", [Encryption.TLS, Encryption.STARTTLS])
async def test_a_letter_goes_encrypted_and_with_a_login(pair, encryption):
    server_side, client_side = pair
    kind = "tls" if encryption is Encryption.TLS else "starttls"
    async with MailServer(**{kind: server_side}, login=LOGIN) as server:
        mail = SmtpMail(allow_private=True, tls=client_side)
        route = MailRoute("localhost", server.port, encryption, *LOGIN)
        assert (await mail.send(route, LETTER, leaves)).handover is Handover.TAKEN
        [letter] = server.letters
        assert letter["Subject"] == "제목"
        wrong = MailRoute("localhost", server.port, encryption, "shop", "wrong")
        assert (await mail.send(wrong, LETTER, leaves)).handover is Handover.NOT_TAKEN
        # Nobody vouches for this certificate.
        strict = SmtpMail(allow_private=True)
        assert (await strict.send(route, LETTER, leaves)).handover is Handover.NOT_TAKEN
        assert len(server.letters) == 1


async def test_starttls_that_a_server_does_not_have_sends_nothing(pair):
    async with MailServer() as server:
        mail = SmtpMail(allow_private=True, tls=pair[1])
        route = MailRoute("localhost", server.port, Encryption.STARTTLS, "", "")
        assert (await mail.send(route, LETTER, leaves)).handover is Handover.NOT_TAKEN
        assert server.letters == []


async def test_the_end_of_a_certificate_is_seen(pair):
    server_side, client_side = pair
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=server_side)
    async with server:
        address = f"https://localhost:{server.sockets[0].getsockname()[1]}"
        end = await certificate_end(address, client_side)
        assert timedelta(days=1) < end - datetime.now(UTC) <= timedelta(days=2)
        # One that this machine does not trust tells nothing of what browsers see.
        assert await certificate_end(address) is None
    assert await certificate_end(address, client_side) is None
    assert await certificate_end("http://localhost") is None
