"""Import a file: all of it or nothing, in bounded memory, going on where an earlier run was stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from maedal.flows.services import Services
from maedal.merchants.audit_entry import MAEDAL, NO_REASON, AuditAction, AuditEntry
from maedal.storage.errors import Conflict
from maedal.storage.transfer.writes import DiscardImport, FinishImport, Moved, MovedMerchant, StageEntries
from maedal.transfer.entries_in import Reader
from maedal.transfer.fields import Fields, FileRefused
from maedal.transfer.header import Header, LackingSecret, read_header
from maedal.transfer.reading import SECTIONS, entries, survey

BATCH = 500
"""Entries that are kept aside in one transaction, and that are in memory at once."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Who hears how far an import is: bytes surveyed, then entries kept aside of so many in all."""

    surveyed: Callable[[int], None]
    kept_aside: Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import brought in. `drawn` are code, API key and new secret, in the clear, kept nowhere.

    `unsigned` are merchants whose webhooks were signed before and are not here: the secret has not moved.
    """

    counts: dict[str, int]
    drawn: list[tuple[str, str, str]]
    unsigned: list[str]


async def import_file(
    services: Services,
    path: Path,
    *,
    identities: Sequence[Any] = (),
    ask_secret: Callable[[LackingSecret], str | None] | None = None,
    progress: Progress,
    who: str = MAEDAL,
) -> Imported:
    """Import everything in the file. Raises FileRefused naming the entry; then nothing of the file is kept.

    Entries are kept aside in batches under the file's digest, and one transaction makes them real. A run that is
    stopped in between leaves what it kept aside, unseen; the next run of the same file and key file goes on there.
    """
    sha256, counts = survey(path, progress.surveyed)
    header = await read_header(services, entries(path, "merchants"), entries(path, "channels"))
    _ask_for_secrets(services, header, ask_secret)
    digest = await staging_digest(services, sha256)
    total = sum(counts.get(section, 0) for section in SECTIONS)
    try:
        await _stage(
            services, path, digest, counts, Reader(services, header, identities, services.clock.now()), progress
        )
        await _refuse_clashes(services, digest)
    except FileRefused:
        await discard(services, digest)
        raise
    merchants, now = tuple(header.merchants.values()), services.clock.now()
    audit_entries = tuple(_act_of(services, moved, sha256, who, now) for moved in merchants)
    await services.store.write(FinishImport(digest, merchants, total, now, audit_entries))
    return Imported(counts, header.drawn, header.unsigned)


def _act_of(services: Services, moved: MovedMerchant, sha256: str, who: str, now: datetime) -> AuditEntry:
    """Return what the audit log is to keep of a merchant that came in: how much of it is a setting, and which file."""
    counts = f"API keys={len(moved.api_keys)}; channels={len(moved.channels)}"
    after = f"name={moved.merchant.name}; {counts}; file={sha256[:16]}"
    code = moved.merchant.code
    return AuditEntry(services.ids.row(now), code, AuditAction.IMPORT, code, who, NO_REASON, "", after, now)


async def discard_file(services: Services, path: Path) -> int:
    """Forget what a stopped import of the file kept aside; return how many entries that were."""
    return await discard(services, await staging_digest(services, survey(path, lambda _: None)[0]))


async def staging_digest(services: Services, sha256: str) -> str:
    """Return the name under which a file's entries are kept aside.

    It depends on the key ring too: what one ring has sealed is of no use to another. A run that was stopped before the
    primary key was changed is found again.
    """
    names = [digest.hex() for digest in services.vault.digests("import", sha256)]
    for name in names:
        if await services.store.transfer.staged(name):
            return name
    return names[0]


async def discard(services: Services, digest: str) -> int:
    """Forget what was kept aside under `digest`."""
    staged = await services.store.transfer.staged(digest)
    if staged:
        await services.store.write(DiscardImport(digest, staged))
    return staged


async def _refuse_clashes(services: Services, digest: str) -> None:
    clash = await services.store.transfer.clash(digest)
    if clash is not None:
        raise FileRefused(f"{clash.section}[{clash.index}].{clash.field}: {clash.text}")


def _ask_for_secrets(
    services: Services, header: Header, ask_secret: Callable[[LackingSecret], str | None] | None
) -> None:
    for lacking in list(header.lacking):
        secret = None if ask_secret is None else ask_secret(lacking)
        if not secret:
            raise FileRefused(
                f"{lacking.place}.secret_key: live mode needs the PG's secret key; write it there, or import with "
                "--secret-key"
            )
        header.add_secret(services, lacking, secret)


async def _stage(
    services: Services, path: Path, digest: str, counts: dict[str, int], reader: Reader, progress: Progress
) -> None:
    total = sum(counts.get(section, 0) for section in SECTIONS)
    staged = await services.store.transfer.staged(digest)
    first = 0
    for section in SECTIONS:
        count = counts.get(section, 0)
        done = min(max(staged - first, 0), count)
        if done < count:
            staged = await _stage_section(services, path, digest, section, staged, done, reader, progress, total)
        first += count
    progress.kept_aside(staged, total)


async def _stage_section(
    services: Services,
    path: Path,
    digest: str,
    section: str,
    staged: int,
    skipped: int,
    reader: Reader,
    progress: Progress,
    total: int,
) -> int:
    batch: list[Moved] = []

    async def keep(staged: int, first_index: int) -> int:
        try:
            await services.store.write(StageEntries(digest, staged, first_index, tuple(batch), services.clock.now()))
        except Conflict as error:
            raise Conflict(f"{section}[{first_index}] and what follows: {error}") from error
        progress.kept_aside(staged + len(batch), total)
        return staged + len(batch)

    first_index = skipped
    for index, values in entries(path, section, skipped):
        batch.append(reader.read(section, Fields(f"{section}[{index}]", values)))
        if len(batch) == BATCH:
            staged = await keep(staged, first_index)
            batch.clear()
            first_index = index + 1
    return await keep(staged, first_index) if batch else staged
