"""What happened to a payment, as commands tell it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from maedal.cli.lists import Fact, moment
from maedal.cli.running import out

if TYPE_CHECKING:
    from maedal.storage.payments.reads import PastEvent


def event_facts(event: PastEvent) -> dict[str, Fact]:
    """Return a move of a payment for scripts."""
    return {"at": event.happened_at, "event": event.event, "status": event.status, "proof": event.proof}


def tell_events(events: Sequence[PastEvent]) -> None:
    """Print the moves of a payment, a line each, and what each rests on."""
    for event in events:
        rests_on = f", proof {event.proof}" if event.proof else ""
        out.print(f"  {moment(event.happened_at)}  {event.event} -> {event.status}{rests_on}")
