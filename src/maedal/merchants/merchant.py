"""A merchant and the secrets it shows at the door."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from maedal.merchants.addresses import AllowedAddress
from maedal.merchants.scope import Scope
from maedal.schedules.recovery import RecoveryRules

DEMO_CODE = "imp00000000"
DEMO_CODES = ("iamport",)
"""Other codes of the same merchant: what PortOne's old manual and its mobile samples give to `IMP.init`."""
DEMO_API_KEY = "imp_apikey"
# Public: PortOne's own documentation prints it (docs/wire/portone-v1-rest.md 6).
DEMO_API_SECRET = "ekKoeW8RyKuT0zgaZsUtXXTLQ4AhPFW3ZGseDA6bkA5lamv9OqDMnxyeB9wqOsuO9W3Mx9YSJ4dTqJ3f"  # noqa: S105
"""The pair that every old tutorial uses. Only `maedal dev` creates it, and `serve` refuses to start with it."""


class WebhookType(StrEnum):
    """How a webhook's body is written."""

    JSON = "json"
    FORM = "form"


class WebhookRetry(StrEnum):
    """How often a webhook is tried again that its receiver did not take (docs/wire/portone-v1-rest.md 5.4)."""

    NONE = "none"
    FEW = "few"  # up to 5 times a minute apart, when no answer came or it was 5xx
    PATIENT = "patient"  # 9 times over more than three days, at growing intervals


class PageNotices(StrEnum):
    """What becomes of the `notice_url` that a page names; what the merchant's server names always replaces."""

    IGNORE = "ignore"  # only the merchant's own address is told
    ADD = "add"  # both are
    REPLACE = "replace"  # only those that the page names, as PortOne does: a page can keep the merchant from hearing


class FieldSet(StrEnum):
    """Which keys the objects of answers have."""

    FULL = "full"  # every key of the newest documents
    YEAR_2021 = "2021"  # only those of 2021, for clients that refuse a key they do not know


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who sells. `code` is the public identification code (`imp` and 8 digits) and the merchant's key everywhere."""

    code: str
    name: str
    created_at: datetime
    webhook_url_live: str | None = None
    webhook_url_test: str | None = None
    webhook_type_live: WebhookType = WebhookType.JSON
    webhook_type_test: WebhookType = WebhookType.JSON
    webhook_retry: WebhookRetry = WebhookRetry.NONE
    field_set: FieldSet = FieldSet.FULL
    webhook_failures: bool = False
    """Whether failures of payments that nobody planned are told too; scheduled charges always tell theirs."""
    webhook_first: bool = False
    """Whether the browser learns how its payment ended only after the webhook of it was tried."""
    confirm_url_ignored: bool = False
    """Whether a `confirm_url` is read past; otherwise it has the last word before an approval."""
    page_notices: PageNotices = PageNotices.ADD
    """What becomes of the `notice_url` that a page names."""
    recovery: RecoveryRules = field(default_factory=dict, hash=False)
    """When scheduled charges that failed are tried again; with no rule for the reason, never."""
    sealed_webhook_secret: bytes | None = field(default=None, repr=False)
    sealed_old_webhook_secret: bytes | None = field(default=None, repr=False)
    """Signs beside the new one until the merchant's receivers know that."""
    allowed_addresses: tuple[AllowedAddress, ...] = field(default=(), hash=False)
    """From where the REST API may be called; from everywhere when there are none."""

    def webhook_url(self, *, test_mode: bool) -> str | None:
        """Return where results of this mode are told to, if anywhere."""
        return self.webhook_url_test if test_mode else self.webhook_url_live

    def webhook_type(self, *, test_mode: bool) -> WebhookType:
        """Return how results of this mode are written."""
        return self.webhook_type_test if test_mode else self.webhook_type_live

    def form_modes(self) -> tuple[str, ...]:
        """Return the modes, `test` and `live`, whose webhooks are forms.

        Signed, they are of little use to most: what checks a Standard Webhooks signature then reads the body as JSON.
        """
        kinds = {"test": self.webhook_type_test, "live": self.webhook_type_live}
        return tuple(mode for mode, kind in kinds.items() if kind is WebhookType.FORM)


def draw_code() -> str:
    """Return a random identification code; never one of the all-zero demo range."""
    return f"imp{secrets.randbelow(9 * 10**7) + 10**7:08d}"


def draw_webhook_secret() -> str:
    """Return a random secret of 256 bits, written as Standard Webhooks writes them."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def webhook_secret_context(code: str) -> tuple[str, ...]:
    """Return under what a merchant's webhook secrets are sealed, the new and the old one."""
    return (f"merchants.webhook_secret:{code}", code)


API_SECRET_PURPOSE = "api-secret"  # noqa: S105 - the name of a purpose


def api_secret_context(merchant_id: str, api_key: str) -> tuple[str, ...]:
    """Return what the hash of an API secret is bound to, the present and the old one's."""
    return (merchant_id, api_key)


def draw_api_key() -> str:
    """Return a random REST API key: 16 digits, as the original's are."""
    return f"{secrets.randbelow(9 * 10**15) + 10**15:016d}"


def draw_api_secret() -> str:
    """Return a random REST API secret of 80 characters, about 470 bits."""
    return secrets.token_urlsafe(60)


OVERLAP_MAX = timedelta(days=7)
"""So long at most an old API secret stays good beside the new one."""
KEY_NAME_CHARS_MAX = 60
API_KEYS_MAX = 20
"""So many API keys of a merchant may be good at the same time."""


@dataclass(frozen=True, slots=True)
class OldSecret:
    """The API secret before the present one, good until then; its token ends with it at the latest."""

    digest: bytes = field(repr=False)
    until: datetime
    token_issued_at: datetime | None = None
    token_expires_at: datetime | None = None
    token_digest: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A REST API key. Of its secret only a hash is kept, sealed for this merchant and key."""

    merchant_id: str
    api_key: str
    secret_digest: bytes
    created_at: datetime
    token_issued_at: datetime | None = None
    token_expires_at: datetime | None = None
    name: str = ""
    secret_changed_at: datetime | None = None
    """When the secret was drawn anew last; None for the first one."""
    last_used_at: datetime | None = None
    """When a call was made with the key, to the minute."""
    last_used_from: str | None = None
    old_secret: OldSecret | None = None
    token_digest: bytes | None = field(default=None, repr=False)
    scopes: frozenset[Scope] | None = None
    """What the key may be used for; everything when there is no list, as of a merchant's first key."""
    ended_at: datetime | None = None
    """When the key was ended; it and its tokens are good for nothing since then, and its secret is forgotten."""

    def living_old_secret(self, now: datetime) -> OldSecret | None:
        """Return the secret before the present one while it is still good."""
        return self.old_secret if self.old_secret is not None and now < self.old_secret.until else None
