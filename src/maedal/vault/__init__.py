"""Sealing and opening secrets: PG keys, billing keys' secrets, and the keyed hashes that stand for the rest."""

from maedal.vault.ring import KeyFileError, create_key_file
from maedal.vault.sources import KeySource, load_key_file, source_of
from maedal.vault.vault import MustNotSeal, NotOpened, Vault

__all__ = [
    "KeyFileError",
    "KeySource",
    "MustNotSeal",
    "NotOpened",
    "Vault",
    "create_key_file",
    "load_key_file",
    "source_of",
]
