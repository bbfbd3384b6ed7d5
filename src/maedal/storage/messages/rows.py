"""Messages, receivers and servers of mail as rows."""

from __future__ import annotations

import json
from typing import Any

from maedal.messages.alert import Alert, AlertKind, Quiet, Receiver, When
from maedal.messages.mail_server import Encryption, MailServer
from maedal.messages.message import Message, MessageKind, MessageState, Way
from maedal.storage.engine.reading import moment, moment_not_null
from maedal.storage.engine.steps import Row, insert_once

MAIL_SERVER_COLUMNS = (
    "merchant_id", "host", "port", "encryption", "login", "sealed_password", "sender", "sender_name", "changed_at",
)  # fmt: skip
RECEIVER_COLUMNS = (
    "merchant_id", "id", "name", "way", "sealed_address", "shown", "sealed_secret", "rules", "quiet_begins",
    "quiet_ends", "digest_hour", "language", "added_at", "added_by", "version",
)  # fmt: skip
ALERT_COLUMNS = ("merchant_id", "receiver_id", "cause", "kind", "facts", "happened_at", "due_at")
MESSAGE_COLUMNS = (
    "merchant_id", "id", "cause", "kind", "way", "receiver_id", "subject", "state", "tries", "answer", "created_at",
    "due_at",
)  # fmt: skip
INSERT_ALERT = insert_once("alerts", ALERT_COLUMNS)
INSERT_MESSAGE = insert_once("messages", MESSAGE_COLUMNS)


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def mail_server_of(row: Row) -> MailServer:
    return MailServer(
        merchant_id=row["merchant_id"],
        host=row["host"],
        port=row["port"],
        encryption=Encryption(row["encryption"]),
        login=row["login"],
        sealed_password=_bytes(row["sealed_password"]),
        sender=row["sender"],
        sender_name=row["sender_name"],
        changed_at=moment_not_null(row["changed_at"]),
    )


def mail_server_values(s: MailServer) -> tuple[Any, ...]:
    return (
        s.merchant_id, s.host, s.port, s.encryption, s.login, s.sealed_password, s.sender, s.sender_name, s.changed_at,
    )  # fmt: skip


def receiver_of(row: Row) -> Receiver:
    quiet = None if row["quiet_begins"] is None else Quiet(row["quiet_begins"], row["quiet_ends"])
    # A kind that a newer version knows is none of this one's.
    rules = {AlertKind(k): When(v) for k, v in json.loads(row["rules"]).items() if k in set(AlertKind)}
    return Receiver(
        merchant_id=row["merchant_id"],
        id=row["id"],
        name=row["name"],
        way=Way(row["way"]),
        sealed_address=bytes(row["sealed_address"]),
        shown=row["shown"],
        sealed_secret=_bytes(row["sealed_secret"]),
        rules=rules,
        quiet=quiet,
        digest_hour=row["digest_hour"],
        language=row["language"],
        added_at=moment_not_null(row["added_at"]),
        added_by=row["added_by"],
        version=row["version"],
    )


def receiver_values(r: Receiver) -> tuple[Any, ...]:
    begins, ends = (None, None) if r.quiet is None else (r.quiet.begins, r.quiet.ends)
    return (
        r.merchant_id, r.id, r.name, r.way, r.sealed_address, r.shown, r.sealed_secret,
        json.dumps(dict(r.rules), sort_keys=True), begins, ends, r.digest_hour, r.language, r.added_at, r.added_by,
        r.version,
    )  # fmt: skip


def alert_of(row: Row) -> Alert:
    return Alert(
        merchant_id=row["merchant_id"],
        receiver_id=row["receiver_id"],
        cause=row["cause"],
        kind=AlertKind(row["kind"]),
        facts=json.loads(row["facts"]),
        happened_at=moment_not_null(row["happened_at"]),
        due_at=moment_not_null(row["due_at"]),
    )


def alert_values(a: Alert) -> tuple[Any, ...]:
    facts = json.dumps(dict(a.facts), ensure_ascii=False)
    return (a.merchant_id, a.receiver_id, a.cause, a.kind, facts, a.happened_at, a.due_at)


def message_of(row: Row) -> Message:
    return Message(
        merchant_id=row["merchant_id"],
        id=row["id"],
        cause=row["cause"],
        kind=MessageKind(row["kind"]),
        way=Way(row["way"]),
        receiver_id=row["receiver_id"],
        subject=row["subject"],
        created_at=moment_not_null(row["created_at"]),
        due_at=moment_not_null(row["due_at"]),
        state=MessageState(row["state"]),
        tries=row["tries"],
        answer=row["answer"],
        ended_at=moment(row["ended_at"]),
    )


def message_values(m: Message) -> tuple[Any, ...]:
    return (
        m.merchant_id, m.id, m.cause, m.kind, m.way, m.receiver_id, m.subject, m.state, m.tries, m.answer,
        m.created_at, m.due_at,
    )  # fmt: skip
