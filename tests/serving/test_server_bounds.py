"""Whatever a client sends, or does not send, costs the server a bounded amount and keeps it from nobody else."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import uvicorn

from maedal.cli.serving import server_of
from maedal.server.bounds import ServerBounds, networks, shares
from maedal.settings import WHOLE_NUMBERS, SettingsError, load
from tests.support.world import free_port

REPOSITORY = Path(__file__).parents[2]
SMALL = ServerBounds(
    head_bytes_max=4_096,
    target_bytes_max=2_048,
    path_escapes_max=100,
    query_fields_max=100,
    short_target_bytes=100,
    fields_max=20,
    pipelined_max=4,
    head_seconds=0.6,
    body_seconds=0.6,
    sending_seconds=1.0,
    closing_seconds=0.4,
    idle_seconds=2,
    discarded_bytes_max=1 << 20,
    connections_max=24,
    connections_per_address_max=24,
)
LARGE_ANSWER = 64 << 20
HELLO = b"GET /hello HTTP/1.1\r\nHost: gateway\r\n\r\n"


async def app(scope, receive, send):
    """Read the body unless the address says not to, and answer with its size, or with very much."""
    if scope["type"] != "http":
        return
    size, more, path = 0, "unread" not in scope["path"], scope["path"]
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    content = b"x" * LARGE_ANSWER if "large" in path else json.dumps({"code": 0, "size": size}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(content))]})
    await send({"type": "http.response.body", "body": content})


@contextlib.contextmanager
def running(bounds):
    port = free_port()
    config = server_of(app, "127.0.0.1", port, bounds).config
    config.lifespan = "off"
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    try:
        yield server, port
    finally:
        server.should_exit = True
        thread.join(15)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def server():
    with running(SMALL) as (_, port):
        yield port


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def all_of(wire):
    """Return everything until the server closes, or until the answer is whole."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := wire.recv(65_536):
            received += piece
            head, end, body = received.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
            if end and len(body) >= length:
                break
    return received


def asked(port, *pieces, pause=0.0):
    """Send pieces on a connection of their own and return status, head and body of the first answer; 0 for none."""
    with connect(port) as wire:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                wire.sendall(piece)
                time.sleep(pause)
        head, _, body = all_of(wire).partition(b"\r\n\r\n")
        return (int(head.split()[1]) if head else 0), head.lower(), body


def is_well(port):
    """Return whether a stranger is served."""
    return asked(port, HELLO)[0] == 200


def post(path, length, more=b""):
    return b"POST %s HTTP/1.1\r\nHost: gateway\r\nContent-Length: %d\r\n%s\r\n" % (path, length, more)


HEADS = {
        "a long field": (b"GET / HTTP/1.1\r\nHost: " + b"a" * 5_000 + b"\r\n\r\n", 431),
        "a field that never ends": (b"GET / HTTP/1.1\r\nHost: " + b"a" * (8 << 20), 431),
        "many fields": (b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * 21 + b"\r\n", 431),
        "fields without end": (b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * 500_000, 431),
        "a long address": (b"GET /" + b"a" * 2_100 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        "many escapes in a path": (b"GET /" + b"%41" * 101 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        "escapes in a query": (b"GET /?" + b"%41" * 500 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        "many fields in a query": (b"GET /?" + b"a&" * 100 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        "a length that is none": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        "a chunk that is none": (post(b"/", 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") + b"zz\r\n", 400),
        "a large body behind a small head": (post(b"/", 100_000) + b"x" * 100_000, 200),
}  # fmt: skip


@pytest.mark.parametrize(("sent", "status"), HEADS.values(), ids=HEADS)
def test_a_head_is_bounded_in_bytes_and_fields_and_a_refusal_is_answered(server, sent, status):
    assert asked(server, sent)[0] == status
    assert is_well(server)


def test_a_head_in_many_pieces_is_counted_as_one(server):
    assert asked(server, b"GET / HTTP/1.1\r\n", *[b"a: %s\r\n" % (b"b" * 400)] * 12)[0] == 431


def test_a_refusal_comes_in_the_shape_that_the_address_answers_in(server):
    slow = b"POST %s HTTP/1.1\r\nHost: a\r\nAccept-Language: en-GB\r\nContent-Length: 5\r\n\r\n"
    status, head, body = asked(server, slow % b"/subscribe/payments/again")
    answer = {"code": -1, "message": "The request did not arrive in time.", "response": None}
    assert (status, json.loads(body)) == (408, answer)
    status, head, body = asked(server, slow % b"/sdk/payments")
    assert (status, json.loads(body)["success"], json.loads(body)["error_code"]) == (408, False, "NETWORK_ERROR")
    assert b"access-control-allow-origin: *" in head
    status, head, body = asked(server, slow % b"/console/sign-in")
    assert (status, b"text/html" in head) == (408, True)
    assert "제때 도착하지 않았습니다" in body.decode()
    assert "did not arrive in time" in body.decode()


def test_who_says_nothing_or_says_it_slowly_is_closed(server):
    began = time.monotonic()
    assert asked(server)[0] == 0
    assert asked(server, b"GET / HT")[0] == 408
    # A byte now and then changes nothing.
    assert asked(server, *[bytes([byte]) for byte in HELLO[:25]], pause=0.1)[0] == 408
    assert asked(server, post(b"/", 100), *[b"x"] * 25, pause=0.1)[0] == 408
    assert time.monotonic() - began < 15


def test_a_connection_between_two_requests_is_kept_for_a_while(server):
    with connect(server) as wire:
        for _ in range(3):
            wire.sendall(HELLO)
            assert all_of(wire).startswith(b"HTTP/1.1 200")
            time.sleep(0.8)  # longer than a head may take
        assert wire.recv(10) == b""


def test_who_does_not_take_the_answer_is_closed(server):
    with connect(server) as wire:
        wire.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        assert wire.recv(10)
        time.sleep(3.5)
        received = 0
        with contextlib.suppress(ConnectionResetError):
            while piece := wire.recv(1 << 20):
                received += len(piece)
        assert received < LARGE_ANSWER


def test_who_takes_a_large_answer_slowly_but_steadily_gets_all_of_it(server):
    with connect(server) as wire:
        wire.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received, began = 0, time.monotonic()
        while piece := wire.recv(1 << 20):
            received += len(piece)
            time.sleep(0.03)
        assert received > LARGE_ANSWER
        assert time.monotonic() - began > SMALL.sending_seconds


def test_the_rest_of_a_body_that_nobody_reads_does_not_keep_the_connection(server):
    with connect(server) as wire:
        wire.sendall(post(b"/unread", 10 << 30) + b"x" * 1_000)
        assert all_of(wire).startswith(b"HTTP/1.1 200")
        assert wire.recv(10) == b""
    with connect(server) as wire:
        wire.sendall(post(b"/unread", 1_000) + b"x" * 500)
        assert all_of(wire).startswith(b"HTTP/1.1 200")
        wire.sendall(b"x" * 500 + HELLO)
        assert all_of(wire).startswith(b"HTTP/1.1 200")


def test_requests_that_come_before_their_answers_are_bounded_too(server):
    with connect(server) as wire:
        wire.sendall(HELLO * 3_000)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := wire.recv(65_536):
                received += piece
    assert 1 <= received.count(b"HTTP/1.1 200") <= SMALL.pipelined_max + 2
    assert is_well(server)


def test_a_new_connection_takes_the_place_of_the_idlest():
    with running(ServerBounds(connections_max=24)) as (_, server), contextlib.ExitStack() as stack:
        first = stack.enter_context(connect(server))
        first.sendall(post(b"/", 10) + b"12345")
        time.sleep(0.1)
        silent = [stack.enter_context(connect(server)) for _ in range(40)]
        assert all(is_well(server) for _ in range(10))
        # What is under way is not idle, however long ago it began.
        first.sendall(b"12345")
        assert all_of(first).endswith(b'"size": 10}')
        assert silent[0].recv(10) == b""


def test_one_address_is_refused_when_all_its_connections_are_in_use_and_a_proxy_is_not():
    few = {"connections_per_address_max": 3, "connections_max": 5, "body_seconds": 30.0}
    for proxies, status, places in (("", 429, 3), ("127.0.0.0/8", 503, 5)):
        with running(ServerBounds(**few, proxies=networks(proxies))) as (_, port), contextlib.ExitStack() as stack:
            for _ in range(places):
                stack.enter_context(connect(port)).sendall(post(b"/", 10))
            time.sleep(0.2)
            refused, head, body = asked(port, HELLO)
            assert (refused, b"retry-after: 5" in head, json.loads(body)["code"]) == (status, True, -1)


@pytest.mark.parametrize("seed", range(6))
def test_no_bytes_in_any_order_and_pace_end_service_or_go_unanswered_for_ever(server, seed):
    """Pieces of requests, whole and torn, repeated, mixed with rubbish: each connection ends, and others are served."""
    draw = random.Random(seed)
    pieces = [
        HELLO, HELLO[:20], post(b"/a", 5) + b"12345", post(b"/unread", 50), b"x" * 50, b"%" * 900, b"\r\n\r\n", b"\0" * 30,
        b"GET /" + b"%" * 150 + b" HTTP/1.1\r\n\r\n", b"a: b\r\n" * 15, b"Transfer-Encoding: chunked\r\n",
        b"5\r\nhello\r\n0\r\n\r\n", b"Content-Length: 99999999999999999999\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", b"\xff" * 5_000,
        post(b"/b", 10, b"Expect: 100-continue\r\n"), b"GET / HTTP/1.0\r\n\r\n", b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    ]  # fmt: skip
    wires = []
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            wire = stack.enter_context(connect(server))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for piece in draw.choices(pieces, k=draw.randint(1, 6)):
                    cut = draw.randint(0, len(piece))
                    wire.sendall(piece[:cut])
                    wire.sendall(piece[cut:])
            wires.append(wire)
        assert is_well(server)
        deadline = time.monotonic() + 30
        for wire in wires:
            received = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := wire.recv(65_536):
                    received += piece
            assert time.monotonic() < deadline
            assert received[:9] in {b"", b"HTTP/1.1 "}
            assert b" 500 " not in received
    assert is_well(server)


FEW_DESCRIPTORS = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
from maedal.cli.serving import bounds_of, serve_until_stopped, server_of
from maedal.settings import load
from tests.serving.test_server_bounds import app
settings = load({}, database_url="sqlite:///x", key_file="x", public_url="http://a")
server = server_of(app, "127.0.0.1", int(sys.argv[1]), bounds_of(settings))
server.config.lifespan = "off"
async def started():
    print("ready", flush=True)
serve_until_stopped(server, started)
"""


def test_with_few_descriptors_idle_connections_do_not_end_service():
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", FEW_DESCRIPTORS, str(port)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "ready\n"
        with contextlib.ExitStack() as stack:
            for _ in range(140):
                stack.enter_context(connect(port))
            assert all(is_well(port) for _ in range(5))
            descriptors = len(list(Path(f"/proc/{process.pid}/fd").iterdir()))
            assert descriptors < 80
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def test_what_a_process_opens_leaves_descriptors_for_its_database_and_files():
    for limit in (64, 128, 1_024, 65_536):
        share = shares(limit, incoming=1_000, pg=512, webhooks=400)
        assert share.incoming + share.pg + share.webhooks <= limit * 13 // 16
    assert shares(65_536, incoming=1_000, pg=512, webhooks=400).incoming == 1_000


@pytest.mark.parametrize("name", WHOLE_NUMBERS)
def test_a_bound_that_is_a_setting_has_its_own_bounds_and_is_named(name):
    needed = {"database_url": "sqlite:///x", "key_file": "x", "public_url": "http://a"}
    least, most = WHOLE_NUMBERS[name]
    for value in (least, str(most)):
        assert getattr(load({}, **needed, **{name: value}), name) == int(value)
    for value in (least - 1, str(most + 1), "many", "1.5", True, ""):
        with pytest.raises(SettingsError, match=f"MAEDAL_{name.upper()} cannot be"):
            load({}, **needed, **{name: value})
