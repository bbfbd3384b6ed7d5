"""The guards that keep money right, each with a way to turn it off and a scene in which it is missed.

`turn_off` runs in a gateway's or worker's own process before it serves; `sql` runs in the database.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from maedal.storage.engine.postgres import LANES
from tests.support.standby import StandbyPair

from .failover_scenes import (
    a_key_that_only_the_primary_has,
    hold_no_outcome,
    ignore_warnings,
    keep_every_connection,
    led_to_a_server_that_became_read_only,
    promoted_while_an_outcome_is_known_to_its_process_alone,
    prove_by_reading,
    tell_what_is_read,
    waits_that_are_broken_off,
    waits_that_are_cancelled,
)
from .findings import Finding
from .gate import BEFORE_CANCELS, BEFORE_PAYMENTS, closed_gate
from .shop import Shop
from .testbed import Testbed

Scene = Callable[[Testbed], None]


def nothing() -> None:
    """Turn nothing off in the processes."""


@dataclass(frozen=True)
class Guard:
    """`finds` are the kinds of findings of which the scene shows at least one when the guard is off."""

    why: str
    scene: Scene
    finds: frozenset[str]
    turn_off: Callable[[], None] = nothing
    sql: str | None = None
    watched: bool = False
    always: str | None = None
    """What runs in the database of the scene in any case, before it begins."""
    failover: Callable[[Testbed, StandbyPair], None] | None = None
    """The scene, where the database has a standby that takes over in it."""
    keeps_all: bool = False
    """Whether everything that was acknowledged is held against the records, and not the money alone."""


# -- scenes


def one_order_of_two_customers(testbed: Testbed) -> None:
    """Both of them are charged for one order, through two gateways at once."""
    one, other = Shop(testbed, "one", 0), Shop(testbed, "other", 1)
    one.issue_key("one")
    other.issue_key("other")
    testbed.let_keys_settle()
    _meet(testbed, *(lambda s=shop: s.again(s.tag, 1_000, "order") for shop in (one, other)))


def neighbours_of_a_bad_row(testbed: Testbed) -> None:
    """Many cancels share a transaction; one of them breaks it, because another gateway cancels the same payment."""
    shops = [Shop(testbed, f"s{number}") for number in range(LANES + 3)]
    paid = []
    for shop in shops:
        shop.issue_key(shop.tag, 1_000)
        paid.append(shop.payment(f"{shop.tag}.k1")["imp_uid"])

    def cancel(number: int, node: int = 0) -> None:
        reply = Shop(testbed, "s", node).cancel(paid[number], 10)
        if number > 0 and reply.body.get("code") != 0:
            testbed.seen.append(Finding("answer", paid[number], f"refused for another payment's sake: {reply.body}"))

    with testbed.armed(), ThreadPoolExecutor(len(paid) + 1) as pool:
        with closed_gate(testbed.database_url) as gate:
            cancels = [pool.submit(cancel, 0, 1)]
            gate.wait_for(1)
            # One on each lane, so that all others gather behind them, the one that must fail among them.
            for number in range(1, LANES + 1):
                cancels.append(pool.submit(cancel, number))
                gate.wait_for(1 + number)
            cancels += [pool.submit(cancel, number) for number in (0, *range(LANES + 1, len(paid)))]
            _until(lambda: testbed.steps("serve-0").count("before BeginCancel") == len(paid))
        for done in cancels:
            done.result()


def two_charges_of_one_key(testbed: Testbed) -> None:
    """Of two charges at once one is lost on its way; the other moves the very time that judges it."""
    shops = [Shop(testbed, f"shop{node}", node) for node in (0, 1)]
    shops[0].issue_key("c")
    testbed.let_keys_settle()
    testbed.fault("subscription", "drop_before")
    _meet(testbed, *(lambda s=shop: s.again("c", 1_000) for shop in shops))


def lost_soon_after_an_approval(testbed: Testbed) -> None:
    """The key's last approval is fresh, and that of the charge before; and the status tells it a little late."""
    shop = Shop(testbed, "s")
    shop.issue_key("c")
    testbed.let_keys_settle()
    shop.again("c")
    testbed.let_keys_settle()
    testbed.sim("POST", "time-offset", {"seconds": 2, "of": ["status"]})
    testbed.fault("subscription", "drop_before")
    shop.again("c")


def approved_twice_in_one_second(testbed: Testbed) -> None:
    """The second approval is lost, and shows the same second as the first."""
    shop = Shop(testbed, "s")
    shop.issue_key("c")
    testbed.let_keys_settle()
    with testbed.clock.standing_still():
        shop.again("c")
        testbed.fault("subscription", "drop_after")
        late = threading.Thread(target=shop.again, args=("c",))
        late.start()
        # Whoever waits for the second to be over waits now; whoever does not has his charge.
        _until(lambda: _approvals(testbed) == 2, seconds=3)
    late.join()


def answer_lost(testbed: Testbed) -> None:
    shop = Shop(testbed, "s")
    shop.issue_key("c")
    testbed.let_keys_settle()
    testbed.fault("subscription", "drop_after")
    shop.again("c")


def killed_after_the_call(testbed: Testbed) -> None:
    shop = Shop(testbed, "s")
    shop.issue_key("c")
    testbed.let_keys_settle()
    _at_a_step(testbed, "after call subscription", "kill", shop)


def equal_refund_at_the_pg(testbed: Testbed) -> None:
    """A cancel is lost on its way, and somebody gives the same amount back in the PG's own console."""
    shop = Shop(testbed, "s")
    shop.issue_key("c")
    testbed.let_keys_settle()
    paid = shop.again("c").response
    testbed.fault("cancel", "drop_before")
    shop.cancel(paid["imp_uid"], 1_000)
    testbed.sim("POST", f"orders/{paid['pg_tid']}/refund", {"amount": 1_000})


def insisting_on_a_cancel(testbed: Testbed) -> None:
    """The gateway dies between the cancel and the keeping of its answer, and the shop asks again under the same key."""
    shop = Shop(testbed, "s")
    shop.issue_key("c")
    testbed.let_keys_settle()
    paid = shop.again("c").response
    with testbed.armed("before FinishRequest", "kill"):
        insisting = threading.Thread(target=shop.insist, args=shop.cancel_request(paid["imp_uid"], 1_000))
        insisting.start()
        testbed.dead("serve-0", 30)
        testbed.revive()
        insisting.join()


def frozen_before_the_call(testbed: Testbed) -> None:
    """Others find out that nothing was charged; then it goes on."""
    shop = Shop(testbed, "s")
    shop.issue_key("c")
    testbed.let_keys_settle()
    _at_a_step(testbed, "before call subscription", "freeze", shop)


def held_past_its_time(testbed: Testbed) -> None:
    """A person holds a scheduled charge; its time comes and goes, and nobody releases it."""
    shop = Shop(testbed, "s")
    shop.issue_key("c")
    merchant_uid = shop.schedule("c", 20)
    assert merchant_uid is not None
    testbed.hold(merchant_uid)
    testbed.advance(30)
    # Each worker looks every fifth of a second.
    _until(lambda: _approvals(testbed) > 0, seconds=3)


def deleted_while_a_charge_is_under_way(testbed: Testbed) -> None:
    """One gateway is frozen before its call leaves; the key is deleted at the other; then the first goes on in time."""
    shop, other = Shop(testbed, "s"), Shop(testbed, "other", 1)
    shop.issue_key("c")
    testbed.let_keys_settle()
    with testbed.armed("before call subscription", "freeze"), ThreadPoolExecutor(2) as pool:
        charging = pool.submit(shop.again, "c")
        _until(lambda: not (testbed.folder / "armed").exists())
        deleting = pool.submit(other.delete_key, "c")
        # Whoever waits for the charge gives no answer now.
        _until(deleting.done, seconds=5)
        testbed.advance(10)
        testbed.thaw("serve-0")
        for done in (charging, deleting):
            done.result()


def promoted_without_a_scheduled_charge(testbed: Testbed, pair: StandbyPair) -> None:
    """A scheduled charge is made; the standby that takes over has never heard of it, and has it waiting."""
    shop = Shop(testbed, "s")
    shop.issue_key("c")
    assert shop.schedule("c", 20) is not None
    pair.catch_up()
    pair.standby.stop()
    testbed.advance(22)
    _until(lambda: _approvals(testbed) == 1)
    # The answer is kept a moment later.
    time.sleep(1)
    pair.fail_over()
    # Whoever believes the new server makes it again at once; whoever only waits does so later.
    _until(lambda: _approvals(testbed) == 2, seconds=15)
    testbed.advance(21 * 60)
    _until(lambda: _approvals(testbed) == 2, seconds=5)
    testbed.reconcile()


def promoted_without_a_charge_of_the_shop(testbed: Testbed, pair: StandbyPair) -> None:
    """A shop is told that it is paid, finds nothing after the failover, and asks again."""
    shop = Shop(testbed, "s")
    shop.issue_key("c")
    testbed.advance(10)
    pair.catch_up()
    pair.standby.stop()
    shop.again("c", 1_000, "order")
    pair.fail_over()
    testbed.advance(10)
    shop.again("c", 1_000, "order")
    testbed.reconcile()


def slow_receivers(testbed: Testbed) -> None:
    """Webhooks take longer to deliver than the workers need to look again."""
    testbed.merchant.seconds = 0.8
    shop = Shop(testbed, "s")
    shop.issue_key("c")
    for _ in range(3):
        shop.again("c")
    testbed.wait_until_idle(8)
    for imp_uid, count in Counter(hook["imp_uid"] for hook in testbed.webhooks).items():
        if count > 1:
            testbed.seen.append(Finding("webhook", imp_uid, f"sent {count} times, though nothing went wrong"))


def _meet(testbed: Testbed, *calls: Callable[[], Any]) -> None:
    """Let all of them come to the gate in the database before any of them may go on."""
    with ThreadPoolExecutor(len(calls)) as pool:
        with closed_gate(testbed.database_url) as gate:
            called = [pool.submit(call) for call in calls]
            gate.wait_for(len(calls))
        for done in called:
            done.result()


def _until(so: Callable[[], bool], seconds: float = 60) -> None:
    """Return once it is so, or when the time is up."""
    deadline = time.monotonic() + seconds
    while not so() and time.monotonic() < deadline:
        time.sleep(0.02)


def _approvals(testbed: Testbed) -> int:
    log = testbed.sim("GET", "log")
    return sum(line["operation"] == "subscription" and line["outcome"] == "approved" for line in log)


def _at_a_step(testbed: Testbed, step: str, how: str, shop: Shop) -> None:
    with testbed.armed(step, how):
        charging = threading.Thread(target=shop.again, args=("c",))
        charging.start()
        _until(lambda: not (testbed.folder / "armed").exists())
        if how == "freeze":
            testbed.judge_what_is_frozen()
            testbed.thaw("serve-0")
        else:
            testbed.dead("serve-0", 30)
            testbed.revive()
        charging.join()


# -- how they are turned off, each inside the process


def judge_without_the_stored_time() -> None:
    from maedal.flows import resolve_unknown

    resolve_unknown._is_ours = lambda last, found: last >= found.attempt.begun_at - resolve_unknown.TIMES_APART


def take_each_reported_time_for_exact() -> None:
    from maedal.billing_keys import last_approval

    last_approval.time_tolerance = lambda **_: timedelta(0)  # type: ignore[assignment]


def charge_again_at_once() -> None:
    from maedal.billing_keys.billing_key import BillingKey

    BillingKey.chargeable_from = lambda _: None  # type: ignore[method-assign]


def call_a_lost_answer_failed() -> None:
    from maedal.pg.driver import AnswerLost, NotSent
    from maedal.pg.http import HttpTransport

    send = HttpTransport.send

    async def careless(self: Any, request: Any) -> Any:
        try:
            return await send(self, request)
        except AnswerLost as error:
            raise NotSent(str(error)) from error

    HttpTransport.send = careless  # type: ignore[method-assign]


def commit_after_the_call() -> None:
    """Begin a charge in memory alone, and commit that together with its outcome."""
    from maedal.storage.engine.steps import UNITS, Rows, RowsOfAll
    from maedal.storage.engine.together import arrays, listed, unnested
    from maedal.storage.payments.writes import BeginCharge, Record
    from maedal.storage.sql_store import SqlStore

    write = SqlStore.write
    begun_late: dict[str, BeginCharge] = {}

    async def careless(self: Any, wanted: Any) -> Any:
        if isinstance(wanted, Record) and wanted.payment.imp_uid in begun_late:
            await write(self, begun_late.pop(wanted.payment.imp_uid))
        if not isinstance(wanted, BeginCharge):
            return await write(self, wanted)
        steps = UNITS[BeginCharge]([wanted])
        answer: Any = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as end:
                begun_late[wanted.imp_uid] = wanted
                return end.value[0]
            if isinstance(step, Rows):
                sql = step.sql.replace("{for_share}", "")
                answer = [await self.engine.fetch(sql, *item, n) for n, item in enumerate(step.items)]
            elif isinstance(step, RowsOfAll):
                [item] = step.items
                on_sqlite = self.engine.name == "sqlite"
                sql = (listed(step.of, 1) if on_sqlite else unnested(step.of)).replace("{for_share_of_key}", "")
                answer = await self.engine.fetch(sql, *((*item, 1) if on_sqlite else arrays([item])))
            else:
                answer = None

    SqlStore.write = careless  # type: ignore[method-assign,assignment]


def send_however_late() -> None:
    from maedal.flows import call_pg

    real = call_pg.replace

    def careless(request: Any, **changes: Any) -> Any:
        return real(request, **changes | {"send_by": None})

    call_pg.replace = careless  # type: ignore[assignment]


def fail_the_whole_batch() -> None:
    from maedal.storage.engine import group_commit

    async def careless(self: Any, batch: Any) -> None:
        try:
            results = await self._commit(type(batch[0].write), [waiting.write for waiting in batch])
        except Exception as error:
            group_commit._fail(batch, error)
        else:
            for waiting, result in zip(batch, results, strict=True):
                waiting.done.set_result(result)

    group_commit.GroupCommitter._carry_out = careless  # type: ignore[method-assign]


def judge_a_cancel_by_its_amount() -> None:
    """Take any equal cancel at the PG for the one whose answer was lost."""
    from maedal.flows import refunds

    compare = refunds.compare

    def careless(known: Any, there: Any, *, open_id: str | None, **more: Any) -> Any:
        found = compare(known, there, open_id=open_id, **more)
        lost = next((c for c in known if c.id == open_id), None)
        strange = found.foreign + found.unclear
        equal = [e for e in strange if lost is not None and e.amount == lost.split.amount][:1]
        ours = {**found.ours, **dict(zip([open_id], equal, strict=False))}
        return replace(found, ours=ours, foreign=tuple(e for e in strange if e not in equal), unclear=())

    refunds.compare = careless


def carry_a_repeated_call_out_anew() -> None:
    from maedal.rest import payments

    payments.attempt_id_of = lambda _: None


def charge_what_is_held() -> None:
    """Claim and begin what is held, and end the hold with that: a constraint lets nothing be executed and held."""
    from maedal.storage.payments.units import beginning
    from maedal.storage.schedules import claims, execution

    held = claims.EVERYTHING
    assert " AND s.held_at IS NULL" in held.claim, "the guard is somewhere else now"
    claims.EVERYTHING = replace(
        held,
        claim=held.claim.replace(" AND s.held_at IS NULL", ""),
        with_due=held.with_due.replace(" AND s.held_at IS NULL", ""),
    )
    execute = execution.EXECUTE_ALL.sql
    assert " AND schedules.held_at IS NULL" in execute, "the guard is somewhere else now"
    execute = execute.replace(" AND schedules.held_at IS NULL", "")
    execute = execute.replace("SET status", f"SET {execution.NO_HOLD}, status")
    beginning.EXECUTE_ALL = replace(execution.EXECUTE_ALL, sql=execute)


def answer_a_deletion_at_once() -> None:
    from maedal.flows import deactivate_key

    async def careless(*_: Any) -> None:
        """Wait for nothing."""

    deactivate_key._until_no_charge_leaves = careless


def believe_every_server() -> None:
    from maedal.storage.database_servers.reads import DatabaseServer

    DatabaseServer.is_young = lambda *_: False  # type: ignore[method-assign]


def lease_for_no_time() -> None:
    from maedal.flows import deliver_webhook

    deliver_webhook.LEASE = timedelta(0)


FORGOTTEN = frozenset({"lost", "double", "asked twice"})
"""What is found of a charge that was made, and that the promoted standby knows nothing of."""

GUARDS: dict[str, Guard] = {
    "unique order": Guard(
        "an index lets one payment of a merchant_uid take money",
        one_order_of_two_customers,
        frozenset({"double"}),
        sql="DROP INDEX payments_one_per_merchant_uid",
        always=BEFORE_PAYMENTS,
    ),
    "batch repeated one by one": Guard(
        "a transaction that fails is repeated write by write",
        neighbours_of_a_bad_row,
        frozenset({"answer"}),
        turn_off=fail_the_whole_batch,
        watched=True,
        always=BEFORE_CANCELS,
    ),
    "one open charge": Guard(
        "an index lets one charge of a key be open, on all nodes",
        two_charges_of_one_key,
        frozenset({"without proof", "lost", "double"}),
        sql="DROP INDEX attempts_one_open_charge",
        always=BEFORE_PAYMENTS,
    ),
    "stored last approval": Guard(
        "the time of the key's last approval is kept when a charge begins",
        lost_soon_after_an_approval,
        frozenset({"without proof"}),
        turn_off=judge_without_the_stored_time,
    ),
    "told a little later": Guard(
        "the known approval, told a second later, is no new one",
        lost_soon_after_an_approval,
        frozenset({"without proof"}),
        turn_off=take_each_reported_time_for_exact,
    ),
    "settled approval": Guard(
        "a charge waits until its approval can be told from the key's last one",
        approved_twice_in_one_second,
        frozenset({"lost"}),
        turn_off=charge_again_at_once,
    ),
    "unknown is not failed": Guard(
        "a lost answer proves nothing", answer_lost, frozenset({"lost"}), turn_off=call_a_lost_answer_failed
    ),
    "commit before call": Guard(
        "the intent is committed before the PG is called",
        killed_after_the_call,
        # The shop asks again, and nobody knows of the first charge.
        frozenset({"lost", "double"}),
        turn_off=commit_after_the_call,
        watched=True,
    ),
    "nothing leaves late": Guard(
        "the clock is looked at before the first byte leaves",
        frozen_before_the_call,
        frozenset({"lost"}),
        turn_off=send_however_late,
        watched=True,
    ),
    "cancels by their marks": Guard(
        "a cancel is proved by its own mark at the PG, not by an equal amount",
        equal_refund_at_the_pg,
        frozenset({"cancel"}),
        turn_off=judge_a_cancel_by_its_amount,
    ),
    "one attempt of a repeated call": Guard(
        "what is asked again under one Idempotency-Key is begun under one attempt id",
        insisting_on_a_cancel,
        frozenset({"double"}),
        turn_off=carry_a_repeated_call_out_anew,
        watched=True,
    ),
    "hold": Guard(
        "what a person holds is neither claimed nor begun",
        held_past_its_time,
        frozenset({"held"}),
        turn_off=charge_what_is_held,
    ),
    "deletion waits": Guard(
        "the deletion of a key is answered when no node can send a charge of it any more",
        deleted_while_a_charge_is_under_way,
        frozenset({"deleted"}),
        turn_off=answer_a_deletion_at_once,
        watched=True,
    ),
    "scheduled charges ask after a failover": Guard(
        "on a database server that follows another a scheduled charge begins only after the PG was asked",
        lambda _: None,
        frozenset({"double", "lost"}),
        turn_off=believe_every_server,
        failover=promoted_without_a_scheduled_charge,
    ),
    "charges ask after a failover": Guard(
        "on a database server that follows another no key is charged that has an approval which is missing here",
        lambda _: None,
        frozenset({"asked twice"}),
        turn_off=believe_every_server,
        failover=promoted_without_a_charge_of_the_shop,
    ),
    "lease": Guard(
        "what one worker has claimed no other takes meanwhile",
        slow_receivers,
        frozenset({"webhook"}),
        turn_off=lease_for_no_time,
    ),
    "warning at a commit": Guard(
        "a commit that is acknowledged with a warning does not count",
        lambda _: None,
        FORGOTTEN,
        turn_off=ignore_warnings,
        failover=waits_that_are_cancelled,
    ),
    "proof by a write": Guard(
        "a commit whose answer was lost counts only after a later write that touches it",
        lambda _: None,
        FORGOTTEN,
        turn_off=prove_by_reading,
        failover=waits_that_are_broken_off,
    ),
    "outcome held in memory": Guard(
        "a process that knows an outcome goes on recording it, also into a database that has forgotten the call",
        lambda _: None,
        FORGOTTEN,
        turn_off=hold_no_outcome,
        failover=promoted_while_an_outcome_is_known_to_its_process_alone,
    ),
    "told once it is proved": Guard(
        "a payment that took money is told only when a later write that touches it was acknowledged",
        lambda _: None,
        frozenset({"answer"}),
        turn_off=tell_what_is_read,
        failover=a_key_that_only_the_primary_has,
        keeps_all=True,
    ),
    "read-only connections": Guard(
        "connections to a server that takes no writes any more are thrown away",
        lambda _: None,
        # One connection more than were kept is opened at the promoted server: then the shop is served, the worker is not.
        frozenset({"late", "stuck"}),
        turn_off=keep_every_connection,
        failover=led_to_a_server_that_became_read_only,
    ),
}
