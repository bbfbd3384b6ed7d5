"""docs/endpoints.md names every address that the gateway answers, and a test for each."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from maedal.app import create_app
from maedal.settings import Settings
from tests.support.endpoints import DOCUMENTED, ROOT, TABLE, forget_calls, never_called, noted

WIRE = (ROOT / "docs" / "wire" / "portone-v1-rest.md").read_text("utf-8")
SECTION_4 = WIRE[WIRE.index("\n## 4. ") : WIRE.index("\n## 5. ")]
VERBS = r"(?:GET|POST|PUT|DELETE)"
NAMED = re.compile(rf"({VERBS}(?:[,/] ?{VERBS})*) `?(/[a-z][^\s`,;|?]*)")


def answered() -> set[tuple[str, str]]:
    """Return method and pattern of everything that the app answers, but what Litestar adds itself: `OPTIONS`."""
    settings = Settings(
        database_url="sqlite:///nowhere.db",
        key_file=Path("nowhere.json"),
        public_url="http://gateway.test",
        sandbox_url="http://kakaopay.test",
    )
    routes = create_app(settings).routes
    return {(m, r.path) for r in routes for m in getattr(r, "methods", ()) if m not in {"OPTIONS", "HEAD"}}


ANSWERED = sorted(answered())


async def nothing(scope: object, receive: object, send: object) -> None:
    """Answer nothing."""


def answers(pattern: str, path: str) -> bool:
    """Return whether a route's pattern takes this documented path: `:path` takes what is left, `:str` one part."""
    parts = re.split(r"(\{\w+:\w+\})", pattern)
    regex = "".join(
        (r"[^/]+" if part.endswith(":str}") else ".+") if part.startswith("{") else re.escape(part) for part in parts
    )
    return re.fullmatch(regex, path) is not None


def taker(method: str, path: str) -> tuple[str, str] | None:
    """Return the route that answers a call: as in a router, plain parts go before parts in braces."""
    fitting = [route for route in ANSWERED if route[0] == method and answers(route[1], path)]
    return max(fitting, key=lambda route: len(re.sub(r"\{.*?\}", "", route[1])), default=None)


def named_on_the_wire(text: str) -> set[tuple[str, str]]:
    """Return the methods and paths that section 4 names as such, an optional last part once with and once without."""
    found = set()
    for verbs, written in NAMED.findall(text):
        path, _, optional = written.rstrip(".:)").removesuffix("]").partition("[")
        for verb in re.findall(VERBS, verbs):
            found |= {(verb, path), (verb, path + optional)}
    return found


def test_the_table_is_read_whole():
    lines = (ROOT / "docs" / "endpoints.md").read_text("utf-8").splitlines()
    assert len(TABLE) == sum(line.startswith("| `") for line in lines) > 60
    assert all(" · " in use or use[0].isdigit() for _, _, use, _, _ in TABLE)


def test_no_endpoint_is_documented_twice():
    assert len(DOCUMENTED) == sum(len(methods.split(", ")) for methods, *_ in TABLE)


@pytest.mark.parametrize(("method", "pattern"), ANSWERED)
def test_every_route_is_documented(method, pattern):
    assert (method, pattern) in {taker(*documented) for documented in DOCUMENTED}


@pytest.mark.parametrize(("method", "path"), sorted(DOCUMENTED))
def test_every_documented_endpoint_is_answered(method, path):
    assert taker(method, path) is not None


@pytest.mark.parametrize(
    ("method", "path"),
    sorted(e for e in named_on_the_wire(SECTION_4) if not set(e[1]) & set("…*")),
)
def test_every_endpoint_of_the_wire_document_is_in_the_table(method, path):
    shape = re.sub(r"\{\w+\}", "{}", path.rstrip("/"))
    assert (method, shape) in {(m, re.sub(r"\{\w+\}", "{}", p)) for m, p in DOCUMENTED}


@pytest.mark.parametrize(("file", "name"), sorted({(file, name) for *_, file, name in TABLE}))
def test_every_named_test_exists(file, name):
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


async def test_a_named_test_that_does_not_call_its_endpoints_fails():
    """Every test is asked when it ends (tests/conftest.py)."""
    forget_calls()
    lists = "e2e/test_lists.py::test_find_all_gives_every_row_of_an_order"
    assert never_called(lists) == [
        "GET /payments/findAll/{merchant_uid}", "GET /payments/findAll/{merchant_uid}/{payment_status}",
    ]  # fmt: skip
    scope = {"type": "http", "method": "GET", "raw_path": b"//payments/findAll/a%2Fb/"}
    await noted(nothing)(scope, None, None)
    await noted(nothing)(scope | {"raw_path": b"/payments/findAll"}, None, None)
    assert never_called(lists) == ["GET /payments/findAll/{merchant_uid}/{payment_status}"]
    assert never_called("e2e/test_lists.py::test_that_no_row_names") == []
