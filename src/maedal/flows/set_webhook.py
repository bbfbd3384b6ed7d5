"""Say where and how a merchant is told of its payments."""

from __future__ import annotations

from typing import Protocol

from maedal.flows.merchant_entry import audit_entry_of
from maedal.flows.services import ServicesWith
from maedal.merchants.audit_entry import MAEDAL, AuditAction, what_differs
from maedal.merchants.errors import MerchantNotFound
from maedal.merchants.merchant import Merchant, PageNotices, WebhookRetry, WebhookType
from maedal.payments.errors import InvalidParameter
from maedal.storage.merchants.reads import HasMerchants
from maedal.storage.merchants.writes import SetWebhook
from maedal.storage.write import Writes


class SetWebhookStore(HasMerchants, Writes, Protocol): ...


async def set_webhook(
    services: ServicesWith[SetWebhookStore],
    code: str,
    *,
    live: str | None,
    test: str | None,
    body: str | None,
    type_live: str | None = None,
    type_test: str | None = None,
    retry: str | None = None,
    failures: bool | None = None,
    first: bool | None = None,
    confirm: bool | None = None,
    page_notices: str | None = None,
    who: str = MAEDAL,
) -> Merchant:
    """Change where and how a merchant is told; None leaves a part as it is, "" removes an address.

    `body` is how webhooks of both modes are written, but for a mode that has a type of its own here. Raises
    MerchantNotFound or InvalidParameter; then nothing is changed.
    """
    type_live, type_test = (body if kind is None else kind for kind in (type_live, type_test))
    for name, kind in (("type", body), ("type_live", type_live), ("type_test", type_test)):
        if kind is not None and kind not in set(WebhookType):
            raise InvalidParameter(name, f"the type must be one of {', '.join(WebhookType)}")
    if retry is not None and retry not in set(WebhookRetry):
        raise InvalidParameter("retry", f"retry must be one of {', '.join(WebhookRetry)}")
    if page_notices is not None and page_notices not in set(PageNotices):
        raise InvalidParameter("page_notices", f"page_notices must be one of {', '.join(PageNotices)}")
    # An address that was copied often ends with a blank.
    live, test = (url if url is None else url.strip() for url in (live, test))
    for name, url in (("live", live), ("test", test)):
        if url and not url.startswith(("http://", "https://")):
            raise InvalidParameter(name, f"the {name} address must start with http:// or https://")
    before = await services.store.merchants.find(code)
    if before is None:
        raise MerchantNotFound(f"no merchant has the identification code {code}")
    asked = {
        "live": live, "test": test, "type_live": type_live, "type_test": type_test, "retry": retry,
        "failures": failures, "first": first, "confirm": confirm, "page_notices": page_notices,
    }  # fmt: skip
    kept = {name: fact for name, fact in _webhook_facts(before).items() if asked[name] is not None}
    facts = what_differs(kept, {name: _fact(value) for name, value in asked.items() if value is not None})
    settings = SetWebhook(
        code,
        url_live=live,
        url_test=test,
        type_live=None if type_live is None else WebhookType(type_live),
        type_test=None if type_test is None else WebhookType(type_test),
        retry=None if retry is None else WebhookRetry(retry),
        failures=failures,
        first=first,
        confirm=confirm,
        page_notices=None if page_notices is None else PageNotices(page_notices),
        audit_entry=audit_entry_of(services, code, AuditAction.CHANGE_WEBHOOK, code, who, facts)
        if any(facts)
        else None,
    )
    changed = await services.store.write(settings)
    if changed is None:
        raise MerchantNotFound(f"no merchant has the identification code {code}")
    return changed


def _webhook_facts(merchant: Merchant) -> dict[str, str]:
    return {
        "live": _fact(merchant.webhook_url_live),
        "test": _fact(merchant.webhook_url_test),
        "type_live": _fact(merchant.webhook_type_live),
        "type_test": _fact(merchant.webhook_type_test),
        "retry": _fact(merchant.webhook_retry),
        "failures": _fact(merchant.webhook_failures),
        "first": _fact(merchant.webhook_first),
        "confirm": _fact(not merchant.confirm_url_ignored),
        "page_notices": _fact(merchant.page_notices),
    }


def _fact(value: str | bool | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not value:
        return "none"
    # What follows the path of an address may be a token, and the log is for more eyes than the receiver's.
    return value.partition("?")[0] + ("?…" if "?" in value else "")
