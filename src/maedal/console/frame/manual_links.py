"""Where the manual tells of each page of the console: what `?` in the frame opens."""

from __future__ import annotations

from collections.abc import Mapping

SECTIONS: Mapping[str, str] = {
    "": "home",
    "payments": "payments",
    "customers": "customers",
    "find": "find",
    "shortcuts": "find",
    "figures": "figures",
    "exports": "files",
    "billing-keys": "billing-keys",
    "upcoming": "upcoming",
    "schedules": "schedules",
    "recovery": "recovery",
    "desk": "desk",
    "webhook-log": "webhook-log",
    "webhook": "webhooks",
    "channels": "channels",
    "go-live": "go-live",
    "keys": "api-keys",
    "allowed-addresses": "allowed-addresses",
    "log": "audit-log",
    "api-log": "api-keys",
    "notes": "notes",
    "tags": "notes",
    "plans": "plans#",
    "holidays": "plans#",
    "alerts": "alerts#",
    "messages": "alerts#",
    "mail-server": "alerts#",
    "dunning": "alerts#",
    "users": "users",
    "account": "signing-in",
    "dev": "time-travel",
}
"""The section of the manual's page of the console that a page is told in, by the first word of its address below the
merchant's or the console's own; a page of the manual that is not the console's is named with a `#`."""


def manual_of(path: str, language: str) -> str:
    """Return where the manual tells of the console's page at a path."""
    words = path.strip("/").split("/")[1:]
    if words[:1] == ["merchants"]:
        words = words[2:]
    section = SECTIONS.get(words[0] if words else "", SECTIONS[""])
    return f"/manual/{language}/{section.rstrip('#')}" if "#" in section else f"/manual/{language}/console#{section}"
