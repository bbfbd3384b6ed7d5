"""What is done with the key ring: sealing, opening and hashing.

Secrets that we must be able to read again are sealed with Tink's AEAD under associated data: the place (column and
row), and what the row binds the secret to (merchant, customer, contract …), so that a sealed value copied elsewhere,
or a row that was changed around it, does not open. Secrets that we only compare are kept as a sealed hash, bound alike.
What is looked up, and what proves itself, is a keyed hash.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

import tink

from maedal.vault.ring import PREFIX_BYTES, RingKey, grouped

DIGEST_BYTES = 32


class NotOpened(Exception):
    """A sealed value does not open: made with a key that is not in the ring, or for another place."""

    def __init__(self, message: str, missing_key: str | None = None) -> None:
        super().__init__(message)
        self.missing_key = missing_key
        """The id of the key that it was sealed with, if that is what is missing."""


class MustNotSeal(Exception):
    """The ring has no key that may still seal; the text says what to do."""


class Vault:
    """Seals, opens and hashes with the keys of one ring; new values with the one key that is primary.

    Which one that is the database knows; until it was asked, it is the newest of the ring.
    """

    def __init__(self, keys: Sequence[RingKey]) -> None:
        assert keys, "a ring has a key"
        self._take(keys, keys[-1])

    def _take(self, keys: Sequence[RingKey], primary: RingKey) -> None:
        self.keys = tuple(keys)
        self._by_id = {key_id: key for key in keys for key_id in key.ids}
        self._newest_first = (primary, *(key for key in reversed(keys) if key is not primary))
        self._primary = primary
        self._retired = False
        self._nobodys = self._sealed_hash("nobody", ("nobody",))

    @property
    def fingerprint(self) -> str:
        """Of the keys themselves: the same for every copy of the ring, and of no use for opening anything."""
        [first, *more] = self.keys
        if not more and not first.binds:
            # As it was made before there were rings: a backup that was confirmed then stays confirmed.
            whole = "\0".join(("maedal key file", first.keyset, *(key.hex() for key in first.macs)))
        else:
            whole = "\0".join(("maedal key ring", *sorted(key.fingerprint for key in self.keys)))
        return grouped(hashlib.sha256(whole.encode()).hexdigest()[:32])

    @property
    def primary(self) -> str:
        """The id of the key that seals."""
        return self._primary.id

    @property
    def fingerprints(self) -> dict[str, str]:
        """The fingerprint of each key by its id, the oldest first."""
        return {key.id: key.fingerprint for key in self.keys}

    @property
    def binds(self) -> bool:
        """Whether the primary key binds what it seals to its row."""
        return self._primary.binds

    @property
    def binding_keys(self) -> frozenset[str]:
        """The ids of the keys that bind what they seal."""
        return frozenset(key.id for key in self.keys if key.binds)

    @property
    def takes_unbound(self) -> bool:
        """Whether the ring still has a key from before sealed values were bound to their rows."""
        return any(not key.binds for key in self.keys)

    def use(self, key_id: str, *, retired: bool = False) -> None:
        """Seal with this key of the ring from now on; with one that is `retired` nothing is sealed, only opened."""
        if key_id != self._primary.id:
            self._take(self.keys, self._by_id[key_id])
        self._retired = retired

    def adopt(self, other: Vault) -> None:
        """Take the keys of another ring, such as the same file read anew; the primary stays if it is there."""
        known = {key.id: key for key in other.keys}
        self._take(other.keys, known.get(self._primary.id, other.keys[-1]))

    def key_of(self, sealed: bytes) -> str:
        """Return the id of the key that sealed a value, in the ring or not."""
        key_id = sealed[1:PREFIX_BYTES].hex()
        key = self._by_id.get(key_id)
        return key_id if key is None else key.id

    def seal(self, secret: str, place: str, *bound_to: str) -> bytes:
        """Return `secret` sealed under `place`, the column and row it is kept in, and the facts it is bound to.

        Raises MustNotSeal when the key that seals here was retired.
        """
        if self._retired:
            raise MustNotSeal(f"the key {self._primary.id} is retired, and this process has no newer one")
        key = self._primary
        sealed: bytes = key.aead.encrypt(secret.encode(), _associated(key, place, bound_to))
        return sealed

    def open(self, sealed: bytes, place: str, *bound_to: str) -> str:
        """Return the secret. Raises NotOpened when `sealed` was made with other keys or for another place."""
        key_id = sealed[1:PREFIX_BYTES].hex()
        key = self._by_id.get(key_id)
        if key is None:
            raise NotOpened(f"it was sealed with the key {key_id}, which is not in the key ring", key_id)
        try:
            opened: bytes = key.aead.decrypt(sealed, _associated(key, place, bound_to))
        except tink.TinkError as error:
            raise NotOpened("it was changed, or sealed for another row") from error
        return opened.decode()

    def is_in_place(self, seal: bytes | None, place: str, *bound_to: str) -> bool:
        """Return whether a row's seal (of an empty secret) is of these facts; None passes while the ring is that old.

        None is the seal of a row from before rows had one.
        """
        if seal is None:
            return self.takes_unbound
        try:
            return self.open(seal, place, *bound_to) == ""
        except NotOpened:
            return False

    def keep(self, purpose: str, text: str, *bound_to: str) -> bytes:
        """Return what is kept of a secret that is only compared: a sealed hash; with a key of version 1 a keyed one."""
        if not self._primary.binds:
            return self.digest(purpose, text)
        return self._sealed_hash(purpose, bound_to, text)

    def matches(self, purpose: str, text: str, kept: bytes | None, *bound_to: str) -> bool:
        """Return whether `kept` was made of `text`, by `keep` or `digest`, with any key of the ring.

        None is nobody's, and takes as long to say so.
        """
        if kept is not None and len(kept) == DIGEST_BYTES:
            expected = [self._digest(key, mac, purpose, text, bound_to) for key in self.keys for mac in key.macs]
            results = [hmac.compare_digest(one, kept) for one in expected]
            return any(results)
        sealed, place, facts = (self._nobodys, "nobody", ("nobody",)) if kept is None else (kept, purpose, bound_to)
        try:
            found = self.open(sealed, place, *facts)
        except NotOpened:
            return False
        return hmac.compare_digest(found, _hash(place, text)) and kept is not None

    def is_outdated(self, kept: bytes) -> bool:
        """Return whether what is kept of a secret can be kept better, now that the secret is there to be seen."""
        return self._primary.binds and len(kept) == DIGEST_BYTES

    def proves(self, purpose: str, text: str, digest: bytes) -> bool:
        """Return whether a key of the ring made `digest` of `text`, or one that was dropped from it meanwhile.

        For what is written once and read for ever; whatever lets somebody in is asked of `matches`.
        """
        macs = [(key, mac) for key in self.keys for mac in (*key.macs, *key.past_macs)]
        return any(hmac.compare_digest(self._digest(key, mac, purpose, text, ()), digest) for key, mac in macs)

    def digest(self, purpose: str, text: str, *bound_to: str) -> bytes:
        """Return a keyed hash of 32 bytes; equal for equal text, of no use without the key ring."""
        return self._digest(self._primary, self._primary.macs[0], purpose, text, bound_to)

    def digests(self, purpose: str, text: str, *bound_to: str) -> list[bytes]:
        """Return the keyed hashes of `text` under the primary and every other key, to look a stored one up."""
        return [self._digest(key, mac, purpose, text, bound_to) for key in self._newest_first for mac in key.macs]

    def _sealed_hash(self, purpose: str, bound_to: tuple[str, ...], text: str = "") -> bytes:
        key = self._primary
        sealed: bytes = key.aead.encrypt(_hash(purpose, text).encode(), _associated(key, purpose, bound_to))
        return sealed

    @staticmethod
    def _digest(key: RingKey, mac: bytes, purpose: str, text: str, bound_to: tuple[str, ...]) -> bytes:
        whole = f"{purpose}\0{text}".encode()
        if key.binds and bound_to:
            whole += b"\0" + _listed(bound_to)
        return hmac.digest(mac, whole, hashlib.sha256)


def _associated(key: RingKey, place: str, bound_to: tuple[str, ...]) -> bytes:
    return _listed((place, *bound_to)) if key.binds else place.encode()


def _listed(facts: tuple[str, ...]) -> bytes:
    """Return facts as bytes that no other facts give: each with its length before it."""
    return "".join(f"{len(fact)}:{fact}" for fact in facts).encode()


def _hash(purpose: str, text: str) -> str:
    return hashlib.sha256(f"{purpose}\0{text}".encode()).hexdigest()
