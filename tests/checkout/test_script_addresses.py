"""The gateway itself gives the script under every address that shops load (docs/wire/portone-browser-sdk.md 1.1)."""

from __future__ import annotations

import pytest

from maedal.checkout import sdk


def test_every_address_that_shops_load_gives_the_script(running):
    for path, kind in (
        ("/v1/iamport.js", "classic"),
        ("/js/iamport.payment.js", "classic"),
        ("/js/iamport.payment-1.1.8.js", "classic"),
        ("/js/iamport.payment-1.2.0.js?v=3", "classic"),
        ("/v1/iamport.esm.js", "esm"),
        ("/v2/browser-sdk.js", "v2"),
        ("/v2/browser-sdk.esm.js", "v2.esm"),
    ):
        answer = running.http.get(running.gateway + path)
        assert (answer.status_code, answer.content) == (200, sdk.script(kind, running.gateway)), path
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8", path
        assert answer.headers["access-control-allow-origin"] == "*", path
        known = running.http.get(running.gateway + path, headers={"If-None-Match": answer.headers["etag"]})
        assert (known.status_code, known.content) == (304, b""), path


@pytest.mark.parametrize(
    "path", ["/js/jquery.js", "/js/iamport.css", "/js/..%2fiamport.txt", "/v1/other.js", "/v2/other.js"]
)
def test_nothing_else_is_there(running, path):
    assert running.http.get(running.gateway + path).status_code == 404


@pytest.mark.parametrize("path", ["", "/imp_000000000000", "/imp_000000000000/close"])
def test_any_page_may_ask(running, path):
    answer = running.http.options(f"{running.gateway}/sdk/payments{path}", headers={"Origin": "http://shop.test"})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("static/end.js", "javascript"),
        ("static/enter.js", "javascript"),
        ("static/window.css", "css"),
        ("failure", "html"),
        ("no-token", "html"),
    ],
)
def test_pages_and_what_they_load_name_their_charset_once(running, path, kind):
    answer = running.http.get(f"{running.gateway}/checkout/{path}")
    assert answer.headers["content-type"] == f"text/{kind}; charset=utf-8"
