"""A gateway on a fresh database full of billing keys, with a PG that approves: what a measurement begins with."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.postgres import postgres_server

from bench.programs import free_port, running
from bench.seed import Shop, seed_shop
from maedal.settings import Settings
from maedal.vault import create_key_file

MAEDAL = Path(sys.executable).with_name("maedal")


@dataclass(frozen=True)
class Served:
    """`maedal serve` and its PG, both running; `values` are the gateway's settings as variables."""

    folder: Path
    settings: Settings
    values: dict[str, str]
    merchant: Shop
    token: str
    port: int
    pg_port: int
    pid: int


@contextlib.contextmanager
def served(engine: str, keys: int) -> Iterator[Served]:
    """Serve on a database of this kind ("sqlite" or "postgresql") with so many billing keys, until the block ends."""
    with contextlib.ExitStack() as open_things:
        folder = Path(open_things.enter_context(tempfile.TemporaryDirectory(prefix="maedal-served-")))
        create_key_file(folder / "keys.json")
        pg_port, port = free_port(), free_port()
        url = f"sqlite:///{folder / 'bench.db'}"
        if engine == "postgresql":
            url = open_things.enter_context(postgres_server(durable=True)).create_database("maedal_served")
        stub = [sys.executable, "-m", "bench.stub", str(pg_port)]
        open_things.enter_context(running(stub, pg_port, "/bench/seen", folder / "pg.log"))
        settings = Settings(
            database_url=url,
            key_file=folder / "keys.json",
            public_url=f"http://127.0.0.1:{port}",
            sandbox_url=f"http://127.0.0.1:{pg_port}",
        )
        merchant, token = seed_shop(settings, keys, lambda _: None)
        names = ("database_url", "key_file", "public_url", "sandbox_url")
        values = {f"MAEDAL_{name.upper()}": str(getattr(settings, name)) for name in names}
        serve: list[str | Path] = [MAEDAL, "serve", "--port", str(port)]
        pid = open_things.enter_context(running(serve, port, "/readyz", folder / "serve.log", values))
        yield Served(folder, settings, values, merchant, token, port, pg_port, pid)
