"""`maedal`: one command a concern. Heavy imports happen inside, so that `--help` is quick."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from maedal.cli import (
    audit,
    backup,
    channels,
    doctor,
    figures,
    keys,
    listen,
    maintenance,
    merchants,
    operators,
    personal_data,
    reconciliation,
    recovery,
    transfer,
    unknown,
    webhooks,
)
from maedal.cli.running import (
    LOOPBACK,
    check_port,
    err,
    give_up,
    out,
    run_async,
    with_gateway,
)
from maedal.cli.settings import read
from maedal.private_files import OTHERS

app = typer.Typer(
    name="maedal",
    help="A self-hosted recurring-payment gateway. Settings: MAEDAL_* in the environment, or MAEDAL_SETTINGS_FILE.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(merchants.app, name="merchant")
app.add_typer(channels.app, name="channel")
app.add_typer(keys.app, name="keys")
app.add_typer(webhooks.app, name="webhook")
app.add_typer(recovery.app, name="recovery")
app.add_typer(unknown.app, name="unknown")
app.add_typer(maintenance.app, name="maintenance")
app.add_typer(audit.app, name="audit")
app.add_typer(operators.app, name="user")
app.add_typer(reconciliation.app, name="findings")
app.command("reconcile")(reconciliation.reconcile)
app.command("check-channel")(channels.check)
app.command("doctor")(doctor.doctor)
app.command("figures")(figures.figures)
merchants.app.command("erase-buyer")(personal_data.erase_buyer)
app.command("retention")(personal_data.retention)
app.command("backup")(backup.back_up)
app.command("restore")(backup.restore)
app.command("import")(transfer.bring_in)
app.command("export")(transfer.take_out)
app.command("listen")(listen.listen)
app.command("trigger")(listen.trigger)

HostOption = Annotated[str, typer.Option(help="Address to listen on.")]
PortOption = Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")]


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        out.print(f"maedal {version('maedal')}")
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version and end.")
    ] = False,
) -> None:
    """Hold what stands before any command."""


@app.command()
def dev(
    port: Annotated[
        int,
        typer.Option(min=0, max=65533, help="Gateway's port; simulator and shop take the next two. 0 draws free ones."),
    ] = 8080,
    data_dir: Annotated[
        Path, typer.Option(help="Where database, key file and the simulator's memory are kept.")
    ] = Path(".maedal"),
    host: Annotated[
        str | None, typer.Option(help="Listen elsewhere than on this machine; not for the internet.")
    ] = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(help="A host name that all three answer to, beside addresses and localhost. Repeatable."),
    ] = None,
    json: Annotated[
        bool,
        typer.Option("--json", help="Once ready, print addresses and keys as one line of JSON; log to a file."),
    ] = False,
    temporary: Annotated[
        bool, typer.Option("--temporary", help="Keep everything in a new folder that is removed at the end.")
    ] = False,
    shop: Annotated[bool, typer.Option("--shop/--no-shop", help="With the demo shop, or without it.")] = True,
    end_with_stdin: Annotated[
        bool, typer.Option("--end-with-stdin", help="End when standard input ends: with whoever started it.")
    ] = False,
) -> None:
    """Run gateway, KakaoPay simulator and demo shop on this machine, with a merchant that every tutorial knows."""
    from maedal.cli.dev import DevOptions, run_dev

    run_dev(
        DevOptions(
            port=port,
            data_dir=None if temporary else data_dir,
            host=host,
            as_json=json,
            with_shop=shop,
            allowed_hosts=tuple(allowed_host or ()),
            until_stdin_ends=end_with_stdin,
        )
    )


@app.command()
def serve(host: HostOption = "127.0.0.1", port: PortOption = 8080) -> None:
    """Serve the gateway. Several processes or hosts may serve one PostgreSQL database; SQLite takes one."""
    import structlog

    from maedal import logs
    from maedal.app import Gateway, create_app, refuse_demo_pair
    from maedal.cli.installation import open_files
    from maedal.cli.serving import bounds_of, serve_until_stopped, server_of
    from maedal.server.bounds import raise_descriptor_limit

    settings = read()
    raise_descriptor_limit()
    logs.set_up(settings.log_format)
    check_port(host, port)

    async def look(gateway: Gateway) -> bool:
        await refuse_demo_pair(gateway.store)
        return bool(await gateway.store.operators.all())

    if not with_gateway(settings, look):
        # A line of the log as all others are, for what reads them.
        structlog.get_logger().warning("nobody_can_sign_in", make="maedal user create --name NAME --role owner")
    if found := open_files(settings):
        structlog.get_logger().warning("files_open_to_others", mend=[one.mend for one in found])
    if host not in LOOPBACK and settings.public_url.startswith("http://"):
        err.print("[yellow]maedal: MAEDAL_PUBLIC_URL is http; put TLS in front before real money flows[/]")

    async def started() -> None:
        out.print(f"maedal ready {settings.public_url}")

    serve_until_stopped(server_of(create_app(settings), host, port, bounds_of(settings)), started)


@app.command()
def worker(
    metrics_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Serve /metrics of this process at this port, for Prometheus.")
    ] = None,
    metrics_host: Annotated[str, typer.Option(help="Address to serve /metrics on.")] = "127.0.0.1",
) -> None:
    """Run the loops alone (webhooks, lost attempts, unknown outcomes), beside any number of `serve` on PostgreSQL."""
    import asyncio
    import signal

    from maedal import logs, metrics
    from maedal.app import open_gateway
    from maedal.server.bounds import raise_descriptor_limit
    from maedal.storage.open import is_sqlite
    from maedal.worker.loops import Worker

    settings = read()
    raise_descriptor_limit()
    logs.set_up(settings.log_format)
    if is_sqlite(settings.database_url):
        give_up("with SQLite the worker runs inside `maedal serve`; a worker of its own needs PostgreSQL")
    if metrics_port is not None:
        check_port(metrics_host, metrics_port)
        metrics.serve(metrics_host, metrics_port)

    async def run() -> None:
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        async with open_gateway(settings) as gateway:
            loops = Worker(gateway.services)
            loops.start()
            out.print("maedal worker ready")
            await stop.wait()
            await loops.stop()

    run_async(run())


@app.command()
def migrate(
    serving_role: Annotated[
        str | None,
        typer.Option(help="Role of PostgreSQL that serves: give it what serving needs, and no more. Once is enough."),
    ] = None,
    print_grants: Annotated[
        bool, typer.Option("--print-grants", help="Print what --serving-role would be given, as SQL; change nothing.")
    ] = False,
    distribute: Annotated[
        bool,
        typer.Option("--distribute", help="Then spread the tables by merchant over a Citus cluster."),
    ] = False,
    print_distribution: Annotated[
        bool, typer.Option("--print-distribution", help="Print what --distribute would run, as SQL; change nothing.")
    ] = False,
) -> None:
    """Bring the database to the schema of this version. Repeating it changes nothing."""
    from maedal.cli.keys import check_before_migrating, note_keys
    from maedal.flows.seal_rights import SINCE
    from maedal.storage.errors import StoreError
    from maedal.storage.migrate import distribute as spread
    from maedal.storage.migrate import grants_for, head, lacks, schema_of
    from maedal.storage.migrate import migrate as bring_up

    if print_grants and serving_role is None:
        give_up("--print-grants needs --serving-role: whom to grant it to")
    settings = read()
    check_before_migrating(settings)
    try:
        if print_distribution:
            for statement in spread(settings.database_url, change=False):
                out.print(f"{statement};", markup=False)
            return
        if print_grants and serving_role is not None:
            for statement in grants_for(settings.database_url, serving_role):
                out.print(f"{statement};", markup=False)
            return
        rights_unsealed = lacks(schema_of(settings.database_url), SINCE)
        granted = bring_up(settings.database_url, serving_role=serving_role)
        spread_by = spread(settings.database_url) if distribute else []
    except StoreError as error:
        give_up(error)
    except Exception as error:  # the database's own words are the best explanation here
        give_up(f"the migration failed: {error}")
    out.print(f"the database is at version {head()}")
    if distribute:
        count = sum("create_" in statement for statement in spread_by)
        out.print(f"{count} tables were spread over the servers" if count else "every table is spread already")
    for role in granted:
        out.print(f"the role {role} may serve: read and write rows, and neither change the logs nor empty a table")
    note_keys(settings, rights_unsealed=rights_unsealed)


def run() -> None:
    """Run the command line."""
    # Whatever a command writes, a list, a log, a database, is its owner's alone.
    os.umask(OTHERS)
    app()
