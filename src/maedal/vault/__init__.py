"""Sealing and opening secrets: PG keys, billing keys' secrets, and the keyed hashes that stand for the rest."""

from maedal.vault.vault import KeyFileError, Vault, create_key_file, load_key_file

__all__ = ["KeyFileError", "Vault", "create_key_file", "load_key_file"]
