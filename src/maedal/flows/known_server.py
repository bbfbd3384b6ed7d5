"""What a process remembers of the database server that it is on: what it has told, and whom it need not ask about."""

from __future__ import annotations

KEYS_MAX = 100_000


class KnownServer:
    """Of one server at a time; a process that starts anew tells and asks anew."""

    def __init__(self) -> None:
        self._id = ""
        self._keys: set[str] = set()
        self._reported = ""

    def was_reported(self, server_id: str) -> bool:
        """Return whether its promotion has been told, and take it as told from now on."""
        reported, self._reported = self._reported == server_id, server_id
        return reported

    def add(self, server_id: str, billing_key_id: str) -> None:
        """Remember that the books on this server know every approval of the key."""
        if server_id != self._id or len(self._keys) >= KEYS_MAX:
            self._id, self._keys = server_id, set()
        self._keys.add(billing_key_id)

    def knows(self, server_id: str, billing_key_id: str) -> bool:
        """Return whether the key was found to agree with the PG on this server."""
        return server_id == self._id and billing_key_id in self._keys
