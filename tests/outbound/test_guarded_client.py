"""The guarded client: no merchant-given address makes us call into a private network."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta
from ipaddress import ip_network

import pytest

from maedal.outbound import addresses
from maedal.outbound.addresses import is_public
from maedal.outbound.client import ANSWER_BYTES_MAX, GuardedClient
from maedal.outbound.special_ranges import IPV4, IPV6
from tests.support.receiver import receiver

SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def shop():
    with receiver() as reply:
        yield reply


def post(url, *, allow_private=False, connect=SECOND * 3, read=SECOND * 3, body="{}"):
    async def call():
        async with GuardedClient(allow_private=allow_private) as client:
            return await client.post(url, "application/json", body, connect_timeout=connect, read_timeout=read)

    return asyncio.run(call())


TRICKS = [
    "http://127.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[0:0:0:0:0:ffff:7f00:0001]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[fe80::1%25lo]:{port}/",
    "http://[::1%25lo]:{port}/",
    "http://127。0。0。1:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://１２７.０.０.１:{port}/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://user@127.0.0.1:{port}/",
    "http://example.com@127.0.0.1:{port}/",
    "http://example.com:80@127.0.0.1:{port}/",
    "http://user:password@localhost:{port}/",
    "http://example.com\\@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@example.com/",
    "http://127.0.0.1:{port}#@example.com/",
    "http://127.0.0.1:{port}?@example.com/",
    "http://10.0.0.1:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/",
    "http://192.168.0.1/",
    "http://[fd00::1]/",
    "http://224.0.0.1/",
    "https://127.0.0.1:{port}/",
    "ftp://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "127.0.0.1:{port}",
    "http://",
    "http:///127.0.0.1:{port}/",
    "http:127.0.0.1:{port}/",
    "http://[::1",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:{port}/" + "x" * 2_000,
    "",
]


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: ascii(trick)[:50])
def test_no_trick_reaches_a_private_address(shop, trick):
    before = len(shop.received)
    answer = post(trick.replace("{port}", str(shop.port)), connect=SECOND / 2, read=SECOND / 2)
    assert answer.status is None
    assert answer.text not in {"", "no answer in time"}
    assert len(shop.received) == before


def test_a_name_that_resolves_to_a_private_address_is_refused(shop, monkeypatch):
    def lying(*_, **__):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", shop.port))]

    monkeypatch.setattr(socket, "getaddrinfo", lying)
    before = len(shop.received)
    answer = post(f"http://shop.example:{shop.port}/")
    assert (answer.status, answer.text) == (None, "the address is private")
    assert len(shop.received) == before


def test_of_a_name_with_both_kinds_only_the_public_address_is_called(shop, monkeypatch):
    from maedal.outbound.addresses import GuardedResolver

    def both(*_, **__):
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 80)),
        ]

    async def resolve():
        resolver = GuardedResolver(allow_private=False)
        monkeypatch.setattr(socket, "getaddrinfo", both)
        return [found["host"] for found in await resolver.resolve("shop.example", 80)]

    assert asyncio.run(resolve()) == ["93.184.216.34"]


def test_a_name_that_changes_its_answer_is_called_where_it_was_checked(shop, monkeypatch):
    """The first answer passes for public and the next ones are private: who asks twice calls what was never checked."""
    asked = []

    def changing(host, *_, **__):
        asked.append(host)
        ip = "127.0.0.9" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, shop.port))]

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    monkeypatch.setattr(addresses, "is_public", lambda ip: ip == "127.0.0.9" or is_public(ip))
    before = len(shop.received)
    answer = post(f"http://shop.example:{shop.port}/")
    assert (answer.status, answer.text) == (None, "the address could not be reached")
    assert asked == ["shop.example"]
    assert len(shop.received) == before


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(shop, status):
    url = shop.answer(f"/redirect-{status}", status, b"", Location=f"{shop.url}/secret")
    assert post(url, allow_private=True).status == status
    assert shop.at("/secret") == []


def test_what_the_receiver_gets(shop):
    answer = post(shop.answer("/plain", 200, "확인".encode()), allow_private=True, body='{"a":"월"}')
    assert (answer.status, answer.text) == (200, "확인")
    request = shop.at("/plain")[0]
    assert (request.body, request.headers["content-type"]) == ('{"a":"월"}', "application/json")
    assert request.headers["user-agent"] == "maedal-webhook"
    assert "cookie" not in request.headers


def test_no_cookie_is_kept_from_one_call_to_the_next(shop):
    async def twice():
        async with GuardedClient(allow_private=True) as client:
            for _ in range(2):
                url = shop.answer("/cookie", 200, b"", **{"Set-Cookie": "a=b; Path=/"})
                await client.post(url, "text/plain", "", connect_timeout=SECOND, read_timeout=SECOND)

    asyncio.run(twice())
    assert all("cookie" not in request.headers for request in shop.at("/cookie"))


def test_an_answer_in_pieces_is_read_whole(shop):
    url = shop.answer("/pieces", 400, b'{"rea', b'son":"', b'sold out"}')
    assert post(url, allow_private=True).text == '{"reason":"sold out"}'


def test_of_a_long_answer_only_the_beginning_is_read(shop):
    url = shop.answer("/long", 200, b"x" * (ANSWER_BYTES_MAX * 3))
    assert len(post(url, allow_private=True).text) == ANSWER_BYTES_MAX


def test_a_compressed_answer_is_not_blown_up(shop):
    import gzip

    url = shop.answer("/bomb", 200, gzip.compress(b"0" * 10_000_000), **{"Content-Encoding": "gzip"})
    answer = post(url, allow_private=True)
    assert answer.status == 200
    assert len(answer.text) <= ANSWER_BYTES_MAX


def test_a_slow_receiver_is_given_up(shop):
    shop.delays["/slow"] = 3
    answer = post(f"{shop.url}/slow", allow_private=True, connect=SECOND / 4, read=SECOND / 4)
    assert (answer.status, answer.text) == (None, "no answer in time")


def test_nobody_there_is_an_answer_too():
    answer = post("http://127.0.0.1:9/", allow_private=True)
    assert (answer.status, answer.text) == (None, "the address could not be reached")


@pytest.mark.parametrize(
    "ip",
    ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2400::1",
     "2a00::1", "3fff:1000::1", "2001:200::1", "192.88.98.1", "100.128.0.1", "172.32.0.1", "223.255.255.255"],
)  # fmt: skip
def test_addresses_of_the_open_internet_are_public(ip):
    assert is_public(ip)


@pytest.mark.parametrize(
    "ip",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255",
     "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::1",
     "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:db8::1", "::127.0.0.1", "::10.0.0.1", "64:ff9b:1::a00:1"],
)  # fmt: skip
def test_an_address_of_a_private_network_is_not(ip):
    assert not is_public(ip)


@pytest.mark.parametrize("network", [*map(str, IPV4), *map(str, IPV6)])
def test_no_address_of_a_special_range_is_public_neither_its_first_nor_its_last(network):
    assert not is_public(str(ip_network(network)[0]))
    assert not is_public(str(ip_network(network)[-1]))


# Those that interpreters take for public, at least some of them, and what tunnels and translations hold.
@pytest.mark.parametrize(
    "ip",
    ["192.0.0.9", "192.0.0.10", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.88.99.2", "192.175.48.1",
     "::1.1.1.1", "::ffff:0:1.1.1.1", "64:ff9b::7f00:1", "64:ff9b:1::101:101", "64:ff9b::c058:6301", "100::1",
     "100:0:0:1::1", "200::1", "1fff::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:1::1", "2001:1::3",
     "2001:2::1", "2001:3::1", "2001:4:112::1", "2001:10::1", "2001:20::1", "2001:30::1", "2001:1ff::1", "2002:101:101::1",
     "2620:4f:8000::1", "3ffe::1", "3fff::1", "4000::1", "5f00::1", "fec0::1", "fc00::1", "feff::1", "ff0e::1",
     "2400::5efe:7f00:1", "2400::200:5efe:a00:1", "::ffff:192.31.196.1"],
)  # fmt: skip
def test_every_other_address_is_not(ip):
    assert not is_public(ip)
