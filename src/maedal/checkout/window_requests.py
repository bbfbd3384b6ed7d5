"""What the SDK sends: every `request_pay` parameter as its table says (docs/wire/portone-browser-sdk.md 1.6)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from maedal import web_address
from maedal.flows.open_window import WindowRequest
from maedal.payments.attempt import Method
from maedal.payments.errors import CurrencyMismatch, InvalidAmount, InvalidParameter
from maedal.payments.money import AMOUNT_MAX, Currency, Money, Price
from maedal.payments.payment import KeyUse, Order
from maedal.payments.window import Device, Shown
from maedal.rest.codes import CARDS
from maedal.rest.decoding import Fields
from maedal.rest.subscribe import (
    CUSTOMER_UID_MAX,
    MERCHANT_UID_MAX,
    NAME_MAX,
    URL_MAX,
    USER_AGENT_MAX,
    clean,
    read_buyer,
    read_custom_data,
)

DEFAULT_NAME = "주문"
CUSTOMER_ID_MAX = 100
NOTICE_URLS_MAX = 10
NOTICE_URL_MAX = 500
CUSTOM_DATA_MAX = 16_000
"""Anybody can have a page's fields kept, so they are smaller than those of a merchant's server. PortOne's documents
name no bound for them."""
RETURN_URL_MAX = 8_000
"""What the servers of shops take as a line of a request; encoded, a Korean letter has nine characters."""
_DIGITS = re.compile(r"[0-9]{1,12}")
_NONCE = re.compile(r"[0-9A-Za-z_-]{16,64}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S*")


def read_window_request(
    content: Mapping[str, Any], user_agent: str | None, seen_origin: str | None, *, buyer_address: str | None = None
) -> WindowRequest:
    """Return what the page asks for; `seen_origin` is what its browser says of it, if anything.

    Raises InvalidParameter, InvalidAmount or CurrencyMismatch, naming the field.
    """
    call = Fields(content)
    sent = content.get("params")
    if not isinstance(sent, dict):
        raise InvalidParameter("params", "params 파라메터가 누락되었습니다.")
    page = content.get("page")
    at = Fields(page if isinstance(page, dict) else {})
    nonce = call.text("nonce") or ""
    if _NONCE.fullmatch(nonce) is None:
        raise InvalidParameter("nonce", "nonce 파라메터가 올바르지 않습니다.")
    try:
        device = Device(call.text("device") or "pc")
        shown = Shown(call.text("presentation") or "frame")
    except ValueError as error:
        raise InvalidParameter("presentation", "device 또는 presentation 파라메터가 올바르지 않습니다.") from error
    sent = _without_nothing(sent)
    params = Fields(sent)
    claimed = at.text("origin", longest=300) or web_address.NO_ORIGIN
    page_url = at.text("url", longest=URL_MAX, cut=True) or ""
    bypass = _mapping(_mapping(sent.get("bypass")).get("kakaopay"))
    return WindowRequest(
        merchant_code=_code(content.get("user_code")),
        order=_order(params, sent, user_agent),
        channel_key=_trimmed(params, "channelKey", longest=100),
        pg=_trimmed(params, "pg", longest=100),
        device=device,
        shown=shown,
        nonce=nonce,
        page_origin=claimed if seen_origin is None or seen_origin == web_address.NO_ORIGIN else seen_origin,
        seen_origin=seen_origin,
        page_url=page_url,
        return_url=_return_url(params, page_url, shown),
        confirm_url=_trimmed(params, "confirm_url", longest=URL_MAX),
        customer_id=_filled(params, "customer_id", longest=CUSTOMER_ID_MAX),
        method=_method(bypass.get("payment_method_type")),
        card_codes=_card_codes(_mapping(sent.get("card")).get("detail")),
        quota_months=_quota(_mapping(sent.get("display")).get("card_quota")),
        return_scheme=_app_scheme(params) if content.get("ios") is True else None,
        message=Fields(bypass).text("custom_message", longest=200, cut=True),
        buyer_address=buyer_address,
    )


def merchant_uid_of(content: Any) -> str | None:
    """Return the merchant_uid of a request that may be wrong in every other way, for the refusal."""
    try:
        return Fields(content["params"]).text("merchant_uid")
    except (KeyError, TypeError, AttributeError, InvalidParameter):
        return None


def _code(value: Any) -> str:
    # Pages have been seen to pass an array (1.3).
    if isinstance(value, list) and value:
        value = value[0]
    return clean(_short(value)).strip()[:40]


def _without_nothing(sent: Mapping[str, Any]) -> Mapping[str, Any]:
    """Leave out what a page did not mean to give: `notice_url: wanted && address` is `false` when it is not wanted.

    `custom_data` is the shop's own, whatever it is.
    """
    return {name: value for name, value in sent.items() if value is not False or name == "custom_data"}


def _filled(params: Fields, name: str, *, longest: int) -> str | None:
    """Return a text as it was given, or None when there is nothing in it but blanks."""
    text = params.text(name, longest=longest)
    return text if text and text.strip() else None


def _trimmed(params: Fields, name: str, *, longest: int) -> str | None:
    """Return a text that has no use for blanks around it, or None."""
    text = params.text(name, longest=longest)
    return text.strip() or None if text else None


def _order(params: Fields, sent: Mapping[str, Any], user_agent: str | None) -> Order:
    merchant_uid = params.needed_text("merchant_uid", longest=MERCHANT_UID_MAX)
    amount = _amount(sent.get("amount"))
    tax_free = params.whole("tax_free") or 0
    if not 0 <= tax_free <= amount:
        raise InvalidParameter("tax_free", "tax_free 파라메터는 0 이상 amount 이하여야 합니다.")
    if (_trimmed(params, "currency", longest=100) or Currency.KRW).upper().removeprefix("CURRENCY_") != Currency.KRW:
        raise CurrencyMismatch("KakaoPay takes KRW only")
    # A blank one is none, here as in the REST API: what is issued can be charged.
    customer_uid = _filled(params, "customer_uid", longest=CUSTOMER_UID_MAX)
    if amount == 0 and customer_uid is None:
        raise InvalidAmount("amount 0 needs customer_uid")
    return Order(
        merchant_uid=merchant_uid,
        name=_name(params),
        price=Price(Money(amount), Money(tax_free)),
        buyer=read_buyer(params),
        customer_uid=customer_uid,
        key_use=None if customer_uid is None else KeyUse.ISSUE,
        custom_data=read_custom_data(sent.get("custom_data"), bytes_max=CUSTOM_DATA_MAX),
        notice_urls=_notice_urls(sent.get("notice_url")),
        user_agent=clean(user_agent)[:USER_AGENT_MAX] if user_agent else None,
        card_quota_months=_quota(_mapping(sent.get("display")).get("card_quota")),
        kept=_kept(sent),
    )


def _name(params: Fields) -> str:
    name = params.text("name", longest=NAME_MAX, cut=True)
    return name if name and name.strip() else DEFAULT_NAME


def _amount(value: Any) -> int:
    """Read an amount as it is found in the wild: a whole number, or its digits. No sign, fraction or exponent."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        value = int(value.strip())
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= AMOUNT_MAX:
        raise InvalidAmount("amount must be a whole number of won")
    return value


def _notice_urls(value: Any) -> tuple[str, ...]:
    urls = [url for url in (value if isinstance(value, list) else [value]) if url is not False]
    if len(urls) > NOTICE_URLS_MAX:
        raise InvalidParameter("notice_url", f"notice_url 파라메터는 {NOTICE_URLS_MAX}개를 넘을 수 없습니다.")
    read = (_trimmed(Fields({"notice_url": url}), "notice_url", longest=NOTICE_URL_MAX) for url in urls)
    return tuple(url for url in read if url)


def _return_url(params: Fields, page_url: str, shown: Shown) -> str | None:
    """Return where the browser goes in the end, as it will go there: relative to the page, encoded.

    At a desk it never goes, so there nothing is refused: pages give one and the same object to every device, also with
    an address that only their phones' pages could use, or with what the manual has in its place.
    """
    if shown is not Shown.REDIRECT:
        return None
    sent = _filled(params, "m_redirect_url", longest=RETURN_URL_MAX)
    if sent is None:
        return None
    url = web_address.destination(sent, page_url)
    if url is None:
        raise InvalidParameter("m_redirect_url", "m_redirect_url 파라메터는 이동할 수 있는 주소여야 합니다.")
    if len(url) > RETURN_URL_MAX:
        raise InvalidParameter("m_redirect_url", f"m_redirect_url 파라메터는 {RETURN_URL_MAX}자를 넘을 수 없습니다.")
    return url


def _method(value: Any) -> Method | None:
    return {"CARD": Method.CARD, "MONEY": Method.MONEY}.get(value) if isinstance(value, str) else None


def _quota(value: Any) -> int | None:
    """Return fixed instalment months: KakaoPay takes one value; `[]` means lump sum only."""
    if not isinstance(value, list):
        return None
    if not value:
        return 0
    try:
        months = Fields({"card_quota": value[0]}).whole("card_quota")
    except InvalidParameter:
        return None
    return months if len(value) == 1 and months is not None and 0 <= months <= 12 else None


def _card_codes(value: Any) -> tuple[str, ...] | None:
    """Return the allowed cards: `*` sets the rule, later entries the exceptions."""
    if not isinstance(value, list) or not value:
        return None
    allowed = dict.fromkeys(CARDS, True)
    for entry in value:
        if not isinstance(entry, dict):
            continue
        enabled = _is_on(entry.get("enabled"))
        code = _short(entry.get("card_code"))
        if code == "*":
            allowed = dict.fromkeys(CARDS, enabled)
        elif code in allowed:
            allowed[code] = enabled
    return None if all(allowed.values()) else tuple(code for code, enabled in allowed.items() if enabled)


def _app_scheme(params: Fields) -> str | None:
    scheme = _trimmed(params, "app_scheme", longest=200)
    if scheme is None:
        return None
    # `myapp`, `myapp:` and `myapp://` are one; a path of the app's own stays behind it.
    address = scheme if "://" in scheme else f"{scheme.removesuffix(':')}://"
    if _SCHEME.fullmatch(address) is None or web_address.destination(address) is None:
        raise InvalidParameter("app_scheme", "app_scheme 파라메터가 올바르지 않습니다.")
    return address


def _kept(sent: Mapping[str, Any]) -> str | None:
    kept: dict[str, Any] = {}
    if _is_on(sent.get("escrow")):
        kept["escrow"] = True
    period = _mapping(sent.get("period"))
    if period:
        kept["period"] = {name: clean(_short(period[name]))[:8] for name in ("from", "to") if name in period}
    return json.dumps(kept, ensure_ascii=False) if kept else None


def _is_on(value: Any) -> bool:
    return value is True or value == "true"


def _short(value: Any) -> str:
    """Return a text or a number as text; whatever else a page sends where one of these belongs is nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 10**100:
        return ""
    return str(value)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
