"""How long it takes to seal many billing keys anew while charges run, killed three times: `python -m bench.rotation`.

A real `maedal serve`, a PG that always approves, and `maedal keys rotate` as a program of its own, ended by SIGKILL at
a quarter, a half and three quarters of the way. Every charge must be paid, and everything must open afterwards.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.rows import reading

from bench.programs import environment
from bench.served import MAEDAL, served
from maedal.settings import Settings

KILLS = (0.25, 0.5, 0.75)
LEFT = "SELECT count(*) AS count FROM billing_keys WHERE substr(sealed_pg_key, 1, 5) <> $1"
CALLERS = 4


@dataclass
class Charges:
    """Charges by a few callers, each key once, until told to stop."""

    address: str
    token: str
    keys: int
    paid: int = 0
    refused: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    _next: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        while not self.over.is_set():
            with self._lock:
                number, self._next = self._next, self._next + 1
            body = {
                "customer_uid": f"customer-{number % self.keys}",
                "merchant_uid": f"rotation-{number}",
                "amount": 9900,
                "name": "Monthly plan",
            }
            began = time.monotonic()
            status = self._charge(body)
            with self._lock:
                self.seconds.append(time.monotonic() - began)
                if status == "paid":
                    self.paid += 1
                else:
                    self.refused.append(status)

    def _charge(self, body: dict[str, object]) -> str:
        request = urllib.request.Request(
            f"{self.address}/subscribe/payments/again",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                answer = json.load(reply)
        except urllib.error.HTTPError as error:
            return f"HTTP {error.code}"
        return str((answer.get("response") or {}).get("status") or answer.get("message"))


def rotate(settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    """Start `maedal keys rotate`."""
    values = {f"MAEDAL_{n.upper()}": str(getattr(settings, n)) for n in ("database_url", "key_file", "public_url")}
    with log.open("ab") as output:
        return subprocess.Popen(
            [MAEDAL, "keys", "rotate"],
            env=environment() | values,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )


def run(engine: str, keys: int) -> None:
    """Measure once and print what was found."""
    with served(engine, keys) as on:
        settings, values, folder, url = on.settings, on.values, on.folder, on.settings.database_url
        charges = Charges(settings.public_url, on.token, keys)
        callers = [threading.Thread(target=charges.run, daemon=True) for _ in range(CALLERS)]
        for caller in callers:
            caller.start()
        time.sleep(10)
        alone = statistics.median(charges.seconds)
        before = len(charges.seconds)
        added = subprocess.run([MAEDAL, "keys", "add"], env=environment() | values, capture_output=True, check=True)
        key_id = re.search(r"key ([0-9a-f]{8}) ", added.stdout.decode())
        assert key_id is not None, added.stdout
        prefix = b"\x01" + bytes.fromhex(key_id[1])
        began = time.monotonic()
        with reading(url) as rows:
            for share in KILLS:
                process = rotate(settings, folder / "rotate.log")
                while rows.fetch(LEFT, prefix)[0]["count"] > keys * (1 - share):
                    if process.poll() is not None:
                        raise SystemExit((folder / "rotate.log").read_text())
                    time.sleep(0.05)
                process.send_signal(signal.SIGKILL)
                process.wait()
                print(f"killed with {rows.fetch(LEFT, prefix)[0]['count']} keys left")
            process = rotate(settings, folder / "rotate.log")
            status = process.wait()
            took = time.monotonic() - began
            left = rows.fetch(LEFT, prefix)[0]["count"]
        meanwhile = statistics.median(charges.seconds[before:])
        charges.over.set()
        for caller in callers:
            caller.join()
        check = subprocess.run([MAEDAL, "keys", "check"], env=environment() | values, capture_output=True, check=False)
        print(
            f"{engine}: {keys} keys in {took:.0f} s with 3 kills (status {status}, {left} left); "
            f"{charges.paid} charges paid, {len(charges.refused)} not {sorted(set(charges.refused))[:3]}; median "
            f"{alone * 1000:.1f} ms before, {meanwhile * 1000:.1f} ms meanwhile; keys check: status {check.returncode}"
        )
        shutil.copy(folder / "rotate.log", Path(tempfile.gettempdir()) / f"maedal-rotation-{engine}.log")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--keys", type=int, default=100_000)
    options = parser.parse_args()
    run(options.engine, options.keys)
