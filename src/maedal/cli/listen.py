"""`maedal listen` and `maedal trigger`: webhooks on their way to a shop that is being written, and what causes them."""

from __future__ import annotations

import json
import os
import queue
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import typer
from rich.markup import escape

from maedal.cli.running import err, give_up, out, show, whoever, with_gateway
from maedal.cli.settings import read
from maedal.settings import FILE_VARIABLE

if TYPE_CHECKING:
    from maedal.app import Gateway
    from maedal.testing.receiver import Webhook
    from maedal.testing.running import Dev

PATH, THEN = "/maedal-listen", "then"
"""By this path an address is known for that of a listener; under this name it carries the one before it."""
INFO_FILE = "dev.json"
DEMO = "imp00000000"
TEXT_CHARS_MAX = 300
OF_SERVE = ("MAEDAL_DATABASE_URL", FILE_VARIABLE)
"""Whoever has one of these in the environment means that gateway."""

DataDir = Annotated[Path, typer.Option(help="Data folder of the `maedal dev` that is meant.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a line of JSON for each, for scripts.")]


@dataclass(frozen=True, slots=True)
class Passed:
    """One webhook that was passed on: what the shop answered and how long it took; no `code` when it did not answer."""

    webhook: Webhook
    code: int | None
    milliseconds: int
    text: str


Move = Callable[[str, str | None], str | None]
"""Lets webhooks of test payments go to an address if they go to the second now (None: wherever); gives the old one."""


def listen(
    url: Annotated[str, typer.Argument(help="Where your shop takes webhooks.", metavar="URL")],
    merchant: Annotated[str, typer.Option(help="Identification code.")] = DEMO,
    data_dir: DataDir = Path(".maedal"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 draws a free one.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Pass a merchant's webhooks of test payments on to URL as they come, until Ctrl-C, and print what became of each.

    Of the `maedal dev` that runs on the data folder; or of `maedal serve` on this machine, when the settings name its
    database. Where webhooks went before is set again at the end.
    """
    from maedal.testing.http import Answer
    from maedal.testing.receiver import forward, receiving

    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        give_up(f"{url!r} is no address; http://127.0.0.1:3000/webhook, for example, is one")
    move = _of_serve(merchant) if any(map(os.environ.get, OF_SERVE)) else _of_dev(data_dir, merchant)
    # Its `put` may be called by a signal handler that interrupts `get`; that of a Queue would wait for itself.
    passed: queue.SimpleQueue[Passed | None] = queue.SimpleQueue()

    def take(webhook: Webhook) -> Answer:
        began = time.perf_counter()
        try:
            answer = forward(webhook, url)
        except (OSError, ValueError) as error:
            text = f"{type(error).__name__}: {error}"
            passed.put(Passed(webhook, None, _milliseconds(began), text))
            return Answer(502, {"Content-Type": "text/plain"}, f"maedal listen could not pass it on: {error}".encode())
        passed.put(Passed(webhook, answer.status, _milliseconds(began), answer.content.decode("utf-8", "replace")))
        return answer

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, lambda *_: passed.put(None))
    with _receiving(lambda: receiving(take, port=port)) as origin, _moved(move, origin + PATH, url, as_json=as_json):
        while (one := passed.get()) is not None:
            _print_passed(one, as_json=as_json)


def trigger(
    event: Annotated[str | None, typer.Argument(help="What is to happen; `--list` shows all.", metavar="EVENT")] = None,
    list_events: Annotated[bool, typer.Option("--list", help="Show what can be made to happen.")] = False,
    customer_uid: Annotated[
        str | None, typer.Option(help="Use the billing key of this customer instead of a new one.")
    ] = None,
    merchant_uid: Annotated[str | None, typer.Option(help="Order number of the payment; a new one otherwise.")] = None,
    amount: Annotated[int, typer.Option(min=100, help="Amount in won.")] = 1_000,
    data_dir: DataDir = Path(".maedal"),
    as_json: AsJson = False,
) -> None:
    """Let something happen for real in the running `maedal dev`: pages, buyer and KakaoPay are the simulator's.

    It concerns the demo merchant. Webhooks go where that merchant's webhooks go.
    """
    from maedal.testing.events import EVENTS, EventOptions
    from maedal.testing.shop import Broken, Refused

    if list_events:
        for name, what in EVENTS.items():
            out.print(f"{name:<24}{what.text}", markup=False)
            out.print(f"{'':<24}{what.korean}", markup=False)
        return
    if event not in EVENTS:
        give_up(f"{event!r} is no event; known are {', '.join(EVENTS)}" if event else "name an event, or --list")
    dev = _dev(data_dir)
    options = EventOptions(customer_uid=customer_uid, merchant_uid=merchant_uid, amount=amount)
    try:
        happened = EVENTS[event].happen(dev.demo_shop, options)
    except (Refused, Broken) as error:
        give_up(str(error))
    except OSError as error:
        give_up(f"maedal dev does not answer ({error})")
    if as_json:
        print(json.dumps({"event": event, **happened}, ensure_ascii=False), flush=True)
        return
    show(event, **{name: _line(str(value)) for name, value in happened.items() if value is not None})


def _dev(data_dir: Path) -> Dev:
    """Return the `maedal dev` that runs on a folder, by the file that it keeps there."""
    from maedal.testing.http import ask
    from maedal.testing.running import Dev

    hint = "start it, or name its --data-dir"
    try:
        info = json.loads((data_dir / INFO_FILE).read_text())
        ask("GET", f"{info['gateway']}/healthz", seconds=10)
    except FileNotFoundError:
        give_up(f"no maedal dev runs on {data_dir}; {hint}")
    except (OSError, ValueError, LookupError):
        give_up(f"the maedal dev that ran on {data_dir} does not answer; {hint}")
    return Dev(info)


def _of_dev(data_dir: Path, merchant: str) -> Move:
    from maedal.testing.shop import Broken

    control = _dev(data_dir).control

    def move(to: str, instead_of: str | None) -> str | None:
        change = {"url": to} | ({} if instead_of is None else {"instead_of": instead_of})
        try:
            before: str | None = control("PUT", f"/merchants/{merchant}/webhook", change)["before"]
        except Broken as error:
            give_up(str(error))
        return before

    return move


def _of_serve(merchant: str) -> Move:
    from maedal.flows.merchant_cache import FRESH

    settings = read()
    if not settings.allow_private_addresses:
        give_up(
            "this gateway sends webhooks to public addresses only; a listener on this machine needs"
            " MAEDAL_ALLOW_PRIVATE_ADDRESSES=true for the gateway, which is for development"
        )

    def move(to: str, instead_of: str | None) -> str | None:
        async def work(gateway: Gateway) -> str | None:
            from maedal.flows.set_webhook import set_webhook
            from maedal.merchants.errors import MerchantNotFound

            known = await gateway.store.merchants.find(merchant)
            if known is None:
                raise MerchantNotFound(f"no merchant has the identification code {merchant}")
            before = known.webhook_url_test
            if instead_of is None or (before or "") == instead_of:
                await set_webhook(gateway.services, merchant, live=None, test=to, body=None, who=whoever())
            return before

        moved = with_gateway(settings, work)
        # The gateway may remember for so long where they went.
        time.sleep(FRESH.total_seconds())
        return moved

    return move


@contextmanager
def _receiving(begin: Callable[[], Any]) -> Iterator[str]:
    try:
        receiver = begin()
        origin = receiver.__enter__()
    except OSError as error:
        give_up(f"cannot listen ({error.strerror}); choose another --port")
    try:
        yield origin
    finally:
        receiver.__exit__(None, None, None)


@contextmanager
def _moved(move: Move, ours: str, url: str, *, as_json: bool) -> Iterator[None]:
    """Let webhooks come to us while the block runs, and then go where they went, unless somebody has moved them."""
    before = move(ours, None) or ""
    if _is_listener(before):
        if _listens(before):
            move(before, ours)
            give_up(f"another maedal listen already takes these webhooks, at {before.partition('?')[0]}")
        # It was killed and has left its address behind, with what was there before it.
        before = parse_qs(urlsplit(before).query).get(THEN, [""])[0]
    if before:
        # Should we be killed, the next one finds it here.
        move(f"{ours}?{urlencode({THEN: before})}", ours)
        ours = f"{ours}?{urlencode({THEN: before})}"
    try:
        if as_json:
            state = {"listening": ours.partition("?")[0], "forwards_to": url, "instead_of": before or None}
            print(json.dumps(state), flush=True)
        else:
            out.print(f"[bold]maedal listen[/]  {escape(url)}   Ctrl-C ends it")
            if before:
                err.print(f"[yellow]webhooks do not go to {escape(_line(before))} meanwhile[/]")
        yield
    finally:
        try:
            move(before, ours)
        except OSError:
            err.print("[yellow]maedal:[/] the gateway has ended; the next maedal listen puts its webhook address right")


def _is_listener(url: str) -> bool:
    return urlsplit(url).path == PATH and urlsplit(url).hostname == "127.0.0.1"


def _listens(url: str) -> bool:
    from maedal.testing.http import ask

    with suppress(OSError):
        ask("GET", url, seconds=2)
        return True
    return False


def _print_passed(one: Passed, *, as_json: bool) -> None:
    from maedal.clock import SystemClock

    webhook, now = one.webhook, SystemClock().now().astimezone()
    if as_json:
        line = {
            "time": now.isoformat(timespec="milliseconds"),
            "event": webhook.status,
            "imp_uid": webhook.imp_uid,
            "merchant_uid": webhook.merchant_uid,
            "webhook_id": webhook.id or None,
            "code": one.code,
            "milliseconds": one.milliseconds,
            "error": one.text if one.code is None else None,
        }
        print(json.dumps(line, ensure_ascii=False), flush=True)
        return
    taken = one.code is not None and 200 <= one.code < 300
    answer = "no answer" if one.code is None else str(one.code)
    text = "" if taken else f"  {_line(one.text)}"
    facts = f"{now:%H:%M:%S}  {_line(webhook.status):<10}{_line(webhook.imp_uid):<20}{_line(webhook.merchant_uid)}"
    out.print(f"{facts}  → ", end="", markup=False)
    out.print(answer, style="green" if taken else "bold red", end="")
    out.print(f"  {one.milliseconds} ms{text}", markup=False)


def _milliseconds(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)


def _line(text: str) -> str:
    """Return the beginning of a text in one line, without what could steer a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[:TEXT_CHARS_MAX]).split())
