"""`maedal audit`: what people did, who, when and why; and whether the logs are what was written to them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from maedal.cli.command_line import Commands
from maedal.cli.lists import Json, Listing
from maedal.cli.running import err, give_up, out, whoever, with_gateway
from maedal.cli.settings import read

if TYPE_CHECKING:
    from maedal.flows.verify_logs import LogReport

app = Commands(no_args_is_help=True, help="The audit log: acts of people, never changed and never removed.")

LIST_MAX = 1_000
PROGRESS_SECONDS = 5.0
"""How often it is said how far looking through the logs has come."""
STATUS_OLDER = 3
"""The exit status when nothing is wrong but that the anchors are newer than the database."""


@app.command("list")
def list_acts(
    merchant: Annotated[str, typer.Option(help="Identification code.")],
    limit: Annotated[int, typer.Option(min=1, max=LIST_MAX, help="At most so many, the newest.")] = 50,
    as_json: Json = False,
) -> None:
    """List the acts of people in a merchant's matters, newest first."""
    from maedal.app import Gateway

    async def work(gateway: Gateway) -> None:
        audit_entries = await gateway.store.audit.entries(merchant, limit)
        with Listing(as_json=as_json, empty="nobody did anything yet that the audit log keeps") as listing:
            for audit_entry in audit_entries:
                listing.row(
                    "kind",
                    audit_entry.kind,
                    audit_entry.happened_at,
                    subject=audit_entry.subject,
                    who=audit_entry.who,
                    reason=audit_entry.reason,
                    before=audit_entry.before,
                    after=audit_entry.after,
                )

    with_gateway(read(), work)


@app.command("verify")
def verify(
    anchors: Annotated[
        Path | None,
        typer.Option(help="File of anchors, such as a copy kept elsewhere; MAEDAL_AUDIT_ANCHOR_FILE if not."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as one line of JSON.")] = False,
) -> None:
    """Look whether a row of the logs was changed, removed or added. Status 1: yes; 3: the database is an older copy."""
    from dataclasses import replace

    from maedal.app import Gateway
    from maedal.flows.anchor_file import AnchorFile
    from maedal.flows.verify_logs import verify_logs

    if anchors is not None and not anchors.is_file():
        give_up(f"there is no file {anchors}")
    said_at = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal said_at
        if time.monotonic() - said_at >= PROGRESS_SECONDS:
            said_at = time.monotonic()
            err.print(f"block {done} of {total}")

    async def work(gateway: Gateway) -> LogReport:
        services = gateway.services if anchors is None else replace(gateway.services, anchors=AnchorFile(anchors))
        return await verify_logs(services, progress)

    report = with_gateway(read(), work)
    if as_json:
        out.print(_as_json(report), markup=False)
    else:
        _tell(report)
    if report.problem_count:
        raise typer.Exit(STATUS_OLDER if report.only_older else 1)


@app.command("accept-restore")
def accept_restore(
    reason: Annotated[str, typer.Option(help="Why an older copy was put in place, for the file of anchors.")],
    by: Annotated[str | None, typer.Option(help="Who answers for it; you, if not given.")] = None,
) -> None:
    """Say that an older copy of the database was put in place on purpose: later anchors count no more."""
    from maedal.app import Gateway
    from maedal.flows.anchor_logs import accept_restore as accept
    from maedal.log_chain.anchor import AnchorLine

    settings = read()
    if settings.audit_anchor_file is None:
        give_up("MAEDAL_AUDIT_ANCHOR_FILE is not set: there are no anchors that a restore could disagree with")

    async def work(gateway: Gateway) -> AnchorLine:
        return await accept(gateway.services, by or whoever(), reason)

    line = with_gateway(settings, work)
    out.print(f"anchors after block {line.number} count no more; the newest block is anchored")


def _as_json(report: LogReport) -> str:
    return json.dumps(
        {
            "ok": report.problem_count == 0,
            "only_older_than_anchors": report.only_older,
            "blocks": report.blocks,
            "rows": report.rows,
            "waiting": report.waiting,
            "walking": report.walking,
            "anchors": report.anchors,
            "problem_count": report.problem_count,
            "problems": [
                {"kind": p.kind, "block": p.block, "merchant": p.merchant_id or None, "subject": p.subject}
                for p in report.problems
            ],
        },
        ensure_ascii=False,
    )


def _tell(report: LogReport) -> None:
    out.print(f"{report.rows} rows in {report.blocks} blocks, held against {report.anchors} anchors")
    if report.walking:
        out.print("rows from before the chain are still being covered; added ones are looked for once that is done")
    if report.waiting:
        out.print(f"{report.waiting} rows wait for the next block; a worker makes it within seconds")
    for problem in report.problems:
        out.print(f"[red]✗[/] {escape(problem.text())}")
    if report.problem_count > len(report.problems):
        out.print(f"[red]✗[/] and {report.problem_count - len(report.problems)} more")
    if report.only_older:
        out.print(
            "the chain itself is whole and ends before its anchors: an older copy of the database was put in place, or "
            "its end was cut off. If it was meant: maedal audit accept-restore"
        )
    elif not report.problem_count:
        out.print("[green]✓[/] the logs are what was written to them")
