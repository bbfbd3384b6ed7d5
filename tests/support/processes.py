"""Real `maedal` processes, their settings in the environment alone, beside a simulator in this one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from kakaopay_sandbox.app import create_app as create_sandbox
from kakaopay_sandbox.settings import Settings as SandboxSettings
from maedal.app import Gateway, open_gateway
from maedal.flows.set_up_channel import ChannelSettings, add_channel
from maedal.flows.set_up_merchant import CreatedMerchant, create_merchant
from maedal.settings import Settings, load
from maedal.vault import create_key_file
from tests.support.rows import let_keys_settle
from tests.support.world import World, _run_in_thread, free_port, served

COMMAND = str(Path(sys.executable).with_name("maedal"))
SECONDS_MAX = 90


def environment(**settings: object) -> dict[str, str]:
    """Return this process' environment with these settings and no others of maedal's."""
    rest = {name: value for name, value in os.environ.items() if not name.startswith("MAEDAL_")}
    return rest | {f"MAEDAL_{name.upper()}": str(value) for name, value in settings.items()}


def run(*words: str, stdin: str | None = None, **settings: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [COMMAND, *words],
        check=False,
        env=environment(**settings),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )


@dataclass
class Process:
    """A running command and what it has said so far."""

    popen: subprocess.Popen[str]
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)

    def wait_until_it_says(self, words: str) -> None:
        deadline = time.monotonic() + SECONDS_MAX
        while not any(words in line for line in self.out) and time.monotonic() < deadline and self.popen.poll() is None:
            time.sleep(0.02)
        assert any(words in line for line in self.out), (self.out, self.err)

    def end(self) -> int:
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(SECONDS_MAX)


@contextmanager
def started(*words: str, **settings: object) -> Iterator[Process]:
    """Run a command until the block ends."""
    popen = subprocess.Popen(
        [COMMAND, *words], env=environment(**settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process = Process(popen)
    readers = [
        threading.Thread(target=lambda f=file, lines=lines: lines.extend(f), daemon=True)
        for file, lines in ((popen.stdout, process.out), (popen.stderr, process.err))
    ]
    for reader in readers:
        reader.start()
    try:
        yield process
    finally:
        process.end()
        for reader in readers:
            reader.join()
        popen.stdout.close()
        popen.stderr.close()


@dataclass
class Served:
    """`maedal serve` once or several times on one database, each as a `World`, with a merchant of its own."""

    worlds: list[World]
    processes: list[Process]
    merchant: CreatedMerchant
    settings: Settings
    values: dict[str, object]

    def open_window(self, merchant_uid: str, amount: int = 0, node: int = 0, **more: object) -> dict[str, object]:
        return self.worlds[node].open_window(
            merchant_uid, amount, call={"user_code": self.merchant.merchant.code}, **more
        )

    def issue_key(self, customer_uid: str, **more: object) -> None:
        opened = self.open_window(f"issue_{customer_uid}", customer_uid=customer_uid, **more)
        assert self.worlds[0].finish(opened)["result"]["success"]
        let_keys_settle(self.settings.database_url)


@contextmanager
def serving(
    database_url: str, folder: Path, *, nodes: int = 1, webhook_url: str | None = None, **changes: object
) -> Iterator[Served]:
    """Start `maedal serve` so many times on one fresh, migrated database; the first is the public address."""
    create_key_file(folder / "keys.json")
    ports, sandbox_port = [free_port() for _ in range(nodes)], free_port()
    values = {
        "database_url": database_url,
        "key_file": folder / "keys.json",
        "public_url": f"http://127.0.0.1:{ports[0]}",
        "sandbox_url": f"http://127.0.0.1:{sandbox_port}",
        "allow_private_addresses": "true",
    } | changes
    settings = load(environment(**values))
    made: list[CreatedMerchant] = []

    async def prepare() -> None:
        async with open_gateway(settings, serving=False) as gateway:
            made.append(await _merchant(gateway, webhook_url))

    _run_in_thread(prepare())
    sandbox = SandboxSettings(data_file=folder / "sandbox.db", public_url=str(values["sandbox_url"]))
    with ExitStack() as stack:
        stack.enter_context(served(create_sandbox(sandbox), sandbox_port))
        processes = [stack.enter_context(started("serve", "--port", str(port), **values)) for port in ports]
        for process in processes:
            process.wait_until_it_says("maedal ready")
        http = stack.enter_context(httpx.Client(timeout=60, limits=httpx.Limits(max_connections=100)))
        worlds = [World(f"http://127.0.0.1:{port}", str(values["sandbox_url"]), None, settings, http) for port in ports]
        token = get_token(worlds[0], made[0])
        for node in worlds:
            node._token = token
        yield Served(worlds, processes, made[0], settings, values)


def get_token(node: World, merchant: CreatedMerchant) -> str:
    """Get a token the merchant's way."""
    pair = {"imp_key": merchant.api_key, "imp_secret": merchant.api_secret}
    return node.http.post(f"{node.gateway}/users/getToken", json=pair).json()["response"]["access_token"]


async def _merchant(gateway: Gateway, webhook_url: str | None) -> CreatedMerchant:
    merchant = await create_merchant(gateway.services, "A shop", webhook_url_test=webhook_url)
    for cid in ("TC0ONETIME", "TCSUBSCRIP"):
        await add_channel(gateway.services, merchant.merchant.code, ChannelSettings(cid=cid, test_mode=True))
    return merchant
