"""What the page and the redirect are told (docs/wire/portone-browser-sdk.md 2.3 and 2.6)."""

from __future__ import annotations

from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maedal import web_address
from maedal.checkout.results import refused, return_address

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
def test_every_scheme_that_shops_and_apps_use_is_taken_and_stays_as_it_was_written(url):
    assert web_address.destination(url) == url


@given(
    given=st.text(),
    base=st.sampled_from(["", "https://shop.test/a/b?c#d", "data:text/html,x", "about:blank"]) | st.text(),
)
def test_every_destination_fits_into_a_header_and_stays_itself(given, base):
    found = web_address.destination(given, base)
    assert found is None or (found.isascii() and found.isprintable() and web_address.destination(found) == found)


@pytest.mark.parametrize(
    "url", ["https://shop.test/pay", "http://localhost:3000/", "https://shop.test/주문?a=1#b", "HTTPS://SHOP.test"]
)
def test_a_link_may_point_to_a_page(url):
    assert web_address.page_address(url) == web_address.destination(url)


@pytest.mark.parametrize("url", ["myapp://pay", "javascript:alert(1)", "/pay", "", "https://"])
def test_a_link_may_point_to_nothing_else(url):
    assert web_address.page_address(url) is None


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("https://상점.test", "https://xn--hg4bs7k.test"),
        ("https://SHOP.test:443/", "https://shop.test"),
        ("http://127.0.0.1:8082", "http://127.0.0.1:8082"),
        ("myapp://pay", None),
        ("shop.test", None),
    ],
)
def test_an_origin_is_named_as_a_browser_names_it(given, named):
    assert web_address.origin(given) == named
