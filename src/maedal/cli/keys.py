"""`maedal keys`: the key ring that seals secrets, and the billing keys that the PG has not ended yet."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from maedal.billing_keys.ending import PendingEnding
from maedal.cli import running
from maedal.cli.command_line import Commands
from maedal.cli.key_words import LOST, WHAT_TO_DO
from maedal.cli.lists import Json, Listing, moment
from maedal.cli.running import err, give_up, out, with_gateway
from maedal.cli.settings import read
from maedal.settings import Settings

if TYPE_CHECKING:
    from maedal.app import Gateway
    from maedal.flows.key_ring import KeyUse
    from maedal.storage.sealing.reads import SealedColumn
    from maedal.vault import KeySource

app = Commands(
    no_args_is_help=True,
    help="The key ring, without which nothing in the database can be read; and billing keys still to end at the PG.",
)

PENDING_MAX = 1000
REFUSED_MAX = 100
LOOKS_AGAIN_SECONDS = 6.0
"""A little more than every process takes to notice which key is primary."""
ToOption = Annotated[Path | None, typer.Option("--to", help="Write the key ring to this new file, mode 0600.")]
KeyArgument = Annotated[str, typer.Argument(help="The key's id, eight digits: maedal keys status.")]
WAITS_MAX = 12
"""Longer than a process that was killed counts as seen."""


@app.command("create")
def create(to: ToOption = None) -> None:
    """Make the file that MAEDAL_KEY_FILE names, readable by its owner alone. Never overwrites one."""
    from maedal.vault import create_key_file

    path = read().key_file if to is None else to
    if path is None:
        give_up("the key ring does not come from a file here; write one with --to FILE, and put it where it comes from")
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
    *,
    keys: Annotated[bool, typer.Option("--keys", help="Print the id and fingerprint of each key instead.")] = False,
) -> None:
    """Read a key file or its backup whole and print the fingerprint of its keys, which opens nothing."""
    from maedal.vault import KeyFileError, load_key_file

    try:
        vault = load_key_file(file)
    except KeyFileError as error:
        give_up(error)
    if not keys:
        out.print(vault.fingerprint)
        return
    for key_id, of_key in vault.fingerprints.items():
        out.print(f"{key_id}  {of_key}")


@app.command("add")
def add(to: ToOption = None) -> None:
    """Add a new key to the key ring, which seals nothing yet. Needs no database."""
    from maedal.vault import KeyFileError
    from maedal.vault.ring import new_key, replace_file, text_of, write_new

    source = source_named_by(read())
    try:
        vault = source.load()
        key = new_key()
        text = text_of((*vault.keys, key))
        path = to or _own_file(source)
        (replace_file if to is None else write_new)(path, text)
    except KeyFileError as error:
        give_up(error)
    except FileExistsError:
        give_up(f"{to} is there already; name a new file")
    except OSError as error:
        give_up(f"cannot write the key ring ({error.strerror})")
    out.print(f"added the key {key.id} ({key.fingerprint}) to {escape(str(path))}; back it up")
    out.print("bring it to every host that serves or works, and then: maedal keys rotate")


@app.command("status")
def status() -> None:
    """Tell which key seals, what each is used for, and which processes have it. Reads whole tables."""
    from datetime import timedelta

    from maedal.flows.key_ring import SEEN_WITHIN, key_uses

    async def work(gateway: Gateway) -> None:
        for use in await key_uses(gateway.services):
            _show(use)
        now = gateway.services.people_clock.now()
        for holder in await gateway.store.sealing.holders(now - SEEN_WITHIN):
            seen = max(now - holder.seen_at, timedelta(0)).total_seconds()
            held = ", ".join(sorted(holder.key_ids))
            running.show(holder.id, seals_with=holder.primary_id, has=held, seen=f"{seen:.0f} s ago")

    with_gateway(read(), work)


@app.command("rotate")
def rotate(
    share: Annotated[
        int,
        typer.Option("--share", min=1, max=100, help="Percent of the time that it works, to leave room to charges."),
    ] = 50,
) -> None:
    """Make the newest key of the ring primary and seal everything anew with it, while charges run.

    Killed, it goes on where it was when it is run again. Status 1: something does not open where it stands.
    """
    import asyncio

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from maedal.flows.key_ring import SEEN_WITHIN, LackedByOthers, WrongKeys, key_uses, make_primary
    from maedal.flows.reseal import Resealed, reseal

    settings = read()

    async def work(gateway: Gateway) -> Resealed:
        services, name = gateway.services, source_named_by(settings).name
        known = {key.id: key for key in await gateway.store.sealing.keys()}
        able = [k for k in services.vault.fingerprints if k not in known or known[k].retired_at is None]
        before = services.vault.primary
        for _ in range(WAITS_MAX):
            try:
                await make_primary(services, able[-1], name)
                break
            except LackedByOthers as error:
                err.print(f"[yellow]maedal: {escape(str(error))}; waiting[/]")
                await asyncio.sleep(LOOKS_AGAIN_SECONDS)
        else:
            await make_primary(services, able[-1], name)
        others = [use for use in await key_uses(services) if use.id != services.vault.primary]
        if not others:
            raise WrongKeys(f"the ring has no other key than {before}, which seals: maedal keys add")
        total = sum(count for use in others for column, count in use.uses.items() if "." in column)
        out.print(f"everything is sealed with the key {services.vault.primary} from now on")
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=err) as shown:
            task = shown.add_task("sealing anew", total=total)

            def advance(column: SealedColumn, count: int) -> None:
                shown.update(task, advance=count, description=column.value)

            result = await reseal(services, advance, share=share / 100)
            holders = await gateway.store.sealing.holders(services.people_clock.now() - SEEN_WITHIN)
            if before != services.vault.primary and holders:
                # Until it noticed, a process may have sealed something with the key before.
                await asyncio.sleep(LOOKS_AGAIN_SECONDS)
                again = await reseal(services, advance, share=share / 100)
                result = Resealed(result.done + again.done, again.left, again.refused)
        return result

    result = with_gateway(settings, work)
    out.print(f"sealed {result.done} values anew")
    if result.left:
        out.print(f"{result.left} were being changed each time; run it again")
    _give_up_over([f"{value.column} {value.merchant_id} {value.subject}" for value in result.refused])
    out.print("look what older keys are still used for: maedal keys status; then: maedal keys retire KEY")


@app.command("retire")
def retire(key: KeyArgument) -> None:
    """Let a key that nothing uses any more seal nothing from now on. It stays in the ring, for older backups."""
    from maedal.flows import key_ring

    async def work(gateway: Gateway) -> None:
        await key_ring.retire(gateway.services, key)

    with_gateway(read(), work)
    out.print(f"the key {key} is retired; backups of the database from before still need it")


@app.command("drop")
def drop(key: KeyArgument, to: ToOption = None) -> None:
    """Take a retired key out of the key ring. Older backups of the database cannot be read without it."""
    from maedal.flows.key_ring import key_uses
    from maedal.vault.ring import replace_file, text_of, without, write_new

    settings = read()

    async def work(gateway: Gateway) -> None:
        use = next((use for use in await key_uses(gateway.services) if use.id == key and use.in_ring), None)
        if use is None:
            give_up(f"the key ring holds no key {key}")
        if use.known is None or use.known.retired_at is None or use.uses:
            give_up(f"the key {key} is not retired, or something uses it again; look with: maedal keys status")

    with_gateway(settings, work)
    source = source_named_by(settings)
    path = to or _own_file(source)
    try:
        text = text_of(without(source.load().keys, key))
        (replace_file if to is None else write_new)(path, text)
    except OSError as error:
        give_up(f"cannot write {path} ({error.strerror})")
    out.print(f"took the key {key} out of {escape(str(path))}; keep a copy as long as a backup needs it")


@app.command("lost")
def lost(key: KeyArgument) -> None:
    """Begin anew with another key ring, because the one that sealed this database is lost for good. See the manual."""
    from maedal.app import open_gateway
    from maedal.flows.key_ring import give_up as give_keys_up
    from maedal.flows.reseal import refused

    settings = read()

    async def work() -> tuple[str, Counter[str]]:
        async with open_gateway(settings, serving=False, check_keys=False) as gateway:
            primary = await give_keys_up(gateway.services, key, source_named_by(settings).name)
            return primary, Counter([value.column.value async for value in refused(gateway.services)])

    primary, counts = running.run_async(work())
    out.print(f"everything is sealed with the key {primary} from now on; what {key} sealed is lost:")
    for column, count in counts.items():
        out.print(f"  {column:<38}{count:>7}  {LOST[column]}")
    out.print("API secrets, passwords and sessions of before are void too; the manual's page on keys says what to do")


@app.command("check")
def check() -> None:
    """Open everything that is sealed, and name what does not open where it stands. Status 1: there is some."""
    from rich.progress import Progress

    from maedal.flows.reseal import refused

    async def work(gateway: Gateway) -> list[str]:
        with Progress(console=err) as shown:
            task = shown.add_task("opening", total=None)

            def advance(column: SealedColumn, count: int) -> None:
                shown.update(task, advance=count, description=column.value)

            return [
                f"{value.column} {value.merchant_id} {value.subject}"
                async for value in refused(gateway.services, advance)
            ]

    _give_up_over(with_gateway(read(), work))
    out.print("everything opens where it stands")


def _give_up_over(values: list[str]) -> None:
    if not values:
        return
    for value in values[:REFUSED_MAX]:
        out.print(escape(value))
    give_up(
        f"{len(values)} values do not open where they stand: the row was changed by other means, or a key is missing"
    )


def _show(use: KeyUse) -> None:
    known = use.known
    state = "not used yet" if use.in_ring or known is not None else "unknown to this database and this ring"
    if known is not None and known.is_primary:
        state = f"primary since {moment(known.primary_since)}"
    elif known is not None and known.retired_at is not None:
        state = f"retired at {moment(known.retired_at)}"
    elif known is not None and known.primary_since is not None:
        state = "opens only"
    if use.binds is False:
        state += "; does not bind to rows"
    facts = {"state": state, "fingerprint": use.fingerprint, "in_this_ring": "yes" if use.in_ring else "no"}
    for column, count in use.uses.items():
        hint = "" if (known is not None and known.is_primary) or column not in WHAT_TO_DO else WHAT_TO_DO[column]
        facts[column] = f"{count}{f' ({hint})' if hint else ''}"
    running.show(use.id, **facts)


def check_before_migrating(settings: Settings) -> None:
    """Give up when the database knows its keys and these are others: nothing is changed with the wrong ring."""
    from maedal.flows.key_ring import problem_of
    from maedal.storage.errors import StoreError
    from maedal.storage.open import create_store
    from maedal.vault import KeyFileError

    async def look() -> str | None:
        store = create_store(settings.database_url, serving=False)
        try:
            await store.open()
            known = await store.sealing.keys()
        except StoreError:
            # It knows none: never migrated, or before keys were known. What else is wrong the migration tells.
            return None
        finally:
            await store.close()
        source = source_named_by(settings)
        return problem_of(source.load().fingerprints, known, source.name) if known else None

    try:
        problem = running.run_async(look())
    except KeyFileError as error:
        give_up(error)
    if problem is not None:
        give_up(problem)


def note_keys(settings: Settings, *, rights_unsealed: bool = False) -> None:
    """Tell a migrated database its keys, or give up over others; one without a key ring yet is told later.

    With `rights_unsealed`, what operators may do is sealed as it stands.
    """
    from maedal.flows.seal_rights import seal_rights
    from maedal.vault import KeyFileError

    async def work(gateway: Gateway) -> None:
        if rights_unsealed:
            await seal_rights(gateway.services)

    try:
        source_named_by(settings).load()
    except KeyFileError as error:
        err.print(f"[yellow]maedal: {escape(str(error))}[/]")
        return
    with_gateway(settings, work)


def source_named_by(settings: Settings) -> KeySource:
    """Return where the key ring comes from that the settings name."""
    from maedal.vault import source_of

    return source_of(file=settings.key_file, ring=settings.key_ring, command=settings.key_command)


def _own_file(source: KeySource) -> Path:
    from maedal.vault.sources import FileSource

    if not isinstance(source, FileSource):
        give_up("the key ring does not come from a file here; write it with --to FILE, and put it where it comes from")
    return source.path


@app.command("pending")
def pending(as_json: Json = False) -> None:
    """List billing keys that were deleted or replaced here and have not ended at the PG yet, each with the reason."""

    async def work(gateway: Gateway) -> None:
        with Listing(as_json=as_json) as listing:
            for p in await gateway.store.billing_keys.pending_endings(PENDING_MAX):
                listing.row(
                    "billing_key",
                    p.ending.billing_key_id,
                    merchant=p.ending.merchant_id,
                    customer_uid=p.customer_uid,
                    ended_by=p.ended_by,
                    reason=why(p),
                    tries=p.ending.tries,
                    next_try=p.ending.due_at,
                )

    with_gateway(read(), work)


def why(p: PendingEnding) -> str:
    """Return in words why the key has not ended at the PG yet."""
    if p.charge_open:
        return "a charge of it is open; it ends once that one is known"
    if p.outcome is None:
        return "the last try was broken off" if p.ending.tries else "not tried yet"
    return f"{p.outcome}: [{p.code or '-'}] {p.message or 'the answer was lost'}"
