"""Merchants, API keys and checks of the way to live mode as rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from maedal.merchants.addresses import AllowedAddress
from maedal.merchants.go_live import KeptCheck, Point, Readiness
from maedal.merchants.merchant import ApiKey, FieldSet, Merchant, OldSecret, PageNotices, WebhookRetry, WebhookType
from maedal.merchants.scope import Scope
from maedal.payments.attempt import DeclineReason
from maedal.schedules.recovery import PayDay, RecoveryRules, Wait
from maedal.storage.engine.reading import moment, moment_not_null
from maedal.storage.engine.steps import Row, insert

MERCHANT_COLUMNS = (
    "code", "name", "webhook_url_live", "webhook_url_test", "webhook_type", "webhook_retry", "webhook_failures",
    "webhook_first", "recovery_rules", "sealed_webhook_secret", "sealed_old_webhook_secret", "field_set", "created_at",
    "allowed_addresses", "webhook_type_test", "confirm_url_ignored", "page_notices",
)  # fmt: skip
API_KEY_COLUMNS = ("merchant_id", "api_key", "api_key_folded", "secret_digest", "created_at", "name", "scopes")
INSERT_MERCHANT = insert("merchants", MERCHANT_COLUMNS)
INSERT_API_KEY = insert("api_keys", API_KEY_COLUMNS)


def merchant_of(row: Row) -> Merchant:
    return Merchant(
        code=row["code"],
        name=row["name"],
        created_at=moment_not_null(row["created_at"]),
        webhook_url_live=row["webhook_url_live"],
        webhook_url_test=row["webhook_url_test"],
        # The older column is that of live payments; rows from before it was split have no other.
        webhook_type_live=WebhookType(row["webhook_type"]),
        webhook_type_test=WebhookType(row["webhook_type_test"] or row["webhook_type"]),
        webhook_retry=WebhookRetry(row["webhook_retry"]),
        field_set=FieldSet(row["field_set"]),
        webhook_failures=bool(row["webhook_failures"]),
        webhook_first=bool(row["webhook_first"]),
        confirm_url_ignored=bool(row["confirm_url_ignored"]),
        page_notices=PageNotices(row["page_notices"]),
        recovery=_recovery_of(row["recovery_rules"]),
        sealed_webhook_secret=None if row["sealed_webhook_secret"] is None else bytes(row["sealed_webhook_secret"]),
        sealed_old_webhook_secret=(
            None if row["sealed_old_webhook_secret"] is None else bytes(row["sealed_old_webhook_secret"])
        ),
        allowed_addresses=_addresses_of(row["allowed_addresses"]),
    )


def merchant_values(m: Merchant) -> tuple[Any, ...]:
    return (
        m.code, m.name, m.webhook_url_live, m.webhook_url_test, m.webhook_type_live, m.webhook_retry,
        m.webhook_failures, m.webhook_first, recovery_value(m.recovery), m.sealed_webhook_secret,
        m.sealed_old_webhook_secret, m.field_set, m.created_at, addresses_value(m.allowed_addresses),
        m.webhook_type_test, m.confirm_url_ignored, m.page_notices,
    )  # fmt: skip


def recovery_value(rules: RecoveryRules) -> str:
    """Return rules as text, the same for the same rules: seconds to wait, or a day such as `@25`, by reason."""
    return json.dumps({r.value: [wait_value(w) for w in rules[r]] for r in sorted(rules) if rules[r]})


def wait_value(wait: Wait) -> int | str:
    """Return a wait as rules keep it, and as files of an export have it."""
    return f"@{wait.day}" if isinstance(wait, PayDay) else int(wait.total_seconds())


def wait_of(value: int | str) -> Wait:
    """Return a wait that `wait_value` gave."""
    return PayDay(int(value[1:])) if isinstance(value, str) else timedelta(seconds=value)


def addresses_value(addresses: Sequence[AllowedAddress]) -> str:
    """Return allowed addresses as text, the same for the same list."""
    return json.dumps([(a.network, a.memo, a.added_at.isoformat(), a.added_by) for a in addresses], ensure_ascii=False)


def _addresses_of(text: str) -> tuple[AllowedAddress, ...]:
    return tuple(
        AllowedAddress(network, memo, datetime.fromisoformat(at), by) for network, memo, at, by in json.loads(text)
    )


def _recovery_of(text: str) -> RecoveryRules:
    return {DeclineReason(reason): tuple(map(wait_of, waits)) for reason, waits in json.loads(text).items()}


def api_key_of(row: Row) -> ApiKey:
    return ApiKey(
        merchant_id=row["merchant_id"],
        api_key=row["api_key"],
        secret_digest=bytes(row["secret_digest"]),
        created_at=moment_not_null(row["created_at"]),
        token_issued_at=moment(row["token_issued_at"]),
        token_expires_at=moment(row["token_expires_at"]),
        name=row["name"],
        secret_changed_at=moment(row["secret_changed_at"]),
        last_used_at=moment(row["last_used_at"]),
        last_used_from=row["last_used_from"],
        old_secret=None
        if row["old_secret_digest"] is None
        else OldSecret(
            bytes(row["old_secret_digest"]),
            moment_not_null(row["old_secret_until"]),
            moment(row["old_token_issued_at"]),
            moment(row["old_token_expires_at"]),
            _bytes(row["old_token_digest"]),
        ),
        token_digest=_bytes(row["token_digest"]),
        scopes=scopes_of(row["scopes"]),
        ended_at=moment(row["ended_at"]),
    )


def scopes_of(text: str | None) -> frozenset[Scope] | None:
    """Return scopes as they are kept; one that only a later version knows is left out."""
    return None if text is None else frozenset(Scope(name) for name in text.split() if name in set(Scope))


def scopes_value(scopes: frozenset[Scope] | None) -> str | None:
    """Return scopes as text, the same for the same ones; nothing for a key that has no list."""
    return None if scopes is None else " ".join(sorted(scopes))


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def api_key_values(k: ApiKey) -> tuple[Any, ...]:
    return (
        k.merchant_id, k.api_key, k.api_key.casefold(), k.secret_digest, k.created_at, k.name, scopes_value(k.scopes),
    )  # fmt: skip


def kept_check_of(row: Row) -> KeptCheck:
    checked_at = moment(row["checked_at"])
    assert checked_at is not None, "the column is NOT NULL"
    return KeptCheck(row["merchant_id"], Point(row["point"]), Readiness(row["standing"]), row["evidence"], checked_at)
