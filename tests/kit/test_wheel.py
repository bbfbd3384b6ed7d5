"""The wheel, alone in an empty environment: `maedal dev` with its pages and script, and the pytest plugin."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tools.manual import EN, ROOT, page_of

from maedal.testing.http import ask

pytestmark = pytest.mark.slow
SECONDS_MAX = 280
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> Path:
    """The programs of an environment that has the wheel, what it asks for, and pytest: nothing else of this project."""
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    run([str(BIN / "uv"), "venv", "--quiet", "--python", sys.executable, str(folder / "venv")], cwd=folder)
    pinned = str(ROOT / "requirements" / "dev.txt")
    python = str(folder / "venv" / "bin" / "python")
    run([str(BIN / "uv"), "pip", "install", "--quiet", "--python", python, "-c", pinned, f"{wheel}[test]"], cwd=folder)
    return folder / "venv" / "bin"


def run(command: list[str], *, cwd: Path, status: int = 0) -> str:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAEDAL_", "PYTHON", "PYTEST"))
    }
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def test_dev_serves_pages_and_script(empty, tmp_path):
    words = ["dev", "--json", "--port", "0", "--temporary", "--end-with-stdin"]
    with subprocess.Popen(
        [str(empty / "maedal"), *words], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as dev:
        info = json.loads(dev.stdout.readline())
        script = ask("GET", info["script"])
        assert (script.status, b"IMP" in script.content) == (200, True)
        opened = ask("POST", f"{info['gateway']}/sdk/payments", body=call()).json()
        pages = {
            "the window": opened["next"]["url"],
            "the API's documentation": f"{info['gateway']}/",
            "the console's door": f"{info['gateway']}/console/sign-in",
            "the buyer's phone": info["simulator"],
            "the shop": info["shop"],
        }
        for name, address in pages.items():
            page = ask("GET", address)
            assert page.status in {200, 302, 303}, name
            for asset in re.findall(r'(?:src|href)="(/[^"]+\.(?:js|css|svg)(?:\?[^"]*)?)"', page.content.decode()):
                origin = "/".join(address.split("/")[:3])
                assert ask("GET", origin + asset).status == 200, (name, asset)
        dev.stdin.close()
        assert dev.wait(60) == 0


def call() -> dict[str, object]:
    return {
        "user_code": "imp00000000",
        "nonce": "0123456789abcdef",
        "device": "pc",
        "presentation": "frame",
        "page": {"origin": "http://shop.test", "url": "http://shop.test/pay"},
        "params": {"pg": "kakaopay", "merchant_uid": "order", "amount": 1_000, "name": "Monthly plan"},
    }


def test_the_plugin_is_there_without_a_word_and_runs_the_manuals_tests(empty, tmp_path):
    for n, code in enumerate(
        re.findall(r"^```python\n(.*?)^```$", page_of("test-kit", EN).read_text(), re.MULTILINE | re.DOTALL)
    ):
        (tmp_path / f"test_page_{n}.py").write_text(code)
    message = run([str(empty / "python"), "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"], cwd=tmp_path)
    assert re.search(r"^\d+ passed", message, re.MULTILINE), message


def test_a_failed_test_shows_what_the_gateway_logged_meanwhile(empty, tmp_path):
    (tmp_path / "test_fails.py").write_text(
        "def test_it(maedal):\n    maedal.pay(1000, 'order')\n    maedal.webhooks.wait(status='paid')\n    assert 0\n"
    )
    message = run([str(empty / "python"), "-m", "pytest", "-q"], cwd=tmp_path, status=1)
    assert "maedal during call" in message
    assert "webhook_sent" in message


def test_the_plugin_costs_other_tests_nothing(empty, tmp_path):
    (tmp_path / "test_other.py").write_text(
        "import sys\n\n\ndef test_it():\n    assert not {'litestar', 'maedal.testing.shop', 'http.server'} & set(sys.modules)\n"
    )
    run([str(empty / "python"), "-m", "pytest", "-q"], cwd=tmp_path)
