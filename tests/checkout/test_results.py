"""What the page and the redirect are told (docs/wire/portone-browser-sdk.md 2.3 and 2.6)."""

from __future__ import annotations

from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maedal.checkout.results import is_safe_return, refused, return_address

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]))
# What merchants call their orders; ids with %, &, # or + come back exactly, so those are not for double decoding.
SIMPLE_IDS = st.text("abcXYZ0189_-:.주문 ", min_size=1)
RETURNS = [
    "https://shop.test/done",
    "https://shop.test/done?",
    "https://shop.test/done?a=1",
    "https://shop.test/done?a=1&",
    "https://shop.test/done?a=1#result",
    "https://shop.test/#/spa/route",
    "myapp://pay/result?x=y",
    "portone://blank",
    "http://detectchangingwebview/iamport/rn",
]


def as_react_native_reads_it(address):
    """Decode the whole address, then take it apart: the way of iamport-react-native."""
    whole = unquote(address, errors="strict")
    return dict(parse_qsl(whole.partition("?")[2].partition("#")[0], keep_blank_values=True))


def as_cordova_decodes_it(address):
    return unquote(unquote(unquote(address, errors="strict"), errors="strict"), errors="strict")


@given(message=TEXTS, code=TEXTS, merchant_uid=SIMPLE_IDS, return_url=st.sampled_from(RETURNS))
def test_no_message_tears_an_address_that_an_app_decodes_whole(message, code, merchant_uid, return_url):
    address = return_address(return_url, refused(merchant_uid, code, message, imp_uid="imp_123456789012"))
    read = as_react_native_reads_it(address)
    plain = message.translate(str.maketrans("%&#+", "％＆＃＋"))
    assert read["error_msg"] == plain
    assert read["imp_uid"] == "imp_123456789012"
    assert read["merchant_uid"] == merchant_uid
    assert read["imp_success"] == "false"
    assert plain in as_cordova_decodes_it(address)


@given(merchant_uid=TEXTS, message=TEXTS, return_url=st.sampled_from(RETURNS))
def test_a_server_reads_every_field_exactly(merchant_uid, message, return_url):
    address = return_address(return_url, refused(merchant_uid, "-780", message))
    query = parse_qs(urlsplit(address).query, keep_blank_values=True)
    assert query["merchant_uid"] == [merchant_uid]
    assert query["imp_uid"] == [""]
    assert (query["imp_success"], query["error_code"]) == (["false"], ["-780"])


@pytest.mark.parametrize("return_url", RETURNS)
def test_the_merchants_own_query_and_fragment_stay(return_url):
    result = {"success": True, "imp_uid": "imp_1", "merchant_uid": "m"}
    address = return_address(return_url, result)
    before, _, fragment = return_url.partition("#")
    assert address.startswith(before)
    assert address.partition("#")[2] == fragment
    added = address.partition("#")[0].removeprefix(before)
    assert added.lstrip("?&") == "imp_uid=imp_1&merchant_uid=m&imp_success=true"
    assert address.partition("#")[0].count("?") == 1


@pytest.mark.parametrize("url", RETURNS)
def test_every_scheme_that_shops_and_apps_use_is_taken(url):
    assert is_safe_return(url)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "blob:https://a/b",
        "file:///etc/passwd",
        "about:blank",
        "/relative",
        "//shop.test/",
        "shop.test",
        "",
        "http://a b/",
        "http://[::1",
        "https://shop.test/\r\nSet-Cookie: a=b",
    ],
)
def test_what_runs_code_or_goes_nowhere_is_refused(url):
    assert not is_safe_return(url)
