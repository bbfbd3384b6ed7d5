"""Whom the gateway of a `maedal dev` answers: nobody under another name, and no page of another site."""

from __future__ import annotations

import httpx
import pytest
from litestar import Litestar, get, post

from maedal.control.callers import Names, callers_only

OWN = "http://127.0.0.1:8080"


@get("/payments")
async def read() -> dict[str, bool]:
    return {"read": True}


@post(["/users/getToken", "/sdk/payments"], status_code=200)
async def change() -> dict[str, bool]:
    return {"changed": True}


@pytest.fixture
def caller() -> httpx.AsyncClient:
    names = Names(frozenset({"tunnel.test"}))
    app = Litestar([read, change], openapi_config=None)
    door = callers_only(names, "https://tunnel.test", app)
    return httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url=OWN)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "maedal", "[", ""])
async def test_a_rebound_name_reads_nothing(caller, host):
    answer = await caller.get("/payments", headers={"Host": host})
    # A browser always names a host; who names none is a program.
    assert answer.status_code == (403 if host else 200)
    assert "read" in answer.text or answer.json()["code"] == -1


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8080", "localhost:1", "[::1]:8080", "192.168.0.10", "a.localhost", "tunnel.test", "TUNNEL.test."],
)
async def test_an_address_and_its_own_names_are_answered(caller, host):
    assert (await caller.get("/payments", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:3000", "https://tunnel.test.evil"])
async def test_a_page_of_another_site_sends_nothing_but_what_the_browser_script_does(caller, origin):
    headers = {"Origin": origin, "Content-Type": "text/plain"}
    assert (await caller.post("/users/getToken", headers=headers, content="{}")).status_code == 403
    assert (await caller.post("/sdk/payments", headers=headers, content="{}")).status_code == 200


@pytest.mark.parametrize("origin", [OWN, "https://tunnel.test"])
async def test_its_own_pages_and_programs_send_what_they_like(caller, origin):
    assert (await caller.post("/users/getToken", headers={"Origin": origin})).status_code == 200
    assert (await caller.post("/users/getToken")).status_code == 200


def test_names_without_a_dot_are_ours_only_where_others_may_listen():
    assert not Names(frozenset()).include("gateway:8080")
    assert Names(frozenset(), without_a_dot=True).include("gateway:8080")
    assert not Names(frozenset(), without_a_dot=True).include("evil.example")
