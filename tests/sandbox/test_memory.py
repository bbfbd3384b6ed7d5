"""What survives, what can never be stored, and how the simulator is started."""

import ast
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

import kakaopay_sandbox
from kakaopay_sandbox import errors
from kakaopay_sandbox.app import create_app
from kakaopay_sandbox.database import Database
from kakaopay_sandbox.settings import Settings
from tests.sandbox.conftest import StartShop
from tests.sandbox.support import Shop, code_of, running, stopped_clock


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    settings = Settings(data_file=tmp_path / "new" / "sim.sqlite", wall=stopped_clock)
    with running(settings) as origin, httpx.Client(base_url=origin) as http:
        shop = Shop(http)
        sid = shop.pay()["sid"]
        shop.advance(100)
        tid = shop.charge(sid).json()["tid"]
        balance = shop.balance()
    with running(settings) as origin, httpx.Client(base_url=origin) as http:
        shop = Shop(http)
        assert shop.status(sid).json()["last_approved_at"] == "2026-11-23T12:01:40"
        assert shop.order(tid).json()["status"] == "SUCCESS_PAYMENT"
        assert shop.balance() == balance
        assert shop.control("GET", "/clock")["advanced_seconds"] == 100
        assert len(shop.log(operation="subscription")) == 1


@pytest.mark.parametrize(
    "lie",
    [
        "UPDATE orders SET canceled_total = total + 1",
        "UPDATE orders SET canceled_vat = vat + 1",
        "UPDATE orders SET status = 'PAID'",
        "UPDATE orders SET status = 'READY'",
        "UPDATE orders SET status = 'CANCEL_PAYMENT'",
        "UPDATE orders SET total = -1",
        "UPDATE orders SET page = NULL WHERE kind = 'first'",
        "UPDATE sids SET status = 'INACTIVE'",
        "UPDATE sids SET card_id = 'hyundai'",
        "UPDATE sids SET last_approved_at = created_at - 1",
        (
            "INSERT INTO actions (aid, tid, action_type, detail_type, total, at) "
            "SELECT 'A1234567890123456789', tid, 'PAYMENT', 'PAYMENT_LUMP_SUM', 0, 0 FROM orders"
        ),
    ],
)
def test_the_book_refuses_what_cannot_be(start_shop: StartShop, tmp_path: Path, lie: str) -> None:
    shop = start_shop(data_file=tmp_path / "sim.sqlite")
    shop.charge(shop.pay()["sid"])
    workbook = Database(tmp_path / "sim.sqlite")
    with pytest.raises(sqlite3.IntegrityError), workbook.transaction():
        workbook.run(lie)
    workbook.close()


async def test_embedded_without_a_server_a_drop_reaches_the_caller_as_a_reset() -> None:
    app = create_app(Settings(wall=stopped_clock))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sim") as http:
        await http.post("/_sim/faults", json={"operation": "order", "kind": "drop_before"})
        with pytest.raises(ConnectionResetError):
            await http.post(
                "/online/v1/payment/order",
                json={"cid": "TCSUBSCRIP", "tid": "T0"},
                headers={"Authorization": "SECRET_KEY DEV"},
            )
    app.state.sandbox.close()


def test_codes_are_distinct() -> None:
    named = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.Refusal)]
    codes = [kind.code for kind in named if kind not in {errors.Refusal, errors.Arranged}]
    assert len(codes) == len(set(codes))
    assert all(kind.message.strip() for kind in named)


def test_the_package_leans_on_nothing_of_the_gateway() -> None:
    for file in Path(kakaopay_sandbox.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] == "maedal"], (
                f"{file}:{getattr(node, 'lineno', 0)}"
            )


@pytest.mark.slow
def test_the_command_serves_remembers_and_ends(tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "kakaopay_sandbox.cli", "--port", "18497", "--data", str(tmp_path / "sim.sqlite")),
        *("--cid", "TCMINE0001:recurring:hush", "--monthly-limit", "3", "--secret-key", "DEVKEY"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        with httpx.Client(base_url="http://127.0.0.1:18497", trust_env=False) as http:
            shop = Shop(http, headers={"Authorization": "SECRET_KEY DEVKEY"}, cid="TCMINE0001")
            _wait_for(http)
            assert code_of(shop.ready()) == -733
            assert shop.ready(cid_secret="hush").status_code == 200
            shop.headers = {"Authorization": "SECRET_KEY DEVOTHER"}
            assert code_of(shop.ready()) == -401
            # As Java's HttpClient sends its first request.
            offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAEAAEAA"}
            fault = {"operation": "subscription", "kind": "drop_after", "times": 2}
            assert http.post("/_sim/faults", json=fault, headers=offer).status_code == 201
            assert [one["times"] for one in http.get("/_sim/faults").json()] == [2]
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=20)
    assert "kakaopay-sandbox http://127.0.0.1:18497" in output


@pytest.mark.parametrize(
    "wrong",
    [["--cid", "TOOLONGACID1:recurring"], ["--cid", "X:weekly"], ["--any-key", "--secret-key", "K"], ["--port", "0"]],
)
def test_the_command_refuses_what_it_does_not_understand(wrong: list[str]) -> None:
    import typer
    from typer.testing import CliRunner

    from kakaopay_sandbox.cli import main

    app = typer.Typer()
    app.command()(main)
    assert CliRunner().invoke(app, wrong).exit_code == 2


def _wait_for(http: httpx.Client) -> None:
    for _ in range(200):
        try:
            http.get("/healthz")
        except httpx.ConnectError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the simulator did not start")
