"""An import takes all of a file or nothing, and says which entry is wrong."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from maedal.billing_keys.billing_key import secret_context
from maedal.flows.reseal import reseal
from maedal.merchants.channel import file_key_context
from maedal.merchants.merchant import API_SECRET_PURPOSE
from maedal.payments.attempt import DeclineReason
from maedal.payments.moves import Status
from maedal.rest.wire import from_epoch
from maedal.schedules.recovery import NextTry
from maedal.storage.errors import Conflict
from maedal.storage.open import create_store
from maedal.transfer import importing
from maedal.transfer.entries_out import channel_entry, merchant_entry, schedule_entry
from maedal.transfer.fields import FileRefused
from maedal.transfer.importing import BATCH, Progress, discard_file, import_file
from maedal.vault import load_key_file
from tests.support.key_rings import add_key
from tests.support.processes import COMMAND, environment
from tests.transfer import files
from tests.transfer.conftest import QUIET
from tests.transfer.files import (
    API_KEY,
    CHANNEL,
    CODE,
    SECRET,
    START,
    a_cancelled,
    a_file,
    a_key,
    a_payment,
    a_schedule,
)

MANUAL = Path(__file__).parents[2] / "docs" / "import-export.md"


async def test_everything_of_a_file_is_there_afterwards(import_it, gateway, rows):
    imported = await import_it(a_file())
    store = gateway.store
    assert imported.drawn == []
    assert gateway.services.vault.matches(
        API_SECRET_PURPOSE, SECRET, (await store.merchants.api_key(API_KEY)).secret_digest, CODE, API_KEY
    )
    paid = await store.payments.find(CODE, "imp_000000000000")
    assert (paid.status, paid.order.price.total.amount, paid.channel_id) == (Status.PAID, 9_900, CHANNEL)
    assert (paid.started_at, paid.paid_at) == (from_epoch(START), from_epoch(START + 1))
    cancels = await store.cancellations.of_payments(CODE, ["imp_000000000001"])
    assert [(c.split.amount, c.reason) for c in cancels] == [(4_000, "first"), (5_900, "rest")]
    key = await store.billing_keys.find(CODE, "c_1")
    assert gateway.services.vault.open(key.sealed_pg_key, *secret_context(key)) == "S1234567890"
    assert (await store.schedules.find(CODE, "next_1")).channel_id == CHANNEL
    assert (await store.prepared_amounts.find(CODE, "soon")).amount == 5_000
    assert await rows() == {
        "merchants": 1, "api_keys": 1, "channels": 1, "billing_keys": 1, "payments": 2, "payment_events": 2,
        "attempts": 2, "cancellations": 2, "schedules": 1, "prepared_amounts": 1,
    }  # fmt: skip


async def test_a_merchant_keeps_its_settings(import_it, gateway):
    settings = {
        "webhook_url_live": "https://shop.example/live",
        "webhook_url_test": "https://shop.example/test",
        "webhook_type_live": "json",
        "webhook_type_test": "form",
        "webhook_retry": "few",
        "webhook_failures": True,
        "webhook_first": True,
        "confirm_url_ignored": True,
        "field_set": "2021",
        "recovery": {"balance": [86_400, 259_200]},
    }
    await import_it(_merchant(**settings)())
    merchant = await gateway.store.merchants.find(CODE)
    assert merchant.recovery == {DeclineReason.BALANCE: (timedelta(days=1), timedelta(days=3))}
    assert {name: getattr(merchant, name) for name in settings if name != "recovery"} == {
        name: setting for name, setting in settings.items() if name != "recovery"
    }
    entry = merchant_entry(merchant, [])
    assert {name: entry[name] for name in settings} == settings


async def test_one_webhook_type_in_a_file_is_that_of_both_modes(import_it, gateway):
    await import_it(_merchant(webhook_type="form")())
    merchant = await gateway.store.merchants.find(CODE)
    assert (merchant.webhook_type_live, merchant.webhook_type_test) == ("form", "form")


async def test_a_try_of_a_failed_charge_comes_along(import_it, gateway):
    try_at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    planned = {"next_try_at": try_at, "next_try_reason": "balance", "tries": 2}
    failed = a_payment(9, status="failed", paid_at=0, failed_at=START, fail_reason="[-782] no money")
    executed = a_schedule(**EXECUTED | {"imp_uid": failed["imp_uid"]}, maedal=planned)
    await import_it(a_file(payments=[failed], schedules=[executed]))
    [schedule] = await gateway.store.schedules.next_tries(CODE, 10)
    assert schedule.next_try == NextTry(datetime.fromisoformat(try_at), DeclineReason.BALANCE)
    entry = schedule_entry(schedule)["maedal"]
    assert {name: entry[name] for name in planned} == planned


async def test_a_key_without_a_secret_gets_a_new_one(import_it, gateway):
    content = a_file()
    del content["merchants"][0]["api_keys"][0]["api_secret"]
    ((code, api_key, secret),) = (await import_it(content)).drawn
    assert (code, api_key) == (CODE, API_KEY)
    assert gateway.services.vault.matches(
        API_SECRET_PURPOSE, secret, (await gateway.store.merchants.api_key(API_KEY)).secret_digest, CODE, API_KEY
    )


async def test_a_live_channel_takes_its_secret_when_asked(import_it, gateway):
    live = {"pg_id": "CA12345678", "kind": "recurring", "sandbox": False}
    content = a_file(channels=[*a_file()["channels"], live], schedules=[])
    with pytest.raises(FileRefused, match=r"channels\[1\]\.secret_key"):
        await import_it(content)
    with pytest.raises(FileRefused, match=r"channels\[1\]: live mode does not take a dev"):
        await import_it(content, ask_secret=lambda _: "DEV" + "B2" * 18)
    await import_it(content, ask_secret=lambda _: "PRD" + "A1" * 18)
    assert [c.uses_simulator for c in await gateway.store.channels.of_merchant(CODE)].count(False) == 1


async def test_a_channel_brings_its_bucket_and_may_bring_its_file_key(import_it, gateway):
    await import_it(a_file(channels=[a_file()["channels"][0] | {"bucket_id": "B1", "file_key": "the key"}]))
    [channel] = await gateway.store.channels.of_merchant(CODE)
    assert gateway.services.vault.open(channel.sealed_file_key, *file_key_context(channel)) == "the key"
    entry = channel_entry(channel)
    assert (entry["bucket_id"], entry["file_key"]) == ("B1", None)


def _with(section, entry):
    return lambda: a_file(**{section: [entry]})


def _merchant(**changes):
    return lambda: a_file(merchants=[a_file()["merchants"][0] | changes])


def _channel(**changes):
    return lambda: a_file(channels=[a_file()["channels"][0] | changes])


EXECUTED = {"schedule_status": "executed", "executed_at": START, "imp_uid": "imp_000000000009"}
SECOND_CANCEL = [{"amount": 4_000, "cancelled_at": START}, {"amount": 9_000, "cancelled_at": START}]
BAD = {
    "maedal": lambda: a_file(maedal=2),
    "things": lambda: a_file(things=[]),
    "payments: a list": lambda: a_file(payments={}),
    "merchants: the file has none": lambda: a_file(merchants=[]),
    "merchants[0].code": _merchant(code="imp 1"),
    "merchants[0].name": _merchant(name=""),
    "merchants[0].webhook_url_live": _merchant(webhook_url_live="ftp://x"),
    "merchants[0].webhook_type": _merchant(webhook_type="xml"),
    "merchants[0].webhook_type_test": _merchant(webhook_type_test="xml"),
    "merchants[0].webhook_retry": _merchant(webhook_retry="always"),
    "merchants[0].webhook_failures": _merchant(webhook_failures="yes"),
    "merchants[0].webhook_first": _merchant(webhook_first="yes"),
    "merchants[0].recovery.balance: a list": _merchant(recovery={"balance": 86_400}),
    "merchants[0].recovery.balance: whole": _merchant(recovery={"balance": ["1d"]}),
    "merchants[0].recovery.limit: a try": _merchant(recovery={"limit": [1]}),
    "merchants[0].recovery.limit: at most": _merchant(recovery={"limit": [86_400] * 11}),
    "merchants[0].field_set": _merchant(field_set="2019"),
    "merchants[0].created_at": _merchant(created_at="yesterday"),
    "merchants[0].api_keys": _merchant(api_keys="k"),
    "merchants[0].api_keys[1].api_key": _merchant(api_keys=[{"api_key": "a"}, {"api_key": "A"}]),
    "merchants[1].code": lambda: a_file(merchants=[a_file()["merchants"][0], {"code": CODE, "name": "x"}]),
    "channels[0]: test mode": _channel(pg_id="CA12345678"),
    "channels[0].kind": _channel(kind="weekly"),
    "channels[0].bucket_id: a file key needs": _channel(file_key="k"),
    "channels[0].bucket_id: ": _channel(bucket_id="no such thing"),
    "channels[0].replaced_keys": _channel(replaced_keys="burn"),
    "channels[0].pg_provider": _channel(pg_provider="nobody"),
    "channels[0].merchant": _channel(merchant="imp00000009"),
    "channels[0].sandbox": _channel(sandbox="yes"),
    "channels[1].channel_key": lambda: a_file(channels=a_file()["channels"] * 2),
    "billing_keys[0].pg_key": _with("billing_keys", a_key(pg_key=None)),
    "billing_keys[0].pg_key_sealed": _with("billing_keys", a_key(pg_key_sealed="abcd")),
    "billing_keys[0].pg_user_id": _with("billing_keys", a_key(pg_user_id=None)),
    "billing_keys[0].customer_uid": _with("billing_keys", a_key(customer_uid=None)),
    "billing_keys[0].pg_id": _with("billing_keys", a_key(pg_id="TC0ONETIME")),
    "billing_keys[1].customer_uid": lambda: a_file(billing_keys=[a_key(), a_key()]),
    "billing_keys[1].maedal.id": lambda: a_file(
        billing_keys=[a_key(maedal={"id": "k"}), a_key("c_2", maedal={"id": "k"})]
    ),
    "billing_keys[0].maedal.to_end_at_pg": _with("billing_keys", a_key(maedal={"to_end_at_pg": True})),
    "payments[0]: an object": _with("payments", 7),
    "payments[0].imp_uid": _with("payments", a_payment(imp_uid=None)),
    "payments[0].merchant_uid": _with("payments", a_payment(merchant_uid="")),
    "payments[0].name": _with("payments", a_payment(name="a\0b")),
    "payments[0].amount: a whole": _with("payments", a_payment(amount=9_900.5)),
    "payments[0].amount: a whole number": _with("payments", a_payment(amount="9900")),
    "payments[0].amount: only": _with("payments", a_payment(amount=0)),
    "payments[0].currency": _with("payments", a_payment(currency="USD")),
    "payments[0].status": _with("payments", a_payment(status="ready")),
    "payments[0].started_at": _with("payments", a_payment(started_at=0)),
    "payments[0].paid_at": _with("payments", a_payment(paid_at=0)),
    "payments[0].failed_at": _with("payments", a_payment(failed_at=START)),
    "payments[0].cancelled_at": _with("payments", a_cancelled(cancelled_at=0)),
    "payments[0].cancel_history": _with("payments", a_cancelled(cancel_history=[])),
    "payments[0].cancel_amount": _with("payments", a_cancelled(cancel_amount=1)),
    "payments[0].cancel_history[1].amount": _with("payments", a_cancelled(cancel_history=SECOND_CANCEL)),
    "payments[0].maedal.tax_free": _with("payments", a_payment(maedal={"tax_free": 10_000})),
    "payments[0].maedal.started_at": _with("payments", a_payment(maedal={"started_at": "2026-01-01"})),
    "payments[0].maedal.channel_key": _with("payments", a_payment(maedal={"channel_key": "channel-key-?"})),
    "payments[0].pay_method": _with("payments", a_payment(pay_method="vbank")),
    "payments[0].pg_id": _with("payments", a_payment(pg_id="TC0ONETIME")),
    "payments[0].pg_tid": _with("payments", a_payment(pg_tid=None, customer_uid=None)),
    "payments[0].customer_uid_usage": _with("payments", a_payment(customer_uid_usage="fun")),
    "payments[1].imp_uid": lambda: a_file(payments=[a_payment(0), a_payment(0, merchant_uid="other")]),
    "payments[1].merchant_uid": lambda: a_file(payments=[a_payment(0), a_payment(1, merchant_uid="order_0")]),
    "payments[1].cancel_history": lambda: a_file(
        payments=[a_cancelled(0), a_cancelled(1, cancel_history=a_cancelled(0)["cancel_history"])]
    ),
    f"payments[{BATCH + 17}].amount": lambda: a_file(
        payments=[a_payment(n, **({"amount": -1} if n == BATCH + 17 else {})) for n in range(BATCH + 20)]
    ),
    "schedules[0].schedule_at": _with("schedules", a_schedule(schedule_at=START)),
    "schedules[0].schedule_status": _with("schedules", a_schedule(schedule_status="soon")),
    "schedules[0].amount": _with("schedules", a_schedule(amount=0)),
    "schedules[0].customer_uid": _with("schedules", a_schedule(customer_uid=None)),
    "schedules[0].imp_uid: the file": _with("schedules", a_schedule(**EXECUTED)),
    "schedules[0].imp_uid: a charge": _with("schedules", a_schedule(**EXECUTED | {"imp_uid": None})),
    "schedules[0].revoked_at": _with("schedules", a_schedule(revoked_at=START)),
    "schedules[0].maedal.next_try_at: a charge": _with(
        "schedules", a_schedule(maedal={"next_try_at": "2099-01-01T00:00:00Z"})
    ),
    "schedules[0].maedal.next_try_at: it is over": _with(
        "schedules", a_schedule(**EXECUTED, maedal={"next_try_at": "2020-01-01T00:00:00Z"})
    ),
    "schedules[0].maedal.next_try_reason": _with(
        "schedules", a_schedule(**EXECUTED, maedal={"next_try_at": "2099-01-01T00:00:00Z", "next_try_reason": "luck"})
    ),
    "schedules[0].maedal.tries": _with("schedules", a_schedule(maedal={"tries": -1})),
    "schedules[1].merchant_uid": lambda: a_file(schedules=[a_schedule(), a_schedule()]),
    "prepared[0].amount": _with("prepared", {"merchant_uid": "soon"}),
    "prepared[1].merchant_uid": lambda: a_file(prepared=a_file()["prepared"] * 2),
}


@pytest.mark.parametrize("where", BAD)
async def test_a_bad_entry_is_named_and_leaves_no_row(import_it, rows, where):
    with pytest.raises(FileRefused, match="^" + re.escape(where)):
        await import_it(BAD[where]())
    assert await rows() == {}


@pytest.mark.parametrize("cut", [1, 100, 2_000])
async def test_a_file_that_was_cut_off_is_refused_before_the_first_row(gateway, rows, tmp_path, cut):
    path = files.write(tmp_path / "file.json", a_file())
    path.write_text(path.read_text()[:-cut])
    with pytest.raises(FileRefused, match="no complete JSON"):
        await import_file(gateway.services, path, progress=QUIET)
    assert await rows() == {}


async def test_a_merchant_that_exists_is_left_as_it_is(import_it, rows):
    await import_it(a_file())
    before = await rows()
    with pytest.raises(FileRefused, match=r"merchants\[0\].code: imp12345678 exists here already"):
        await import_it(a_file(prepared=[]))
    assert await rows() == before


async def test_two_runs_of_one_file_do_not_mix(gateway, rows, tmp_path):
    path = files.write_many(tmp_path / "file.json", BATCH * 3)
    runs = (import_file(gateway.services, path, progress=QUIET) for _ in range(2))
    ended = await asyncio.gather(*runs, return_exceptions=True)
    assert min(type(e).__name__ for e in ended) == "Conflict"
    left = [e for e in ended if not isinstance(e, Conflict)]
    assert len(left) <= 1
    if not left:
        await import_file(gateway.services, path, progress=QUIET)
    assert (await rows())["payments"] == BATCH * 3
    assert "import_files" not in await rows()


class Broken(BaseException):
    """The machine stops."""


async def test_what_a_stopped_import_kept_aside_is_used_by_the_next_and_can_be_forgotten(gateway, rows, tmp_path):
    path = files.write_many(tmp_path / "file.json", BATCH * 3)

    def stop(done, _total):
        if done >= BATCH * 2:
            raise Broken

    stopping = Progress(lambda _: None, stop)
    with pytest.raises(Broken):
        await import_file(gateway.services, path, progress=stopping)
    assert await rows() == {"import_files": 1, "import_payments": BATCH * 2}
    assert await discard_file(gateway.services, path) == BATCH * 2
    assert await rows() == {}
    with pytest.raises(Broken):
        await import_file(gateway.services, path, progress=stopping)
    received = []
    await import_file(gateway.services, path, progress=Progress(lambda _: None, lambda done, _: received.append(done)))
    assert received[0] == BATCH * 3
    assert (await rows())["payments"] == BATCH * 3


async def test_an_import_that_stopped_before_the_key_was_changed_goes_on_afterwards(
    gateway, settings, rows, tmp_path, monkeypatch
):
    path = files.write(tmp_path / "file.json", a_file())

    async def stops(services, digest):
        raise Broken

    with monkeypatch.context() as stopping:
        stopping.setattr(importing, "_refuse_clashes", stops)
        with pytest.raises(Broken):
            await import_file(gateway.services, path, progress=QUIET)
    staged = await gateway.store.engine.fetch("SELECT digest, staged FROM import_files")
    assert staged[0]["staged"] > 0
    key = add_key(settings.key_file)
    gateway.services.vault.adopt(load_key_file(settings.key_file))
    gateway.services.vault.use(key.id)
    assert (await reseal(gateway.services)).refused == []
    await import_file(gateway.services, path, progress=QUIET)
    assert "import_files" not in await rows()
    found = await gateway.store.billing_keys.find(CODE, "c_1")
    assert gateway.services.vault.key_of(found.sealed_pg_key) == key.id
    assert gateway.services.vault.open(found.sealed_pg_key, *secret_context(found)) == "S1234567890"


@pytest.mark.slow
def test_an_import_that_is_killed_goes_on_where_it_stopped(settings, tmp_path):
    path = files.write_many(tmp_path / "file.json", 20_000)
    variables = environment(
        database_url=settings.database_url, key_file=settings.key_file, public_url=settings.public_url
    )
    words = [COMMAND, "import", str(path)]

    async def look():
        store = create_store(settings.database_url, serving=False)
        await store.open()
        try:
            staged = await store.engine.fetch("SELECT staged FROM import_files")
            merchants = await store.merchants.all()
            return (staged[0]["staged"] if staged else 0), len(merchants)
        finally:
            await store.close()

    with subprocess.Popen(words, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        deadline = time.monotonic() + 60
        while asyncio.run(look())[0] < 2_000 and time.monotonic() < deadline:
            assert running.poll() is None, "it ended before it could be killed"
        running.send_signal(signal.SIGKILL)
    staged, merchants = asyncio.run(look())
    assert 2_000 <= staged < 20_000
    assert merchants == 0
    ended = subprocess.run(words, env=variables, capture_output=True, text=True, check=False, timeout=100)
    assert ended.returncode == 0, ended.stderr
    assert asyncio.run(look()) == (0, 1)
    assert "payments      20000" in ended.stdout


MEMORY = """
import resource, sys
from pathlib import Path
from maedal.cli.main import app
status = Path("/proc/self/status")
try:
    app(["import", sys.argv[1]])
finally:
    if status.exists():
        # getrusage would tell of the process that started this one, if that was larger.
        [peak] = [int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print("peak", peak // 1024)
"""


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_hundred_thousand_payments_in_bounded_memory(settings, tmp_path):
    variables = environment(
        database_url=settings.database_url, key_file=settings.key_file, public_url=settings.public_url
    )
    path = files.write_many(tmp_path / "file.json", 100_000)
    python = Path(COMMAND).with_name("python")
    ended = subprocess.run(
        [python, "-c", MEMORY, path], env=variables, capture_output=True, text=True, check=False, timeout=380
    )
    assert "payments      100000" in ended.stdout, ended.stderr
    assert int(ended.stdout.split("peak ")[1]) < 300


async def test_the_manuals_example_is_a_file_that_can_be_imported(import_it, rows):
    example = json.loads(re.search(r"```json\n(.*?)```", MANUAL.read_text(), re.DOTALL)[1])
    await import_it(example)
    assert (await rows())["payments"] == len(example["payments"])
