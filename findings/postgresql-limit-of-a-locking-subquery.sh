#!/usr/bin/env bash
# PostgreSQL 16.2 (in pgserver 0.1.4, PyPI), Python 3.11: the usual claim of a work queue,
#   UPDATE jobs SET taken = true WHERE tenant = $1 AND id IN (SELECT id FROM jobs WHERE … LIMIT 5 FOR UPDATE SKIP LOCKED)
# may take more rows than its limit. The planner is free to run the subquery again for every row that it compares. What
# the first run took has been changed by this very statement, so a later run passes it over and takes five others. It
# shows where the planner expects few rows, as in a queue that was nearly empty when it was counted last. The same
# statement with the subquery in a MATERIALIZED common table expression keeps the limit.
#
# Runs outside of CI, without maedal.
# Seen on 2026-11-28:
#   IN (subquery with LIMIT 5): 60 of 60 rows were taken
#   IN (materialized common table expression with LIMIT 5): 5 of 60 rows were taken
# It fails when that changes: then the claims in src/maedal/storage may be simpler.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check pgserver==0.1.4 asyncpg==0.32.0
chmod 755 "$folder"
FOLDER="$folder" "$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import os
from pathlib import Path

import asyncpg
import pgserver

PICK = "SELECT id FROM jobs WHERE tenant = 'a' AND NOT taken ORDER BY due LIMIT 5 FOR UPDATE SKIP LOCKED"
CLAIMS = {
    "IN (subquery with LIMIT 5)": f"UPDATE jobs SET taken = true WHERE tenant = 'a' AND id IN ({PICK}) RETURNING id",
    "IN (materialized common table expression with LIMIT 5)": f"WITH picked AS MATERIALIZED ({PICK}) "
    "UPDATE jobs SET taken = true WHERE tenant = 'a' AND id IN (SELECT id FROM picked) RETURNING id",
}


async def main(address: str) -> None:
    connection = await asyncpg.connect(address)
    print(await connection.fetchval("SHOW server_version"))
    found = []
    for name, claim in CLAIMS.items():
        await connection.execute("DROP TABLE IF EXISTS jobs")
        await connection.execute(
            "CREATE TABLE jobs (tenant text, id text, due int, taken boolean DEFAULT false, PRIMARY KEY (tenant, id))"
        )
        # As a queue was when it was counted last: nearly empty.
        await connection.execute("INSERT INTO jobs (tenant, id, due) VALUES ('a', 1, 1)")
        await connection.execute("ANALYZE jobs")
        await connection.execute("INSERT INTO jobs (tenant, id, due) SELECT 'a', n, n FROM generate_series(2, 60) n")
        found.append(len(await connection.fetch(claim)))
        print(f"{name}: {found[-1]} of 60 rows were taken")
    assert found == [60, 5], found
    await connection.close()


server = pgserver.get_server(Path(os.environ["FOLDER"]) / "data", cleanup_mode="delete")
asyncio.run(main(server.get_uri()))
server.cleanup()
PYTHON
