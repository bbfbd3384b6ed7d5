"""Decoding: whatever comes in, fields come out or InvalidParameter."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maedal.payments.errors import InvalidParameter
from maedal.rest.decoding import Fields, decode_body, segments

FORM = "application/x-www-form-urlencoded"
TYPES = st.sampled_from(
    ["", "application/json", FORM, f"{FORM}; charset=utf-8", "text/plain", "x; charset=", "; charset=utf-8", "charset"]
)
PIECES = st.sampled_from(
    [
        b"&",
        b"=",
        b"[",
        b"]",
        b"%",
        b"%00",
        b"%FF",
        b"+",
        b" ",
        b"a",
        b"0",
        b"1",
        b"\xed\x95\x9c",
        b"[]",
        b"[0]",
        b"{",
        b'"',
        b"\\u",
    ]
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def decoded(content_type, body):
    """Return the fields, or None where they were refused; anything but InvalidParameter fails the test."""
    try:
        return decode_body(content_type, body)
    except InvalidParameter as error:
        assert error.message
        return None


@given(content_type=TYPES | st.text(), body=st.binary() | st.lists(PIECES).map(b"".join))
def test_any_bytes_are_fields_or_refused(content_type, body):
    fields = decoded(content_type, body)
    assert fields is None or all(isinstance(name, str) for name in fields)


@given(content=st.dictionaries(TEXTS, JSON_VALUES))
def test_json_comes_back_as_it_was_written(content):
    written = json.dumps(content).encode()
    got = decoded("application/json", written)
    assert got is None or got == json.loads(written)


PLAIN = TEXTS.filter(lambda name: name.strip() == name and name and not set(name) & set("[]"))


@given(pairs=st.dictionaries(PLAIN, TEXTS, min_size=1))
def test_a_form_comes_back_as_it_was_written(pairs):
    body = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs.items())
    assert decode_body(FORM, body.encode()) == pairs


@given(content=st.dictionaries(st.sampled_from(["a", "b"]), JSON_VALUES))
def test_every_reader_gives_its_kind_or_refuses(content):
    fields = Fields(content)
    for read, kinds in (
        (lambda: fields.text("a", longest=10), (str, type(None))),
        (lambda: fields.text("a", longest=10, cut=True), (str, type(None))),
        (lambda: fields.kept_text("a", longest=10), (str, type(None))),
        (lambda: fields.needed_text("a", longest=10), (str,)),
        (lambda: fields.whole("a"), (int, type(None))),
        (lambda: fields.needed_whole("a"), (int,)),
    ):
        try:
            value = read()
        except InvalidParameter as error:
            assert error.field == "a"
        else:
            assert type(value) in kinds
            assert not isinstance(value, str) or len(value) <= 10


@given(parts=st.lists(TEXTS.filter(bool), min_size=1, max_size=3), slashes=st.sampled_from(["", "/", "//"]))
def test_the_parts_of_a_path_come_back_as_they_were_encoded(parts, slashes):
    path = "/x/" + "/".join(quote(part, safe="") for part in parts) + slashes
    assert segments(path.encode(), "/x/") == parts


@given(path=st.binary() | st.lists(PIECES | st.just(b"/")).map(b"".join))
def test_any_path_is_parts_or_refused(path):
    try:
        parts = segments(b"/x/" + path, "/x/")
    except InvalidParameter as error:
        assert error.message
    else:
        assert not any("\0" in part for part in parts)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ("a=1&a=2&a=3", {"a": ["1", "2", "3"]}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a%5B%5D=1&a%5B%5D=2", {"a": ["1", "2"]}),
        ("a[1]=y&a[0]=x", {"a": ["x", "y"]}),
        ("a[10]=k&a[9]=j", {"a": ["j", "k"]}),
        ("extra[naverUseCfm]=x", {"extra": {"naverUseCfm": "x"}}),
        ("s[0][merchant_uid]=m&s[0][amount]=1&s[1][merchant_uid]=n", {"s": [{"merchant_uid": "m", "amount": "1"}, {"merchant_uid": "n"}]}),
        ("a=1& b=2&  c=3", {"a": "1", "b": "2", "c": "3"}),
        ("a=b=c", {"a": "b=c"}),
        ("a=1&a[]=2", {"a": ["1", "2"]}),
        ("a[x]=1&a=2", {"a": {"x": "1", "1": "2"}}),
        ("a", {"a": ""}),
        ("", {}),
        ("a[=1", {"a[": "1"}),
        ("[]=1", {"[]": "1"}),
    ],
)  # fmt: skip
def test_forms_as_clients_write_them(body, fields):
    assert decode_body(FORM, body.encode()) == fields


def test_nine_thousand_repetitions_of_a_key_take_no_time():
    import time

    started = time.perf_counter()
    assert len(decode_body(FORM, b"&".join([b"a=1"] * 9_000))["a"]) == 9_000
    assert time.perf_counter() - started < 1
