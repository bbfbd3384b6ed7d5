"""`maedal import` and `maedal export`: a merchant comes, a merchant goes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from maedal.cli.age_keys import identities_of, recipient_of
from maedal.cli.running import err, give_up, out, whoever, with_gateway
from maedal.cli.settings import read

FileArgument = Annotated[Path, typer.Argument(help="The JSON file; docs/import-export.md describes it.")]


def bring_in(
    file: FileArgument,
    open_with: Annotated[
        Path | None, typer.Option(help="File of the age identity that opens billing keys sealed by an export.")
    ] = None,
    secret_key: Annotated[
        bool,
        typer.Option(
            "--secret-key", help="Ask for the PG's secret key of each live channel (or read a line of input for each)."
        ),
    ] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Import nothing: forget what a stopped import of this file kept aside.")
    ] = False,
) -> None:
    """Import merchants with everything they own, all or nothing. Run it again to go on after a break."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from maedal.app import Gateway
    from maedal.transfer.fields import FileRefused
    from maedal.transfer.importing import Imported, discard_file, import_file
    from maedal.transfer.importing import Progress as Steps

    settings = read()
    if not file.is_file():
        give_up(f"there is no file {file}")
    identities = () if open_with is None else identities_of(open_with)

    async def forget(gateway: Gateway) -> int:
        return await discard_file(gateway.services, file)

    try:
        if discard:
            out.print(f"forgot {with_gateway(settings, forget)} entries")
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=err) as shown:
            surveying = shown.add_task("reading the file, bytes", total=file.stat().st_size)
            keeping = shown.add_task("taking entries in", total=None)
            steps = Steps(
                lambda count: shown.advance(surveying, count),
                lambda done, total: shown.update(keeping, completed=done, total=total),
            )

            async def work(gateway: Gateway) -> Imported:
                ask_secret = _ask if secret_key else None
                return await import_file(
                    gateway.services, file, identities=identities, ask_secret=ask_secret, progress=steps, who=whoever()
                )

            imported = with_gateway(settings, work)
    except FileRefused as error:
        give_up(error)
    except KeyboardInterrupt:
        give_up("stopped; nothing is visible yet. Run the same command again to go on, or with --discard to forget it")
    for name, count in imported.counts.items():
        if name != "maedal":
            out.print(f"{name.replace('_', ' '):<14}{count}")
    for code, api_key, secret in imported.drawn:
        out.print(f"{code}  REST API key {api_key}  REST API secret {secret}", markup=False)
    if imported.drawn:
        out.print("[yellow]These secrets are new and kept nowhere; write them down now.[/]")
    for code in imported.unsigned:
        out.print(
            f"[yellow]{code}: its webhooks were signed where it comes from, and are not signed here.[/] Receivers "
            f"that check signatures refuse them until there is a new secret: "
            f"maedal webhook new-secret --merchant {code}"
        )


def take_out(
    file: FileArgument,
    merchant: Annotated[str, typer.Option(help="Identification code.")],
    seal_to: Annotated[str, typer.Option(help="age public key (age1…) that the billing keys' SIDs are sealed to.")],
) -> None:
    """Export a merchant with everything it owns to a file that only you may read, its billing keys sealed."""
    from rich.progress import Progress

    from maedal.app import Gateway
    from maedal.transfer.exporting import Exported, export_merchant

    recipient = recipient_of(seal_to)
    settings = read()
    try:
        with Progress(console=err) as shown:
            writing = shown.add_task("writing entries", total=None)

            async def work(gateway: Gateway) -> Exported:
                return await export_merchant(
                    gateway.services, merchant, file, recipient, lambda count: shown.advance(writing, count)
                )

            exported = with_gateway(settings, work)
    except OSError as error:
        give_up(f"cannot write {file} ({error.strerror})")
    for name, count in exported.counts.items():
        out.print(f"{name.replace('_', ' '):<14}{count}")
    out.print("secrets of API keys and live channels are not in the file; they are set anew when it is imported")
    if exported.signed:
        out.print(
            "[yellow]The secret that webhooks are signed with is not in the file either.[/] They are not signed after "
            "the import until you make a new one there (maedal webhook new-secret) and give it to your receivers"
        )


def _ask(lacking: Any) -> str | None:
    # Never an argument: those stay in the shell's history and in the process list.
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip() or None
    channel = lacking.channel
    prompt = f"secret key of {channel.name} ({channel.pg_provider}.{channel.pg_merchant_id})"
    return str(typer.prompt(prompt, hide_input=True, err=True)).strip() or None
