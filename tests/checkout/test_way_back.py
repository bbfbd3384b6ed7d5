"""After money was taken there is always a way back: a callback at a desk, the shop's address on a phone. Never a 5xx."""

from __future__ import annotations

import itertools
import json
import sqlite3
from contextlib import closing
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from maedal.storage.errors import StoreError

PHONE = {"device": "mobile", "presentation": "redirect"}
SHOP = {"origin": "https://shop.test", "url": "https://shop.test/cart/pay?step=2"}
_numbers = itertools.count()

HANGUL = "https://shop.test/%EC%A3%BC%EB%AC%B8?"
# What the page gives, and where the browser goes on a phone, up to our part; None is the documented refusal.
RETURNS = {
    "plain": ("https://shop.test/done", "https://shop.test/done?"),
    "with a query and a fragment": ("https://shop.test/done?a=1#top", "https://shop.test/done?a=1&"),
    "Hangul in its path": ("https://shop.test/주문", HANGUL),
    "Hangul in its path, encoded": ("https://shop.test/%EC%A3%BC%EB%AC%B8", HANGUL),
    "Hangul and a blank in its query": (
        "https://shop.test/done?이름=홍 길동",
        "https://shop.test/done?%EC%9D%B4%EB%A6%84=%ED%99%8D%20%EA%B8%B8%EB%8F%99&",
    ),
    "a Hangul host": ("https://상점.shop.test/done", "https://xn--hg4bs7k.shop.test/done?"),
    "a Hangul path of an app": ("myapp://결제/완료?x=1", "myapp://%EA%B2%B0%EC%A0%9C/%EC%99%84%EB%A3%8C?x=1&"),
    "an app": ("myapp://pay/done?x=1#y", "myapp://pay/done?x=1&"),
    "an app's name alone": ("myapp://", "myapp://?"),
    "a mark of a mobile SDK": ("http://detectchangingwebview/iamport/rn", "http://detectchangingwebview/iamport/rn?"),
    "of V2's SDKs": ("portone://blank", "portone://blank?"),
    "an absolute path": ("/order/complete", "https://shop.test/order/complete?"),
    "a relative path": ("complete", "https://shop.test/cart/complete?"),
    "a path up": ("../done?x=1", "https://shop.test/done?x=1&"),
    "a query alone": ("?a=1", "https://shop.test/cart/pay?a=1&"),
    "a fragment alone": ("#done", "https://shop.test/cart/pay?step=2&"),
    "a host without a scheme": ("//pay.shop.test/done", "https://pay.shop.test/done?"),
    "what the manual has in its place": (
        "{모바일에서 결제 완료 후 리디렉션 될 URL}",
        "https://shop.test/cart/%7B%EB%AA%A8",
    ),
    "a blank in its path": ("https://shop.test/my order", "https://shop.test/my%20order?"),
    "blanks and line ends around it": (" \n https://shop.test/done \t", "https://shop.test/done?"),
    "another line in it": ("https://shop.test/\r\nSet-Cookie: a=b", "https://shop.test/Set-Cookie:%20a=b?"),
    "an emoji": ("https://shop.test/🎉", "https://shop.test/%F0%9F%8E%89?"),
    "half an escape": ("https://shop.test/100%?rate=5%", "https://shop.test/100%?rate=5%&"),
    "upper case": ("HTTPS://SHOP.test/Done", "https://shop.test/Done?"),
    "nothing": ("", None),
    "blanks": ("  ", None),
    "false": (False, None),
    "null": (None, None),
}
REFUSED = {
    "a script": "javascript:alert(1)",
    "a script behind a blank": " JavaScript:alert(1)",
    "a script with a line end": "java\nscript:alert(1)",
    "a document": "data:text/html,x",
    "another script": "vbscript:x",
    "a file": "file:///etc/passwd",
    "what only the page can open": "blob:https://shop.test/1",
    "nowhere": "about:blank",
    "no host": "http://",
    "half an address": "http://[::1",
    "a host with a blank": "http://a b/",
    "a number": {"url": "https://shop.test/"},
    "endless": "https://shop.test/" + "x" * 8_000,
    "endless once it is encoded": "https://shop.test/" + "가" * 1_000,
}


def order_uid():
    return f"back_{next(_numbers)}"


def opened(running, device=None, page=SHOP, **params):
    merchant_uid = params.pop("merchant_uid", order_uid())
    return running.open_window(
        merchant_uid, params.pop("amount", 1_000), call=(device or {}) | {"page": page}, **params
    )


def back_on_the_phone(running, window):
    """Return where the browser goes once the buyer has agreed."""
    answer = running.http.get(running.agree(window))
    assert answer.status_code == 303, answer.text
    location = answer.headers["location"]
    assert location.isascii()
    return location


def field(location, name):
    return parse_qs(urlsplit(location).query, keep_blank_values=True).get(name)


@pytest.mark.parametrize(
    ("given", "begins"), [r for r in RETURNS.values() if r[1]], ids=[n for n, r in RETURNS.items() if r[1]]
)
def test_on_a_phone_the_buyer_who_paid_goes_where_a_browser_would(running, given, begins):
    window = opened(running, PHONE, m_redirect_url=given)
    location = back_on_the_phone(running, window)
    assert location.startswith(begins)
    assert field(location, "imp_uid") == [window["imp_uid"]]
    assert field(location, "imp_success") == ["true"]


@pytest.mark.parametrize(
    ("given", "begins"), [r for r in RETURNS.values() if r[1]], ids=[n for n, r in RETURNS.items() if r[1]]
)
def test_on_a_phone_the_buyer_who_stops_goes_there_too(running, given, begins):
    window = opened(running, PHONE, m_redirect_url=given)
    answer = running.http.get(running.agree(window).partition("/approve")[0] + "/cancel")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(begins)
    assert field(answer.headers["location"], "error_code") == ["CANCELED_BY_USER"]


@pytest.mark.parametrize("given", [r[0] for r in RETURNS.values()] + list(REFUSED.values()), ids=[*RETURNS, *REFUSED])
def test_at_a_desk_the_address_is_not_used_and_stops_nobody(running, given):
    window = opened(running, m_redirect_url=given)
    assert window.get("next", {}).get("kind") == "frame", window
    assert running.finish(window)["result"]["success"] is True


@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED)
def test_on_a_phone_what_runs_code_or_leads_nowhere_is_refused_before_anything_is_paid(running, given):
    refusal = opened(running, PHONE, m_redirect_url=given)
    assert (refusal["error_code"], refusal["imp_uid"]) == ("INVALID_PARAMETER", None)
    assert "m_redirect_url" in refusal["error_msg"]


@pytest.mark.parametrize(
    "given", [r[0] for r in RETURNS.values() if r[1] is None], ids=[n for n, r in RETURNS.items() if r[1] is None]
)
def test_on_a_phone_without_an_address_the_end_has_a_way_back_to_the_page(running, given):
    window = opened(running, PHONE, m_redirect_url=given)
    answer = running.http.get(running.agree(window))
    assert answer.status_code == 200
    assert f'href="{SHOP["url"]}"' in answer.text


@pytest.mark.parametrize(
    "page", [{"origin": "null", "url": "about:blank"}, {"origin": "null", "url": "data:text/html,x"}, {}]
)
def test_a_page_without_an_address_of_its_own_cannot_have_a_relative_one(running, page):
    assert opened(running, PHONE, page, m_redirect_url="/done")["error_code"] == "INVALID_PARAMETER"
    # That of its app, which is of no site of the internet.
    location = back_on_the_phone(running, opened(running, PHONE, page, m_redirect_url="http://localhost/주문"))
    assert location.startswith("http://localhost/%EC%A3%BC%EB%AC%B8?")


def test_an_address_that_an_older_version_kept_as_it_was_written_leads_back(running):
    window = opened(running, PHONE, m_redirect_url="https://shop.test/done")
    path = running.settings.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        connection.execute(
            "UPDATE windows SET return_url = ? WHERE imp_uid = ?", ("https://상점.test/주문 완료", window["imp_uid"])
        )
    location = back_on_the_phone(running, window)
    assert location.startswith("https://xn--hg4bs7k.test/%EC%A3%BC%EB%AC%B8%20%EC%99%84%EB%A3%8C?imp_uid=")


OLD = "imp_uid=imp_000000000001&merchant_uid=old_1&imp_success=false&error_code=CANCELED_BY_USER&error_msg=%5B%EA%B2%B0%5D"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (f"https://shop.test/pay?plan=3&{OLD}", "plan=3"),
        (f"https://shop.test/pay?{OLD}", ""),
        (f"https://shop.test/pay?{OLD}&plan=3&size=", "plan=3&size="),
        (f"https://shop.test/pay?b=2&{OLD}&a=1&success=true&c=%26", "b=2&a=1&c=%26"),
        ("https://shop.test/pay?imp%5Fuid=old&imp_uid[]=mine&IMP_UID=mine", "imp_uid[]=mine&IMP_UID=mine"),
        (f"https://shop.test/pay?plan=3&{OLD}#tab", "plan=3"),
    ],
)
def test_the_result_of_the_try_before_goes_and_what_is_the_shops_stays_in_its_order(running, given, kept):
    window = opened(running, PHONE, m_redirect_url=given)
    location = back_on_the_phone(running, window)
    head, _, fragment = location.partition("#")
    reply = f"imp_uid={window['imp_uid']}&merchant_uid={window['merchant_uid']}&imp_success=true"
    assert head.partition("?")[2] == "&".join(filter(None, [kept, reply]))
    assert fragment == given.partition("#")[2]


# -- what breaks behind the approval


@pytest.mark.parametrize(
    "broken", [StoreError("the database is away"), RuntimeError("a bug of ours")], ids=["store", "bug"]
)
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_what_breaks_once_money_was_taken_is_no_end(running, monkeypatch, broken, device):
    window = opened(running, device, m_redirect_url="https://shop.test/done")
    where = running.agree(window)

    async def breaks(*_):
        raise broken

    with monkeypatch.context() as patched:
        patched.setattr(
            "maedal.flows.approve.note_availability", breaks
        )  # the first that asks the store after the outcome
        answer = running.http.get(where)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert '<meta http-equiv="refresh" content="5">' in answer.text
    assert "결제 결과를 확인하고 있습니다." in answer.text
    assert "frame-ancestors" not in answer.headers["content-security-policy"]
    # The page asks for its own address again.
    assert running.http.get(where).status_code == (303 if device else 200)
    assert running.state(window)["result"]["success"] is True


def test_what_breaks_before_anything_is_sent_is_approved_by_asking_again(running, monkeypatch):
    window = opened(running)
    where = running.agree(window)

    async def breaks(*_):
        raise StoreError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr("maedal.flows.approve.begin", breaks)
        assert running.http.get(where).status_code == 200
    assert running.state(window)["state"] == "open"
    running.http.get(where)
    assert running.state(window)["result"]["success"] is True
    assert len([line for line in running.log(operation="approve") if line["tid"] == running.tid(window)]) == 1


def test_a_page_of_the_way_back_that_cannot_be_read_asks_again_by_itself(running, monkeypatch):
    window = opened(running, PHONE, m_redirect_url="https://shop.test/done")
    where = running.agree(window)
    with monkeypatch.context() as patched:
        patched.setattr("maedal.checkout.window_pages.result_of", lambda _: 1 / 0)
        answer = running.http.get(where)
    # Money was taken: whatever breaks now is no error.
    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="5">' in answer.text
    again = running.http.get(where)
    assert (again.status_code, field(again.headers["location"], "imp_success")) == (303, ["true"])


@pytest.mark.parametrize("page", ["/approve?pg_token=x", "/cancel", "/fail"])
def test_a_later_return_that_breaks_asks_again_by_itself(running, monkeypatch, page):
    window = opened(running, PHONE, m_redirect_url="https://shop.test/done")
    where = running.agree(window)
    assert running.http.get(where).status_code == 303

    async def breaks(*_):
        raise StoreError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr("maedal.checkout.window_pages._of", breaks)
        answer = running.http.get(where.partition("/approve")[0] + page)
    assert answer.status_code == 200
    assert '<meta http-equiv="refresh" content="5">' in answer.text


# -- a property over every field that a page can send

TEXTS = st.text(st.characters(exclude_categories=[]), max_size=60)
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
JSONS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ADDRESSES = st.sampled_from([r[0] for r in RETURNS.values()]) | TEXTS.map("https://shop.test/{}".format) | TEXTS | JSONS
FREE = (
    "name", "buyer_name", "buyer_tel", "buyer_email", "buyer_addr", "buyer_postcode", "custom_data", "customer_id", "pay_method",
    "language", "vat_amount", "vat", "digital", "escrow", "period", "products", "popup", "bypass", "display", "card", "vbank_due",
    "biz_num", "company", "naverProducts", "kakaopayMobileAsPC", "app_scheme", "tax_free", "currency", "channelKey", "pg",
    "customer_uid", "unheard_of",
)  # fmt: skip


@st.composite
def calls(draw):
    """A call of the script: an order that could be paid, with a few of its fields as anything at all."""
    params = {"pg": "kakaopay", "amount": draw(st.sampled_from([1_000, "1000", 1000.0])), "name": "Monthly plan"}
    params["merchant_uid"] = f"any_{next(_numbers)}_" + draw(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
    )
    for name in draw(st.lists(st.sampled_from(FREE), max_size=4, unique=True)):
        params[name] = draw(WORDS | WORDS | JSONS)
    params["m_redirect_url"] = draw(ADDRESSES)
    params["notice_url"] = draw(st.just("https://hook.test.invalid/") | WORDS | ADDRESSES)
    page = draw(
        st.sampled_from([SHOP, {"origin": "null", "url": "about:blank"}, {}, None])
        | st.fixed_dictionaries({"origin": JSONS, "url": JSONS})
    )
    return {
        "user_code": "imp00000000", "nonce": "0123456789abcdef", "ios": draw(st.booleans()), "page": page, "params": params,
        **draw(st.sampled_from([{}, PHONE, {"device": "mobile", "presentation": "frame"}, {"presentation": "popup"}])),
    }  # fmt: skip


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(call=calls(), stops=st.booleans())
def test_whatever_a_page_sends_ends_in_a_window_with_a_way_back_or_in_a_refusal(running, call, stops):
    body = json.dumps(call).encode()
    answer = running.http.post(
        f"{running.gateway}/sdk/payments", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code in (200, 400), answer.text
    message = answer.json()
    event("window" if "next" in message else f"refused: {message['error_code']}")
    if "next" not in message:
        assert message["error_code"] not in ("SERVER_ERROR", "NETWORK_ERROR"), message
        return
    where = running.agree(message)
    end = running.http.get(where.partition("/approve")[0] + "/cancel" if stops else where)
    assert end.status_code in (200, 303), end.text
    assert running.http.get(where).status_code in (200, 303)  # the buyer goes back, or reloads
    state = running.state(message)
    assert state["state"] == "done"
    assert state["result"]["success"] is not stops, state
    if end.status_code == 303:
        assert end.headers["location"].isascii()
        assert f"imp_uid={message['imp_uid']}" in end.headers["location"]
