"""What is written about merchants, their API keys and their settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from maedal.merchants.addresses import AllowedAddress
from maedal.merchants.audit_entry import AuditEntry
from maedal.merchants.go_live import KeptCheck
from maedal.merchants.merchant import ApiKey, FieldSet, Merchant, PageNotices, WebhookRetry, WebhookType
from maedal.merchants.scope import Scope
from maedal.merchants.token import TokenLife
from maedal.schedules.recovery import RecoveryRules
from maedal.storage.write import Write


@dataclass(frozen=True, slots=True)
class AddMerchant(Write[None]):
    """Keep a new merchant with its first API key."""

    merchant: Merchant
    api_key: ApiKey
    audit_entry: AuditEntry | None = None


@dataclass(frozen=True, slots=True)
class AddApiKey(Write[None]):
    """Keep another API key of a merchant. Refused (Conflict) when the key is taken, or so many are good already."""

    api_key: ApiKey
    count_max: int
    audit_entry: AuditEntry

    @property
    def lock_order(self) -> tuple[str, str]:
        return (self.api_key.merchant_id, "")


@dataclass(frozen=True, slots=True)
class EndApiKey(Write[bool]):
    """End an API key with its tokens, and forget its secrets; gives False when it had ended or is the last good one."""

    merchant_id: str
    api_key: str
    at: datetime
    audit_entry: AuditEntry


@dataclass(frozen=True, slots=True)
class SetScopes(Write[bool]):
    """Change what an API key may be used for; gives False when that is no longer `before`, or the key has ended."""

    merchant_id: str
    api_key: str
    before: frozenset[Scope] | None
    after: frozenset[Scope] | None
    audit_entry: AuditEntry


@dataclass(frozen=True, slots=True)
class RenewApiSecret(Write[None]):
    """Let another secret open an API key. Refused (Conflict) unless `before`.

    The old secret and its token are void, or good until `old_until`; a secret that was old already is void.
    """

    merchant_id: str
    api_key: str
    before: bytes = field(repr=False)
    after: bytes = field(repr=False)
    at: datetime
    audit_entry: AuditEntry
    old_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class EndOldSecret(Write[bool]):
    """End the old secret of an API key, and its token; gives False when it was another one or none."""

    merchant_id: str
    api_key: str
    digest: bytes = field(repr=False)
    audit_entry: AuditEntry


@dataclass(frozen=True, slots=True)
class NameApiKey(Write[None]):
    """Call an API key by another name."""

    merchant_id: str
    api_key: str
    name: str
    audit_entry: AuditEntry | None


@dataclass(frozen=True, slots=True)
class SeeApiKey(Write[None]):
    """Keep that a call was made with an API key, unless that was kept after `unless_after`."""

    merchant_id: str
    api_key: str
    at: datetime
    unless_after: datetime
    address: str | None


@dataclass(frozen=True, slots=True)
class SetToken(Write[bool]):
    """Keep the life of an API key's token, unless it, or the secret it is given for, has changed since `before`."""

    merchant_id: str
    api_key: str
    before: TokenLife | None
    life: TokenLife
    token_digest: bytes
    secret_digest: bytes = field(repr=False)
    of_old_secret: bool = False


@dataclass(frozen=True, slots=True)
class SetWebhook(Write[Merchant | None]):
    """Change where and how a merchant is told: what is not None, and nothing else; an address of "" is taken away.

    Gives the merchant as it stands then, or None when there is none.
    """

    merchant_id: str
    url_live: str | None = None
    url_test: str | None = None
    type_live: WebhookType | None = None
    type_test: WebhookType | None = None
    retry: WebhookRetry | None = None
    failures: bool | None = None
    first: bool | None = None
    confirm: bool | None = None
    page_notices: PageNotices | None = None
    audit_entry: AuditEntry | None = None


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """What a merchant's webhooks are signed with, sealed: the secret, and the one before while it signs beside it."""

    sealed: bytes | None = field(repr=False)
    sealed_old: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class SetWebhookSecrets(Write[None]):
    """Change what webhooks are signed with. Refused (Conflict) when that is no longer `before`."""

    merchant_id: str
    before: WebhookSecrets
    after: WebhookSecrets
    audit_entry: AuditEntry | None = None


@dataclass(frozen=True, slots=True)
class SetFieldSet(Write[None]):
    """Change which keys the objects of a merchant's answers have."""

    merchant_id: str
    field_set: FieldSet
    audit_entry: AuditEntry | None = None


@dataclass(frozen=True, slots=True)
class SetRecovery(Write[Merchant | None]):
    """Change when a merchant's failed charges are tried again; gives None when the rules are no longer `before`."""

    merchant_id: str
    before: RecoveryRules = field(hash=False)
    after: RecoveryRules = field(hash=False)
    audit_entry: AuditEntry | None = None


@dataclass(frozen=True, slots=True)
class SetAllowedAddresses(Write[bool]):
    """Change from where a merchant's API may be called; gives False when the list is no longer `before`."""

    merchant_id: str
    before: tuple[AllowedAddress, ...]
    after: tuple[AllowedAddress, ...]
    audit_entry: AuditEntry


@dataclass(frozen=True, slots=True)
class KeepChecks(Write[None]):
    """Keep what was found on the way to live mode, in the place of what was found before."""

    checks: tuple[KeptCheck, ...]
    audit_entry: AuditEntry | None = None
