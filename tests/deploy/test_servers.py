"""`deploy/systemd`, `deploy/nginx`, `deploy/caddy`: the units are sound and tight, the proxies start and pass on what they should."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from maedal.cli.main import app
from tests.support.world import free_port
from tools import provide

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("maedal-*.*"))
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
EXPOSURE_MAX = 1.2
"""Of 10, as `systemd-analyze security` counts; what is left is the network, which a gateway is for."""
TOKEN = "a-token-that-no-log-may-have"
START_SECONDS_MAX = 60


# Units


@pytest.fixture(scope="module")
def machine(tmp_path_factory) -> Path:
    """A root folder with the units where they go, the system's own beside them, and a program to start."""
    root = tmp_path_factory.mktemp("machine")
    # The system's own units come with it.
    provide.systemd_analyze()
    program = root / "opt/maedal/bin/maedal"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    shutil.copytree("/usr/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True)
    (root / "etc/systemd/system").mkdir(parents=True)
    for unit in UNITS:
        shutil.copy(unit, root / "etc/systemd/system")
    return root


def analyze(*words: object) -> subprocess.CompletedProcess[str]:
    command = [str(provide.systemd_analyze()), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_has_nothing_to_say_against_a_unit(machine, unit):
    ran = analyze(
        "verify", "--man=no", "--recursive-errors=yes", f"--root={machine}", f"/etc/systemd/system/{unit.name}"
    )
    assert (ran.returncode, ran.stderr.strip()) == (0, "")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_may_do_hardly_more_than_it_does(machine, unit):
    ran = analyze("security", "--offline=yes", f"--root={machine}", unit.name)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", ran.stdout)
    assert found is not None, ran.stdout + ran.stderr
    assert float(found[1]) <= EXPOSURE_MAX


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_starts_a_command_that_there_is(unit):
    (line,) = re.findall(r"^ExecStart=(.*)$", unit.read_text(), re.MULTILINE)
    program, *words = shlex.split(line)
    assert program == "/opt/maedal/bin/maedal"
    shown = CliRunner().invoke(app, [words[0], "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).stdout
    assert "Usage" in shown
    assert [word for word in words if word.startswith("--") and word not in shown] == []


# Proxies


class Echo(BaseHTTPRequestHandler):
    """Tells what reached it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *args: object) -> None: ...


@pytest.fixture(scope="module")
def gateway() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    # A proxy that has refused a request hangs up.
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def filled(text: str, **changes: str) -> str:
    """Return a file's text with each of these put in its place; one that is not there is an error."""
    for old, new in changes.values():
        assert old in text, old
        text = text.replace(old, new)
    return text


def nginx_command(folder: Path, gateway: int, tls: int, plain: int) -> list[str]:
    """Write the files of `deploy/nginx` for this machine; give the command that runs them."""
    certificate = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=pay.shop.example -keyout {folder}/privkey.pem -out {folder}/fullchain.pem"
    subprocess.run(["openssl", *certificate.split()], check=True, capture_output=True, timeout=60)
    shutil.copy(DEPLOY / "nginx" / "maedal.proxy", folder)
    text = re.sub(r"(?m)^ *listen \[::\].*\n", "", (DEPLOY / "nginx" / "maedal.conf").read_text())
    text = filled(
        text,
        upstream=("127.0.0.1:8080", f"127.0.0.1:{gateway}"),
        plain=("listen 80;", f"listen 127.0.0.1:{plain};"),
        tls=("listen 443 ssl", f"listen 127.0.0.1:{tls} ssl"),
        certificates=("/etc/ssl/maedal/", f"{folder}/"),
        include=("include /etc/nginx/", f"include {folder}/"),
        logs=("/var/log/nginx/maedal", f"{folder}/maedal"),
    )
    (folder / "maedal.conf").write_text(text)
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Its workers would become somebody who may not write into this folder.
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; pid {folder}/nginx.pid; worker_processes 1; events {{}}\nhttp {{ {paths} include {folder}/maedal.conf; }}\n"
    )
    return [str(provide.nginx()), "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy_command(folder: Path, gateway: int, tls: int, plain: int) -> list[str]:
    text = filled(
        (DEPLOY / "caddy" / "Caddyfile").read_text(),
        # Nobody here gives certificates: Caddy signs its own, and asks nobody to trust it.
        options=("\temail operator@shop.example\n", f"\tadmin off\n\thttp_port {plain}\n\thttps_port {tls}\n\tskip_install_trust\n\tlocal_certs\n\tstorage file_system {folder}/storage\n\tdefault_bind 127.0.0.1\n"),
        upstream=("127.0.0.1:8080", f"127.0.0.1:{gateway}"),
        logs=("/var/log/caddy/maedal", f"{folder}/maedal"),
    )  # fmt: skip
    (folder / "Caddyfile").write_text(text)
    return [str(provide.caddy()), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


COMMANDS: dict[str, Callable[[Path, int, int, int], list[str]]] = {"nginx": nginx_command, "caddy": caddy_command}


@pytest.fixture(scope="module", params=COMMANDS)
def proxy(request, gateway, tmp_path_factory) -> Iterator[tuple[Callable[..., httpx.Response], int, Path]]:
    """The proxy, running; gives how it is asked over TLS under its name, its plain port and its folder."""
    folder = tmp_path_factory.mktemp(request.param)
    tls, plain = free_port(), free_port()
    command = COMMANDS[request.param](folder, gateway, tls, plain)
    context = ssl._create_unverified_context()
    with running(command, folder), httpx.Client(verify=context, timeout=30) as client:

        def ask(method: str, path: str, **more) -> httpx.Response:
            headers = {"Host": "pay.shop.example"} | more.pop("headers", {})
            extensions = {"sni_hostname": "pay.shop.example"}
            return client.request(
                method, f"https://127.0.0.1:{tls}{path}", headers=headers, extensions=extensions, **more
            )

        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                if ask("GET", "/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, (folder / "output").read_text()
            time.sleep(0.05)
        yield ask, plain, folder


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[None]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    with (folder / "output").open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=folder)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def test_the_files_are_as_the_programs_want_them(tmp_path):
    caddyfile = DEPLOY / "caddy" / "Caddyfile"
    for words in (("validate", "--config", str(caddyfile), "--adapter", "caddyfile"), ("fmt", str(caddyfile))):
        environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        ran = subprocess.run(
            [provide.caddy(), *words], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert ran.returncode == 0, ran.stderr
    assert ran.stdout == caddyfile.read_text()
    command = nginx_command(tmp_path, 1, free_port(), free_port())
    ran = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "warn" not in ran.stderr


def test_what_a_caller_says_of_himself_does_not_come_through(proxy):
    ask, _, _ = proxy
    lies = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "gopher", "Forwarded": "for=203.0.113.9"}
    seen = ask("GET", "/readyz", headers=lies).json()["headers"]
    assert (seen["x-forwarded-for"], seen["x-forwarded-proto"], seen["host"]) == (
        "127.0.0.1",
        "https",
        "pay.shop.example",
    )
    assert seen.get("forwarded", "") == ""


def test_the_gateway_refuses_what_is_too_long_and_the_proxy_only_what_is_much_too_long(proxy):
    ask, _, _ = proxy
    assert ask("POST", "/payments/prepare", content=b"x" * ((1 << 20) + 1)).status_code == 200
    assert ask("POST", "/payments/prepare", content=b"x" * (3 << 20)).status_code in {413, 502}


def test_figures_are_for_nobody_outside(proxy):
    ask, _, _ = proxy
    assert ask("GET", "/metrics").status_code == 404


def test_a_browser_is_kept_on_tls(proxy):
    ask, plain, _ = proxy
    answer = httpx.get(f"http://127.0.0.1:{plain}/console?x=1", headers={"Host": "pay.shop.example"})
    assert answer.status_code == 308
    assert answer.headers["location"].startswith("https://pay.shop.example")
    assert "max-age=31536000" in ask("GET", "/console").headers["strict-transport-security"]


def test_no_log_has_what_stands_in_a_query(proxy):
    ask, _, folder = proxy
    assert TOKEN in ask("GET", f"/sdk/payments/imp_1?token={TOKEN}", headers={"Authorization": TOKEN}).json()["path"]
    log, deadline = folder / "maedal.log", time.monotonic() + 60
    while "/sdk/payments/imp_1" not in (log.read_text() if log.exists() else "") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "/sdk/payments/imp_1" in log.read_text()
    assert not [file for file in folder.rglob("*") if file.is_file() and TOKEN in file.read_text(errors="replace")]
