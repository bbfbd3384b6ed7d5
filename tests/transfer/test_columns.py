"""Every table and column moves with a merchant, or is named here with why it stays: a new one must be decided about."""

from __future__ import annotations

import json
from dataclasses import replace

import pyrage
import pytest

from maedal.app import open_gateway
from maedal.billing_keys.billing_key import secret_context
from maedal.storage.transfer.units import MOVED, STAGED_BESIDE
from maedal.transfer.exporting import export_merchant
from maedal.transfer.importing import import_file
from tests.transfer.conftest import QUIET
from tests.transfer.files import API_KEY, CODE, SECRET, START, a_cancelled, a_file, a_key, a_payment, a_schedule

OWNED = {"merchants": "code", "api_keys": "api_key", "channels": "id", "billing_keys": "id", "payments": "imp_uid",
         "cancellations": "id", "schedules": "merchant_uid", "prepared_amounts": "merchant_uid"}  # fmt: skip
"""Tables that a file speaks of, with the column that names a row of a merchant's."""

OTHERS = {
    "attempts": "calls to the PG; what they proved is in the payment, a confirmed cancel gets one as imported",
    "key_endings": "made anew by the import for each key that is still to be ended at the PG",
    "payment_events": "how a payment came to its state; an imported one has a single event that says so",
    "windows": "only what is over moves, so no window is open",
    "webhook_addresses": "signed with secrets that stay here; they are added anew, and receivers given the new ones",
    "webhook_deliveries": "the log of what was told stays with the gateway that told it",
    "webhook_tries": "likewise",
    "mail_servers": "through which server and to whom this gateway tells things; set anew where the merchant goes",
    "alert_receivers": "likewise",
    "alerts": "what this gateway has told the team",
    "messages": "likewise",
    "dunning_rules": "likewise set anew: who moves must not tell buyers twice, from two gateways",
    "unpaid": "links belong to the address of this gateway",
    "audit_log": "of acts in this gateway",
    "user_log": "likewise",
    "log_blocks": "the chain over the logs of this gateway; the new one has logs, and a chain, of its own",
    "log_rows_to_chain": "likewise",
    "logs_to_walk": "likewise",
    "plans": "made anew at the new gateway, so that two never charge for one; what they have scheduled moves",
    "plan_occurrences": "likewise",
    "plan_consents": "likewise",
    "merchant_holidays": "likewise",
    "findings": "what the PG's files said stays where they were read",
    "settlement_rows": "likewise",
    "settlement_days": "likewise",
    "request_log": "of calls to this gateway",
    "request_counts": "of requests to this gateway, for some minutes",
    "idempotent_requests": "answers under a key are of the gateway that gave them",
    "figures": "counted anew from what moves",
    "figures_counted": "likewise",
    "month_figures": "likewise",
    "months_counted": "likewise",
    "pg_pauses": "a PG's maintenance is announced to everybody",
    "schedule_pace": "of the workers here",
    "channel_pauses": "whether a channel works is found out anew by the gateway that calls through it",
    "users": "people of this gateway, not of a merchant",
    "sign_in_places": "likewise",
    "passkeys": "likewise: keys belong to an address, and users to an installation",
    "passkey_challenges": "likewise",
    "second_step_roles": "likewise",
    "invites": "likewise",
    "sessions": "likewise",
    "recovery_codes": "likewise",
    "sign_in_tries": "likewise",
    "import_files": "an import under way",
    "payment_texts": "made anew from the payments that move, to be searched",
    "payments_to_text": "likewise",
    "search_terms": "likewise",
    "notes": "what people of this gateway wrote for each other",
    "tags": "likewise",
    "payment_columns": "how a user of this gateway looks at lists",
    "payment_views": "likewise",
    "database_servers": "which servers this database has been on",
    "unseen_approvals": "what a failover of this database lost is entered here, before anything moves",
    "exports": "files that users of this gateway made",
    "vault_keys": "which keys seal this database; another has its own",
    "vault_nodes": "likewise",
    "live_checks": "what was found of this gateway",
    "alembic_version": "the schema's own",
}
STAYS = {
    ("payments", "put_off"): "what was put off is left out; its scheduled charge moves",
    ("schedules", "waits_channel"): "whether a channel works is found out anew",
    ("merchants", "sealed_webhook_secret"): "a secret; the new gateway makes its own",
    ("merchants", "sealed_old_webhook_secret"): "likewise",
    ("api_keys", "secret_digest"): "keyed by the key file; of the secret itself nothing is kept",
    ("api_keys", "token_issued_at"): "a token lives 30 minutes and is of this gateway",
    ("api_keys", "token_expires_at"): "likewise",
    ("api_keys", "token_digest"): "likewise",
    ("api_keys", "ended_at"): "a key that has ended stays behind; it opens nothing",
    ("api_keys", "secret_changed_at"): "the import draws or is given a secret, the first one here",
    ("api_keys", "last_used_at"): "of calls to this gateway",
    ("api_keys", "last_used_from"): "likewise",
    **{
        ("api_keys", f"old_{column}"): "only the present secret is of any use elsewhere"
        for column in ("secret_digest", "secret_until", "token_issued_at", "token_expires_at", "token_digest")
    },
    ("channels", "sealed_secret"): "the PG's secret is given to the new gateway by a person",
    ("channels", "sealed_file_key"): "likewise",
    ("billing_keys", "sealed_pg_key"): "moves sealed to a public key and is sealed anew",
    ("payments", "version"): "counts the moves in this gateway; an imported payment has made one",
    ("payments", "undo_at"): "an export refuses while money is being given back for a lost key",
    ("cancellations", "tell"): "whether to tell was decided when it was done",
    ("cancellations", "marked"): "whether it was sent with a mark matters only while it is not known to be done",
    ("schedules", "lease_id"): "whose worker has claimed it here",
    ("schedules", "leased_until"): "likewise",
    ("schedules", "try_lease_id"): "likewise",
    ("schedules", "try_leased_until"): "likewise",
    ("schedules", "waits_until"): "likewise; whoever takes them up decides anew whether a PG is closed",
    ("prepared_amounts", "updated_at"): "only says when it was written here",
}
TABLES_OF = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    "postgresql": "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
}
COLUMNS_OF = {
    "sqlite": "SELECT name, type FROM pragma_table_info($1)",
    "postgresql": "SELECT column_name AS name, data_type AS type FROM information_schema.columns WHERE table_name = $1",
}
FUTURE = "2099-01-01T00:00:00.123456+00:00"
PAST = "2023-11-14T22:13:20.123456+00:00"

WRITTEN_LATER = {"payments": {"undo_at", "put_off"}, "schedules": {"by_claim", "waits_channel"}}
"""Columns that no file has: what they say is over by the time a merchant moves, or begins anew."""


async def columns(store, table):
    rows = await store.engine.fetch(COLUMNS_OF[store.engine.name], table)
    return {row["name"]: row["type"] for row in rows}


async def test_every_table_is_moved_or_named(gateway):
    rows = await gateway.store.engine.fetch(TABLES_OF[gateway.store.engine.name])
    staging = {f"import_{table}" for table in MOVED}
    assert {row["name"] for row in rows} == {*OWNED, *OTHERS, *staging}
    assert set(MOVED) <= set(OWNED)


@pytest.mark.parametrize("table", MOVED)
async def test_a_staging_table_has_every_column_that_moves_and_of_the_same_kind(gateway, table):
    real, staging = await columns(gateway.store, table), await columns(gateway.store, f"import_{table}")
    # The rest of what stays is written with the row, as any new one has it.
    assert set(real) - set(MOVED[table]) == WRITTEN_LATER.get(table, set())
    assert set(staging) >= {"file_digest", "position", *MOVED[table], *STAGED_BESIDE.get(table, ())}
    kinds = {column: (real[column], staging[column]) for column in MOVED[table]}
    assert gateway.store.engine.name == "sqlite" or all(one == other for one, other in kinds.values()), kinds


def rich_file():
    """Return a file that fills in every column that moves."""
    merchant = a_file()["merchants"][0] | {
        "webhook_url_live": "https://shop.example/live", "webhook_url_test": "https://shop.example/test",
        "webhook_type_live": "json", "webhook_type_test": "form", "webhook_retry": "few", "webhook_failures": True, "webhook_first": True,
        "confirm_url_ignored": True, "page_notices": "replace",
        "field_set": "2021", "recovery": {"balance": [86_400]}, "created_at": PAST,
        "allowed_addresses": [{"network": "203.0.113.0/24", "memo": "orders", "added_at": PAST, "added_by": "minji"}],
    }  # fmt: skip
    merchant["api_keys"] = [
        {"api_key": API_KEY, "api_secret": SECRET, "name": "orders", "scopes": ["payments.read"], "created_at": PAST}
    ]
    channel = a_file()["channels"][0] | {
        "channel_name": "A channel", "default": True, "allowed_origins": ["https://shop.example"],
        "unknown_pg": "default", "replaced_keys": "keep", "bucket_id": "B1", "file_key": "f", "created_at": PAST,
        "charges_per_month": 20, "waits_hours": 5, "app_schemes": ["myapp"], "prepared_only": True,
        "method": "card", "cards": ["361", "381"], "window": "popup",
    }  # fmt: skip
    other = {
        "channel_key": "channel-key-other",
        "pg_id": "TC0ONETIME",
        "kind": "one_time",
        "sandbox": True,
        "months": 3,
    }
    buyer = {f"buyer_{name}": f"b {name}" for name in ("name", "email", "tel", "addr", "postcode")}
    card = {"issuer_name": "신한", "issuer_code": "SHINHAN", "approval_number": "123", "quota_months": 3,
            "check_card": True}  # fmt: skip
    key = a_key(
        customer_id="buyer 1",
        **{f"customer_{name}": f"c {name}" for name in ("name", "email", "tel", "addr", "postcode")},
        maedal={"id": "key_1", "card": card, "last_approved_at": PAST, "last_approval_seen_at": PAST,
                "last_approval_in_reply": True,
                "ended_at": PAST, "ended_by": "deleted", "gone_at": PAST, "inserted_at": PAST, "updated_at": PAST},
    )  # fmt: skip
    order = {"tax_free": 900, "quantity": 2, "notice_urls": ["https://shop.example/n"]}
    exact = order | {
        "billing_key_id": "key_1",
        "card_quota_asked": 3,
        "kept": '{"a": 1}',
        "card": card,
        "updated_at": PAST,
    }
    paid = a_payment(
        0, **buyer, custom_data="x", user_agent="ua", receipt_url="https://receipt.example", maedal=exact
    )  # fmt: skip
    failed = a_payment(
        2, status="failed", paid_at=0, failed_at=START, fail_reason="no money", maedal={"fail_code": "-782"}
    )
    cancelled = a_cancelled(
        1, cancel_reason="rest", maedal={"tax_free": 900, "cancels": [
            {"tax_free": 100, "begun_at": PAST, "done_at": PAST},
            {"tax_free": 800, "begun_at": PAST, "done_at": PAST, "pg_aid": "A1", "at_pg": True, "kind": "other"}]}
    )  # fmt: skip
    hold = {"at": PAST, "who": "Kim", "reason": "asked for"}
    again = {"next_try_at": FUTURE, "next_try_reason": "balance", "tries": 2}
    executed = {"schedule_status": "executed", "executed_at": START, "imp_uid": failed["imp_uid"]}
    revoked = {"schedule_status": "revoked", "revoked_at": START}
    return a_file(
        merchants=[merchant],
        channels=[channel, other],
        billing_keys=[key],
        payments=[paid, cancelled, failed],
        schedules=[
            a_schedule("s_1", **buyer, custom_data="x", maedal=order | {"inserted_at": PAST, "hold": hold}),
            a_schedule("s_2", **executed, maedal=again),
            a_schedule("s_3", **revoked),
        ],
        prepared=[{"merchant_uid": "soon", "amount": 5_000, "currency": "KRW", "customer_uid": "c_1"}],
    )


async def held(store):
    """Return every row of the tables that move, column by column, but for what stays."""
    found = {}
    for table, name in OWNED.items():
        stays = {column for of, column in STAYS if of == table}
        rows = await store.engine.fetch(f"SELECT * FROM {table} ORDER BY {name}")
        found[table] = [{key: value for key, value in dict(row).items() if key not in stays} for row in rows]
    return found


@pytest.fixture
def empty(settings, all_databases):
    """The settings of another gateway of the same kind, with an empty database."""
    engine = "sqlite" if settings.database_url.startswith("sqlite") else "postgresql"
    return replace(settings, database_url=all_databases.url(engine))


async def test_every_column_is_in_the_file_and_comes_back(gateway, empty, import_it, tmp_path):
    await import_it(rich_file())
    identity = pyrage.x25519.Identity.generate()
    path = tmp_path / "out.json"
    await export_merchant(gateway.services, CODE, path, identity.to_public(), lambda _: None)
    before = await held(gateway.store)
    unfilled = {
        (table, column)
        for table, rows in before.items()
        for column in rows[0]
        if all(row[column] in {None, 0, "", "{}", "[]"} for row in rows)
    }
    assert unfilled == set(), "fill these in, or the comparison proves nothing of them"

    async with open_gateway(empty) as new:
        await import_file(new.services, path, identities=[identity], progress=QUIET)
        after = await held(new.store)
        [key] = await new.store.billing_keys.after(CODE, "", 2)
        assert new.services.vault.open(key.sealed_pg_key, *secret_context(key)) == "S1234567890"
    assert after == before
    assert json.loads(path.read_text())["merchants"][0]["code"] == CODE


async def test_what_is_named_as_staying_exists(gateway):
    for table, column in STAYS:
        assert column in await columns(gateway.store, table), (table, column)
