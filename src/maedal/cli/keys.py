"""`maedal keys`: the file of keys that seals secrets, and the billing keys that the PG has not ended yet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from maedal.billing_keys.ending import PendingEnding
from maedal.cli import running
from maedal.cli.running import give_up, out, with_gateway
from maedal.cli.settings import read

app = typer.Typer(
    no_args_is_help=True,
    help="The key file, without which nothing in the database can be read; and billing keys still to end at the PG.",
)

PENDING_MAX = 1000


@app.command("create")
def create() -> None:
    """Make the file that MAEDAL_KEY_FILE names, readable by its owner alone. Never overwrites one."""
    from rich.markup import escape

    from maedal.vault import create_key_file

    path = read().key_file
    try:
        create_key_file(path)
    except FileExistsError:
        give_up(f"{path} is there already; a new key file could not read what the old one sealed")
    except OSError as error:
        give_up(f"cannot write {path} ({error.strerror})")
    out.print(f"made {escape(str(path))}; keep a copy apart from the database's backups")


@app.command("fingerprint")
def fingerprint(
    file: Annotated[Path, typer.Argument(help="The key file, or better a copy of it, where the copy is kept.")],
) -> None:
    """Read a key file or its backup whole and print the fingerprint of its keys, which opens nothing."""
    from maedal.vault import KeyFileError, load_key_file

    try:
        out.print(load_key_file(file).fingerprint)
    except KeyFileError as error:
        give_up(error)


@app.command("pending")
def pending() -> None:
    """List billing keys that were deleted or replaced here and have not ended at the PG yet, each with the reason."""
    from maedal.app import Gateway

    async def work(gateway: Gateway) -> None:
        for p in await gateway.store.billing_keys.pending_endings(PENDING_MAX):
            running.show(
                p.ending.billing_key_id,
                merchant=p.ending.merchant_id,
                customer_uid=p.customer_uid,
                ended_by=p.ended_by,
                reason=why(p),
                tries=str(p.ending.tries),
                next_try=f"{p.ending.due_at:%Y-%m-%d %H:%M:%S} UTC",
            )

    with_gateway(read(), work)


def why(p: PendingEnding) -> str:
    """Return in words why the key has not ended at the PG yet."""
    if p.charge_open:
        return "a charge of it is open; it ends once that one is known"
    if p.outcome is None:
        return "the last try was broken off" if p.ending.tries else "not tried yet"
    return f"{p.outcome}: [{p.code or '-'}] {p.message or 'the answer was lost'}"
