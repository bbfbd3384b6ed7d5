"""Connections to PGs: whose answer is whose, what bounds an answer, and what proves that nothing was sent."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from maedal.pg import connections
from maedal.pg.driver import AnswerLost, NotSent, PgReply, PgRequest
from maedal.pg.http import HttpTransport
from tests.support.world import free_port

OK = b"HTTP/1.1 200 OK\r\nDate: Sat, 28 Nov 2026 12:00:00 GMT\r\nContent-Length: 2\r\n\r\nOK"
BYTES_MAX = 1_000


@dataclass
class Server:
    """Answers each request with the next of `answers`, piece by piece; keeps what it was sent, by connection."""

    port: int = 0
    answers: list[tuple[bytes, ...]] = field(default_factory=list)
    requests: list[list[bytes]] = field(default_factory=list)
    ends_after: bool = False
    pause: float = 0.0
    certificate: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine: list[bytes] = []
        self.requests.append(mine)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length")), 0)
                mine.append(head + await reader.readexactly(size))
                for piece in self.answers.pop(0):
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(self.pause)
                if self.ends_after:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    running = Server()
    listening = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.port = listening.sockets[0].getsockname()[1]
    yield running
    listening.close()


@pytest.fixture
def certified(tmp_path) -> tuple[Path, Path]:
    """Give a certificate for the name `localhost`, and its key."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost"
    named = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", *words.split(), *named], check=True, capture_output=True, timeout=60)
    return certificate, key


@pytest.fixture
async def tls_server(certified) -> AsyncIterator[Server]:
    certificate, key = certified
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    running = Server(certificate=str(certificate))
    listening = await asyncio.start_server(running.serve, "127.0.0.1", 0, ssl=context)
    running.port = listening.sockets[0].getsockname()[1]
    yield running
    listening.close()


@pytest.fixture
async def transport() -> AsyncIterator[HttpTransport]:
    async with HttpTransport() as opened:
        yield opened


@pytest.fixture
def call(server: Server, transport: HttpTransport) -> Callable[..., Awaitable[PgReply]]:
    async def called(*pieces: bytes, path: str = "/charge", seconds: float = 2.0, **headers: str) -> PgReply:
        server.answers.append(pieces)
        url = f"http://127.0.0.1:{server.port}{path}"
        request = PgRequest(url, headers, b'{"amount":1}', 2.0, seconds, reply_bytes_max=BYTES_MAX)
        return await transport.send(request)

    return called


async def test_a_request_is_written_as_it_must_be(server, call):
    await call(OK, path="/v1/a b?c=d%20e", Authorization="SECRET_KEY k")
    head, _, body = server.requests[0][0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /v1/a%20b?c=d%20e HTTP/1.1",
        b"Host: 127.0.0.1:%d" % server.port,
        b"Accept: */*",
        b"Authorization: SECRET_KEY k",
        b"Content-Length: 12",
    ]
    assert body == b'{"amount":1}'


async def test_an_answer_comes_in_any_pieces(call):
    assert (await call(*(bytes([byte]) for byte in OK))).body == b"OK"
    chunks = (b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n", b"OK\r\n", b"1\r\n!\r\n0\r\n\r\n")
    reply = await call(*chunks)
    assert (reply.status, reply.body) == (500, b"OK!")
    interim = await call(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)
    assert (interim.status, interim.body) == (200, b"OK")
    assert interim.dated_at is not None and interim.dated_at.isoformat() == "2026-11-28T12:00:00+00:00"


async def test_an_answer_without_a_length_ends_with_its_connection(server, call):
    server.ends_after = True
    assert (await call(b"HTTP/1.1 200 OK\r\n\r\n", b"O", b"K")).body == b"OK"
    assert (await call(OK)).body == b"OK"
    assert len(server.requests) == 2


async def test_a_compressed_answer_is_read_within_its_bound(call):
    def compressed(body: bytes, kind: bytes = b"gzip") -> bytes:
        packed = gzip.compress(body)
        return b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n%b" % (kind, len(packed), packed)

    assert (await call(compressed(b"O" * BYTES_MAX))).body == b"O" * BYTES_MAX
    for lost in (compressed(b"O" * 1_000_000), compressed(b"OK", b"br")):
        with pytest.raises(AnswerLost):
            await call(lost)


async def test_one_connection_serves_one_call_after_the_other_and_many_at_once_have_one_each(server, call):
    for _ in range(3):
        await call(OK)
    assert [len(requests) for requests in server.requests] == [3]
    server.pause = 0.05
    await asyncio.gather(call(OK), call(OK))
    assert sorted(len(requests) for requests in server.requests) == [1, 4]


async def test_a_connection_that_lay_idle_is_not_used_again(server, call, monkeypatch):
    monkeypatch.setattr(connections, "KEPT_SECONDS", 0.05)
    await call(OK)
    await asyncio.sleep(0.1)
    await call(OK)
    assert len(server.requests) == 2


ENDING = {
    "it says so": (OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),),
    "it is HTTP/1.0": (OK.replace(b"HTTP/1.1", b"HTTP/1.0"),),
    "a second answer follows": (OK + OK,),
    "the beginning of one follows": (OK + b"HTTP/1.1 200",),
    "something follows": (OK + b"nonsense",),
}


@pytest.mark.parametrize("pieces", ENDING.values(), ids=ENDING.keys())
async def test_no_other_request_goes_over_a_connection_when(server, call, pieces):
    assert (await call(*pieces)).body == b"OK"
    assert (await call(OK.replace(b"OK", b"NO"))).body == b"NO"
    assert len(server.requests) == 2


async def test_a_connection_that_the_server_has_ended_is_not_used_again(server, call):
    server.ends_after = True
    for _ in range(20):
        assert (await call(OK)).body == b"OK"
        await asyncio.sleep(0.005)
    assert len(server.requests) == 20


async def test_what_comes_unasked_ends_a_connection(server, call):
    server.pause = 0.05
    await call(OK, b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
    await asyncio.sleep(0.1)
    assert (await call(OK)).status == 200
    assert len(server.requests) == 2


LOST = {
    "it is no answer": b"nonsense\r\n\r\n",
    "it has two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nOK!",
    "another protocol is offered": b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    "its head does not end": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 400_000,
    "its fields do not end": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 80_000,
    "its body is too large": b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"O" * 2_000,
    "it ends before its end": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nOK",
    "its pieces end before their end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n",
    "its head ends before its end": b"HTTP/1.1 200 OK\r\nContent-",
    "nothing comes": b"",
    "interim ones do not end": b"HTTP/1.1 102 Processing\r\n\r\n" * 20_000,
}


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST.keys())
async def test_an_answer_is_lost_when(server, call, answer):
    server.ends_after = True
    with pytest.raises(AnswerLost):
        await call(answer)
    assert (await call(OK)).body == b"OK"


async def test_an_answer_is_lost_when_nothing_comes_for_too_long_and_not_while_something_does(server, call):
    server.pause = 0.1
    pieces = [OK[n : n + 9] for n in range(0, len(OK), 9)]
    assert (await call(*pieces, seconds=0.3)).body == b"OK"
    server.pause = 1.0
    with pytest.raises(AnswerLost):
        await call(OK[:20], OK[20:], seconds=0.2)
    server.pause = 0.0
    assert (await call(OK)).body == b"OK"


async def test_the_answer_to_a_call_that_was_given_up_is_nobody_elses(server, call):
    server.pause = 0.1
    given_up = asyncio.create_task(call(b"", OK.replace(b"OK", b"NO")))
    await asyncio.sleep(0.05)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    server.pause = 0.0
    assert (await call(OK)).body == b"OK"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{free}/charge",
        "https://127.0.0.1:{port}/charge",  # speaks no TLS
        "http://nowhere.invalid/charge",
        "ftp://127.0.0.1/charge",
        "http:///charge",
        "http://127.0.0.1:99999/charge",
    ],
)
async def test_nothing_was_sent_without_a_connection(server, transport, url):
    request = PgRequest(url.format(free=free_port(), port=server.port), {}, b"{}", 0.5, 2.0)
    with pytest.raises(NotSent):
        await transport.send(request)
    assert [request for requests in server.requests for request in requests] == []


async def test_a_certificate_that_nobody_vouches_for_is_no_connection(transport, tls_server):
    with pytest.raises(NotSent):
        await transport.send(PgRequest(f"https://localhost:{tls_server.port}/charge", {}, b"{}", 2.0, 2.0))
    assert tls_server.requests == []


async def test_a_call_is_encrypted(transport, tls_server, monkeypatch):
    trusted = ssl.create_default_context(cafile=tls_server.certificate)
    monkeypatch.setattr(ssl, "create_default_context", lambda: trusted)
    tls_server.answers.append((OK,))
    reply = await transport.send(PgRequest(f"https://localhost:{tls_server.port}/charge", {}, b"{}", 2.0, 2.0))
    assert reply.body == b"OK"
    with pytest.raises(NotSent):  # it is another host's
        await transport.send(PgRequest(f"https://127.0.0.1:{tls_server.port}/charge", {}, b"{}", 2.0, 2.0))


@pytest.mark.parametrize("value", ["k\r\nX: y", "k\nX: y", "k\r", "k\0"])
async def test_a_header_field_that_would_be_two_is_not_sent(server, call, value):
    with pytest.raises(NotSent):
        await call(OK, Authorization=value)
    assert server.requests == []
