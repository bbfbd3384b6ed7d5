"""The keys that seal a database: known by their fingerprints, changed in an order in which no process is without one.

The ring, wherever it comes from, has the keys; the database says which of them seals. So a key is brought to every
process first, then made primary, in one row, for all of them; then everything is sealed anew; and then it is retired.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from time import monotonic
from typing import Protocol

import structlog

from maedal.flows.services import ServicesWith
from maedal.storage.errors import StoreError
from maedal.storage.sealing.reads import HasSealing, KeyHolder, KnownKey, SealedColumn
from maedal.storage.sealing.writes import (
    AnnounceKey,
    GiveKeysUp,
    LoseHolder,
    MakePrimary,
    NoteKeys,
    RetireKey,
    SeeHolder,
)
from maedal.storage.write import Writes

_log = structlog.get_logger()

LOOK_SECONDS = 5.0
"""How soon a process notices that another key is primary."""
LOOK_SECONDS_MAX = 90.0
"""More than a command that prints the ring may take; a database that says nothing for so long is asked anew."""
RELOAD_EVERY_SECONDS = 15.0
"""How often a ring that lacks a key is read anew: its command may ask a KMS that counts calls."""
SEEN_EVERY = timedelta(seconds=15)
SEEN_WITHIN = timedelta(minutes=1)
"""A process that was not seen for so long is taken to have ended."""
SETTLES_IN = timedelta(minutes=1)
"""So long after a key became primary every process seals with it, many times over."""
FORGOTTEN_AFTER = timedelta(days=1)
SAMPLES_MAX = 3


class KeyRingStore(HasSealing, Writes, Protocol): ...


class WrongKeys(Exception):
    """The key ring is not that of this database, or a step was asked for out of its order; the text says what to do."""


class LackedByOthers(WrongKeys):
    """Some process does not have the key yet that is to be primary; it was asked to read its ring anew."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key of the ring, or of the database, and what it is used for."""

    id: str
    fingerprint: str
    in_ring: bool
    known: KnownKey | None
    binds: bool | None
    """None: it is not in the ring, so nobody can say."""
    uses: Mapping[str, int]
    """How many values of each column it has sealed, and how much that is short-lived was made with it."""


async def know_keys(services: ServicesWith[KeyRingStore], ring_name: str, *, writable: bool = True) -> None:
    """Hold the ring against the database's fingerprints, and seal with the key that is primary there.

    A database that knows none yet is told them, if it is `writable`, once something that is sealed in it has opened.
    Raises WrongKeys.
    """
    known = await services.store.sealing.keys()
    if not known:
        primary = await _fitting(services, ring_name)
        services.vault.use(primary)
        if not writable:
            # A server that waits for its standby would let us wait with it; another process tells it.
            return
        fingerprints = tuple(services.vault.fingerprints.items())
        await services.store.write(NoteKeys(fingerprints, primary, services.people_clock.now()))
        known = await services.store.sealing.keys()
    problem = problem_of(services.vault.fingerprints, known, ring_name)
    if problem is not None:
        raise WrongKeys(problem)
    services.vault.use(_primary_of(known).id)


def _primary_of(known: Iterable[KnownKey]) -> KnownKey:
    for key in known:
        if key.is_primary:
            return key
    raise WrongKeys("this database names no key that seals: somebody changed its table vault_keys; restore that")


def problem_of(fingerprints: Mapping[str, str], known: Sequence[KnownKey], ring_name: str) -> str | None:
    """Return why this ring cannot be used with a database that knows these keys, and what to do; None if it can."""
    needed = [key for key in known if key.retired_at is None and key.primary_since is not None]
    missing = [key for key in needed if key.id not in fingerprints]
    others = [key for key in needed if key.id in fingerprints and fingerprints[key.id] != key.fingerprint]
    if not missing and not others:
        return None
    wanted = (missing + others)[0]
    held = ", ".join(f"{key_id} ({fingerprint})" for key_id, fingerprint in fingerprints.items())
    text = (
        f"{ring_name} is not that of this database, which is sealed with the key {wanted.id} ({wanted.fingerprint}); "
        f"it holds {held}. Use this database's own key ring, or its backup; `maedal keys fingerprint --keys FILE` "
        "says which keys a copy holds"
    )
    return f'{text}. If it is lost for good, the manual says what is left: Keys, "The key file is lost"'


async def _fitting(services: ServicesWith[KeyRingStore], ring_name: str) -> str:
    """Return which key of the ring has sealed what is here; the newest when nothing is sealed yet."""
    newest = list(services.vault.fingerprints)[-1]
    missing: str | None = None
    moved: str | None = None
    for column in SealedColumn:
        for value in await services.store.sealing.page(column, None, SAMPLES_MAX):
            if value.sealed is None:
                continue
            key_id = services.vault.key_of(value.sealed)
            if key_id not in services.vault.fingerprints:
                missing = key_id
                continue
            try:
                services.vault.open(value.sealed, *value.context)
            except Exception:  # of this ring, but moved from its place
                moved = key_id
                continue
            return key_id
    if moved is not None:
        return moved
    if missing is not None:
        held = ", ".join(services.vault.fingerprints)
        raise WrongKeys(
            f"{ring_name} opens nothing of what is sealed in this database: that was sealed with the key {missing}, "
            f"and it holds {held}. Use this database's own key ring, or its backup. If it is lost for good, the manual "
            'says what is left: Keys, "The key file is lost"'
        )
    return newest


class KeyWatch:
    """Keeps a process that serves or works in step with the database: which key is primary, and who has which."""

    def __init__(
        self, services: ServicesWith[KeyRingStore], ring_name: str, reload: Callable[[], Awaitable[None]]
    ) -> None:
        self._services = services
        self._ring_name = ring_name
        self._reload = reload
        self.holder_id = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._last: KeyHolder | None = None
        self._next_reload = 0.0

    async def run(self) -> None:
        """Look every few seconds, for ever. That the database is away others say too: here it is said once."""
        away = False
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS_MAX):
                    await self.look()
                away = False
            except (StoreError, TimeoutError) as error:
                if not away:
                    _log.warning("keys_not_looked_at", kind=type(error).__name__)
                away = True
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Take over what the database says, read the ring anew when it lacks something, and say what we have."""
        known = await self._services.store.sealing.keys()
        lacking = {key.id for key in known if key.retired_at is None} - set(self._services.vault.fingerprints)
        if lacking and monotonic() >= self._next_reload:
            self._next_reload = monotonic() + RELOAD_EVERY_SECONDS
            await self._reload()
        self._take(known, problem_of(self._services.vault.fingerprints, known, self._ring_name))
        await self._say()

    def _take(self, known: Sequence[KnownKey], problem: str | None) -> None:
        standing, vault = self._services.key_standing, self._services.vault
        if problem is not None and standing.problem is None:
            _log.error("keys_missing", problem=problem)
        standing.problem = problem
        primary = next((key.id for key in known if key.is_primary and key.id in vault.fingerprints), None)
        if problem is None and primary is not None:
            if primary != vault.primary:
                _log.info("primary_key_changed", key=primary)
            vault.use(primary)
        retired = {key.id for key in known if key.retired_at is not None}
        standing.may_seal = vault.primary not in retired
        vault.use(vault.primary, retired=not standing.may_seal)

    async def _say(self) -> None:
        now = self._services.people_clock.now()
        vault = self._services.vault
        holder = KeyHolder(self.holder_id, frozenset(vault.fingerprints), vault.primary, now)
        last = self._last
        if last is not None and replace(last, seen_at=now) == holder and now - last.seen_at < SEEN_EVERY:
            return
        await self._services.store.write(SeeHolder(holder, now - FORGOTTEN_AFTER))
        self._last = holder

    async def end(self) -> None:
        """Forget this process, which ends."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._services.store.write(LoseHolder(self.holder_id))
        except (StoreError, TimeoutError) as error:
            _log.warning("end_not_noted", kind=type(error).__name__)


async def key_uses(services: ServicesWith[KeyRingStore]) -> list[KeyUse]:
    """Return every key of ring and database with what it is used for. Reads all sealed columns."""
    now = services.people_clock.now()
    known = {key.id: key for key in await services.store.sealing.keys()}
    fingerprints, binding = services.vault.fingerprints, services.vault.binding_keys
    uses: dict[str, dict[str, int]] = {key_id: {} for key_id in (*known, *fingerprints)}
    unbound = [key_id for key_id in fingerprints if key_id not in binding]
    for column in SealedColumn:
        for key_id, count in (await services.store.sealing.counts(column, now)).items():
            # What no key sealed was hashed by a key of version 1, or is a row from its time.
            for owner in [services.vault.key_of(b"\x01" + bytes.fromhex(key_id))] if key_id else unbound[:1]:
                own = uses.setdefault(owner, {})
                own[column] = own.get(column, 0) + count
    primary = next((key for key in known.values() if key.is_primary), None)
    since = None if primary is None else primary.primary_since
    if since is not None:
        # Until it noticed, a process went on making them with the key before.
        living = await services.store.sealing.short_lived(now, since + SETTLES_IN)
        for key in known.values():
            if not key.is_primary and key.retired_at is None and (key.primary_since is not None):
                uses[key.id] |= {kind.value: count for kind, count in living.items() if count}
    return [
        KeyUse(
            key_id,
            fingerprints.get(key_id) or known[key_id].fingerprint if key_id in {*fingerprints, *known} else "",
            key_id in fingerprints,
            known.get(key_id),
            key_id in binding if key_id in fingerprints else None,
            counts,
        )
        for key_id, counts in uses.items()
    ]


async def make_primary(services: ServicesWith[KeyRingStore], key_id: str, ring_name: str) -> None:
    """Let everything be sealed with another key of the ring from now on, on every node.

    Raises WrongKeys when the ring lacks it, when a process that was seen lately does, or when it was retired.
    """
    known = {key.id: key for key in await services.store.sealing.keys()}
    fingerprint = services.vault.fingerprints.get(key_id)
    if fingerprint is None:
        raise WrongKeys(f"{ring_name} holds no key {key_id}; it holds {', '.join(services.vault.fingerprints)}")
    if key_id in known and known[key_id].retired_at is not None:
        raise WrongKeys(f"the key {key_id} is retired and seals nothing any more; make another: maedal keys add")
    before = _primary_of(known.values()).id
    if before == key_id:
        return
    now = services.people_clock.now()
    without = [h.id for h in await services.store.sealing.holders(now - SEEN_WITHIN) if key_id not in h.key_ids]
    if without:
        # They are told of it, and read their rings anew.
        await services.store.write(AnnounceKey(key_id, fingerprint, now))
        raise LackedByOthers(
            f"these processes do not have the key {key_id} yet: {', '.join(without)}. Bring the key ring to their "
            "hosts: files and commands are read anew within half a minute, a variable when they are started anew"
        )
    if not await services.store.write(MakePrimary(before, key_id, fingerprint, now)):
        raise WrongKeys("another key was made primary at this very moment; look with: maedal keys status")
    services.vault.use(key_id)


async def give_up(services: ServicesWith[KeyRingStore], key_id: str, ring_name: str) -> str:
    """Begin anew with this ring, where the key that sealed this database is lost for good; returns the new primary.

    Nothing that the lost key sealed opens any more, ever. Raises WrongKeys when it is not the primary, when it is in
    the ring, or when a process that was seen lately still has it.
    """
    known = {key.id: key for key in await services.store.sealing.keys()}
    primary = next((key.id for key in known.values() if key.is_primary), None)
    if primary != key_id:
        raise WrongKeys(f"this database is sealed with the key {primary or 'of nobody yet'}, not with {key_id}")
    if key_id in services.vault.fingerprints:
        raise WrongKeys(f"{ring_name} holds the key {key_id}: it is not lost")
    now = services.people_clock.now()
    with_it = [h.id for h in await services.store.sealing.holders(now - SEEN_WITHIN) if key_id in h.key_ids]
    if with_it:
        raise WrongKeys(
            f"these processes have the key {key_id}: {', '.join(with_it)}. Do not end them; look on their hosts for "
            "the key ring that they were started with"
        )
    fresh = [one for one in services.vault.fingerprints if one not in known or known[one].retired_at is None]
    if not fresh:
        raise WrongKeys(f"every key in {ring_name} is retired; make a new ring: maedal keys create")
    await services.store.write(GiveKeysUp(fresh[-1], services.vault.fingerprints[fresh[-1]], now))
    services.vault.use(fresh[-1])
    return fresh[-1]


async def retire(services: ServicesWith[KeyRingStore], key_id: str) -> None:
    """Let a key seal nothing any more. Raises WrongKeys while it is primary, or anything uses it."""
    found = {use.id: use for use in await key_uses(services)}
    use = found.get(key_id)
    if use is None or use.known is None:
        raise WrongKeys(f"this database knows no key {key_id}")
    if use.known.is_primary:
        raise WrongKeys(f"the key {key_id} is the one that seals; make another one primary first: maedal keys rotate")
    now = services.people_clock.now()
    primary = _primary_of(one.known for one in found.values() if one.known is not None)
    if primary.primary_since is not None and now - primary.primary_since < SETTLES_IN:
        raise WrongKeys("another key became primary less than a minute ago; wait until every process has noticed")
    behind = [h.id for h in await services.store.sealing.holders(now - SEEN_WITHIN) if h.primary_id == key_id]
    if behind:
        raise WrongKeys(f"these processes still seal with the key {key_id}: {', '.join(behind)}; end them")
    if use.uses:
        listed = ", ".join(f"{count} in {name}" for name, count in use.uses.items())
        raise WrongKeys(
            f"the key {key_id} is still used: {listed}. `maedal keys rotate` seals anew what can be; `maedal keys "
            "status` says what ends by itself, and what a person must do"
        )
    if not await services.store.write(RetireKey(key_id, now)):
        raise WrongKeys(f"the key {key_id} is retired already")
