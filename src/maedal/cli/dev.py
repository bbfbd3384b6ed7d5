"""`maedal dev`: three origins as in life, on one machine: gateway, KakaoPay simulator, demo shop."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rich.cells import cell_len

from maedal import logs
from maedal.app import Gateway, create_app
from maedal.cli.running import (
    LOOPBACK,
    check_port,
    err,
    give_up,
    out,
    serve_until_told,
    server_of,
    with_gateway,
)
from maedal.clock import TravelClock
from maedal.flows.keep_users import GivenPassword, create_user
from maedal.flows.set_up_merchant import ChannelWish, add_channel, create_merchant
from maedal.merchants.act import MAEDAL
from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET, DEMO_CODE
from maedal.operators.author import Author
from maedal.operators.role import Role
from maedal.settings import LogFormat, Settings, SettingsError, load
from maedal.storage.migrate import migrate
from maedal.vault import create_key_file

READY_SECONDS_MAX = 60
FIRST_OWNER = "owner"
SIMULATOR_FILE_KEY = "5ca1ab1e" * 8
TORTURE_RESULT = "build/torture.json"
"""Where `make torture` leaves it."""
SIMULATOR_BUCKET = "B000000001"
PR_SET_PDEATHSIG = 1


def run_dev(*, port: int, data_dir: Path, host: str | None) -> None:
    """Run the three until Ctrl-C. What they know is kept in `data_dir` and survives a restart."""
    listen = host or "127.0.0.1"
    shown = "127.0.0.1" if listen in {"0.0.0.0", "::"} else listen
    gateway_url, sandbox_url, shop_url = (f"http://{shown}:{port + n}" for n in range(3))
    if listen not in LOOPBACK:
        err.print(
            f"[bold yellow]maedal dev listens on {listen}: its API key is public knowledge; never on the internet[/]"
        )
    for n in range(3):
        check_port(listen, port + n)
    data_dir.mkdir(parents=True, exist_ok=True)
    settings = _settings(data_dir.resolve(), gateway_url, sandbox_url)
    logs.set_up(settings.log_format)
    if not settings.key_file.exists():
        create_key_file(settings.key_file)
    migrate(settings.database_url)
    clock_file = data_dir.resolve() / "clock"
    clock = TravelClock(clock_file)
    with_gateway(settings, _demo_merchant)
    owner = with_gateway(settings, _first_owner)
    # The simulator is a program of its own that happens to be installed beside us; nothing of it is imported.
    sandbox = [str(Path(sys.executable).with_name("kakaopay-sandbox")), "--host", listen, "--port", str(port + 1)]
    sandbox += ["--public-url", sandbox_url, "--data", str(data_dir.resolve() / "sandbox.db")]
    sandbox += ["--clock-file", str(clock_file)]
    shop = [sys.executable, "-m", "maedal.demo", "--host", listen, "--port", str(port + 2)]
    shop += ["--gateway", gateway_url, "--sandbox", sandbox_url, "--shop", shop_url]
    shop += ["--data", str(data_dir.resolve() / "shop.db"), "--clock-file", str(clock_file)]
    with _children(sandbox, shop) as children:
        # What is overdue would only find that the simulator does not listen yet.
        answering = asyncio.Event()

        async def started() -> None:
            await asyncio.to_thread(_wait_for, [sandbox_url, shop_url], children)
            answering.set()
            _welcome(gateway_url, sandbox_url, shop_url, owner)

        app = create_app(settings, demo_allowed=True, clock=clock, before_work=answering.wait)
        serve_until_told(server_of(app, listen, port), started)


def _settings(data_dir: Path, gateway_url: str, sandbox_url: str) -> Settings:
    try:
        return load(
            database_url=f"sqlite:///{data_dir / 'maedal.db'}",
            key_file=data_dir / "keys.json",
            # Behind a tunnel the browser knows another address than we listen on.
            public_url=os.environ.get("MAEDAL_PUBLIC_URL", gateway_url),
            sandbox_url=sandbox_url,
            allow_private_addresses=True,
            torture_result=os.environ.get("MAEDAL_TORTURE_RESULT", TORTURE_RESULT),
            log_format=os.environ.get("MAEDAL_LOG_FORMAT", LogFormat.CONSOLE),
        )
    except SettingsError as error:
        give_up(error)


async def _demo_merchant(gateway: Gateway) -> None:
    """Create the merchant that every old tutorial uses, once."""
    if await gateway.store.merchant(DEMO_CODE) is not None:
        return
    await create_merchant(gateway.parts, "데모 상점", code=DEMO_CODE, api_key=DEMO_API_KEY, api_secret=DEMO_API_SECRET)
    for name, cid, default in (("일반결제 (테스트)", "TC0ONETIME", True), ("정기결제 (테스트)", "TCSUBSCRIP", False)):
        wish = ChannelWish(name=name, cid=cid, test_mode=True, default=default)
        # The simulator's own files of past days, under its public key (docs/wire/kakaopay.md 14).
        wish = replace(wish, file_key=SIMULATOR_FILE_KEY, file_bucket=SIMULATOR_BUCKET)
        await add_channel(gateway.parts, DEMO_CODE, wish)


async def _first_owner(gateway: Gateway) -> GivenPassword | None:
    """Create somebody who may do everything in the console, unless anybody is there already."""
    if await gateway.store.users():
        return None
    return await create_user(gateway.parts, FIRST_OWNER, Role.OWNER, Author(MAEDAL))


@contextlib.contextmanager
def _children(*commands: list[str]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start the commands; end them, whatever happens."""
    with contextlib.ExitStack() as ending:
        children: list[subprocess.Popen[bytes]] = []
        for command in commands:
            # A group of their own: Ctrl-C reaches us alone, and we end them in order.
            child = subprocess.Popen(command, start_new_session=True, preexec_fn=_end_with_parent)  # noqa: S603, PLW1509
            ending.callback(_end, child)
            children.append(child)
        yield children


def _end_with_parent() -> None:
    """Ask Linux to end this child when its parent dies, however it dies; elsewhere a killed parent leaves it behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _wait_for(urls: list[str], children: list[subprocess.Popen[bytes]]) -> None:
    """Return once every address answers. Raises SettingsError when a child dies or stays silent."""
    import time

    deadline = time.monotonic() + READY_SECONDS_MAX
    for url in urls:
        while True:
            if any(child.poll() is not None for child in children):
                raise SettingsError("the simulator or the shop did not start; its own message is above")
            try:
                urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own loopback address
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise SettingsError(f"{url} did not answer within {READY_SECONDS_MAX} seconds") from None
                time.sleep(0.1)


def _welcome(gateway_url: str, sandbox_url: str, shop_url: str, owner: GivenPassword | None) -> None:
    first = (
        () if owner is None else (("이름 · name", owner.user.name), ("비밀번호 · password, shown once", owner.password))
    )
    lines = (
        ("콘솔 · console", f"{gateway_url}/console"),
        *first,
        ("데모 상점 · shop", shop_url),
        ("구매자 휴대폰 · buyer's phone", sandbox_url),
        ("장애 만들기 · faults to try", f"{sandbox_url}/faults"),
        ("결제 서버 · REST API", gateway_url),
        ("브라우저 SDK · script", f"{gateway_url}/v1/iamport.js"),
        ("가맹점 식별코드 · IMP.init", DEMO_CODE),
        ("REST API 키 · imp_key", DEMO_API_KEY),
        ("REST API secret · imp_secret", DEMO_API_SECRET),
    )
    out.rule("[bold]매달 maedal[/]  no money moves; Ctrl-C ends it", align="left")
    for label, value in lines:
        # Whole lines, so that a secret can be copied from any terminal.
        out.print(f"  [dim]{label}[/]{' ' * max(2, 34 - cell_len(label))}[bold]{value}[/]", no_wrap=True)
    print(f"maedal ready {gateway_url}", flush=True)
