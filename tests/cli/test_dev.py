"""`maedal dev` as a newcomer starts it: three origins, one command, state that survives."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from maedal.cli.dev import _settings
from maedal.merchants.merchant import DEMO_API_KEY, DEMO_API_SECRET
from maedal.settings import LogFormat

pytestmark = pytest.mark.slow
MAEDAL = Path(sys.executable).with_name("maedal")
READY_SECONDS_MAX = 60
PAIR = {"imp_key": DEMO_API_KEY, "imp_secret": DEMO_API_SECRET}


def three_free_ports() -> int:
    """Return a port that is free together with the next two.

    Drawn, and of triples that never overlap: another worker looks for some in the same moment.
    """
    for port in random.SystemRandom().sample(range(21_000, 32_000, 3), 200):
        with socket.socket() as a, socket.socket() as b, socket.socket() as c:
            try:
                for n, probe in enumerate((a, b, c)):
                    probe.bind(("127.0.0.1", port + n))
            except OSError:
                continue
            return port
    raise AssertionError("no three free ports in a row")


@contextmanager
def dev(port: int, data_dir: Path, log: Path, *more: str):
    """Run it until the block ends; gives the process once it says that it is ready."""
    with log.open("w") as output:
        command = [str(MAEDAL), "dev", "--port", str(port), "--data-dir", str(data_dir), *more]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + READY_SECONDS_MAX
            while f"maedal ready http://127.0.0.1:{port}" not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(40)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def token(base: str) -> str:
    return httpx.post(f"{base}/users/getToken", json=PAIR).json()["response"]["access_token"]


def test_one_command_gives_a_usable_shop_and_state_that_survives_a_restart(tmp_path):
    port, data = three_free_ports(), tmp_path / "data"
    base = f"http://127.0.0.1:{port}"
    with dev(port, data, tmp_path / "1.log") as process:
        for n in range(3):
            assert httpx.get(f"http://127.0.0.1:{port + n}/").status_code in {200, 404}
        assert "IMP" in httpx.get(f"{base}/v1/iamport.js").text
        assert httpx.get(f"{base}/readyz").json() == {"status": "ok"}
        first = token(base)
        channels = httpx.get(f"{base}/users/pg", headers={"Authorization": first}).json()["response"]
        assert {c["pg_id"] for c in channels} == {"TC0ONETIME", "TCSUBSCRIP"}
        assert stat.S_IMODE((data / "keys.json").stat().st_mode) == 0o600
    assert process.returncode == 0
    with dev(port, data, tmp_path / "2.log"):
        # The same token still, and the channels are not made twice.
        assert token(base) == first
        again = httpx.get(f"{base}/users/pg", headers={"Authorization": first}).json()["response"]
        assert again == channels
    # Nothing is left behind.
    for n in range(3):
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{port + n}/")


def test_the_first_owner_of_the_console_is_told_the_password_once(tmp_path):
    port, data = three_free_ports(), tmp_path / "data"
    address = f"http://127.0.0.1:{port}/console/sign-in"
    with dev(port, data, tmp_path / "1.log"):
        password = re.search(r"shown once +(\S{23})$", (tmp_path / "1.log").read_text(), re.MULTILINE)[1]
        with httpx.Client() as browser:
            form = re.search(r'name="form_token" value="(\w+)"', browser.get(address).text)[1]
            fields = {"form_token": form, "name": "owner", "password": password}
            origin = {"Origin": f"http://127.0.0.1:{port}"}
            assert browser.post(address, data=fields, headers=origin).headers["location"] == "/console"
            home = f"http://127.0.0.1:{port}/console"
            page = browser.get(home).text
            assert "데모 상점" in page
            # A week later, for all three; and after a restart still.
            form = re.search(r'name="form_token" value="(\w+)"', page)[1]
            browser.post(f"{home}/dev/travel", data={"form_token": form, "step": "week"}, headers=origin)
            deadline = time.monotonic() + 60
            while "+6일" not in browser.get(home).text:
                assert time.monotonic() < deadline
                time.sleep(0.1)
    with dev(port, data, tmp_path / "2.log"):
        again = (tmp_path / "2.log").read_text()
        now = httpx.get(f"http://127.0.0.1:{port + 1}/_sim/clock").json()["epoch_seconds"]
        served = httpx.post(f"http://127.0.0.1:{port}/users/getToken", json=PAIR).json()["response"]["now"]
        assert 6 * 86_400 < now - time.time() < 7 * 86_400
        assert abs(now - served) < 60
    assert f"http://127.0.0.1:{port}/console" in again
    assert "shown once" not in again
    assert password not in again


def test_a_killed_gateway_takes_the_simulator_and_the_shop_along(tmp_path):
    port = three_free_ports()
    with dev(port, tmp_path / "d", tmp_path / "log") as process:
        process.kill()
        process.wait(10)
        deadline = time.monotonic() + 60
        while any(listens(port + n) for n in range(3)):
            assert time.monotonic() < deadline, "somebody still listens"
            time.sleep(0.1)


def test_a_taken_port_is_told_in_one_line(tmp_path):
    port = three_free_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + 1))
        taken.listen()
        ended = subprocess.run(
            [str(MAEDAL), "dev", "--port", str(port), "--data-dir", str(tmp_path / "d")],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 1
    assert str(port + 1) in ended.stderr
    assert "Traceback" not in ended.stderr


def test_listening_elsewhere_is_warned_about(tmp_path):
    port = three_free_ports()
    with dev(port, tmp_path / "d", tmp_path / "log", "--host", "0.0.0.0"):
        assert "never on the internet" in (tmp_path / "log").read_text()


@pytest.mark.parametrize("supplied", [None, "https://tunnel.test"])
def test_behind_a_tunnel_the_gateway_is_told_its_other_address(tmp_path, monkeypatch, supplied):
    monkeypatch.delenv("MAEDAL_PUBLIC_URL", raising=False)
    if supplied:
        monkeypatch.setenv("MAEDAL_PUBLIC_URL", supplied)
    settings = _settings(tmp_path, "http://127.0.0.1:8080", "http://127.0.0.1:8081", LogFormat.JSON)
    assert settings.public_url == (supplied or "http://127.0.0.1:8080")


def test_scripts_are_told_everything_in_one_line_of_json_and_nothing_else(tmp_path):
    data = tmp_path / "data"
    command = [str(MAEDAL), "dev", "--json", "--port", "0", "--data-dir", str(data), "--end-with-stdin"]
    with (tmp_path / "err").open("w+") as err:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, text=True)
        info = json.loads(process.stdout.readline())
        for name in ("gateway", "simulator", "shop", "script", "console"):
            assert httpx.get(info[name]).status_code in {200, 303, 404}
        assert info["process_id"] == process.pid
        assert {"name": "owner"}.items() <= info["owner"].items()
        pair = {"imp_key": info["api_key"], "imp_secret": info["api_secret"]}
        assert httpx.post(f"{info['gateway']}/users/getToken", json=pair).json()["code"] == 0
        # For `maedal listen` and `trigger` of the same user: the key, and never the owner's password.
        kept = data / "dev.json"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert json.loads(kept.read_text()) == {name: value for name, value in info.items() if name != "owner"}
        clock = {"Authorization": f"Bearer {info['control']['key']}"}
        assert httpx.get(f"{info['control']['url']}/clock", headers=clock).status_code == 200
        assert info["control"]["key"] not in (data / "dev.log").read_text()
        process.stdin.close()
        assert process.wait(40) == 0
        assert process.stdout.read() == ""
        process.stdout.close()
        err.seek(0)
        assert err.read() == ""
    assert not kept.exists()


def test_a_temporary_one_without_shop_leaves_nothing_behind(tmp_path):
    port = three_free_ports()
    with dev(port, tmp_path / "unused", tmp_path / "log", "--temporary", "--no-shop"):
        info = (tmp_path / "log").read_text()
        assert "shop" not in info.replace("demo shop", "")
        assert not listens(port + 2)
    assert not (tmp_path / "unused").exists()


def test_whoever_goes_away_while_it_starts_takes_it_along(tmp_path):
    command = [str(MAEDAL), "dev", "--json", "--port", "0", "--temporary", "--end-with-stdin"]
    ended = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        check=False,
    )
    assert ended.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_no_page_of_another_site_reaches_any_of_the_three_and_scripts_of_this_machine_do(tmp_path):
    port = three_free_ports()
    gateway, simulator, shop = (f"http://127.0.0.1:{port + n}" for n in range(3))
    with dev(port, tmp_path / "d", tmp_path / "log", "--allowed-host", "mine.test"), httpx.Client() as http:
        rebound, mine = {"Host": "evil.example"}, {"Host": "mine.test:80"}
        foreign = {"Origin": "http://evil.example", "Content-Type": "text/plain"}
        for address in (f"{gateway}/v1/iamport.js", f"{gateway}/healthz", f"{simulator}/_sim/log", f"{shop}/api/state"):
            assert http.get(address).status_code == 200
            assert http.get(address, headers=mine).status_code == 200
            assert http.get(address, headers=rebound).status_code == 403
        for address in (f"{gateway}/users/getToken", f"{simulator}/_sim/clock", f"{shop}/api/orders"):
            assert http.post(address, headers=foreign, content="{}").status_code == 403
        # The browser script calls from a shop's page, whatever its site.
        assert http.post(f"{gateway}/sdk/payments", headers=foreign, content="{}").status_code != 403
        assert http.post(f"{gateway}/users/getToken", json=PAIR).json()["code"] == 0
        assert http.post(f"{simulator}/_sim/buyer", json={"balance": 5}).json()["balance"] == 5
