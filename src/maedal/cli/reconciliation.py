"""`maedal reconcile` and `maedal findings`: the PG's file of a day against what is here, and what differs."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.progress import Progress

from maedal.cli.command_line import Commands
from maedal.cli.lists import Fact, Json, Listing, moment
from maedal.cli.running import err, give_up, out, show, with_gateway
from maedal.cli.settings import read
from maedal.reconciliation.finding import REFUND_PROPOSED, Finding, FindingKind

if TYPE_CHECKING:
    from maedal.app import Gateway

app = Commands(no_args_is_help=True, help="Findings: what differs between the PG's files and what is here.")

LIST_MAX = 1000
FINDINGS_OPEN = 3
"""The status that `reconcile` ends with when the days were compared and findings of them are open."""

Date = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day in Korea.")]
Merchant = Annotated[str, typer.Option(help="Identification code.")]
OneMerchant = Annotated[str | None, typer.Option(help="Only this merchant's channels. Without it, every merchant's.")]
DayFilter = Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Only those of this day.")]

WORDS = {
    FindingKind.CHARGED_THERE: "the PG took money; here is no paid payment for it",
    FindingKind.CHARGED_TWICE: "the PG took money once more for what is paid already; give it back at the PG",
    FindingKind.CHARGED_HERE: "paid here; the PG's file does not know it",
    FindingKind.AMOUNT_DIFFERS: "the PG took another amount",
    FindingKind.CANCELLED_THERE: "the PG gave money back that was not asked for here",
    FindingKind.CANCELLED_HERE: "cancelled here; the PG's file does not know it",
}


def reconcile(date: Date, merchant: OneMerchant = None) -> None:
    """Hold the PG's file of a day against what is here: fill in, resolve, and tell what differs."""
    day = date.date()
    counts = with_gateway(read(), lambda gateway: _reconcile(gateway, day, merchant))
    if counts.failed:
        give_up(f"{counts.failed} of {counts.channels} files could not be compared; the lines above say why")
    if counts.open_findings:
        err.print(f"[yellow]maedal:[/] {counts.open_findings} findings of this day are open: maedal findings list")
        raise typer.Exit(FINDINGS_OPEN)


class _Counts:
    def __init__(self) -> None:
        self.channels = self.failed = self.open_findings = 0


async def _reconcile(gateway: Gateway, day: date, merchant: str | None) -> _Counts:
    from maedal.flows.reconcile import reconcile as compare
    from maedal.pg.driver import AnswerLost, NotSent, Unreadable
    from maedal.reconciliation.settlement import NotYet
    from maedal.storage.findings.reads import FindingFilter

    if merchant is not None:
        await gateway.services.merchant_cache.merchant(merchant)
    counts, merchants = _Counts(), []
    after = (merchant or "", "")
    while channels := await gateway.store.channels.with_files(after, 100):
        after = (channels[-1].merchant_id, channels[-1].id)
        for channel in channels:
            if merchant not in {None, channel.merchant_id}:
                continue
            counts.channels += 1
            merchants.append(channel.merchant_id)
            title = f"{channel.merchant_id}  {channel.pg_provider}.{channel.pg_merchant_id}  {day}"
            try:
                with Progress(console=err, transient=True) as progress:
                    task = progress.add_task(title, total=None)
                    found = await compare(
                        gateway.services,
                        channel,
                        day,
                        lambda done, total: progress.update(task, completed=done, total=total),  # noqa: B023 - used here
                    )
            except (NotSent, AnswerLost, Unreadable) as error:
                counts.failed += 1
                show(title, file=f"not had ({type(error).__name__}: {error})")
                continue
            if isinstance(found, NotYet):
                counts.failed += 1
                show(title, file=f"not there ({found.reason})")
                continue
            sums = found.sums
            show(
                title,
                rows=f"{found.rows} of this contract, {found.strange} of others",
                matched=str(found.matched),
                entered=f"{found.entered} payments that were missing here, {found.refunds} refunds made at the PG",
                filled_in=f"{found.filled} ids of the PG",
                resolved=(
                    f"{found.resolved_paid} paid, {found.resolved_failed} not taken, {found.resolved_cancels} cancelled"
                ),
                taken=f"{sums.taken_there} there, {sums.taken_here} here",
                given_back=f"{sums.cancelled_there} there, {sums.cancelled_here} here",
                new_findings=str(len(found.new_findings)),
            )
            for finding in found.new_findings:
                _show(finding)
    if not counts.channels:
        give_up("no channel has a file key; see: maedal channel set --file-key --bucket …")
    for code in dict.fromkeys(merchants):
        counts.open_findings += len(await gateway.store.findings.search(code, FindingFilter(LIST_MAX, day=day)))
    return counts


@app.command("list")
def list_findings(
    merchant: Merchant,
    day: DayFilter = None,
    closed: Annotated[bool, typer.Option("--closed", help="Those that are closed too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=LIST_MAX, help="At most so many, the newest.")] = 100,
    as_json: Json = False,
) -> None:
    """List what differs between the PG's files and what is here, the newest first."""
    from maedal.storage.findings.reads import FindingFilter

    async def work(gateway: Gateway) -> None:
        await gateway.services.merchant_cache.merchant(merchant)
        findings_filter = FindingFilter(limit, open_only=not closed, day=None if day is None else day.date())
        found = await gateway.store.findings.search(merchant, findings_filter)
        tids = [f.pg_tid for f in found if f.pg_tid is not None]
        back: dict[str, int] = {}
        for kept in await gateway.store.reconciliation.kept_rows(merchant, (), sorted(set(tids))):
            if kept.row.action == "cancel":
                back[kept.row.pg_tid] = back.get(kept.row.pg_tid, 0) + kept.row.amount
        with Listing(as_json=as_json, empty="no findings" if closed else "no finding is open") as listing:
            for finding in found:
                given_back = back.get(finding.pg_tid or "", 0)
                if as_json:
                    listing.row("finding", finding.id, **_facts(finding, given_back))
                else:
                    listing.row("finding", f"finding {finding.id}", **_words(finding, given_back))

    with_gateway(read(), work)


@app.command("close")
def close(
    merchant: Merchant,
    by: Annotated[str, typer.Option("--by", help="Who says so; kept in the audit log.")],
    reason: Annotated[str, typer.Option(help="What it was, and what was done about it; kept in the audit log.")],
    finding: Annotated[str | None, typer.Option(help="The one with this id, as the list shows it.")] = None,
    day: DayFilter = None,
    kind: Annotated[FindingKind | None, typer.Option(help="With --date: only those of this kind.")] = None,
) -> None:
    """Close a finding, or all open ones of a day, once a person knows what it was. It stays in the record."""
    from maedal.flows.close_findings import close_findings
    from maedal.storage.findings.reads import FindingFilter

    if (finding is None) == (day is None):
        give_up("say which: --finding, or --date")

    async def work(gateway: Gateway) -> int:
        await gateway.services.merchant_cache.merchant(merchant)
        ids = [finding] if finding is not None else []
        if day is not None:
            found = await gateway.store.findings.search(merchant, FindingFilter(LIST_MAX, day=day.date()))
            ids = [f.id for f in found if kind in {None, f.kind}]
        return await close_findings(gateway.services, merchant, ids, by, reason)

    closed = with_gateway(read(), work)
    if not closed:
        _nothing_open(finding)
    out.print(f"{closed} closed")


def _nothing_open(finding: str | None) -> NoReturn:
    give_up(f"no finding {finding} is open" if finding else "no such finding is open")


def _facts(f: Finding, given_back: int) -> dict[str, Fact]:
    return {
        "kind": f.kind,
        "day": f.day,
        "payment": f.imp_uid,
        "order_id": f.order_id,
        "tid": f.pg_tid,
        "amount_there": f.amount_there,
        "amount_here": f.amount_here,
        "happened": f.happened_at,
        "given_back": given_back,
        "closed": f.closed_at,
        "closed_by": f.closed_by,
        "close_reason": f.close_reason,
    }


def _show(f: Finding) -> None:
    show(f"finding {f.id}", **_words(f))


def _words(f: Finding, given_back: int = 0) -> dict[str, str]:
    facts = {"kind": f"{f.kind}: {WORDS[f.kind]}", "day": f.day.isoformat(), "payment": f.imp_uid or "none here"}
    facts["order id"] = f.order_id
    if f.pg_tid:
        facts["tid"] = f.pg_tid
    if f.amount_there is not None:
        facts["amount there"] = f"{f.amount_there} won"
    if f.amount_here is not None:
        facts["amount here"] = f"{f.amount_here} won"
    if f.happened_at:
        facts["happened"] = moment(f.happened_at)
    if f.kind in REFUND_PROPOSED:
        facts["proposed"] = f"refund of {f.amount_there} won; nothing is given back by itself"
    if given_back:
        facts["given back"] = f"{given_back} won, by the PG's files"
    if f.closed_at:
        facts["closed"] = f"{moment(f.closed_at)} by {f.closed_by}: {f.close_reason}"
    return facts
