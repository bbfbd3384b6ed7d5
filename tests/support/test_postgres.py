import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.support.postgres import TemporaryPostgres, postgres_server
from tools import provide

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[TemporaryPostgres]:
    with TemporaryPostgres(durable=False) as server:
        yield server


async def test_a_database_of_its_own(server: TemporaryPostgres) -> None:
    url = server.create_database("own")
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT current_database()") == "own"
    assert await connection.fetchval("SHOW fsync") == "off"
    await connection.close()


async def test_what_was_committed_survives_an_immediate_restart(server: TemporaryPostgres) -> None:
    url = server.create_database("survives")
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE kept (number integer)")
    await connection.execute("INSERT INTO kept VALUES (42)")
    server.restart(mode="immediate")
    connection.terminate()
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT number FROM kept") == 42
    await connection.close()


async def test_a_durable_server_keeps_the_defaults_of_postgresql() -> None:
    with TemporaryPostgres() as server:
        connection = await asyncpg.connect(server.url)
        assert await connection.fetchval("SHOW fsync") == "on"
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
        await connection.close()


async def test_a_wrong_password_is_refused(server: TemporaryPostgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.url.replace("maedal:", "maedal:wrong"))


async def test_the_server_that_the_environment_names_is_used_and_left_clean(
    server: TemporaryPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAEDAL_TEST_DATABASE_URL", server.url)
    with postgres_server() as ready:
        assert ready.url == server.url
        ready.create_database("passing_guest")
    connection = await asyncpg.connect(server.url)
    assert not await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = 'passing_guest'")
    await connection.close()


def test_nothing_is_left_when_the_test_process_is_killed() -> None:
    script = (
        "import time\n"
        "from tests.support.postgres import TemporaryPostgres\n"
        "with TemporaryPostgres(durable=False) as server:\n"
        "    print(server._server.pid, server._home, flush=True)\n"
        "    time.sleep(60)\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=root,
        env=os.environ | {"MAEDAL_POSTGRES_BIN": str(provide.postgres_bin())},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        pid, home = process.stdout.readline().split()
        process.kill()
    limit = time.monotonic() + 60
    while Path(home).exists() and time.monotonic() < limit:
        time.sleep(0.1)
    assert not Path(home).exists()
    assert not _runs(int(pid))


def _runs(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
