"""On PostgreSQL one role owns the tables and another serves: it adds to the logs, and can do nothing else to them."""

from __future__ import annotations

import asyncio
import re
import secrets
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from maedal.flows.chain_logs import chain_logs
from maedal.flows.charge import charge
from maedal.flows.verify_logs import verify_logs
from maedal.payments.moves import Status
from maedal.storage.errors import StoreError
from maedal.storage.migrate import MIGRATIONS, grants_for, migrate
from maedal.storage.open import create_store
from maedal.storage.serving_role import LOGS, READ_ONLY, ROWS_REMOVED
from maedal.worker.loops import Worker
from tests.flows.conftest import wired
from tests.support.builders import MERCHANT, an_order
from tests.support.databases import SERVING_ROLE, add_serving_role, as_serving_role
from tests.support.postgres import USER, _execute

OWNER = "maedal_owner"


def new_database(server):
    """Make an empty database of an owner who is no superuser, and the role that is to serve; give the owner's address."""
    name = f"maedal_owned_{secrets.token_hex(4)}"
    url = server.create_database(name)
    add_serving_role(url)
    _execute(
        url,
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OWNER}') THEN"
        f" CREATE ROLE {OWNER} LOGIN PASSWORD '{OWNER}'; END IF; END $$",
        f"ALTER DATABASE {name} OWNER TO {OWNER}",
        f"GRANT CREATE ON SCHEMA public TO {OWNER}",
    )
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{OWNER}:{OWNER}@{parts.netloc.rpartition('@')[2]}"))


@pytest.fixture
def owned(all_databases):
    return new_database(all_databases.server)


@pytest.fixture(scope="module")
def served(all_databases):
    """A migrated database; the address of the role that serves."""
    url = new_database(all_databases.server)
    assert migrate(url, serving_role=SERVING_ROLE) == [SERVING_ROLE]
    return as_serving_role(url)


async def test_everything_works_with_the_role_that_serves_alone(served, tmp_path):
    async with wired(served, tmp_path) as flows:
        await flows.issue_key()
        payment = await charge(flows.services, MERCHANT, an_order("m_1"))
        assert payment.status is Status.PAID
        worker = Worker(flows.services)
        worker.start()
        await asyncio.sleep(0.2)
        await worker.stop()
        await chain_logs(flows.services)
        report = await verify_logs(flows.services)
        assert (report.problem_count, report.waiting) == (0, 0)
        assert report.rows > 0
        login = await flows.store.log_chain.login()
        assert (login.role, login.owns, login.may) == (SERVING_ROLE, False, [])


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize(
    "attack",
    [
        "TRUNCATE {} CASCADE",
        "DELETE FROM {}",
        "UPDATE {} SET {column} = {column}",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "DROP TABLE {} CASCADE",
        "CREATE TRIGGER t BEFORE INSERT ON {} EXECUTE FUNCTION refuse_change()",
        "CREATE TABLE {}_next (LIKE {})",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    ],
)
def test_the_role_that_serves_can_neither_empty_a_log_nor_change_it_nor_switch_its_triggers_off(served, log, attack):
    column = {"log_blocks": "entries", "payment_events": "event"}.get(log, "who")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        _execute(served, attack.format(log, log, column=column))


@pytest.mark.parametrize("table", ["payments", "attempts", "billing_keys", "merchants", "cancellations"])
def test_the_role_that_serves_cannot_remove_what_money_is_proved_by(served, table):
    for attack in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            _execute(served, attack)


def test_a_role_that_was_named_once_is_given_new_tables_by_every_later_migration(owned):
    migrate(owned, serving_role=SERVING_ROLE)
    _execute(owned, f"REVOKE ALL ON logs_to_walk FROM {SERVING_ROLE}")
    assert migrate(owned) == [SERVING_ROLE]
    _execute(as_serving_role(owned), "DELETE FROM logs_to_walk")
    # With nothing to do the one that serves may look as well.
    assert migrate(as_serving_role(owned)) == []


def test_grants_are_printed_for_somebody_else_to_make_and_nothing_is_changed(owned):
    migrate(owned)
    printed = grants_for(owned, SERVING_ROLE)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        _execute(as_serving_role(owned), "SELECT 1 FROM payments")
    assert 'GRANT SELECT, INSERT ON TABLE "public"."audit_log" TO "maedal_serving"' in printed
    _execute(owned, *printed)
    _execute(as_serving_role(owned), "SELECT 1 FROM payments")


def test_a_role_that_cannot_be_limited_is_refused_with_what_to_do(owned):
    with pytest.raises(StoreError, match="no tables yet"):
        grants_for(owned, SERVING_ROLE)
    migrate(owned)
    for role, says in (("nobody_here", "CREATE ROLE"), (OWNER, "REASSIGN OWNED BY"), (USER, "superuser")):
        with pytest.raises(StoreError, match=says):
            migrate(owned, serving_role=role)


async def test_a_login_that_owns_the_tables_is_known_as_such(owned):
    await asyncio.to_thread(migrate, owned)
    store = create_store(owned, serving=False)
    await store.open()
    try:
        login = await store.log_chain.login()
    finally:
        await store.close()
    assert (login.role, login.owns) == (OWNER, True)
    assert "TRUNCATE on audit_log" in login.may


def test_an_sqlite_file_has_no_roles(tmp_path):
    with pytest.raises(StoreError, match="no roles"):
        migrate(f"sqlite:///{tmp_path / 'a.db'}", serving_role=SERVING_ROLE)


def test_every_table_whose_rows_the_gateway_removes_is_granted_so_and_no_log_is():
    texts = [path.read_text() for path in MIGRATIONS.parent.rglob("*.py") if MIGRATIONS not in path.parents]
    removed = {name for text in texts for name in re.findall(r"DELETE FROM ([a-z_]+\b)(?!\{)", text)}
    staged = {
        f"import_{name}" for name in ("billing_keys", "payments", "cancellations", "schedules", "prepared_amounts")
    }
    assert removed - {"import_"} | staged == set(ROWS_REMOVED)
    assert not set(ROWS_REMOVED) & {*LOGS, *READ_ONLY}
    assert Path(MIGRATIONS).is_dir()
