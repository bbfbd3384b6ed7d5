"""`kakaopay-sandbox`: the simulator as a program of its own."""

import os
import secrets
import socket
from contextlib import suppress
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from kakaopay_sandbox.clock import ahead_by, wall_clock
from kakaopay_sandbox.settings import (
    BUCKET_ID,
    DEPOSIT_BUCKET_ID,
    FILE_KEY,
    LEAST_AMOUNT,
    MONEY_LIMIT,
    SETTLEMENT_BUCKET_ID,
    TEST_CIDS,
    Cid,
    CidKind,
    Settings,
)

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
CONTROL_KEY = "KAKAOPAY_SANDBOX_CONTROL_KEY"
"""Of the environment, so that it stands in no list of processes."""


def _cid(text: str) -> Cid:
    """`CID:one_time`, `CID:recurring`, either with `:SECRET` behind it."""
    code, _, rest = text.partition(":")
    kind, _, secret = rest.partition(":")
    if not code or len(code) > 10 or kind not in {known.value for known in CidKind}:
        raise typer.BadParameter(f"{text!r} is not CID:one_time or CID:recurring with a CID of up to 10 characters")
    return Cid(code, CidKind(kind), secret or None)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        # The simulator comes in the gateway's distribution and has its version.
        typer.echo(f"kakaopay-sandbox {version('maedal')}")
        raise typer.Exit


def main(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8081,
    host: Annotated[
        str, typer.Option(help="Address to listen on; anything but loopback is warned about.")
    ] = "127.0.0.1",
    data: Annotated[
        Path | None, typer.Option(help="SQLite file to remember everything in. Without it, memory only.")
    ] = None,
    clock_file: Annotated[
        Path | None, typer.Option(help="File with the seconds that this simulator is ahead of the machine's clock.")
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(help="Origin for redirect URLs. Default: the host of each request.")
    ] = None,
    monthly_limit: Annotated[int, typer.Option(min=0, help="Charges of one SID in a calendar month, KST.")] = 20,
    one_time_limit: Annotated[int | None, typer.Option(min=1, help="Largest amount of one payment, in won.")] = None,
    least_amount: Annotated[int, typer.Option(min=1, help="Smallest amount of one payment, in won.")] = LEAST_AMOUNT,
    money_limit: Annotated[
        int, typer.Option(min=1, help="Largest part of one payment that Money pays, in won.")
    ] = MONEY_LIMIT,
    cid: Annotated[
        list[str] | None,
        typer.Option(
            help="A further merchant code, CID:one_time or CID:recurring, optionally :CID_SECRET. Repeatable."
        ),
    ] = None,
    secret_key: Annotated[
        list[str] | None, typer.Option(help="Accept only this key. Repeatable. Default: any key.")
    ] = None,
    inactive_key: Annotated[
        list[str] | None,
        typer.Option(help="A key whose app has not switched the payment API on: -403. Repeatable."),
    ] = None,
    any_key: Annotated[bool, typer.Option("--any-key", help="Accept any key; the default, said aloud.")] = False,
    domain: Annotated[
        list[str] | None,
        typer.Option(
            help="Registered origin of redirect URLs, such as https://*.shop.example or, for a dev key, "
            "http://localhost:3000. Repeatable. Default: no check."
        ),
    ] = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            help="A host name that it answers to, beside addresses, localhost and that of --public-url. Repeatable."
        ),
    ] = None,
    opening_balance: Annotated[int, typer.Option(min=0, help="The buyer's Money at the first start.")] = 10_000_000,
    file_key: Annotated[str, typer.Option(help="Key of the file API (PG_BIZAPI_KEY).")] = FILE_KEY,
    bucket_id: Annotated[str, typer.Option(help="Bucket of the payment files of each day.")] = BUCKET_ID,
    settlement_bucket_id: Annotated[
        str, typer.Option(help="Bucket of the settlement files of each day.")
    ] = SETTLEMENT_BUCKET_ID,
    deposit_bucket_id: Annotated[
        str, typer.Option(help="Bucket of the deposit files of each day.")
    ] = DEPOSIT_BUCKET_ID,
    auto_top_up: Annotated[bool, typer.Option(help="Fill up Money from an endless bank account.")] = False,
    version: Annotated[  # noqa: ARG001 - the option is acted upon as soon as it is read
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version and end.")
    ] = False,
) -> None:
    """Run a KakaoPay simulator: no money moves, nothing leaves this machine."""
    if any_key and secret_key:
        raise typer.BadParameter("--any-key and --secret-key contradict each other")
    settings = Settings(
        data_file=data,
        public_url=public_url,
        wall=wall_clock if clock_file is None else ahead_by(clock_file),
        monthly_limit=monthly_limit,
        one_time_limit=one_time_limit,
        least_amount=least_amount,
        money_limit=money_limit,
        cids=(*TEST_CIDS, *(_cid(text) for text in cid or [])),
        secret_keys=tuple(secret_key or ()),
        inactive_keys=tuple(inactive_key or ()),
        domains=tuple(domain) if domain else None,
        opening_balance=opening_balance,
        auto_top_up=auto_top_up,
        file_key=file_key,
        bucket_id=bucket_id,
        settlement_bucket_id=settlement_bucket_id,
        deposit_bucket_id=deposit_bucket_id,
        names=frozenset(
            name.lower() for name in (host, urlsplit(public_url or "").hostname, *(allowed_host or [])) if name
        ),
        # Whoever can answer for a name without a dot is in the network that this listens to anyway.
        dotless_names=host not in _LOOPBACK,
        control_key=os.environ.get(CONTROL_KEY) or secrets.token_urlsafe(32),
    )
    serve(settings, host, port)


def serve(settings: Settings, host: str, port: int) -> None:
    import uvicorn

    from kakaopay_sandbox.app import create_app

    if host not in _LOOPBACK:
        typer.secho(
            f"warning: listening on {host}; everyone who reaches it can use the buyer's pages of this simulator",
            fg="yellow",
            err=True,
        )
        if not os.environ.get(CONTROL_KEY):
            typer.echo(f"/_sim/ from other machines takes  Authorization: Bearer {settings.control_key}", err=True)

    class Announced(uvicorn.Server):
        """Says where it is once it answers there, not before."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                typer.echo(f"kakaopay-sandbox http://{host}:{port}  (simulator, no money moves; Ctrl-C ends it)")

    server = Announced(
        uvicorn.Config(
            create_app(settings),
            host=host,
            port=port,
            # Java's HttpClient offers HTTP/2 with its first request over plain HTTP (`Upgrade: h2c`), and sends the
            # body all the same; uvicorn's other parser loses that, and this one warns of each.
            http="h11",
            ws="none",
            log_level="error",
            access_log=False,
            timeout_graceful_shutdown=2,
        )
    )
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        raise typer.Exit(1)


program = typer.Typer(add_completion=False)
program.command()(main)


def run() -> None:
    program()


if __name__ == "__main__":
    run()
