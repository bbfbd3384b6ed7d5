"""The control API of `maedal dev`: what scripts may do, and that nobody else may."""

from __future__ import annotations

import pytest

from maedal.app import create_app
from maedal.clock import SystemClock
from maedal.settings import Settings
from maedal.testing.http import ask
from maedal.testing.running import Dev
from tests.testing.conftest import CONTROL_KEY

EVERYTHING = [
    ("GET", "/clock"),
    ("POST", "/travel"),
    ("POST", "/merchants"),
    ("PUT", "/merchants/imp00000000/webhook"),
    ("DELETE", "/merchants/imp00000000/plans"),
]


def control(dev: Dev, method: str, path: str, body=None, key: str = CONTROL_KEY):
    answer = ask(method, dev.info["control"]["url"] + path, body=body, headers={"Authorization": f"Bearer {key}"})
    return answer.status, answer.json()


@pytest.mark.parametrize(("method", "path"), EVERYTHING)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {CONTROL_KEY}"}])
def test_nothing_is_done_without_the_key(dev, method, path, headers):
    answer = ask(method, dev.info["control"]["url"] + path, headers=headers)
    assert answer.status == 401
    assert "control key" in answer.json()["error"]


def test_a_page_of_another_site_is_given_no_leave_to_ask(dev):
    """Without CORS a browser sends no Authorization of a page; the preflight gets none."""
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = ask("OPTIONS", dev.info["control"]["url"] + "/travel", headers=headers)
    assert "access-control-allow-origin" not in {name.lower() for name in answer.headers}


@pytest.mark.parametrize("options", [{}, {"control_key": "k"}, {"control_key": "k", "clock": SystemClock()}])
def test_a_gateway_of_maedal_serve_has_no_such_address_whatever_it_is_given(tmp_path, options):
    settings = Settings(
        database_url="sqlite:///nowhere.db", key_file=tmp_path / "no.json", public_url="http://gateway.test"
    )
    assert not [route.path for route in create_app(settings, **options).routes if route.path.startswith("/_dev")]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "one of seconds, to and settle"),
        ({"seconds": 1, "settle": True}, "one of seconds, to and settle"),
        ({"seconds": "soon"}, "$.seconds"),
        ({"minutes": 1}, "minutes"),
        ({"seconds": -5}, "forward only"),
        ({"seconds": 1e30}, "too far"),
        ({"to": 1e30}, "too far"),
        ({"seconds": 200_000_000}, "five years"),
    ],
)
def test_a_way_that_cannot_be_gone_is_refused_by_its_field(dev, body, says):
    status, answer = control(dev, "POST", "/travel", body)
    assert status == 400
    assert says in answer["error"]
    assert answer["field"]


@pytest.mark.parametrize("content", [b"[", b"[]", b'"\xff"', b"[" * 100_000])
def test_a_body_that_cannot_be_read_is_refused(dev, content):
    headers = {"Authorization": f"Bearer {CONTROL_KEY}"}
    answer = ask("POST", dev.info["control"]["url"] + "/merchants", content=content, headers=headers)
    assert answer.status == 400
    assert answer.json()["field"] == "body"


def test_all_clocks_travel_together(dev):
    before = control(dev, "GET", "/clock")[1]
    status, journey = control(dev, "POST", "/travel", {"seconds": 3600})
    assert status == 200
    assert 3600 <= journey["now"] - before["now"] < 3700
    simulated = ask("GET", f"{dev.info['simulator']}/_sim/clock").json()["epoch_seconds"]
    assert abs(simulated - control(dev, "GET", "/clock")[1]["now"]) < 5


def test_a_webhook_address_is_moved_only_from_where_it_was_expected(dev):
    code = control(dev, "POST", "/merchants", {"webhook_url": "http://127.0.0.1:9/a"})[1]["identification_code"]
    path = f"/merchants/{code}/webhook"
    refused = {"changed": False, "before": "http://127.0.0.1:9/a"}
    assert control(dev, "PUT", path, {"url": "http://127.0.0.1:9/b", "instead_of": ""}) == (409, refused)
    moved = {"changed": True, "before": "http://127.0.0.1:9/a"}
    wanted = {"url": "http://127.0.0.1:9/b", "instead_of": "http://127.0.0.1:9/a"}
    assert control(dev, "PUT", path, wanted) == (200, moved)
    assert control(dev, "PUT", path, {"url": ""})[1]["before"] == "http://127.0.0.1:9/b"
    assert control(dev, "PUT", path, {})[1]["before"] is None
    status, answer = control(dev, "PUT", path, {"url": "javascript:alert(1)"})
    assert (status, answer["field"]) == (400, "test")


def test_a_merchant_that_is_not_there_is_told_so(dev):
    assert control(dev, "PUT", "/merchants/imp99999999/webhook", {"url": ""})[0] == 404
    assert control(dev, "DELETE", "/merchants/imp99999999/plans")[0] == 404


def test_a_merchant_may_do_without_signatures(dev):
    assert control(dev, "POST", "/merchants", {"signed": False})[1]["webhook_secret"] is None
