"""`maedal maintenance`: when a PG is closed, so that scheduled charges wait for its opening."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from maedal.cli.command_line import Commands
from maedal.cli.lists import Fact, Json, Listing
from maedal.cli.running import give_up, out, show, whoever, with_gateway
from maedal.cli.settings import read
from maedal.maintenance.pause import Pause, Source
from maedal.reconciliation.settlement import SEOUL

app = Commands(no_args_is_help=True, help="Maintenance of a PG: scheduled charges wait until it is over.")

Provider = Annotated[str, typer.Option(help="Which PG.")]
WRITTEN = "%Y-%m-%d %H:%M"
DONE_BY_ITS_OWN_WORD = "the PG's own answer"


@app.command("add")
def add(
    begins: Annotated[str, typer.Option("--from", help="Its beginning in Seoul, like 2026-12-06 01:00.")],
    ends: Annotated[str, typer.Option("--until", help="Its end in Seoul, like 2026-12-06 07:30.")],
    note: Annotated[str, typer.Option(help="What the announcement says, or where it is.")],
    pg: Provider = "kakaopay",
) -> None:
    """Enter a window that a PG has announced: scheduled charges wait for its end, calls of merchants are passed on."""
    from maedal.app import Gateway
    from maedal.flows.maintenance import announce

    begins_at, ends_at = _moment("--from", begins), _moment("--until", ends)

    async def work(gateway: Gateway) -> None:
        pause = await announce(gateway.services, pg, begins_at, ends_at, note, who=whoever())
        show(_title(pause), id=pause.id, note=pause.note, entered_by=_entered_by(pause))

    with_gateway(read(), work)


@app.command("list")
def list_windows(as_json: Json = False) -> None:
    """List windows of the last days, at present and to come, and what nights are known of each PG."""
    from maedal.app import Gateway

    async def work(gateway: Gateway) -> None:
        found = await gateway.services.merchant_cache.pauses()
        none = "no window was entered or answered in the last days, and none is to come"
        with Listing(as_json=as_json, empty=none) as listing:
            for pause in found:
                if as_json:
                    facts: dict[str, Fact] = {"pg": pause.pg_provider, "begins": pause.begins_at, "ends": pause.ends_at}
                    listing.row("id", pause.id, **facts, note=pause.note, entered_by=_entered_by(pause))
                else:
                    listing.row("window", _title(pause), id=pause.id, note=pause.note, entered_by=_entered_by(pause))
            for provider, driver in gateway.services.drivers.items():
                for night in driver.abilities.nights:
                    method = "every method" if night.method is None else str(night.method)
                    times = f"{night.begins:%H:%M} to {night.ends:%H:%M} KST"
                    listing.note(f"{provider}: every night from {times}, {method}")

    with_gateway(read(), work)


@app.command("remove")
def remove(pause_id: Annotated[str, typer.Argument(help="Its id, as `maedal maintenance list` shows it.")]) -> None:
    """End a window now, or take it back before it begins; what waits is charged from then on."""
    from maedal.app import Gateway
    from maedal.flows.maintenance import take_back

    async def work(gateway: Gateway) -> None:
        pause = await take_back(gateway.services, pause_id, who=whoever())
        out.print(f"removed: {pause.pg_provider} {_span(pause)}")

    with_gateway(read(), work)


def _moment(option: str, text: str) -> datetime:
    try:
        return datetime.strptime(text.strip().replace("T", " "), WRITTEN).replace(tzinfo=SEOUL)
    except ValueError:
        give_up(f"{option} is a time in Seoul like 2026-12-06 01:00, not {text!r}")


def _span(pause: Pause) -> str:
    begins, ends = (at.astimezone(SEOUL) for at in (pause.begins_at, pause.ends_at))
    return f"{begins:{WRITTEN}} to {ends:{WRITTEN}} KST"


def _title(pause: Pause) -> str:
    return f"{pause.pg_provider}  {_span(pause)}"


def _entered_by(pause: Pause) -> str:
    return pause.who if pause.source is Source.ANNOUNCED else DONE_BY_ITS_OWN_WORD
