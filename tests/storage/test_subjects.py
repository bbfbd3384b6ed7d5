"""Each subject of the store in its folder: whatever it declares is carried out, and whatever it keeps has one owner."""

from __future__ import annotations

import importlib
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import maedal.storage.units  # noqa: F401  so that every unit is known
from maedal.billing_keys.billing_key import KeyEnd
from maedal.payments.attempt import LOST
from maedal.payments.moves import Event
from maedal.storage.billing_keys.writes import BeginDeactivation
from maedal.storage.engine.steps import UNITS
from maedal.storage.migrate import MIGRATIONS, migrate
from maedal.storage.payments.writes import BeginCharge, Record
from maedal.storage.schedules.writes import RevokeSchedules
from maedal.storage.windows.writes import OpenWindow
from maedal.storage.write import Write
from tests.support.builders import MERCHANT, NOW, an_issuing_window, an_order
from tests.test_architecture import STORAGE, SUBJECTS

NOBODYS = {"alembic_version"}
"""Tables of the migrations themselves."""


def owned(subject: str) -> tuple[set[str], set[str]]:
    """Return the tables that a subject names, and the numbers of the migrations that made them."""
    reported = " ".join((importlib.import_module(f"maedal.storage.{subject}").__doc__ or "").split())
    named = re.search(r"Tables: ([a-z_, ]+)\. Migrations: ([0-9, ]+)\.", reported)
    return (set(named[1].split(", ")), set(named[2].split(", "))) if named else (set(), set())


@pytest.mark.parametrize("subject", [s for s in SUBJECTS if (STORAGE / s / "writes.py").exists()])
def test_every_write_of_a_subject_has_its_unit(subject):
    writes = importlib.import_module(f"maedal.storage.{subject}.writes")
    declared = {
        kind
        for kind in vars(writes).values()
        if isinstance(kind, type) and issubclass(kind, Write) and kind.__module__ == writes.__name__
    }
    assert declared
    assert declared <= set(UNITS)
    assert {UNITS[kind].__module__.split(".")[2] for kind in declared} == {subject}


def test_there_is_no_unit_of_anything_else():
    # The bench fills its databases by a unit of its own.
    units = {kind for kind in UNITS if not kind.__module__.startswith("bench.")}
    assert all(issubclass(kind, Write) and kind.__module__.endswith(".writes") for kind in units)


def test_writes_about_a_key_are_put_in_order_by_its_customer():
    payment, window, attempt = an_issuing_window(customer_uid="c_2")
    begin = BeginCharge(MERCHANT, "imps_1", "at_1", an_order(customer_uid="c_1"), NOW)
    assert begin.lock_order == (MERCHANT, "c_1")
    assert Record(payment, "at_2", Event.LOST, LOST, NOW).lock_order == (MERCHANT, "c_2")
    assert BeginDeactivation(MERCHANT, "c_3", "at_3", KeyEnd.DELETED, NOW).lock_order == (MERCHANT, "c_3")
    assert RevokeSchedules(MERCHANT, ("m_1",), None, NOW).lock_order == (MERCHANT, "")
    assert OpenWindow(payment, window, attempt).lock_order == ("", "")


def test_each_table_is_named_by_the_one_subject_that_keeps_it(tmp_path):
    migrate(f"sqlite:///{tmp_path / 'all.db'}")
    with closing(sqlite3.connect(tmp_path / "all.db")) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    named = [table for subject in SUBJECTS for table in owned(subject)[0]]
    assert sorted(named) == sorted({table for table in tables if not table.startswith("sqlite_")} - NOBODYS)


def test_each_subject_names_the_migrations_that_made_its_tables():
    texts: dict[str, str] = {}
    for file in sorted(Path(MIGRATIONS, "versions").glob("*")):
        if found := re.match(r"v?(\d{4})_.*\.(py|sql)$", file.name):
            texts[found[1]] = texts.get(found[1], "") + file.read_text()
    for subject in SUBJECTS:
        tables, migrations = owned(subject)
        made = {
            n for n, text in texts.items() for table in tables if re.search(rf"(CREATE|ALTER) TABLE {table}\b", text)
        }
        assert made <= migrations <= set(texts), subject
        assert all(any(re.search(rf"\b{t}\b", texts[number]) for t in tables) for number in migrations), subject
