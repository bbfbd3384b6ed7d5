"""What the gateway serves under the SDK's addresses."""

import gzip
import re

import pytest

from maedal.checkout.sdk import Kind, script, source

KINDS = ["classic", "esm", "v2", "v2.esm"]
GZIPPED_BYTES_MAX = 12_000

pytestmark = pytest.mark.parametrize("kind", KINDS)
TABLE = re.compile(r'(?<=const NEVER = ").*(?=";)')
"""The schemes that are never taken, which script and server have from one place."""
SERVED_BY = re.compile(r'const SERVED_BY = "(.*)";')


def test_it_is_small(kind: Kind) -> None:
    assert len(gzip.compress(script(kind), 6)) <= GZIPPED_BYTES_MAX


def test_it_is_read_once(kind: Kind) -> None:
    assert script(kind) is script(kind)


def test_it_names_no_address_of_anyone(kind: Kind) -> None:
    assert re.findall(r"https?://[\w.-]+", script(kind).decode()) == []


def test_it_is_checked_as_typescript(kind: Kind) -> None:
    assert script(kind).startswith(b"// @ts-check\n")


def test_only_types_and_comments_are_left_out(kind: Kind) -> None:
    served = TABLE.sub("", script(kind).decode()).splitlines()
    left_out = iter(TABLE.sub("", source(kind)).splitlines())
    dropped: list[str] = []
    for line in served:
        while (candidate := next(left_out)) != line:
            dropped.append(candidate)
    dropped.extend(left_out)
    assert dropped
    assert [line for line in dropped if not re.match(r"\s*(/\*\*|\*|//)", line)] == []


def test_nothing_of_it_depends_on_this(kind: Kind) -> None:
    # Pages take the methods out of the object. The one `this` is an error's own.
    assert re.findall(r"\bthis\.\w+", script(kind).decode()) == ["this.code"] * (kind in {"classic", "esm"})


def test_the_module_exports_and_the_classic_script_does_not(kind: Kind) -> None:
    exported = re.findall(r"^export (.+?)[ (]", script(kind).decode(), re.MULTILINE)
    assert exported == {"esm": ["const", "default"], "v2.esm": ["const", "default"]}.get(kind, [])


def test_the_classic_script_keeps_its_names_to_itself(kind: Kind) -> None:
    wrapped = script(kind).decode().split("\n", 1)[1].startswith("(function () {")
    assert wrapped == ("esm" not in kind)


def test_it_is_told_who_serves_it_where_it_may_not_know(kind: Kind) -> None:
    served = script(kind, 'https://pay.shop.test/"</script>').decode()
    assert SERVED_BY.findall(served) == ['https://pay.shop.test/\\"</script>'] * (kind == "classic")
