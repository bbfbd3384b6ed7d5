"""`maedal`: every command, in the order of `--help`. Nothing but what help needs is imported here."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from maedal.cli.command_line import LOOK, REPAIR, RUN, SET_UP, Entry, LazyGroup
from maedal.private_files import OTHERS

ENTRIES = (
    Entry("dev", RUN, "Run gateway, KakaoPay simulator and demo shop on this machine.", "maedal.cli.run", "dev"),
    Entry("serve", RUN, "Serve the gateway.", "maedal.cli.run", "serve"),
    Entry(
        "worker", RUN, "Run the loops alone, beside any number of `serve` on PostgreSQL.", "maedal.cli.run", "worker"
    ),
    Entry("listen", RUN, "Pass webhooks of test payments on to your shop as they come.", "maedal.cli.listen", "listen"),
    Entry("trigger", RUN, "Let something happen in the running `maedal dev`.", "maedal.cli.listen", "trigger"),
    Entry("keys", SET_UP, "The key ring that seals every secret.", "maedal.cli.keys"),
    Entry("migrate", SET_UP, "Bring the database to the schema of this version.", "maedal.cli.run", "migrate"),
    Entry("user", SET_UP, "Users of the console: who may sign in, and as what.", "maedal.cli.operators"),
    Entry("merchant", SET_UP, "Merchants: create, list, and where they are told.", "maedal.cli.merchants"),
    Entry("channel", SET_UP, "Channels: one merchant's contract with one PG.", "maedal.cli.channels"),
    Entry("check-channel", SET_UP, "Ask the PG whether a channel works.", "maedal.cli.channels", "check"),
    Entry("recovery", SET_UP, "When failed scheduled charges are tried again.", "maedal.cli.recovery"),
    Entry("maintenance", SET_UP, "When a PG is closed: scheduled charges wait.", "maedal.cli.maintenance"),
    Entry("payment", LOOK, "Payments: the list, and all that is known of one.", "maedal.cli.payments"),
    Entry("schedule", LOOK, "Scheduled charges: the list, and all that is known of one.", "maedal.cli.schedules"),
    Entry(
        "billing-key", LOOK, "Billing keys: the list, and all that is known of a customer's.", "maedal.cli.billing_keys"
    ),
    Entry("webhook", LOOK, "Webhooks: their log, sending them again, and their signature.", "maedal.cli.webhooks"),
    Entry(
        "figures",
        LOOK,
        "What months came to, and what is kept of them held against the payments.",
        "maedal.cli.figures",
        "figures",
    ),
    Entry("audit", LOOK, "The audit log: acts of people, never changed and never removed.", "maedal.cli.audit"),
    Entry(
        "doctor",
        LOOK,
        "Look whether settings, database, keys and channels are in order.",
        "maedal.cli.doctor",
        "doctor",
    ),
    Entry("unknown", REPAIR, "Outcomes that nobody knows yet; settle one by hand.", "maedal.cli.unknown"),
    Entry(
        "reconcile",
        REPAIR,
        "Hold the PG's file of a day against what is here.",
        "maedal.cli.reconciliation",
        "reconcile",
    ),
    Entry("findings", REPAIR, "What differs between the PG's files and what is here.", "maedal.cli.reconciliation"),
    Entry(
        "retention",
        REPAIR,
        "Remove personal data that is older than you keep it.",
        "maedal.cli.personal_data",
        "retention",
    ),
    Entry("backup", REPAIR, "Write the database into a folder.", "maedal.cli.backup", "back_up"),
    Entry("restore", REPAIR, "Bring a backup back.", "maedal.cli.backup", "restore"),
    Entry("export", REPAIR, "Write a merchant with everything it owns to a file.", "maedal.cli.transfer", "take_out"),
    Entry("import", REPAIR, "Read merchants with everything they own from a file.", "maedal.cli.transfer", "bring_in"),
)


class _Root(LazyGroup):
    entries = ENTRIES


app = typer.Typer(
    name="maedal",
    cls=_Root,
    help="A self-hosted recurring-payment gateway. Settings: MAEDAL_* in the environment, or MAEDAL_SETTINGS_FILE.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"maedal {version('maedal')}")
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version and end.")
    ] = False,
) -> None:
    """Hold what stands before any command."""


def run() -> None:
    """Run the command line."""
    # Whatever a command writes, a list, a log, a database, is its owner's alone.
    os.umask(OTHERS)
    app()
