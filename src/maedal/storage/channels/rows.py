"""Channels and their pauses as rows."""

from __future__ import annotations

import json
from typing import Any

from maedal.merchants.channel import CardLimits, Channel, ChannelKind, ReplacedKeys, UnknownPg, WindowForm
from maedal.merchants.channel_pause import ChannelPause
from maedal.payments.attempt import Fault, Method
from maedal.storage.engine.reading import moment, moment_not_null
from maedal.storage.engine.steps import Row, insert

CHANNEL_COLUMNS = (
    "merchant_id", "id", "name", "pg_provider", "pg_merchant_id", "kind", "test_mode", "sealed_secret", "is_default",
    "allowed_origins", "unknown_pg", "replaced_keys", "created_at", "sealed_file_key", "file_bucket",
    "charges_per_month", "only_method", "only_cards", "only_months", "window_form", "waits_hours",
    "app_schemes", "prepared_only",
)  # fmt: skip
INSERT_CHANNEL = insert("channels", CHANNEL_COLUMNS)


def channel_of(row: Row) -> Channel:
    return Channel(
        id=row["id"],
        merchant_id=row["merchant_id"],
        name=row["name"],
        pg_provider=row["pg_provider"],
        pg_merchant_id=row["pg_merchant_id"],
        kind=ChannelKind(row["kind"]),
        test_mode=bool(row["test_mode"]),
        created_at=moment_not_null(row["created_at"]),
        sealed_secret=None if row["sealed_secret"] is None else bytes(row["sealed_secret"]),
        default=bool(row["is_default"]),
        allowed_origins=tuple(json.loads(row["allowed_origins"])),
        unknown_pg=UnknownPg(row["unknown_pg"]),
        replaced_keys=ReplacedKeys(row["replaced_keys"]),
        sealed_file_key=None if row["sealed_file_key"] is None else bytes(row["sealed_file_key"]),
        file_bucket=row["file_bucket"],
        charges_per_month=row["charges_per_month"],
        limits=CardLimits(
            None if row["only_method"] is None else Method(row["only_method"]),
            None if row["only_cards"] is None else tuple(json.loads(row["only_cards"])),
            row["only_months"],
        ),
        window_form=WindowForm(row["window_form"]),
        waits_hours=row["waits_hours"],
        app_schemes=tuple(json.loads(row["app_schemes"])),
        prepared_only=bool(row["prepared_only"]),
    )


def channel_values(c: Channel) -> tuple[Any, ...]:
    return (
        c.merchant_id, c.id, c.name, c.pg_provider, c.pg_merchant_id, c.kind, c.test_mode, c.sealed_secret, c.default,
        json.dumps(c.allowed_origins), c.unknown_pg, c.replaced_keys, c.created_at,
        c.sealed_file_key, c.file_bucket, c.charges_per_month, c.limits.method,
        None if c.limits.cards is None else json.dumps(c.limits.cards), c.limits.months, c.window_form,
        c.waits_hours, json.dumps(c.app_schemes), c.prepared_only,
    )  # fmt: skip


def pause_of(row: Row) -> ChannelPause:
    since, until = moment(row["since"]), moment(row["until"])
    assert since is not None, "the columns are never null"
    assert until is not None, "the columns are never null"
    return ChannelPause(row["merchant_id"], row["channel_id"], Fault(row["fault"]), row["reason"], since, until)
