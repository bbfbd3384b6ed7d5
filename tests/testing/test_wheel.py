"""What is released: sdist and wheel, the same bytes each time, and the wheel alone in an empty environment.

There it runs `maedal dev` with its pages and script, brings the pytest plugin, and serves with the pinned versions.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from tools.manual import EN, ROOT, page_of

from maedal.testing.http import ask
from tests.support.world import free_port
from tools import dist, release

pytestmark = pytest.mark.slow
SECONDS_MAX = 280
WHEN = 1_800_000_000
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> tuple[Path, Path]:
    """The sdist and the wheel of this tree."""
    return dist.build(ROOT, tmp_path_factory.mktemp("packages"), WHEN)


@pytest.fixture(scope="module")
def empty(packages, tmp_path_factory) -> Path:
    """The programs of an environment that has the wheel, what it asks for, and pytest: nothing else of this project."""
    pinned = str(ROOT / "requirements" / "dev.txt")
    return environment_of(tmp_path_factory.mktemp("wheel"), ["-c", pinned, f"{packages[1]}[test]"])


def environment_of(folder: Path, *installed: list[str]) -> Path:
    """Make an environment in which these are installed, one after the other; give the folder of its programs."""
    run([str(BIN / "uv"), "venv", "--quiet", "--python", sys.executable, str(folder / "venv")], cwd=folder)
    python = str(folder / "venv" / "bin" / "python")
    for words in installed:
        run([str(BIN / "uv"), "pip", "install", "--quiet", "--python", python, *words], cwd=folder)
    return folder / "venv" / "bin"


def run(command: list[str], *, cwd: Path, status: int = 0, **settings: str) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def environment(**settings: str) -> dict[str, str]:
    rest = {name: value for name, value in os.environ.items() if not name.startswith(("MAEDAL_", "PYTHON", "PYTEST"))}
    return rest | settings


def test_the_sdist_builds_the_same_wheel_and_itself(packages, tmp_path):
    with tarfile.open(packages[0]) as files:
        files.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    (tmp_path / "built").mkdir()
    again = dist.build(source, tmp_path / "built", WHEN)
    assert names_in(again[1]) == names_in(packages[1])
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in packages]


def test_the_wheel_has_every_file_of_the_packages_and_no_other(packages):
    source = ROOT / "src"
    info = {path for path in names_in(packages[1]) if ".dist-info/" not in path}
    kept = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    # What the manual is made of lies in docs/ here, and in the package there.
    made_of = [file for name in ("manual", "examples") for file in (ROOT / "docs" / name).rglob("*") if file.is_file()]
    made_of += [ROOT / "docs" / name for name in ("cli.md", "settings.md", "options.ko.toml")]
    kept |= {f"maedal/manual/{file.relative_to(ROOT).as_posix()}" for file in made_of}
    assert info == {path for path in kept if "__pycache__" not in path and ".egg-info" not in path}


def test_a_commit_gives_the_same_bytes_twice_whoever_builds_it(tmp_path):
    make = [sys.executable, "-m", "tools.dist", "--commit", "HEAD", "--into"]
    run([*make, str(tmp_path / "one")], cwd=ROOT)
    run(["sh", "-c", 'umask 077; exec "$@"', "sh", *make, str(tmp_path / "two")], cwd=ROOT)
    assert (tmp_path / "one" / dist.SUMS).read_text() == (tmp_path / "two" / dist.SUMS).read_text()
    assert "FAILED" not in run(["sha256sum", "--check", dist.SUMS], cwd=tmp_path / "one")


def test_the_wheel_serves_with_the_pinned_versions_alone(packages, tmp_path):
    pinned = str(ROOT / "requirements" / "runtime.txt")
    programs = environment_of(tmp_path, ["--require-hashes", "-r", pinned], ["--no-deps", str(packages[1])])
    run([str(BIN / "uv"), "pip", "check", "--python", str(programs / "python")], cwd=tmp_path)
    version = release.version_of((ROOT / "pyproject.toml").read_text())
    assert run([str(programs / "maedal"), "--version"], cwd=tmp_path) == f"maedal {version}\n"
    assert run([str(programs / "kakaopay-sandbox"), "--version"], cwd=tmp_path) == f"kakaopay-sandbox {version}\n"
    port = free_port()
    settings = {
        "MAEDAL_DATABASE_URL": f"sqlite:///{tmp_path / 'maedal.db'}",
        "MAEDAL_KEY_FILE": str(tmp_path / "keys.json"),
        "MAEDAL_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    for words in (["keys", "create"], ["migrate"]):
        run([str(programs / "maedal"), *words], cwd=tmp_path, **settings)
    serve = [str(programs / "maedal"), "serve", "--port", str(port)]
    with subprocess.Popen(serve, cwd=tmp_path, env=environment(**settings), stdout=subprocess.PIPE) as served:
        # The log goes there too.
        assert any(line.startswith(b"maedal ready ") for line in served.stdout)
        assert ask("GET", f"http://127.0.0.1:{port}/readyz").json() == {"status": "ok"}
        assert ask("GET", f"http://127.0.0.1:{port}/openapi.json").json()["info"]["version"] == version
        for page in ("en/commands", "ko/webhooks"):
            assert ask("GET", f"http://127.0.0.1:{port}/manual/{page}").status == 200
        served.terminate()
        served.stdout.read()
        assert served.wait(60) == 0


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as files:
        return sorted(files.namelist())


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
        "def test_it(maedal):\n"
        # What the first came to is logged by the time that the second has been told of.
        "    for order in ('order-1', 'order-2'):\n"
        "        maedal.pay(1000, order)\n"
        "        maedal.webhooks.wait(merchant_uid=order, status='paid')\n"
        "    assert 0\n"
    )
    message = run([str(empty / "python"), "-m", "pytest", "-q"], cwd=tmp_path, status=1)
    assert "maedal during call" in message
    assert "webhook_sent" in message


def test_the_plugin_costs_other_tests_nothing(empty, tmp_path):
    (tmp_path / "test_other.py").write_text(
        "import sys\n\n\ndef test_it():\n    assert not {'litestar', 'maedal.testing.shop', 'http.server'} & set(sys.modules)\n"
    )
    run([str(empty / "python"), "-m", "pytest", "-q"], cwd=tmp_path)
