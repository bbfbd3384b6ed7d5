"""A client that offers another protocol is answered in HTTP/1.1, and nothing of its request is lost."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn

from maedal.cli.serving import server_of
from tests.support.world import free_port

OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"


async def echo(scope, receive, send):
    """Tell what arrived."""
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    headers = {name.decode(): value.decode() for name, value in scope["headers"]}
    reply = {"method": scope["method"], "path": scope["path"], "body": body.decode(), "headers": headers}
    content = json.dumps(reply).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(content))]})
    await send({"type": "http.response.body", "body": content})


@pytest.fixture(scope="module")
def port():
    """A server as `maedal serve` and `maedal dev` run theirs, with an application that tells what it was sent."""
    port = free_port()
    config = server_of(echo, "127.0.0.1", port).config
    config.lifespan = "off"
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield port
    server.should_exit = True
    thread.join(15)


@contextmanager
def connection(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
        with wire.makefile("rb") as answers:

            def answer():
                status = answers.readline()
                length = 0
                while (line := answers.readline().strip().lower()) != b"":
                    if line.startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                return int(status.split()[1]), answers.read(length)

            yield wire, answer


def request(body, *, offer=OFFER, method=b"POST", path=b"/users/getToken?a=%20b", more=b""):
    return b"%s %s HTTP/1.1\r\nHost: gateway\r\n%s%sContent-Length: %d\r\n\r\n" % (method, path, offer, more, len(body))


@pytest.mark.parametrize("pieces", [1, 2, 40])
@pytest.mark.parametrize("offer", [OFFER, b"Upgrade: websocket\r\nConnection: keep-alive, upgrade\r\n", b""])
def test_the_body_of_a_request_with_an_offer_is_read_however_it_arrives(port, pieces, offer):
    body = b'{"imp_key":"a","imp_secret":"b"}' * 20
    sent = request(body, offer=offer) + body
    size = -(-len(sent) // pieces)
    with connection(port) as (wire, answer):
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for first in range(0, len(sent), size):
            wire.sendall(sent[first : first + size])
            time.sleep(0.002)
        status, content = answer()
    reply = json.loads(content)
    assert (status, reply["method"], reply["path"], reply["body"]) == (200, "POST", "/users/getToken", body.decode())
    assert "upgrade" not in reply["headers"]
    assert reply["headers"]["host"] == "gateway"


def test_head_and_body_in_packets_of_their_own_as_java_sends_them(port):
    with connection(port) as (wire, answer):
        wire.sendall(request(b"12345"))
        time.sleep(0.1)
        wire.sendall(b"12345")
        assert json.loads(answer()[1])["body"] == "12345"
        # The connection goes on, with an offer and without one.
        for offer in (b"", OFFER):
            wire.sendall(request(b"67", offer=offer) + b"67")
            assert json.loads(answer()[1])["body"] == "67"


def test_requests_that_come_in_one_packet_are_all_answered(port):
    with connection(port) as (wire, answer):
        wire.sendall(b"".join(request(b"%d" % n, offer=OFFER if n % 2 else b"") + b"%d" % n for n in range(6)))
        assert [json.loads(answer()[1])["body"] for _ in range(6)] == [str(n) for n in range(6)]


def test_a_body_in_chunks_is_read_too(port):
    head = b"POST / HTTP/1.1\r\nHost: gateway\r\n" + OFFER + b"Transfer-Encoding: chunked\r\n\r\n"
    with connection(port) as (wire, answer):
        wire.sendall(head + b"3\r\nabc\r\n0\r\n\r\n")
        assert json.loads(answer()[1])["body"] == "abc"


def test_a_question_without_a_body_is_answered(port):
    with connection(port) as (wire, answer):
        wire.sendall(b"GET /payments/a HTTP/1.1\r\nHost: gateway\r\n" + OFFER + b"\r\n")
        assert json.loads(answer()[1])["path"] == "/payments/a"


def test_what_is_no_http_is_refused(port):
    with connection(port) as (wire, answer):
        wire.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert answer()[0] == 400
