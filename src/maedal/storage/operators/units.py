"""Operators of the console, their sessions, and their tries to sign in."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from typing import Any

from maedal.operators.role import Role
from maedal.operators.tries import Tries
from maedal.storage.audit.rows import INSERT_OPERATOR_ENTRY, operator_entry_values
from maedal.storage.engine.reading import moment_not_null
from maedal.storage.engine.steps import Rows, Run, insert, unit
from maedal.storage.errors import Conflict
from maedal.storage.operators.passkey_units import SWEEP_CHALLENGES, put_passkeys
from maedal.storage.operators.rows import INSERT_OPERATOR, codes_text, invite_values
from maedal.storage.operators.writes import (
    AddOperator,
    BeginSession,
    CountTry,
    DemandSecondStep,
    Ends,
    EndSessions,
    ForgiveTries,
    PutOperator,
    SeeSession,
    SweepSignIns,
    TakeRecoveryCode,
    TakeStep,
)

INSERT_RECOVERY_CODE = insert("recovery_codes", ("user_id", "digest"))
UPDATE_OPERATOR = """
UPDATE users SET role = $3, password_hash = $4, sealed_totp_secret = $5, disabled_at = $6, password_drawn = $7,
       merchant_codes = $8, totp_step = coalesce(CAST($9 AS BIGINT), totp_step), row_seal = $10, passkey_ids = $11,
       second_step_required = $12, rights_seal = $13, version = version + 1
 WHERE id = $1 AND version = $2
RETURNING CAST($14 AS INTEGER) AS item
"""
# Read with a lock: of two who give up the office of owner at once, the second sees that it is the last.
OWNERS = """
SELECT CAST($2 AS INTEGER) AS item, id FROM users WHERE role = $1 AND disabled_at IS NULL {for_share}
"""
PUT_INVITE = """
INSERT INTO invites (user_id, digest, expires_at, row_seal) VALUES ($1, $2, $3, $4)
ON CONFLICT (user_id) DO UPDATE SET digest = $2, expires_at = $3, row_seal = $4
"""
USE_INVITE = "DELETE FROM invites WHERE user_id = $1 AND digest = $2 RETURNING CAST($3 AS INTEGER) AS item"
SWEEP_INVITES = """
DELETE FROM invites WHERE user_id IN (SELECT user_id FROM invites WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)
"""
FORGET_ROLES = "DELETE FROM second_step_roles"
REQUIRE = """
UPDATE users SET second_step_required = $3, rights_seal = $4, version = version + 1 WHERE id = $1 AND version = $2
RETURNING CAST($5 AS INTEGER) AS item
"""
INSERT_ROLE = insert("second_step_roles", ("role",))
FORGET_RECOVERY_CODES = "DELETE FROM recovery_codes WHERE user_id = $1"
END_ALL = "DELETE FROM sessions WHERE user_id = $1 RETURNING CAST($2 AS INTEGER) AS item"
END_ONE = "DELETE FROM sessions WHERE user_id = $1 AND id = $2 RETURNING CAST($3 AS INTEGER) AS item"
END_OTHERS = "DELETE FROM sessions WHERE user_id = $1 AND id <> $2 RETURNING CAST($3 AS INTEGER) AS item"
# Takes the row's lock, whether it is new or not, and changes nothing yet.
READ_TRIES = """
INSERT INTO sign_in_tries (subject, failures, last_at) VALUES ($1, 0, $2)
ON CONFLICT (subject) DO UPDATE SET failures = sign_in_tries.failures
RETURNING CAST($3 AS INTEGER) AS item, failures, last_at
"""
KEEP_TRIES = "UPDATE sign_in_tries SET failures = $2, last_at = $3 WHERE subject = $1"
FORGET_TRIES = "DELETE FROM sign_in_tries WHERE subject = $1"
TAKE_BACK_TRIES = """
UPDATE sign_in_tries SET failures = CASE WHEN failures > $2 THEN failures - $2 ELSE 0 END WHERE subject = $1
"""
BEGIN_SESSION = """
INSERT INTO sessions (id, user_id, token_digest, half, address, user_agent, created_at, seen_at, expires_at, row_seal)
SELECT $1, id, $3, $4, $5, $6, $7, $8, $9, $10 FROM users WHERE id = $2 AND version = $11 AND disabled_at IS NULL
RETURNING CAST($12 AS INTEGER) AS item
"""
KNOW_PLACE = """
INSERT INTO sign_in_places (user_id, place, last_at) VALUES ($1, $2, $3)
ON CONFLICT (user_id, place) DO UPDATE SET last_at = $3
"""
SEE_SESSION = "UPDATE sessions SET seen_at = $2 WHERE id = $1 AND seen_at < $2"
TAKE_STEP = """
UPDATE users SET totp_step = $2 WHERE id = $1 AND totp_step < $2 RETURNING CAST($3 AS INTEGER) AS item
"""
TAKE_CODE = """
UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND digest = $2 AND used_at IS NULL
RETURNING CAST($4 AS INTEGER) AS item
"""
SWEEP_SESSIONS = """
DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)
RETURNING CAST($3 AS INTEGER) AS item
"""
SWEEP_PLACES = """
DELETE FROM sign_in_places
 WHERE (user_id, place) IN (SELECT user_id, place FROM sign_in_places WHERE last_at < $1 ORDER BY last_at LIMIT $2)
"""
SWEEP_TRIES = """
DELETE FROM sign_in_tries
 WHERE subject IN (SELECT subject FROM sign_in_tries WHERE last_at < $1 ORDER BY last_at LIMIT $2)
"""


@unit(AddOperator)
def add_operators(writes: Sequence[AddOperator]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep operators; a name that is taken is refused by the table."""
    operators = [w.operator for w in writes]
    rows = [(u.id, u.name, u.name.casefold(), u.role, u.password_hash, u.version, u.created_at) for u in operators]
    more = [
        (u.password_drawn, codes_text(u.merchant_codes), u.row_seal, u.second_step_required, u.rights_seal)
        for u in operators
    ]
    yield Run(INSERT_OPERATOR, [(*row, *rest) for row, rest in zip(rows, more, strict=True)])
    invited = [(w.operator.id, *invite_values(w.invite)) for w in writes if w.invite is not None]
    if invited:
        yield Run(PUT_INVITE, invited)
    yield Run(INSERT_OPERATOR_ENTRY, [operator_entry_values(w.operator_entry) for w in writes])
    return [None] * len(writes)


@unit(PutOperator)
def put_operators(writes: Sequence[PutOperator]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Change each operator, or, if any of them has changed meanwhile or no owner would be left, none."""
    for w in writes:
        before = yield Rows(OWNERS, [(Role.OWNER,)])
        u = w.after
        codes = codes_text(u.merchant_codes)
        values = (
            u.role, u.password_hash, u.sealed_totp_secret, u.disabled_at, u.password_drawn, codes, w.totp_step,
            u.row_seal, " ".join(sorted(u.passkey_ids)),
            u.second_step_required, u.rights_seal,
        )  # fmt: skip
        [done] = yield Rows(UPDATE_OPERATOR, [(w.before.id, w.before.version, *values)])
        if not done:
            raise Conflict(f"{w.before.name} was changed by somebody else; look again")
        used = []
        for digest in w.used_invites:
            used += (yield Rows(USE_INVITE, [(w.before.id, digest)]))[0]
        if w.used_invites and not used:
            raise Conflict("the link was used already, or a newer one has taken its place")
        if w.invite is not None:
            yield Run(PUT_INVITE, [(w.before.id, *invite_values(w.invite))])
        [owners] = yield Rows(OWNERS, [(Role.OWNER,)])
        if before[0] and not owners:
            raise Conflict("somebody must stay owner")
        if w.recovery_digests is not None:
            yield Run(FORGET_RECOVERY_CODES, [(w.before.id,)])
            yield Run(INSERT_RECOVERY_CODE, [(w.before.id, digest) for digest in w.recovery_digests])
        yield from put_passkeys(w)
        if w.ends is Ends.ALL:
            yield Rows(END_ALL, [(w.before.id,)])
        elif w.ends is Ends.OTHERS:
            yield Rows(END_OTHERS, [(w.before.id, w.session_id)])
    yield Run(INSERT_OPERATOR_ENTRY, [operator_entry_values(w.operator_entry) for w in writes])
    return [None] * len(writes)


@unit(DemandSecondStep)
def demand_second_steps(writes: Sequence[DemandSecondStep]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep of whom a second step is demanded."""
    for w in writes:
        yield Run(FORGET_ROLES, [()])
        yield Run(INSERT_ROLE, [(role,) for role in sorted(w.roles)])
        for before, after in w.operators:
            values = (before.id, before.version, after.second_step_required, after.rights_seal)
            if not (yield Rows(REQUIRE, [values]))[0]:
                raise Conflict(f"{before.name} was changed by somebody else; look again")
        yield Run(INSERT_OPERATOR_ENTRY, [operator_entry_values(w.operator_entry)])
    return [None] * len(writes)


@unit(CountTry)
def count_tries(writes: Sequence[CountTry]) -> Generator[Rows | Run, Any, Sequence[datetime | None]]:
    """Count each try unless one of its subjects has to wait; one after the other, for they share subjects."""
    results: list[datetime | None] = []
    for w in writes:
        found: list[Tries] = []
        ordered = sorted(w.subjects, key=lambda s: s[1])
        for _, subject in ordered:
            [[row]] = yield Rows(READ_TRIES, [(subject, w.now)])
            found.append(Tries(row["failures"], moment_not_null(row["last_at"])))
        waits = [tries.next_at(counted) for (counted, _), tries in zip(ordered, found, strict=True) if tries.failures]
        wait = max((until for until in waits if until > w.now), default=None)
        if wait is None:
            counted_up = [tries.and_another(w.now) for tries in found]
            yield Run(KEEP_TRIES, [(s, t.failures, t.last_at) for (_, s), t in zip(ordered, counted_up, strict=True)])
        results.append(wait)
    return results


@unit(ForgiveTries)
def forgive_tries(writes: Sequence[ForgiveTries]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Forget what each failed itself, and take back what addresses did."""
    yield Run(FORGET_TRIES, [(w.own,) for w in writes])
    shared = [(w.address, w.count) for w in writes if w.address is not None]
    if shared:
        yield Run(TAKE_BACK_TRIES, shared)
    return [None] * len(writes)


@unit(BeginSession)
def begin_sessions(writes: Sequence[BeginSession]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Keep each session whose operator is still as when the password was checked."""
    results = []
    for w in writes:
        s = w.session
        if w.instead_of is not None:
            yield Rows(END_ONE, [(s.operator_id, w.instead_of)])
        values = (s.id, s.operator_id, s.token_digest, s.half, s.address, s.user_agent)
        [done] = yield Rows(
            BEGIN_SESSION, [(*values, s.created_at, s.seen_at, s.expires_at, s.row_seal, w.operator_version)]
        )
        if done and w.operator_entry is not None:
            yield Run(INSERT_OPERATOR_ENTRY, [operator_entry_values(w.operator_entry)])
        if done and w.place is not None:
            yield Run(KNOW_PLACE, [(s.operator_id, w.place, s.created_at)])
        results.append(bool(done))
    return results


@unit(SeeSession)
def see_sessions(writes: Sequence[SeeSession]) -> Generator[Rows | Run, Any, Sequence[None]]:
    """Keep when sessions were used."""
    yield Run(SEE_SESSION, [(w.session_id, w.at) for w in sorted(writes, key=lambda w: w.session_id)])
    return [None] * len(writes)


@unit(EndSessions)
def end_sessions(writes: Sequence[EndSessions]) -> Generator[Rows | Run, Any, Sequence[int]]:
    """End sessions; a deed is kept only when there was one to end."""
    results = []
    for w in writes:
        if w.session_id is None:
            [ended] = yield Rows(END_ALL, [(w.operator_id,)])
        else:
            [ended] = yield Rows(END_ONE, [(w.operator_id, w.session_id)])
        if ended and w.operator_entry is not None:
            yield Run(INSERT_OPERATOR_ENTRY, [operator_entry_values(w.operator_entry)])
        results.append(len(ended))
    return results


@unit(TakeStep)
def take_steps(writes: Sequence[TakeStep]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Use up each code that is newer than the last one used."""
    done = []
    for w in writes:
        done += yield Rows(TAKE_STEP, [(w.operator_id, w.step)])
    return [bool(rows) for rows in done]


@unit(TakeRecoveryCode)
def take_recovery_codes(writes: Sequence[TakeRecoveryCode]) -> Generator[Rows | Run, Any, Sequence[bool]]:
    """Use up each code that is there unused, under the digest of any key."""
    results = []
    for w in writes:
        done: list[Any] = []
        for digest in w.digests:
            done += (yield Rows(TAKE_CODE, [(w.operator_id, digest, w.at)]))[0]
        results.append(bool(done))
    return results


@unit(SweepSignIns)
def sweep_sign_ins(writes: Sequence[SweepSignIns]) -> Generator[Rows | Run, Any, Sequence[int]]:
    """Forget the oldest, so many at most."""
    done = yield Rows(SWEEP_SESSIONS, [(w.sessions_before, w.count_max) for w in writes])
    yield Run(SWEEP_TRIES, [(w.tries_before, w.count_max) for w in writes])
    yield Run(SWEEP_INVITES, [(w.sessions_before, w.count_max) for w in writes])
    yield Run(SWEEP_CHALLENGES, [(w.sessions_before, w.count_max) for w in writes])
    yield Run(SWEEP_PLACES, [(w.places_before, w.count_max) for w in writes])
    return [len(rows) for rows in done]
