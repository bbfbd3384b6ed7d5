"""What lies on the desk: made by a simulator that loses answers, a receiver that is down, and a file that differs."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from maedal.reconciliation.finding import Finding, FindingKind
from maedal.reconciliation.settlement import Action, SettlementRow, day_of
from maedal.storage.findings.writes import AddFindings
from maedal.storage.reconciliation.writes import KeepRows
from tests.console.people import asked
from tests.support.world import World

MERCHANT = "imp00000000"
_numbers = itertools.count(1)


def a_customer(world: World) -> str:
    uid = f"desk_customer_{next(_numbers)}"
    world.issue_key(uid)
    return uid


def an_unknown_charge(world: World, amount: int = 19_900, fate: str = "drop_after", **more: Any) -> dict[str, Any]:
    """Lose the answer of a charge, and every answer that would tell of it; gives the payment."""
    uid = a_customer(world)
    world.fault("subscription", fate)
    world.fault("status", "error_500_before", times=10_000)
    order = f"order_of_{uid}"
    world.again(uid, order, amount, **more)
    found: dict[str, Any] = world.call("GET", f"/payments/find/{order}").json()["response"]
    return found


def answering_again(world: World) -> None:
    world.http.delete(f"{world.sandbox}/_sim/faults")


def a_charge_without_tid(world: World, amount: int = 9_900, **more: Any) -> tuple[dict[str, Any], str]:
    """Lose the answer of a charge that the key's status then proves; gives the payment, and the tid nobody knows."""
    uid = a_customer(world)
    world.fault("subscription", "drop_after")
    payment = world.again(uid, f"order_of_{uid}", amount, **more)["response"]
    [taken] = [line for line in world.log(operation="subscription", outcome="approved") if line["amount"] == amount][
        -1:
    ]
    return payment, taken["tid"]


def an_unconfirmed_ending(world: World) -> str:
    """End a key while KakaoPay does not answer; gives its customer_uid."""
    uid = a_customer(world)
    world.fault("inactive", "error_500_before", times=10_000)
    world.fault("status", "error_500_before", times=10_000)
    world.call("DELETE", f"/subscribe/customers/{uid}")
    return uid


def a_finding(world: World, kind: FindingKind, imp_uid: str | None = None, **facts: Any) -> Finding:
    """Put a difference on the desk, with the row of the file that it comes from."""
    number = next(_numbers)
    now = datetime.now(UTC)
    channel = asked(world, lambda store: store.channels.of_merchant(MERCHANT))[-1]
    finding = Finding(
        **{
            "merchant_id": MERCHANT,
            "id": f"finding{number}",
            "kind": kind,
            "subject": f"A{number:019d}",
            "channel_id": channel.id,
            "day": day_of(now - timedelta(days=1)),
            "found_at": now,
            "order_id": f"0698x4k2m3n5p7q9r1s3t5v{number:03d}",
            "imp_uid": imp_uid,
            "pg_tid": f"T{number:019d}",
            "pg_aid": f"A{number:019d}",
            "amount_there": 9_900,
            "happened_at": now - timedelta(days=1),
        }
        | facts
    )
    row = SettlementRow(
        "TCSUBSCRIP", finding.order_id, finding.pg_tid or "", finding.pg_aid or finding.subject, Action.PAYMENT,
        finding.amount_there or 0, None, finding.happened_at or now,
    )  # fmt: skip
    asked(world, lambda store: store.write(KeepRows(MERCHANT, "kakaopay", finding.day, (row,))))
    assert asked(world, lambda store: store.write(AddFindings((finding,)))) == [finding]
    return finding
