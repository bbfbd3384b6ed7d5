"""Ready: an order that the buyer has 15 minutes to authenticate (docs/wire/kakaopay.md, 5)."""

from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

import msgspec

from kakaopay_sandbox.amounts import Amount, default_vat, splits
from kakaopay_sandbox.call import Call
from kakaopay_sandbox.clock import wire_time
from kakaopay_sandbox.errors import BadParameter, OneTimeLimit, UnregisteredDomain, WrongAmounts, WrongTotal
from kakaopay_sandbox.ids import new_page, new_pg_token, new_tid
from kakaopay_sandbox.orders import LIFE_SECONDS, Status
from kakaopay_sandbox.sandbox import Sandbox
from kakaopay_sandbox.settings import CidKind, Settings

ONE_TIME_PATH = "one-time/payment"
FIRST_PAYMENT_PATH = "subscription/payment-issue"
ISSUE_PATH = "subscription/issue"
REDIRECT_KINDS = (ONE_TIME_PATH, FIRST_PAYMENT_PATH, ISSUE_PATH)


def redirect_kind(*, is_recurring: bool, total: int) -> str:
    """The words before the 64 hex digits in a redirect URL's path."""
    if not is_recurring:
        return ONE_TIME_PATH
    return FIRST_PAYMENT_PATH if total > 0 else ISSUE_PATH


def ready(sandbox: Sandbox, call: Call) -> dict[str, Any]:
    """Store an order and answer its `tid` and redirect URLs; nothing is charged."""
    fields = call.fields
    cid = call.merchant(sandbox.settings)
    is_recurring = cid.kind is CidKind.RECURRING
    amount = amount_of(fields)
    if amount.total == 0 and not is_recurring:
        raise WrongTotal("total amount must be more than 0 for this cid!")
    check_total(sandbox.settings, amount.total)
    if fields["quantity"] < 0 or (fields["quantity"] == 0 and amount.total > 0):
        raise BadParameter.invalid("quantity")
    _check_domains(sandbox.settings, call)

    tid, page = new_tid(), new_page()
    call.entry.tid = tid
    sandbox.orders.add(
        tid=tid,
        kind="first" if is_recurring else "one_time",
        page=page,
        pg_token=new_pg_token(),
        cid=cid.code,
        partner_order_id=fields["partner_order_id"],
        partner_user_id=fields["partner_user_id"],
        item_name=fields["item_name"],
        item_code=fields["item_code"],
        quantity=fields["quantity"],
        total=amount.total,
        tax_free=amount.tax_free,
        vat=amount.vat,
        green_deposit=amount.green_deposit,
        approval_url=fields["approval_url"],
        cancel_url=fields["cancel_url"],
        fail_url=fields["fail_url"],
        available_cards=_as_json(fields["available_cards"]),
        method_allowed=fields["payment_method_type"],
        install_allowed=fields["install_month"],
        share_installment=int(fields["use_share_installment"] == "Y"),
        return_custom_url=(fields["custom_json"] or {}).get("return_custom_url") or fields["redirect_scheme_url"],
        status=Status.READY,
        at=call.now,
        expires_at=call.now + LIFE_SECONDS,
    )
    call.entry.outcome = "ready"

    kind = redirect_kind(is_recurring=is_recurring, total=amount.total)
    bridge = f"{call.origin}/mockup/bridge/{{}}/pg/{kind}/{page}"
    scheme = f"kakaotalk://kakaopay/pg?url={call.origin}/pay/mockup/{page}"
    reply: dict[str, Any] = {"tid": tid}
    if call.is_legacy:
        # An undocumented extra that clients must ignore; seen in legacy replies.
        reply["tms_result"] = False
    return reply | {
        "next_redirect_app_url": bridge.format("mobile-app"),
        "next_redirect_mobile_url": bridge.format("mobile-web"),
        "next_redirect_pc_url": bridge.format("pc"),
        "android_app_scheme": scheme,
        "ios_app_scheme": scheme,
        "created_at": wire_time(call.now),
    }


def amount_of(fields: dict[str, Any]) -> Amount:
    """The amount that a ready or a charge names, VAT filled in. Raises WrongTotal, WrongAmounts."""
    total, tax_free = fields["total_amount"], fields["tax_free_amount"]
    if total < 0:
        raise WrongTotal
    vat = fields["vat_amount"]
    amount = Amount(
        total,
        tax_free,
        default_vat(total, tax_free) if vat is None else vat,
        fields.get("green_deposit") or 0,
    )
    if not splits(amount):
        raise WrongAmounts
    return amount


def check_total(settings: Settings, total: int) -> None:
    """Raise WrongTotal below the least amount of one payment (9), OneTimeLimit above the greatest."""
    if 0 < total < settings.least_amount:
        raise WrongTotal(f"total amount must be {settings.least_amount} or more!")
    if settings.one_time_limit is not None and total > settings.one_time_limit:
        raise OneTimeLimit


def _check_domains(settings: Settings, call: Call) -> None:
    """Compare scheme, host and port with what is registered (3.5); this machine counts for a dev key alone."""
    if settings.domains is None:
        return
    for name in ("approval_url", "cancel_url", "fail_url"):
        parts = urlsplit(call.fields[name])
        origin = f"{parts.scheme}://{parts.netloc}"
        is_own_machine = parts.hostname in {"localhost", "127.0.0.1"}
        if is_own_machine and not call.key.startswith("DEV"):
            raise UnregisteredDomain
        if not any(fnmatchcase(origin, pattern) for pattern in settings.domains):
            raise UnregisteredDomain


def _as_json(value: list[str] | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
