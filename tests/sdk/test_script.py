"""What the gateway serves under the SDK's addresses."""

import gzip
import re
from typing import Literal

import pytest

from maedal.checkout.sdk import script, source

KINDS = ["classic", "esm"]
GZIPPED_BYTES_MAX = 12_000

pytestmark = pytest.mark.parametrize("kind", KINDS)


def test_it_is_small(kind: Literal["classic", "esm"]) -> None:
    assert len(gzip.compress(script(kind), 6)) <= GZIPPED_BYTES_MAX


def test_it_is_read_once(kind: Literal["classic", "esm"]) -> None:
    assert script(kind) is script(kind)


def test_it_names_no_address_of_anyone(kind: Literal["classic", "esm"]) -> None:
    assert re.findall(r"https?://[\w.-]+", script(kind).decode()) == []


def test_it_is_checked_as_typescript(kind: Literal["classic", "esm"]) -> None:
    assert script(kind).startswith(b"// @ts-check\n")


def test_only_types_are_left_out(kind: Literal["classic", "esm"]) -> None:
    served = script(kind).decode().splitlines()
    left_out = iter(source(kind).splitlines())
    dropped: list[str] = []
    for line in served:
        while (candidate := next(left_out)) != line:
            dropped.append(candidate)
    dropped.extend(left_out)
    assert dropped
    assert [line for line in dropped if not re.match(r"\s*(/\*\*|\*)", line)] == []


def test_nothing_of_it_depends_on_this(kind: Literal["classic", "esm"]) -> None:
    # Pages take the methods out of the object. The one `this` is an error's own.
    assert re.findall(r"\bthis\.\w+", script(kind).decode()) == ["this.code"]


def test_the_module_exports_and_the_classic_script_does_not(kind: Literal["classic", "esm"]) -> None:
    exported = re.findall(r"^export (.+?)[ (]", script(kind).decode(), re.MULTILINE)
    assert exported == {"classic": [], "esm": ["const", "default"]}[kind]


def test_the_classic_script_keeps_its_names_to_itself(kind: Literal["classic", "esm"]) -> None:
    wrapped = script(kind).decode().split("\n", 1)[1].startswith("(function () {")
    assert wrapped == (kind == "classic")
