#!/usr/bin/env bash
# asyncpg 0.32.0 (PyPI), Python 3.11: with several hosts in an address, `timeout` of connect() is one limit for all of
# them together. A first host that takes the connection and says nothing uses it up, and the second is never asked.
# libpq's connect_timeout, by PostgreSQL's manual, is for each host. In the address, asyncpg sends `connect_timeout` to
# the server as a setting of the session.
#
# Runs outside of CI, without maedal. Two sockets of its own on 127.0.0.1 stand for the hosts.
# Seen on 2026-11-27:
#   TimeoutError after 3 s; the first host was asked 1 time, the second 0 times
#   the second host alone was sent connect_timeout=2: True
# It fails when that changes: then src/maedal/storage/engine/connecting.py may be simpler.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check asyncpg==0.32.0
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import time

import asyncpg


async def main() -> None:
    asked = {"first": 0, "second": 0}
    heard = []

    def host(name):
        async def take(reader, writer):
            asked[name] += 1
            heard.append(await reader.read(1000))
            if name == "first":
                await reader.read()  # until the client goes
            writer.close()

        return asyncio.start_server(take, "127.0.0.1", 0)

    servers = [await host("first"), await host("second")]
    first, second = ("{}:{}".format(*server.sockets[0].getsockname()) for server in servers)
    begun = time.monotonic()
    try:
        await asyncpg.connect(f"postgresql://u@{first},{second}/d?sslmode=disable", timeout=3)
    except Exception as error:
        said = f"{type(error).__name__} after {time.monotonic() - begun:.0f} s"
    print(f"{said}; the first host was asked {asked['first']} time, the second {asked['second']} times")
    assert said == "TimeoutError after 3 s" and asked == {"first": 1, "second": 0}
    try:
        await asyncpg.connect(f"postgresql://u@{second}/d?sslmode=disable&connect_timeout=2", timeout=3)
    except Exception:
        pass
    sent = b"connect_timeout\0" + b"2\0" in heard[-1]
    print(f"the second host alone was sent connect_timeout=2: {sent}")
    assert sent


asyncio.run(main())
PYTHON
