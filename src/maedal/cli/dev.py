"""`maedal dev`: three origins as in life, on one machine: gateway, KakaoPay simulator, demo shop."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import random
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from rich.cells import cell_len

from maedal import logs
from maedal.app import Gateway, create_app
from maedal.cli.data_dir import CLOCK_FILE, DATABASE_FILE, INFO_FILE, KEY_FILE
from maedal.cli.running import (
    LOOPBACK,
    check_port,
    err,
    give_up,
    out,
    with_gateway,
)
from maedal.cli.serving import bounds_of, serve_until_stopped, server_of
from maedal.clock import TravelClock
from maedal.control.callers import Names
from maedal.flows.manage_operators import NewPassword, create_operator
from maedal.flows.seal_rights import SINCE, seal_rights
from maedal.flows.set_up_channel import ChannelSettings, add_channel
from maedal.flows.set_up_merchant import create_merchant
from maedal.merchants.audit_entry import MAEDAL
from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET, DEMO_CODE
from maedal.operators.actor import Actor
from maedal.operators.role import Role
from maedal.private_files import make_private_folder
from maedal.settings import LogFormat, Settings, SettingsError, load
from maedal.storage.migrate import lacks, migrate, schema_of
from maedal.vault import create_key_file

READY_SECONDS_MAX = 60
FIRST_OWNER = "owner"
SIMULATOR_FILE_KEY = "5ca1ab1e" * 8
TORTURE_RESULT = "build/torture.json"
"""Where `make torture` leaves it."""
SIMULATOR_CONTROL_KEY = "KAKAOPAY_SANDBOX_CONTROL_KEY"
SIMULATOR_BUCKET = "B000000001"
PR_SET_PDEATHSIG = 1
LOG_FILE = "dev.log"
LAST_WORDS_MAX = 1_000
FREE_PORTS, FREE_TRIES = (20_000, 32_000), 200
PAIR = {
    "identification_code": DEMO_CODE,
    "api_key": DEMO_API_KEY,
    "api_secret": DEMO_API_SECRET,
    "pg": {"one_time": "kakaopay.TC0ONETIME", "recurring": "kakaopay.TCSUBSCRIP"},
}
"""The merchant that every tutorial knows."""


@dataclass(frozen=True, slots=True)
class Control:
    """The control API (docs/wire/dev-control.md) and the key that it asks for, new at each start."""

    url: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DevInfo:
    """What scripts are told of a running `maedal dev`."""

    gateway: str
    script: str
    simulator: str
    shop: str | None
    console: str
    control: Control
    process_id: int
    data_dir: str
    log: str | None


@dataclass(frozen=True, slots=True)
class DevOptions:
    """How somebody wants it run. `port` 0 draws three free ones; `data_dir` None is a folder that ends with it."""

    port: int
    data_dir: Path | None
    host: str | None = None
    as_json: bool = False
    """Print one line of JSON once it is ready, and log into the data folder."""
    with_shop: bool = True
    allowed_hosts: tuple[str, ...] = ()
    """Names that the three answer to, beside addresses, `localhost` and that of `MAEDAL_PUBLIC_URL`."""
    until_stdin_ends: bool = False
    """End when standard input does: whoever started it has gone, however that came."""


def run_dev(options: DevOptions) -> None:
    """Run the three until Ctrl-C. What they know is kept in the data folder and survives a restart."""
    # Told to end while it still starts, it puts things in order all the same: between two steps, because an exception
    # out of a signal's handler may be lost in whatever it interrupts. The server brings a handler of its own.
    stop_requested = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop_requested.set())
    if options.until_stdin_ends:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    with contextlib.ExitStack() as stack:
        folder = options.data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maedal-")))
        _run_in(folder, options, stop_requested)


def _run_in(data_dir: Path, options: DevOptions, stop_requested: threading.Event) -> None:
    def go_on() -> None:
        if stop_requested.is_set():
            sys.exit(128 + signal.SIGTERM)

    listen = options.host or "127.0.0.1"
    shown = "127.0.0.1" if listen in {"0.0.0.0", "::"} else listen
    port = options.port or _free_ports(listen, 3)
    gateway_url, sandbox_url, shop_url = (f"http://{shown}:{port + n}" for n in range(3))
    if listen not in LOOPBACK:
        err.print(
            f"[bold yellow]maedal dev listens on {listen}: its API key is public knowledge; never on the internet[/]"
        )
    for n in range(3 if options.with_shop else 2):
        check_port(listen, port + n)
    make_private_folder(data_dir)
    data_dir = data_dir.resolve()
    settings = _settings(data_dir, gateway_url, sandbox_url, LogFormat.JSON if options.as_json else LogFormat.CONSOLE)
    clock_file, info_file = data_dir / CLOCK_FILE, data_dir / INFO_FILE
    control = Control(f"{gateway_url}/_dev", secrets.token_urlsafe(32))
    # The simulator is a program of its own that happens to be installed beside us; nothing of it is imported.
    sandbox = [sys.executable, "-P", "-m", "kakaopay_sandbox.cli", "--host", listen, "--port", str(port + 1)]
    sandbox += ["--public-url", sandbox_url, "--data", str(data_dir / "sandbox.db"), "--clock-file", str(clock_file)]
    shop = [sys.executable, "-P", "-m", "maedal.demo", "--host", listen, "--port", str(port + 2)]
    shop += ["--gateway", gateway_url, "--sandbox", sandbox_url, "--shop", shop_url]
    shop += ["--data", str(data_dir / "shop.db"), "--clock-file", str(clock_file)]
    for name in options.allowed_hosts:
        sandbox += ["--allowed-host", name]
        shop += ["--allowed-host", name]
    public_host = urlsplit(settings.public_url).hostname
    names = Names(
        frozenset(name.lower() for name in (listen, public_host, *options.allowed_hosts) if name),
        without_a_dot=listen not in LOOPBACK,
    )
    go_on()
    with contextlib.ExitStack() as stack:
        log = None
        if options.as_json:
            log = stack.enter_context((data_dir / LOG_FILE).open("a", encoding="utf-8"))
        logs.set_up(settings.log_format, log)
        # They start beside the migrations.
        children = stack.enter_context(_children([sandbox, *([shop] if options.with_shop else [])], log, control.key))
        if not (data_dir / KEY_FILE).exists():
            create_key_file(data_dir / KEY_FILE)
        rights_unsealed = lacks(schema_of(settings.database_url), SINCE)
        migrate(settings.database_url)
        go_on()
        clock = TravelClock(clock_file)
        if rights_unsealed:
            with_gateway(settings, _seal_rights)
        owner = with_gateway(settings, _first_operators)
        go_on()
        info = DevInfo(
            gateway=gateway_url,
            script=f"{gateway_url}/v1/iamport.js",
            simulator=sandbox_url,
            shop=shop_url if options.with_shop else None,
            console=f"{gateway_url}/console",
            control=control,
            process_id=os.getpid(),
            data_dir=str(data_dir),
            log=str(data_dir / LOG_FILE) if options.as_json else None,
        )
        # What is overdue would only find that the simulator does not listen yet.
        answering = asyncio.Event()

        async def started() -> None:
            if stop_requested.is_set():
                server.should_exit = True
                return
            urls = [sandbox_url, *([shop_url] if options.with_shop else [])]
            await asyncio.to_thread(_wait_for, urls, children, Path(info.log) if info.log else None)
            answering.set()
            _keep(info_file, info)
            stack.callback(info_file.unlink, missing_ok=True)
            _welcome(info, owner, as_json=options.as_json)

        app = create_app(
            settings,
            demo_allowed=True,
            clock=clock,
            before_work=answering.wait,
            control_key=control.key,
            names=names,
        )
        server = server_of(app, listen, port, bounds_of(settings))
        serve_until_stopped(server, started)


def _free_ports(host: str, count: int) -> int:
    """Return a port that is free together with those after it; below those of outgoing connections."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in random.SystemRandom().sample(range(*FREE_PORTS, count), FREE_TRIES):
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for n in range(count):
                stack.enter_context(socket.socket(family, socket.SOCK_STREAM)).bind((host, port + n))
            return port
    return give_up(f"there are no {count} free ports in a row; name one with --port")


def _end_with_stdin() -> None:
    with contextlib.suppress(OSError, ValueError):
        while os.read(0, 4096):
            pass
    os.kill(os.getpid(), signal.SIGTERM)


def _keep(path: Path, info: DevInfo) -> None:
    """Leave the addresses and the control key for `maedal listen` and `trigger` of the same user."""
    content = json.dumps({**asdict(info), **PAIR}, indent=1)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), 0o600)  # one that a killed run left may be more open
        file.write(content)


def _settings(data_dir: Path, gateway_url: str, sandbox_url: str, log_format: LogFormat) -> Settings:
    try:
        return load(
            database_url=f"sqlite:///{data_dir / DATABASE_FILE}",
            key_file=data_dir / KEY_FILE,
            # Behind a tunnel the browser knows another address than we listen on.
            public_url=os.environ.get("MAEDAL_PUBLIC_URL", gateway_url),
            sandbox_url=sandbox_url,
            allow_private_addresses=True,
            torture_result=os.environ.get("MAEDAL_TORTURE_RESULT", TORTURE_RESULT),
            log_format=os.environ.get("MAEDAL_LOG_FORMAT", log_format),
        )
    except SettingsError as error:
        give_up(error)


async def _seal_rights(gateway: Gateway) -> None:
    await seal_rights(gateway.services)


async def _first_operators(gateway: Gateway) -> NewPassword | None:
    await _demo_merchant(gateway)
    return await _first_owner(gateway)


async def _demo_merchant(gateway: Gateway) -> None:
    """Create the merchant that every old tutorial uses, once."""
    if await gateway.store.merchants.find(DEMO_CODE) is not None:
        return
    await create_merchant(
        gateway.services, "데모 상점", code=DEMO_CODE, api_key=DEMO_API_KEY, api_secret=DEMO_API_SECRET
    )
    for name, cid, default in (("일반결제 (테스트)", "TC0ONETIME", True), ("정기결제 (테스트)", "TCSUBSCRIP", False)):
        settings = ChannelSettings(name=name, cid=cid, test_mode=True, default=default)
        # The simulator's own files of past days, under its public key (docs/wire/kakaopay.md 14).
        settings = replace(settings, file_key=SIMULATOR_FILE_KEY, file_bucket=SIMULATOR_BUCKET)
        await add_channel(gateway.services, DEMO_CODE, settings)


async def _first_owner(gateway: Gateway) -> NewPassword | None:
    """Create somebody who may do everything in the console, unless anybody is there already."""
    if await gateway.store.operators.all():
        return None
    return await create_operator(gateway.services, FIRST_OWNER, Role.OWNER, Actor(MAEDAL), to_be_changed=False)


@contextlib.contextmanager
def _children(
    commands: list[list[str]], log: TextIO | None, control_key: str
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start the commands, which speak into `log` if there is one; end them, whatever happens."""
    with contextlib.ExitStack() as ending:
        children: list[subprocess.Popen[bytes]] = []
        for command in commands:
            # A group of their own: Ctrl-C reaches us alone, and we end them in order.
            child = subprocess.Popen(  # noqa: S603 - our own programs
                command,
                env=os.environ | {SIMULATOR_CONTROL_KEY: control_key},
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
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


def _wait_for(urls: list[str], children: list[subprocess.Popen[bytes]], log: Path | None) -> None:
    """Return once every address answers. Raises SettingsError when a child dies or stays silent."""
    import time

    deadline = time.monotonic() + READY_SECONDS_MAX
    for url in urls:
        while True:
            if any(child.poll() is not None for child in children):
                # A log in a temporary folder is not there to be read afterwards.
                why = "its own message is above" if log is None else log.read_text("utf-8", "replace")[-LAST_WORDS_MAX:]
                raise SettingsError(f"the simulator or the shop did not start; {why}")
            try:
                urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own loopback address
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise SettingsError(f"{url} did not answer within {READY_SECONDS_MAX} seconds") from None
                time.sleep(0.1)


def _welcome(info: DevInfo, owner: NewPassword | None, *, as_json: bool) -> None:
    if as_json:
        operator = None if owner is None else {"name": owner.operator.name, "password": owner.password}
        print(json.dumps({**asdict(info), **PAIR, "owner": operator}), flush=True)
        return
    if owner is None:
        lost = f"maedal user new-password {FIRST_OWNER} --data-dir {shlex.quote(_shortest(info.data_dir))}"
        first: tuple[tuple[str, str], ...] = (("비밀번호를 잊었다면 · password lost", lost),)
    else:
        first = (("이름 · name", owner.operator.name), ("비밀번호 · password, shown once", owner.password))
    shop = (
        ()
        if info.shop is None
        else (("데모 상점 · shop", info.shop), ("연동 코드 · code to copy", f"{info.shop}/snippet"))
    )
    lines = (
        ("콘솔 · console", info.console),
        *first,
        *shop,
        ("구매자 휴대폰 · buyer's phone", info.simulator),
        ("장애 만들기 · faults to try", f"{info.simulator}/faults"),
        ("설명서 · manual", f"{info.gateway}/manual"),
        ("API 문서, 결제 서버 · REST API", info.gateway),
        ("브라우저 SDK · script", info.script),
        ("가맹점 식별코드 · IMP.init", DEMO_CODE),
        ("REST API 키 · imp_key", DEMO_API_KEY),
        ("REST API secret · imp_secret", DEMO_API_SECRET),
    )
    out.rule("[bold]매달 maedal[/]  no money moves; Ctrl-C ends it", align="left")
    for label, value in lines:
        # Whole lines, so that a secret can be copied from any terminal.
        out.print(f"  [dim]{label}[/]{' ' * max(2, 34 - cell_len(label))}[bold]{value}[/]", no_wrap=True)
    print(f"maedal ready {info.gateway}", flush=True)


def _shortest(folder: str) -> str:
    """Return a folder as it is typed from here."""
    here = Path.cwd()
    path = Path(folder)
    return str(path.relative_to(here)) if path.is_relative_to(here) else folder
