"""Whom the simulator answers: programs of this machine and its own pages; no page of another site."""

from collections.abc import Callable

import httpx
import pytest

from kakaopay_sandbox.app import create_app
from kakaopay_sandbox.callers import is_our_name
from kakaopay_sandbox.settings import Settings

NAMES = frozenset({"127.0.0.1", "pay.test"})
KEY = "a-key-that-was-told-at-the-start"
OWN = "http://127.0.0.1:8081"
Caller = Callable[..., httpx.AsyncClient]


@pytest.fixture
def caller() -> Caller:
    app = create_app(Settings(public_url=OWN, names=NAMES, control_key=KEY))

    def of(address: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app, client=(address, 1))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.AsyncClient(transport=transport, base_url=OWN, headers=named)

    return of


async def test_a_rebound_name_reads_nothing(caller: Caller) -> None:
    async with caller(host="evil.example:8081") as page:
        for path in ("/", "/log", "/faults", "/_sim/log", "/_sim/orders"):
            assert (await page.get(path)).status_code == 403
        assert "evil.example" in (await page.get("/_sim/log")).json()["error"]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:3000", "file://"])
@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "application/x-www-form-urlencoded"])
async def test_a_page_of_another_site_changes_nothing(caller: Caller, origin: str, content_type: str) -> None:
    async with caller(origin=origin, content_type=content_type) as page:
        for path in ("/_sim/clock", "/_sim/faults", "/_sim/buyer", "/faults/clear", "/_sim/orders/T1/quit"):
            assert (await page.post(path, content='{"advance_seconds": 60}')).status_code == 403
    async with caller() as program:
        assert (await program.get("/_sim/clock")).json()["advanced_seconds"] == 0


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_no_other_page_reads_the_control_by_a_script_or_an_image(caller: Caller, site: str) -> None:
    async with caller(sec_fetch_site=site) as page:
        assert (await page.get("/_sim/log")).status_code == 403
        # A shop's page may show a receipt, and sends buyers here.
        assert (await page.get("/")).status_code == 200


async def test_a_program_of_this_machine_controls_it_without_a_key(caller: Caller) -> None:
    async with caller() as program:
        assert (await program.post("/_sim/clock", json={"advance_seconds": 60})).status_code == 200
        assert (await program.get("/_sim/log")).status_code == 200
    for host in ("localhost:8081", "[::1]:8081", "pay.test", "192.168.0.10:8081", "phone.localhost:1"):
        async with caller(host=host) as program:
            assert (await program.get("/_sim/log")).status_code == 200


async def test_another_machine_controls_it_with_the_key_alone(caller: Caller) -> None:
    async with caller("192.168.0.7") as other:
        assert (await other.get("/")).status_code == 200
        assert (await other.get("/_sim/log")).status_code == 403
        assert (await other.get("/_sim/log", headers={"Authorization": "Bearer wrong"})).status_code == 403
        assert (await other.get("/_sim/log", headers={"Authorization": f"Bearer {KEY}"})).status_code == 200
    async with caller("::ffff:127.0.0.1") as program:
        assert (await program.get("/_sim/log")).status_code == 200


async def test_the_simulators_own_pages_send_their_forms(caller: Caller) -> None:
    async with caller(origin=OWN) as page:
        assert (await page.post("/faults/clear")).status_code == 303
        assert (await page.get("/")).headers["referrer-policy"] == "same-origin"


def test_names_without_a_dot_are_ours_only_where_others_may_listen() -> None:
    assert not is_our_name("sandbox:8081", NAMES, dotless=False)
    assert is_our_name("sandbox:8081", NAMES, dotless=True)
    assert not is_our_name("evil.example", NAMES, dotless=True)
    assert not is_our_name("[", NAMES, dotless=True)
